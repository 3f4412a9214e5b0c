//! `storyreel cache`: shown, pruned, turned off.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use artefacts::{Artefacts, Key, Kind};

use crate::kit::{Place, plain};

/// Keeps a body under a key in the cache of the directory `data`.
fn keep(place: &Place, kind: Kind, number: u64, bytes: usize) {
    let cache = Artefacts::open(&place.path("data/cache"), u64::MAX).unwrap();
    let draft = cache.draft(kind).unwrap();
    draft.file().write_all(&vec![7; bytes]).unwrap();
    draft.keep(&Key::of(&number).unwrap()).unwrap();
}

fn entries(place: &Place) -> u64 {
    place.run(&["cache", "--data", "data", "--json"]).json()["total"]["entries"].as_u64().unwrap()
}

#[test]
fn what_is_kept_is_shown_and_pruned() {
    let place = Place::new();
    let empty = place.run(&["cache", "--data", "data", "--json"]).json();
    assert_eq!((empty["limitBytes"].as_u64(), &empty["total"]["entries"]), (Some(20_480_000_000), &0.into()));
    assert_eq!(empty["total"]["oldestUse"], serde_json::Value::Null);
    assert_eq!(empty["directory"].as_str(), place.path("data/cache").canonicalize().unwrap().to_str());
    let mode = std::fs::metadata(place.path("data/cache")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);

    keep(&place, Kind::Clip, 1, 2_000_000);
    keep(&place, Kind::Clip, 2, 1_000_000);
    keep(&place, Kind::Facts, 3, 100);
    let shown = place.run(&["cache", "--data", "data", "--json"]).json();
    assert_eq!(shown["kinds"]["clip"]["entries"], 2);
    assert!(shown["kinds"]["clip"]["bytes"].as_u64().is_some_and(|bytes| bytes > 3_000_000));
    assert_eq!(
        (&shown["kinds"]["sound"]["entries"], &shown["kinds"]["facts"]["entries"]),
        (&0.into(), &1.into())
    );
    assert!(shown["kinds"]["facts"]["newestUse"].as_str().is_some_and(|time| time.ends_with('Z')));
    let table = place.run(&["cache", "--data", "data"]);
    table.says(0, &[]);
    for word in ["data/cache", "20480 MB", "clip", "sound", "facts", "picture", "3.000", "all"] {
        assert!(table.out().contains(word), "{word}: {}", table.out());
    }

    // Down to 2 MB: the oldest goes.
    let pruned = place.run(&["cache", "prune", "--to", "2", "--data", "data", "--json"]).json();
    assert_eq!(pruned["removedEntries"], 1);
    assert_eq!(entries(&place), 2);
    let pruned = place.run(&["cache", "prune", "--data", "data"]);
    pruned.says(0, &[]);
    assert!(pruned.out().starts_with("removed 2 entries, 1.000 MB"), "{}", pruned.out());
    assert_eq!(entries(&place), 0);
}

#[test]
fn the_limit_comes_from_flag_environment_and_file() {
    let place = Place::new();
    place.write("c.toml", "[cache]\nlimit_mb = 5\n");
    let limit = |arguments: &[&str], variable: Option<&str>| {
        let mut command = place.command();
        command.args(["cache", "--data", "data", "--json", "--config", "c.toml"]).args(arguments);
        if let Some(megabytes) = variable {
            command.env("STORYREEL_CACHE_MB", megabytes);
        }
        let answer: serde_json::Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
        answer["limitBytes"].as_u64().unwrap()
    };
    assert_eq!(limit(&[], None), 5_000_000);
    assert_eq!(limit(&[], Some("7")), 7_000_000);
    assert_eq!(limit(&["--cache-mb", "9"], Some("7")), 9_000_000);
    let off = place.run(&["cache", "--data", "data", "--cache-mb", "0"]);
    assert!(off.out().contains("turns the cache off"), "{}", off.out());
}

#[test]
fn films_fill_it_unless_it_is_off_and_are_made_without_it() {
    let place = Place::new();
    place.write("s.json", &plain().to_string());
    let render = |more: &[&str]| {
        let run = place.run(&[&["render", "s.json", "-o", "film.mp4", "--data", "data"], more].concat());
        run.says(0, &[]);
    };
    render(&["--no-cache"]);
    render(&["--cache-mb", "0"]);
    assert_eq!(entries(&place), 0);
    render(&[]);
    assert!(entries(&place) > 0);
    // What stands in the way costs time and no film.
    std::fs::remove_dir_all(place.path("data/cache")).unwrap();
    std::fs::write(place.path("data/cache"), "no directory").unwrap();
    render(&[]);
    place.run(&["cache", "--data", "data"]).says(1, &["data/cache", "--data"]);
}
