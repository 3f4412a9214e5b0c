//! A disk with too little room: jobs are taken, wait, and say why they failed.

use serde_json::json;
use storyboard::{Class, Problem};

use crate::http;
use crate::kit::{plain, settings, start, start_with};
use crate::studio::Turn;

#[tokio::test]
async fn too_little_room_is_not_ready_and_fails_jobs_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(dir.path());
    let stat = rustix::fs::statvfs(dir.path()).unwrap();
    settings.min_free_bytes = stat.f_bavail * stat.f_frsize * 2;
    let server = start_with(settings).await;
    let ready = http::send("GET", &format!("{}/readyz", server.root), &[], b"").await;
    assert_eq!((ready.status, ready.json()["disk"]["enough"].clone()), (503, json!(false)));
    assert_eq!(http::send("GET", &format!("{}/healthz", server.root), &[], b"").await.status, 200);
    let id = server.send_storyboard(&plain()).await;
    let job = server.ended(&id).await;
    assert_eq!((&job["data"]["status"], &job["data"]["error_code"]), (&json!("failed"), &json!("DISK_FULL")));
    assert!(job["data"]["error_message"].as_str().unwrap().contains("operator"), "{job}");
    server.stop().await;
}

#[tokio::test]
async fn a_disk_without_room_for_the_ends_of_jobs_accepts_none() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(dir.path());
    settings.min_free_bytes = u64::MAX;
    let server = start_with(settings).await;
    let answer = server.post("/video/storyboard", &plain()).await;
    assert_eq!((answer.status, answer.json()["code"].clone()), (507, json!("DISK_FULL")));
    assert_eq!(server.get("/jobs").await.status, 200, "what is there can be asked about");
    server.stop().await;
}

#[tokio::test]
async fn a_disk_that_fills_while_a_film_is_made_leaves_nothing_and_the_server_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let storyboard = server.storyboard().await;
    let full = Problem::new(Class::Internal, "DISK_FULL", "There is no space left on the server's disk.");
    server.studio.next(Turn::Fail(vec![full]));
    let id = server.send_render(&storyboard, "").await;
    assert_eq!(server.ended(&id).await["data"]["error_code"], "DISK_FULL");
    assert!(!dir.path().join("films").join(&id).exists());
    assert_eq!(std::fs::read_dir(dir.path().join("tmp")).unwrap().count(), 0);
    assert_eq!(server.film().await["data"]["status"], "completed");
    server.stop().await;
}
