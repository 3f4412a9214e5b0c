//! `storyreel serve` at work: token, storyboard, film; readiness; what is refused at the start.

use serde_json::{Value, json};

use crate::files::Files;
use crate::http;
use crate::kit::{Place, frames, plain, storyboard};
use crate::server::{LOOPBACK, Server};

#[test]
fn from_key_to_film() {
    let place = Place::new();
    place.video("a.mp4", 1);
    let files = Files::start();
    let url = files.add(&place.path("a.mp4"));
    let server = Server::start(&place, LOOPBACK);
    let key = place.run(&["key", "create", "--data", "data", "--json"]).json();
    let secrets = json!({"client_id": key["clientId"], "client_secret": key["clientSecret"]});
    let token = server.good("POST", "/oauth2/token", &secrets)["access_token"].as_str().unwrap().to_owned();
    let answer = server.call_as(&token, "POST", "/video/storyboard", &storyboard(&[&url, &url], 2.0));
    assert_eq!(answer.status, 200, "{answer:?}");
    let draft = answer.json()["jobId"].as_str().unwrap().to_owned();
    server.completed(&draft);
    let film = server.completed(&server.send_render(&draft));
    assert_eq!((film["videoDuration"].as_f64(), film["frames"].as_u64()), (Some(4.0), Some(120)), "{film:#}");
    for member in ["videoURL", "shareVideoURL", "audioURL", "thumbnail", "srtFile", "vttFile", "txtFile"] {
        let answer = http::send("GET", film[member].as_str().unwrap(), &[], b"").unwrap();
        assert_eq!(answer.status, 200, "{member}");
        if member == "videoURL" {
            std::fs::write(place.path("film.mp4"), &answer.body).unwrap();
        }
    }
    assert_eq!(frames(&place.path("film.mp4")), 120);
    let part = http::send("GET", film["videoURL"].as_str().unwrap(), &[("range", "bytes=0-9")], b"").unwrap();
    assert_eq!((part.status, part.body.len()), (206, 10), "{}", part.head);

    let id = key["id"].as_str().unwrap();
    assert_eq!(place.run(&["key", "revoke", id, "--data", "data"]).code(), 0);
    assert_eq!(
        server.call_as(&token, "GET", "/jobs", &Value::Null).status,
        401,
        "a revoked key's token is over"
    );
}

#[test]
fn readiness_says_how_strong_the_cage_is() {
    let place = Place::new();
    let server = Server::start(&place, "");
    let ready = http::send("GET", &format!("{}/readyz", server.root), &[], b"").unwrap().json();
    assert!(["full", "system calls only"].contains(&ready["cage"]["strength"].as_str().unwrap()), "{ready}");
    assert_eq!(ready["cage"]["networkRefused"], true);
    let config = format!("listen = \"{}\"\n", server.root.trim_start_matches("http://"));
    place.write("taken.toml", &config);
    let taken = place.run(&["serve", "--data", "other", "--config", "taken.toml"]);
    taken.says(1, &["listening on", "--listen"]);
    place.run(&["serve", "--data", "data", "--listen", "127.0.0.1:0"]).says(1, &["another storyreel serves"]);
}

#[test]
fn addresses_begin_with_the_public_url() {
    let place = Place::new();
    let server = Server::start(&place, "public_url = \"https://films.example.org/base\"\n");
    let job = server.completed(&server.send_storyboard(&plain()));
    assert!(
        job["preview"].as_str().unwrap().starts_with("https://films.example.org/base/previews/"),
        "{job:#}"
    );
}
