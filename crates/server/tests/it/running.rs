//! Jobs while they run and after: shapes, progress, failure, retries, cancelling, owners.

use std::sync::atomic::Ordering;

use serde_json::json;
use storyboard::{Class, Problem};

use crate::kit::{plain, redacted, settings, start, start_with};
use crate::studio::Turn;

#[tokio::test]
async fn a_storyboard_job_shows_render_params_and_a_preview() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let id = server.send_storyboard(&plain()).await;
    let mut job = server.ended(&id).await;
    assert!(job["data"]["renderParams"].is_object(), "{job}");
    job["data"]["renderParams"] = json!("[renderParams]");
    insta::assert_json_snapshot!("storyboard_completed", redacted(&job, &server.root));
    server.stop().await;
}

#[tokio::test]
async fn a_film_has_every_address_that_clients_read() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let job = server.film().await;
    insta::assert_json_snapshot!("render_completed", redacted(&job, &server.root));
    server.stop().await;
}

#[tokio::test]
async fn render_params_round_trip_to_the_same_plan_and_an_edit_to_another() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let storyboard = server.storyboard().await;
    let job = server.get(&format!("/jobs/{storyboard}")).await.json();
    let params = &job["data"]["renderParams"];
    let sent = server.post("/video/render", params).await;
    assert_eq!(sent.status, 200, "{}", sent.text());
    let same = server.ended(sent.json()["jobId"].as_str().unwrap()).await;
    assert_eq!(same["data"]["planHash"], job["data"]["planHash"]);
    let wrapped = json!({"renderParams": params, "webhook": ""}).to_string();
    let same = server.ended(&server.send_render(&storyboard, &wrapped).await).await;
    assert_eq!(same["data"]["planHash"], job["data"]["planHash"]);

    let mut edited = params.clone();
    edited["scenes"][0]["time"] = json!(9.0);
    let longer = server.ended(&server.send_render(&storyboard, &edited.to_string()).await).await;
    assert_eq!(longer["data"]["videoDuration"], 12.0);
    server.stop().await;
}

#[tokio::test]
async fn a_running_job_says_how_far_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let storyboard = server.storyboard().await;
    server.studio.gate.send_replace(false);
    let id = server.send_render(&storyboard, "").await;
    let job = server.until(&id, |job| job["data"]["renderProgress"] == 40).await;
    insta::assert_json_snapshot!("render_running", redacted(&job, &server.root));
    let queued = server.send_render(&storyboard, "").await;
    let job = server.get(&format!("/jobs/{queued}")).await.json();
    assert_eq!((&job["data"]["status"], &job["data"]["state"]), (&json!("in-progress"), &json!("queued")));
    server.studio.gate.send_replace(true);
    server.ended(&queued).await;
    server.stop().await;
}

#[tokio::test]
async fn a_failed_job_says_all_that_is_wrong_in_one_shape() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let storyboard = server.storyboard().await;
    server.studio.next(Turn::Fail(vec![
        Problem::new(Class::Source, "MEDIA_NOT_FOUND", "There is no such object.")
            .at("/scenes/0/backgroundUri")
            .file("s3://bucket/a.mp4")
            .fix("Upload it."),
        Problem::new(Class::Access, "ACCESS_DENIED", "The role may not read it.")
            .at("/scenes/1/backgroundUri"),
    ]));
    let job = server.ended(&server.send_render(&storyboard, "").await).await;
    insta::assert_json_snapshot!("render_failed", redacted(&job, &server.root));
    let again = server.ended(&server.send_render(&storyboard, "").await).await;
    assert_eq!(again["data"]["status"], "completed", "the server goes on");
    server.stop().await;
}

#[tokio::test]
async fn a_panic_is_a_failed_job_with_an_id_and_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let storyboard = server.storyboard().await;
    server.studio.next(Turn::Panic);
    let job = server.ended(&server.send_render(&storyboard, "").await).await;
    assert_eq!((&job["success"], &job["data"]["error_code"]), (&json!(false), &json!("INTERNAL")));
    assert!(!job.to_string().contains("by design"), "{job}");
    assert_eq!(server.film().await["data"]["status"], "completed");
    server.stop().await;
}

#[tokio::test]
async fn only_what_may_pass_is_tried_again_and_not_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let storyboard = server.storyboard().await;
    let passing = || vec![Problem::new(Class::Transient, "THROTTLED", "Too fast.")];
    server.studio.next(Turn::Fail(passing()));
    server.studio.next(Turn::Fail(passing()));
    let job = server.ended(&server.send_render(&storyboard, "").await).await;
    assert_eq!(job["data"]["status"], "completed");
    for _ in 0..3 {
        server.studio.next(Turn::Fail(passing()));
    }
    let job = server.ended(&server.send_render(&storyboard, "").await).await;
    assert_eq!(job["data"]["error_code"], "THROTTLED");
    assert_eq!(server.studio.films.load(Ordering::SeqCst), 1);
    server.stop().await;
}

