//! Servers that end in the middle of their work: killed, stopped, and jobs that are cancelled.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

use crate::files::Files;
use crate::kit::{Place, frames, names, plain, storyboard};
use crate::server::{LOOPBACK, Server};

/// A place with media that is served, and a storyboard that takes a while to film: no two of its frames are the same.
fn long() -> (Place, Files, Value) {
    let place = Place::new();
    place.video("a.mp4", 20);
    let files = Files::start();
    let url = files.add(&place.path("a.mp4"));
    let mut body = storyboard(&[&url, &url, &url], 20.0);
    for (scene, text) in ["Hello world!", "Good morning!", "Good night!"].into_iter().enumerate() {
        body["scenes"][scene]["text"] = text.into();
    }
    body["videoWidth"] = 640.into();
    body["videoHeight"] = 360.into();
    (place, files, body)
}

fn state(wanted: &'static str) -> impl Fn(&Value) -> bool {
    move |job| job["state"] == wanted
}

/// Exactly this film is published, nothing is half done, and it is whole.
fn one_film(place: &Place, job: &str, expected: u64) {
    let films = place.path("data/films");
    let published: Vec<String> = names(&films)
        .into_iter()
        .filter(|id| names(&films.join(id)).iter().any(|name| name.ends_with(".mp4")))
        .collect();
    assert_eq!(published, [job]);
    assert_eq!(names(&place.path("data/tmp")), Vec::<String>::new());
    assert_eq!(frames(&films.join(job).join("film.mp4")), expected);
}

#[test]
fn a_killed_server_goes_on_with_its_film() {
    let (place, _files, body) = long();
    let server = Server::start(&place, LOOPBACK);
    let draft = server.send_storyboard(&body);
    server.completed(&draft);
    let film = server.send_render(&draft);
    server.until(&film, |job| state("rendering")(job) && job["renderProgress"].as_u64() > Some(5));
    server.kill();
    let server = Server::start(&place, LOOPBACK);
    let job = server.completed(&film);
    assert_eq!(job["frames"], 1800, "{job:#}");
    let (code, _) = server.stop("-TERM");
    assert_eq!(code, Some(0));
    one_film(&place, &film, 1800);
}

#[test]
fn a_server_killed_while_it_plans_goes_on_with_both_jobs() {
    let place = Place::new();
    place.video("a.mp4", 1);
    let files = Files::start();
    let url = files.add(&place.path("a.mp4"));
    files.hold(true);
    let server = Server::start(&place, LOOPBACK);
    let planning = server.send_storyboard(&storyboard(&[&url], 1.0));
    let queued = server.send_storyboard(&storyboard(&[&url], 2.0));
    server.until(&planning, state("planning"));
    assert_eq!(server.job(&queued)["state"], "queued");
    server.kill();
    files.hold(false);
    let server = Server::start(&place, LOOPBACK);
    server.completed(&planning);
    server.completed(&queued);
    // Killed again at once after a job is accepted: what was answered is kept.
    let film = server.send_render(&queued);
    server.kill();
    let server = Server::start(&place, LOOPBACK);
    server.completed(&film);
    drop(server);
    one_film(&place, &film, 60);
}

#[test]
fn a_stopped_server_puts_its_film_back() {
    let (place, _files, body) = long();
    let server = Server::start(&place, LOOPBACK);
    let draft = server.send_storyboard(&body);
    server.completed(&draft);
    let film = server.send_render(&draft);
    server.until(&film, state("rendering"));
    let (code, log) = server.stop("-TERM");
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("put back") && log.contains("the server has stopped"), "{log}");
    let server = Server::start(&place, LOOPBACK);
    server.completed(&film);
    let (code, _) = server.stop("-INT");
    assert_eq!(code, Some(0));
    one_film(&place, &film, 1800);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let place = Place::new();
    let server = Server::start(&place, "");
    // A request whose body never comes: the server waits for it a while once it stops.
    let address = server.root.trim_start_matches("http://").to_owned();
    let mut open = TcpStream::connect(&address).unwrap();
    let head = "POST /pictoryapis/v1/oauth2/token HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n";
    open.write_all(head.as_bytes()).unwrap();
    // The server asks for the body once it is at work on the request.
    let mut asked = [0; 12];
    open.read_exact(&mut asked).unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100");
    server.signal("-TERM");
    while TcpStream::connect(&address).is_ok() {
        std::thread::yield_now();
    }
    let (code, log) = server.stop("-TERM");
    assert_eq!(code, Some(143), "{log}");
    assert!(!log.contains("the server has stopped"), "{log}");
}

#[test]
fn a_film_is_cancelled_before_the_answer_comes() {
    let (place, _files, body) = long();
    let server = Server::start(&place, LOOPBACK);
    let draft = server.send_storyboard(&body);
    server.completed(&draft);
    let film = server.send_render(&draft);
    server.until(&film, state("rendering"));
    // The server waits for the run's end for a second at most, and says what it saw.
    let answer = server.call("DELETE", &format!("/jobs/{film}"), &Value::Null);
    assert!(answer.status < 300, "{answer:?}");
    let job = server.job(&film);
    assert_eq!(
        (job["state"].as_str(), job["status"].as_str()),
        (Some("cancelled"), Some("failed")),
        "{job:#}"
    );
    // Its processes are gone: the next film has the only slot.
    let next = server.completed(&server.send_storyboard(&plain()));
    assert_eq!(next["status"], "completed");
    assert_eq!(names(&place.path("data/tmp")), Vec::<String>::new());
}
