//! A flipped byte anywhere, a cut anywhere, another's bytes: removed, and made again.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;

use artefacts::{Artefacts, Found, Kind};

use crate::{TRAILER, body, keep, key, place};

#[test]
fn what_was_kept_is_found_by_others_too() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Artefacts::open(&directory.path().join("a/b"), 1 << 20).unwrap();
    assert!(matches!(cache.find(Kind::Clip, &key(1)), Found::Miss));
    let kept = keep(&cache, Kind::Clip, &key(1), b"packets");
    assert_eq!((kept.bytes, kept.read().unwrap()), (7, b"packets".to_vec()));
    // Position 0, and the trailer behind it.
    let mut all = Vec::new();
    (&kept.file).read_to_end(&mut all).unwrap();
    assert!(all.starts_with(b"packets") && all.len() as u64 == 7 + TRAILER);
    let other = Artefacts::open(&directory.path().join("a/b"), 1 << 20).unwrap();
    assert_eq!(body(&other.find(Kind::Clip, &key(1))), Some(b"packets".to_vec()));
    assert!(matches!(other.find(Kind::Sound, &key(1)), Found::Miss));
    // An empty body is a body.
    keep(&cache, Kind::Facts, &key(1), b"");
    assert_eq!(body(&other.find(Kind::Facts, &key(1))), Some(Vec::new()));

    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let place = place(&cache, Kind::Clip, &key(1));
    assert_eq!(mode(&place), 0o600);
    for directory in place.ancestors().skip(1).take(4) {
        assert_eq!(mode(directory), 0o700, "{directory:?}");
    }
}

#[test]
fn every_flipped_byte_and_every_cut_is_seen() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Artefacts::open(directory.path(), 1 << 20).unwrap();
    let text = b"the encoded packets of one scene";
    keep(&cache, Kind::Clip, &key(1), text);
    let place = place(&cache, Kind::Clip, &key(1));
    let good = std::fs::read(&place).unwrap();
    let check = |bytes: &[u8], what: &str| {
        std::fs::write(&place, bytes).unwrap();
        assert!(matches!(cache.find(Kind::Clip, &key(1)), Found::Damaged), "{what}");
        assert!(!place.exists(), "{what}: it is removed");
        assert!(matches!(cache.find(Kind::Clip, &key(1)), Found::Miss), "{what}");
    };
    for at in 0..good.len() {
        for bit in [1, 128] {
            let mut bad = good.clone();
            bad[at] ^= bit;
            check(&bad, &format!("byte {at}"));
        }
        check(&good[..at], &format!("cut at {at}"));
    }
    let mut longer = good.clone();
    longer.push(0);
    check(&longer, "longer");
    std::fs::write(&place, &good).unwrap();
    assert_eq!(body(&cache.find(Kind::Clip, &key(1))), Some(text.to_vec()));
    // And healed by keeping again, over whatever lies there.
    std::fs::write(&place, b"torn").unwrap();
    keep(&cache, Kind::Clip, &key(1), text);
    assert_eq!(body(&cache.find(Kind::Clip, &key(1))), Some(text.to_vec()));
}

#[test]
fn bytes_under_another_name_are_not_served() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Artefacts::open(directory.path(), 1 << 20).unwrap();
    keep(&cache, Kind::Clip, &key(1), b"one");
    keep(&cache, Kind::Clip, &key(2), b"two");
    keep(&cache, Kind::Sound, &key(1), b"one");
    std::fs::copy(place(&cache, Kind::Clip, &key(1)), place(&cache, Kind::Clip, &key(2))).unwrap();
    std::fs::copy(place(&cache, Kind::Clip, &key(1)), place(&cache, Kind::Sound, &key(1))).unwrap();
    assert!(matches!(cache.find(Kind::Clip, &key(2)), Found::Damaged));
    assert!(matches!(cache.find(Kind::Sound, &key(1)), Found::Damaged));
    assert!(matches!(cache.find(Kind::Clip, &key(1)), Found::Hit(_)));
}
