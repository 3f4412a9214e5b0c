//! `--help`, and the exit codes of `render` with local media.

use serde_json::json;

use crate::kit::{Place, frames, storyboard};

#[test]
fn every_help_is_there() {
    let place = Place::new();
    let commands: [&[&str]; 12] = [
        &[],
        &["serve"],
        &["key"],
        &["key", "create"],
        &["key", "list"],
        &["key", "revoke"],
        &["render"],
        &["frame"],
        &["plan"],
        &["cache"],
        &["cache", "prune"],
        &["demo"],
    ];
    for command in commands {
        let run = place.run(&[command, &["--help"]].concat());
        assert_eq!(run.code(), 0, "{command:?}: {}", run.err());
        assert!(run.out().contains("Usage: storyreel"), "{command:?}");
    }
    place.run(&["render"]).says(2, &["Usage"]);
    place.run(&["film"]).says(2, &["Usage"]);
    assert!(place.run(&["--version"]).out().starts_with("storyreel "));
}

#[test]
fn a_film_and_all_that_goes_with_it() {
    let place = Place::new();
    place.video("a.mp4", 1);
    place.write("s.json", &storyboard(&["a.mp4"], 2.0).to_string());
    place.write("film.mp4", "an older film");
    let run = place.run(&["render", "s.json", "-o", "film.mp4", "--media", ".", "--report", "r.json"]);
    run.says(0, &[]);
    assert!(run.out().starts_with("film.mp4: 2.000 s, 60 frames"), "{}", run.out());
    assert_eq!(frames(&place.path("film.mp4")), 60);
    let expected =
        ["a.mp4", "film.jpg", "film.m4a", "film.mp4", "film.srt", "film.txt", "film.vtt", "r.json", "s.json"];
    assert_eq!(place.names(), expected);
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(place.path("r.json")).unwrap()).unwrap();
    assert_eq!(report["film"]["frames"], 60);
    assert_eq!(report["planHash"].as_str().unwrap().len(), 64);
}

#[test]
fn the_authors_errors() {
    let place = Place::new();
    place.write("film.mp4", "an older film");
    let render = |storyboard: &str| {
        place.write("s.json", storyboard);
        place.run(&[
            "render", "s.json", "-o", "film.mp4", "--media", ".", "--data", "data", "--report", "r.json",
        ])
    };
    render("{").says(2, &["JSON"]);
    render("{\"scenes\": []}").says(2, &["at /scenes"]);
    let mut many = storyboard(&["a.mp4", "b.mp4"], -1.0);
    many["videoWidth"] = json!(1_000_000);
    render(&many.to_string())
        .says(2, &["at /scenes/0/minimumDuration", "at /scenes/1/minimumDuration", "at /videoWidth"]);
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(place.path("r.json")).unwrap()).unwrap();
    assert_eq!(report["problems"].as_array().unwrap().len(), 3, "{report:#}");
    let mut unknown = storyboard(&["s3://some-bucket/a.mp4"], 1.0);
    render(&unknown.to_string()).says(2, &["CONNECTION_REQUIRED"]);
    unknown["awsConnectionId"] = json!("20241207042423053xmex5z9ag9ivmp21");
    render(&unknown.to_string()).says(2, &["CONNECTION_UNKNOWN", "--data"]);
    place.run(&["render", "none.json", "-o", "film.mp4"]).says(2, &["none.json cannot be read"]);
    place.run(&["render", "s.json", "-o", "."]).says(2, &["is a directory"]);
    assert_eq!(std::fs::read(place.path("film.mp4")).unwrap(), b"an older film");
    assert_eq!(place.names(), ["film.mp4", "r.json", "s.json"]);
}

#[test]
fn a_source_that_is_none() {
    let place = Place::new();
    place.write("text.mp4", "this is no film");
    place.write("empty.mp4", "");
    place.write("s.json", &storyboard(&["text.mp4", "missing.mp4", "empty.mp4"], 1.0).to_string());
    let run = place.run(&["render", "s.json", "-o", "film.mp4", "--media", "."]);
    run.says(4, &["Scene 1: text.mp4", "Scene 2: missing.mp4", "Scene 3: empty.mp4"]);
    assert_eq!(place.names(), ["empty.mp4", "s.json", "text.mp4"]);
}

#[test]
fn addresses_that_the_guard_refuses_are_access() {
    let place = Place::new();
    place.write("s.json", &storyboard(&["https://127.0.0.1/a.mp4"], 1.0).to_string());
    place.run(&["render", "s.json", "-o", "film.mp4"]).says(3, &["URL_NOT_ALLOWED"]);
    assert_eq!(place.names(), ["s.json"]);
}

#[test]
fn failures_of_ours() {
    let place = Place::new();
    place.write("s.json", &storyboard(&["a.mp4"], 1.0).to_string());
    place.write("bad.toml", "unknown_setting = 1\n");
    place.run(&["render", "s.json", "-o", "film.mp4", "--config", "bad.toml"]).says(1, &["unknown_setting"]);
    // A file stands where the film's directory would be.
    place.run(&["render", "s.json", "-o", "s.json/film.mp4", "--media", "."]).says(1, &["s.json"]);
    assert_eq!(place.names(), ["bad.toml", "s.json"]);
}

#[test]
fn on_a_terminal() {
    let place = Place::new();
    place.video("a.mp4", 1);
    place.write("s.json", &storyboard(&["a.mp4"], 1.0).to_string());
    let line = format!("{} render s.json -o film.mp4 --media .", env!("CARGO_BIN_EXE_storyreel"));
    let output = std::process::Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .env("TERM", "xterm")
        .current_dir(place.root())
        .output()
        .expect("the tests need the script command of util-linux");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains("film.mp4: 2.000 s"), "{shown}");
}
