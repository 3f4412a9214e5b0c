//! Who goes first, and what stays.

use std::time::SystemTime;

use artefacts::{Artefacts, Found, Kind, Pruned};

use crate::{TRAILER, body, files, keep, key, place};

/// Bytes of a body whose file has a round size.
const BODY: usize = 1000 - TRAILER as usize;

fn present(cache: &Artefacts, numbers: std::ops::Range<u64>) -> Vec<u64> {
    numbers.filter(|number| place(cache, Kind::Clip, &key(*number)).exists()).collect()
}

#[test]
fn the_least_recently_used_goes_first_and_the_newest_never() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Artefacts::open(directory.path(), 3_000).unwrap();
    for number in 0..3 {
        keep(&cache, Kind::Clip, &key(number), &[number as u8; BODY]);
    }
    assert_eq!(present(&cache, 0..9), [0, 1, 2]);
    assert!(matches!(cache.find(Kind::Clip, &key(0)), Found::Hit(_)));
    let evicted = cache.find(Kind::Clip, &key(1));
    assert!(matches!(cache.find(Kind::Clip, &key(0)), Found::Hit(_)));
    assert!(matches!(cache.find(Kind::Clip, &key(2)), Found::Hit(_)));
    // 4,000 with the new one; room is made down to 3,000 less a 64th.
    keep(&cache, Kind::Clip, &key(3), &[3; BODY]);
    assert_eq!(present(&cache, 0..9), [2, 3]);
    assert_eq!(body(&evicted), Some(vec![1; BODY]), "an open file outlives its entry");
    // One that fills the cache alone.
    keep(&cache, Kind::Clip, &key(4), &[4; 3 * BODY]);
    assert_eq!(present(&cache, 0..9), [4]);
    // One that is larger than the cache is answered, not kept, and nobody goes for it.
    let large = keep(&cache, Kind::Clip, &key(5), &[5; 3_000]);
    assert_eq!(large.read().unwrap(), vec![5; 3_000]);
    assert_eq!(present(&cache, 0..9), [4]);
    assert_eq!(files(directory.path()).len(), 1);
}

#[test]
fn the_limit_counts_what_others_kept() {
    let directory = tempfile::tempdir().unwrap();
    let one = Artefacts::open(directory.path(), 10_000).unwrap();
    let other = Artefacts::open(directory.path(), 10_000).unwrap();
    for number in 0..40 {
        keep(if number % 2 == 0 { &one } else { &other }, Kind::Clip, &key(number), &[0; BODY]);
        assert!(one.survey().unwrap().total().bytes <= 10_000 + 2 * 10_000 / 64);
    }
    assert!(present(&one, 0..40).contains(&39));
    // A smaller limit takes hold at the next keeping.
    let smaller = Artefacts::open(directory.path(), 2_000).unwrap();
    keep(&smaller, Kind::Clip, &key(40), &[0; BODY]);
    assert_eq!(present(&one, 0..41), [40]);
}

#[test]
fn survey_and_prune() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Artefacts::open(directory.path(), 1 << 20).unwrap();
    let before = SystemTime::now();
    keep(&cache, Kind::Clip, &key(1), &[0; BODY]);
    keep(&cache, Kind::Clip, &key(2), &[0; BODY]);
    keep(&cache, Kind::Facts, &key(1), &[0; BODY]);
    let survey = cache.survey().unwrap();
    let clips = survey.kinds[&Kind::Clip];
    assert_eq!((clips.entries, clips.bytes), (2, 2_000));
    assert!(before <= clips.oldest.unwrap() && clips.oldest < clips.newest);
    assert_eq!((survey.kinds[&Kind::Facts].entries, survey.kinds[&Kind::Sound].entries), (1, 0));
    assert_eq!(survey.kinds[&Kind::Sound].oldest, None);
    assert_eq!((survey.total().entries, survey.total().bytes), (3, 3_000));
    assert_eq!(survey.total().newest, survey.kinds[&Kind::Facts].newest);

    assert_eq!(cache.prune(3_000).unwrap(), Pruned::default());
    assert_eq!(cache.prune(2_999).unwrap(), Pruned { entries: 1, bytes: 1_000 });
    assert_eq!(present(&cache, 0..9), [2]);
    // Also what a loss of power left empty.
    std::fs::write(place(&cache, Kind::Clip, &key(2)), b"").unwrap();
    assert_eq!(cache.prune(0).unwrap(), Pruned { entries: 2, bytes: 1_000 });
    assert_eq!(files(directory.path()).len(), 0);
    assert_eq!(cache.survey().unwrap().total().entries, 0);
}

#[test]
fn a_directory_that_vanishes_is_made_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cache");
    let cache = Artefacts::open(&path, 1 << 20).unwrap();
    keep(&cache, Kind::Clip, &key(1), b"x");
    std::fs::remove_dir_all(&path).unwrap();
    assert!(matches!(cache.find(Kind::Clip, &key(1)), Found::Miss));
    keep(&cache, Kind::Clip, &key(1), b"x");
    // Only the draft under way is lost, with an error.
    let draft = cache.draft(Kind::Clip).unwrap();
    std::fs::remove_dir_all(&path).unwrap();
    assert!(draft.keep(&key(1)).is_err());
    assert!(matches!(cache.find(Kind::Clip, &key(1)), Found::Miss));
}
