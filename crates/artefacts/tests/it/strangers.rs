//! Things in the directory that this crate did not make.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use artefacts::{Artefacts, Found, Kind};

use crate::{body, keep, key, place};

#[test]
fn links_pipes_and_directories_are_neither_followed_nor_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let cache = Artefacts::open(&directory.path().join("c"), 100_000).unwrap();
    // A good entry, moved out and linked to: even so it is not followed.
    keep(&cache, Kind::Clip, &key(1), b"one");
    let linked = place(&cache, Kind::Clip, &key(1));
    let target = outside.path().join("target");
    std::fs::rename(&linked, &target).unwrap();
    symlink(&target, &linked).unwrap();
    assert!(matches!(cache.find(Kind::Clip, &key(1)), Found::Damaged));
    assert!(target.exists() && !linked.is_symlink(), "the link is removed, not what it names");
    keep(&cache, Kind::Clip, &key(1), b"one");
    // Kept over a link: the link goes.
    std::fs::remove_file(&linked).unwrap();
    symlink(&target, &linked).unwrap();
    std::fs::write(&target, b"outside").unwrap();
    keep(&cache, Kind::Clip, &key(1), b"one");
    assert_eq!(std::fs::read(&target).unwrap(), b"outside");
    assert_eq!(body(&cache.find(Kind::Clip, &key(1))), Some(b"one".to_vec()));

    for number in [2, 3] {
        keep(&cache, Kind::Clip, &key(number), b"x");
        std::fs::remove_file(place(&cache, Kind::Clip, &key(number))).unwrap();
    }
    assert!(Command::new("mkfifo").arg(place(&cache, Kind::Clip, &key(2))).status().unwrap().success());
    assert!(matches!(cache.find(Kind::Clip, &key(2)), Found::Damaged));
    assert!(matches!(cache.find(Kind::Clip, &key(2)), Found::Miss));
    // A directory with something in it is left alone, and the caller goes on without.
    let full = place(&cache, Kind::Clip, &key(3));
    std::fs::create_dir(&full).unwrap();
    std::fs::write(full.join("precious"), b"x").unwrap();
    assert!(matches!(cache.find(Kind::Clip, &key(3)), Found::Damaged));
    assert!(cache.draft(Kind::Clip).unwrap().keep(&key(3)).is_err());
    cache.prune(0).unwrap();
    assert!(full.join("precious").exists());
    // A shelf and a kind that are links elsewhere.
    symlink(outside.path(), directory.path().join("c").join("sound")).unwrap();
    assert!(cache.draft(Kind::Sound).unwrap().keep(&key(4)).is_err());
    assert!(matches!(cache.find(Kind::Sound, &key(4)), Found::Miss));
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 1);
    // And foreign names, which are not counted and not removed.
    std::fs::write(directory.path().join("c/clip/notes.txt"), b"x").unwrap();
    std::fs::write(full.parent().unwrap().join("notes.txt"), b"x").unwrap();
    assert!(Command::new("mkfifo").arg(directory.path().join("c/drafts/pipe")).status().unwrap().success());
    assert_eq!(cache.survey().unwrap().total().entries, 0);
    cache.prune(0).unwrap();
    assert!(directory.path().join("c/clip/notes.txt").exists());
}

#[test]
fn a_place_that_cannot_be_used_is_an_error_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, b"").unwrap();
    assert!(Artefacts::open(&file, 1).is_err());
    assert!(Artefacts::open(&file.join("below"), 1).is_err());
    let cache = directory.path().join("cache");
    std::fs::create_dir(&cache).unwrap();
    symlink(directory.path(), cache.join("drafts")).unwrap();
    assert!(Artefacts::open(&cache, 1).is_err());
    // A directory that may be read only; root may write it all the same.
    let locked = directory.path().join("locked");
    std::fs::create_dir(&locked).unwrap();
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o500)).unwrap();
    let root = std::fs::write(locked.join("probe"), b"").is_ok();
    assert_eq!(Artefacts::open(&locked, 1).is_ok(), root);
}

#[test]
fn a_full_disk_is_an_error_and_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cache");
    // A limit on the size of files fails a write as a full disk does.
    let status = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" --exact strangers::keeps_too_much --nocapture"])
        .arg(std::env::current_exe().unwrap())
        .env("ARTEFACTS_TEST_FULL", &path)
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(crate::files(&path).len(), 0);
}

/// Not a test: what the process with a full disk does.
#[test]
fn keeps_too_much() {
    let Some(path) = std::env::var_os("ARTEFACTS_TEST_FULL") else { return };
    let cache = Artefacts::open(path.as_ref(), 1 << 20).unwrap();
    let draft = cache.draft(Kind::Clip).unwrap();
    let mut written = 0;
    while let Ok(count) = std::io::Write::write(&mut draft.file(), &[0; 512]) {
        written += count;
        assert!(written < 1 << 20, "no limit");
    }
    assert!(draft.keep(&key(1)).is_err(), "the trailer does not fit");
    assert!(matches!(cache.find(Kind::Clip, &key(1)), Found::Miss));
}