#[tokio::test]
async fn a_source_that_changed_is_planned_again_once_with_a_warning() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let storyboard = server.storyboard().await;
    let changed =
        || Turn::Fail(vec![Problem::new(Class::Source, "MEDIA_CHANGED", "It changed.").file("s3://b/a.mp4")]);
    server.studio.next(changed());
    let job = server.ended(&server.send_render(&storyboard, "").await).await;
    assert_eq!(job["data"]["status"], "completed");
    assert!(
        job["data"]["warnings"].as_array().unwrap().iter().any(|warning| warning["code"] == "MEDIA_CHANGED")
    );
    server.studio.next(changed());
    server.studio.next(changed());
    let job = server.ended(&server.send_render(&storyboard, "").await).await;
    assert_eq!(job["data"]["error_code"], "MEDIA_CHANGED");
    server.stop().await;
}

#[tokio::test]
async fn cancelling_ends_a_running_and_a_waiting_job() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let storyboard = server.storyboard().await;
    server.studio.gate.send_replace(false);
    let running = server.send_render(&storyboard, "").await;
    server.studio.at_gate().await;
    let waiting = server.send_render(&storyboard, "").await;
    for id in [&waiting, &running] {
        let answer = server.call("DELETE", &format!("/jobs/{id}"), "").await;
        assert_eq!(answer.status, 200);
        let job = answer.json();
        assert_eq!(
            (&job["data"]["status"], &job["data"]["error_code"]),
            (&json!("failed"), &json!("CANCELLED")),
            "{job}"
        );
    }
    assert_eq!(server.call("DELETE", &format!("/jobs/{running}"), "").await.status, 200, "twice is no error");
    assert_eq!(server.call("DELETE", &format!("/jobs/{storyboard}"), "").await.status, 409);
    assert_eq!(server.call("DELETE", "/jobs/nothing", "").await.status, 404);
    server.studio.gate.send_replace(true);
    assert_eq!(server.film().await["data"]["status"], "completed");
    let left: Vec<_> = std::fs::read_dir(server.data.join("tmp")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    server.stop().await;
}

#[tokio::test]
async fn jobs_are_their_owners_and_come_in_pages() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let ben = server.key_of("ben").await;
    let id = server.storyboard().await;
    for (method, path) in [
        ("GET", format!("/jobs/{id}")),
        ("DELETE", format!("/jobs/{id}")),
        ("PUT", format!("/video/render/{id}")),
    ] {
        assert_eq!(server.call_as(&ben, method, &path, "{}").await.status, 404, "{method} {path}");
    }
    assert_eq!(server.call_as(&ben, "GET", "/jobs", "").await.json()["items"], json!([]));

    server.studio.gate.send_replace(false);
    let mut sent = vec![id];
    for _ in 0..30 {
        sent.push(server.send_storyboard(&plain()).await);
    }
    sent.reverse();
    let first = server.get("/jobs").await.json();
    let key = first["nextPageKey"].as_str().unwrap();
    let second = server.get(&format!("/jobs?nextPageKey={key}")).await.json();
    assert!(second["nextPageKey"].is_null());
    let seen: Vec<String> = [&first, &second]
        .iter()
        .flat_map(|page| page["items"].as_array().unwrap())
        .map(|item| item["data"]["jobId"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(seen, sent);
    assert!(second["items"][5]["data"]["renderParams"].is_null());
    assert_eq!(server.get("/jobs?nextPageKey=%00%ff").await.status, 400);
    server.stop().await;
}

#[tokio::test]
async fn a_cancel_of_a_job_that_waits_for_its_next_try_does_not_wait() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(dir.path());
    settings.retry_delays = vec![std::time::Duration::from_secs(3600)];
    let server = start_with(settings).await;
    let storyboard = server.storyboard().await;
    server.studio.next(Turn::Fail(vec![Problem::new(Class::Transient, "THROTTLED", "Too fast.")]));
    let waiting = server.send_render(&storyboard, "").await;
    let queued = server.until(&waiting, |job| job["data"]["attempts"] == 1).await;
    assert_eq!(queued["data"]["errors"][0]["code"], "THROTTLED");
    let answer = server.call("DELETE", &format!("/jobs/{waiting}"), "").await.json();
    assert_eq!(answer["data"]["error_code"], "CANCELLED");
    server.stop().await;
}
