//! Frames over HTTP from children that are kept: the film's own pictures, whatever was looked at before.

use std::path::Path;

use serde_json::{Value, json};

use crate::files::Files;
use crate::http::{self, Answer};
use crate::kit::Place;
use crate::server::{LOOPBACK, Server};

fn storyboard(background: &str, text: &str) -> Value {
    let scene = |text: &str, seconds: f64| json!({ "text": text, "backgroundUri": background, "minimumDuration": seconds });
    let split = json!({
        "text": "Here it goes on. And on. And on.", "splitTextOnPeriod": true, "backgroundUri": background,
    });
    let scenes = [scene(text, 5.5), split, json!({ "text": "Nothing behind" })];
    json!({ "videoName": "film", "videoWidth": 320, "videoHeight": 180, "scenes": scenes })
}

fn look(server: &Server, key: &str, frame: u64, storyboard: &Value) -> Answer {
    let at = frame as f64 / 30.0;
    server.call_as(key, "POST", &format!("/preview/frame?at={at}"), storyboard)
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    let line = answer.head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")));
    line.and_then(|line| line.split_once(": ")).map(|(_, value)| value.trim()).unwrap()
}

fn digest(answer: &Answer) -> &str {
    header(answer, "storyreel-frame-digest")
}

/// The processes that a process started and that run.
fn children(parent: u32) -> Vec<u32> {
    let running = |pid: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let mut fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
        fields.next().is_some_and(|state| state != "Z") && fields.next() == Some(&parent.to_string())
    };
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(running).collect()
}

#[test]
fn kept_children_draw_the_films_frames_in_any_order() {
    let place = Place::new();
    place.video("a.mp4", 4);
    let files = Files::start();
    let url = files.add(&place.path("a.mp4"));
    let server = Server::start(&place, LOOPBACK);
    let (first, edited) = (storyboard(&url, "A caption"), storyboard(&url, "Another, longer caption"));
    let film = |storyboard: &Value| -> Vec<String> {
        place.write("s.json", &storyboard.to_string());
        let run = place.run(&[
            "render",
            "s.json",
            "-o",
            "film.mp4",
            "--report",
            "r.json",
            "--frame-digests",
            "--data",
            "other",
            "--config",
            "storyreel.toml",
        ]);
        run.says(0, &[]);
        let report: Value = serde_json::from_slice(&std::fs::read(place.path("r.json")).unwrap()).unwrap();
        let scenes = report["took"]["scenes"].as_array().unwrap();
        let digests = scenes.iter().flat_map(|scene| scene["frameDigests"].as_array().unwrap());
        digests.map(|digest| digest.as_str().unwrap().to_owned()).collect()
    };
    let (film_of_first, film_of_edited) = (film(&first), film(&edited));
    // To and fro, the next frame, the same again, the loop's second round, the parts of a split text, a still.
    let last = film_of_first.len() as u64 - 1;
    for frame in [60, 61, 0, 119, 120, 121, 90, 90, 30, 164, 170, 200, last, 3, last - 1, 45] {
        for (storyboard, film) in [(&first, &film_of_first), (&edited, &film_of_edited)] {
            let answer = look(&server, server.key(), frame, storyboard);
            assert_eq!(digest(&answer), film[frame as usize], "frame {frame}");
            assert_eq!(header(&answer, "storyreel-frame"), frame.to_string());
        }
    }
    let ours = children(server.id());
    assert_eq!(ours.len(), 1, "one child draws for one client");
    let key = place.run(&["key", "create", "--owner", "ben", "--data", "data", "--json"]).json();
    let other = look(&server, key["apiKey"].as_str().unwrap(), 60, &first);
    assert_eq!(digest(&other), film_of_first[60]);
    let both = children(server.id());
    assert!(both.len() == 2 && both.contains(&ours[0]), "another owner has a child of its own: {both:?}");

    let url = format!("{}/pictoryapis/v1/preview/frame?at=2", server.root);
    let tag = header(&look(&server, server.key(), 60, &first), "etag").to_owned();
    let headers = [("authorization", server.key()), ("if-none-match", tag.as_str())];
    let known = http::send("POST", &url, &headers, first.to_string().as_bytes()).unwrap();
    assert_eq!((known.status, known.body.len()), (304, 0));

    assert_eq!(server.stop("-TERM").0, Some(0));
    assert!(both.iter().all(|child| !Path::new(&format!("/proc/{child}/fd")).exists()), "none is left");
}

#[test]
fn a_source_that_changed_or_went_is_not_shown_from_memory() {
    let place = Place::new();
    place.video("a.mp4", 2);
    let files = Files::start();
    let url = files.add(&place.path("a.mp4"));
    let server = Server::start(&place, LOOPBACK);
    let board = storyboard(&url, "A caption");
    let before = look(&server, server.key(), 10, &board);
    let status = std::process::Command::new("ffmpeg")
        .args([
            "-nostdin",
            "-v",
            "error",
            "-y",
            "-f",
            "lavfi",
            "-i",
            "color=red:size=320x180:rate=30:duration=2",
        ])
        .args(["-c:v", "libx264", "-pix_fmt", "yuv420p"])
        .arg(place.path("a.mp4"))
        .status()
        .unwrap();
    assert!(status.success());
    files.add(&place.path("a.mp4"));
    let after = look(&server, server.key(), 10, &board);
    assert_ne!(digest(&before), digest(&after));
    assert_ne!(header(&before, "etag"), header(&after, "etag"));
    let gone = look(&server, server.key(), 10, &storyboard(&format!("{url}.none"), "A caption"));
    assert_eq!(gone.status, 422, "{gone:?}");
    assert_eq!(gone.json()["fields"][0]["name"], "scenes[0].backgroundUri");
    let outside = look(&server, server.key(), 100_000, &board);
    assert_eq!((outside.status, &outside.json()["fields"][0]["code"]), (400, &json!("FRAME_OUTSIDE")));
}

#[test]
fn the_plan_is_an_answer_and_is_compared_with_a_film() {
    let place = Place::new();
    place.video("a.mp4", 2);
    let files = Files::start();
    let url = files.add(&place.path("a.mp4"));
    let server = Server::start(&place, LOOPBACK);
    let board = storyboard(&url, "A caption");
    let cold = server.good("POST", "/plan", &board);
    assert!(cold["framesToEncode"].as_u64().unwrap() > 0, "{cold:#}");
    assert_eq!(cold["soundCached"], false);
    let draft = server.send_storyboard(&board);
    server.completed(&draft);
    let film = server.send_render(&draft);
    let job = server.completed(&film);
    assert_eq!(job["report"]["distinctFrames"], cold["distinctFrames"]);
    assert_eq!(job["report"]["sources"][0]["name"], url);
    let edited = server.good("POST", &format!("/plan?against={film}"), &storyboard(&url, "Another"));
    assert_eq!(edited["scenes"][0]["changed"], json!(["the caption"]));
    assert_eq!(
        (&edited["scenes"][1]["clip"], &edited["scenes"][1]["changed"]),
        (&json!("cached"), &json!([]))
    );
    assert_eq!(edited["framesToEncode"], edited["scenes"][0]["clipFrames"]);
}
