//! Webhooks: at least once, one id, signed; given up with a warning.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use server::SigningKey;
use sha2::Sha256;
use storyboard::{Class, Problem};
use tokio::sync::mpsc;

use crate::kit::{plain, settings, start, start_with};
use crate::studio::Turn;

type Received = (HeaderMap, String);

#[derive(Clone)]
struct Receiver {
    answers: Arc<Mutex<VecDeque<StatusCode>>>,
    sender: mpsc::UnboundedSender<Received>,
}

/// A receiver on loopback that answers with these and then with 200.
async fn receiver(answers: &[StatusCode]) -> (String, mpsc::UnboundedReceiver<Received>) {
    let (sender, received) = mpsc::unbounded_channel();
    let state = Receiver { answers: Arc::new(Mutex::new(answers.iter().copied().collect())), sender };
    let take = |State(receiver): State<Receiver>, headers: HeaderMap, body: String| async move {
        receiver.sender.send((headers, body)).unwrap();
        receiver.answers.lock().unwrap().pop_front().unwrap_or(StatusCode::OK)
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let router = Router::new().route("/hook", post(take)).with_state(state);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, received)
}

#[tokio::test]
async fn a_webhook_is_tried_again_under_one_id_with_the_jobs_body() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let (url, mut received) = receiver(&[StatusCode::INTERNAL_SERVER_ERROR, StatusCode::BAD_GATEWAY]).await;
    let mut storyboard = plain();
    storyboard["webhook"] = json!(url);
    let id = server.send_storyboard(&storyboard).await;
    let mut ids = Vec::new();
    let mut last = None;
    for _ in 0..3 {
        let (headers, body) = received.recv().await.unwrap();
        ids.push(headers["webhook-id"].to_str().unwrap().to_owned());
        last = Some((headers, body));
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    let (headers, body) = last.unwrap();
    let json: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&json["job_id"], &json["success"]), (&json!(id), &json!(true)));
    assert_eq!(json["data"]["status"], "completed");
    assert!(json["data"]["renderParams"].is_object());

    let key = server.store.keys().await.unwrap().pop().unwrap();
    let secret = SigningKey::open(dir.path()).unwrap().webhook_secret(&key.id);
    let secret = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
    let timestamp = headers["webhook-timestamp"].to_str().unwrap();
    mac.update(format!("{}.{timestamp}.{body}", ids[0]).as_bytes());
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    assert_eq!(headers["webhook-signature"].to_str().unwrap(), signature);

    let storyboard = server.storyboard().await;
    let render = server.send_render(&storyboard, &json!({"webhook": url}).to_string()).await;
    let (_, body) = received.recv().await.unwrap();
    let json: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(json["job_id"], render);
    assert!(json["data"]["videoURL"].is_string());
    server.stop().await;
}

#[tokio::test]
async fn a_webhook_that_cannot_be_delivered_is_a_warning_in_the_job() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let (gone, mut received) = receiver(&[StatusCode::GONE]).await;
    for url in ["http://rebinds.example/hook", &gone] {
        let mut storyboard = plain();
        storyboard["webhook"] = json!(url);
        let id = server.send_storyboard(&storyboard).await;
        let warned = |job: &Value| {
            job["data"]["warnings"]
                .as_array()
                .unwrap()
                .iter()
                .any(|warning| warning["code"] == "WEBHOOK_FAILED")
        };
        let job = server.until(&id, warned).await;
        assert_eq!(job["data"]["status"], "completed");
    }
    assert!(received.recv().await.is_some());
    assert!(received.try_recv().is_err(), "410 means never again");
    server.stop().await;
}

#[tokio::test]
async fn every_end_is_reported_with_the_jobs_own_body() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let (url, mut received) = receiver(&[]).await;
    let hook = json!({"webhook": url}).to_string();
    let storyboard = server.storyboard().await;

    server.studio.next(Turn::Fail(vec![Problem::new(Class::Source, "MEDIA_NOT_FOUND", "It is not there.")]));
    let failed = server.send_render(&storyboard, &hook).await;
    let (_, body) = received.recv().await.unwrap();
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body, server.get(&format!("/jobs/{failed}")).await.json());
    assert_eq!((&body["success"], &body["data"]["error_code"]), (&json!(false), &json!("MEDIA_NOT_FOUND")));

    server.studio.gate.send_replace(false);
    let running = server.send_render(&storyboard, &hook).await;
    server.studio.at_gate().await;
    let waiting = server.send_render(&storyboard, &hook).await;
    for id in [&waiting, &running] {
        assert_eq!(server.call("DELETE", &format!("/jobs/{id}"), "").await.status, 200);
        let (_, body) = received.recv().await.unwrap();
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((&body["job_id"], &body["success"]), (&json!(id), &json!(false)));
        assert_eq!(body["data"]["error_code"], "CANCELLED");
    }
    server.studio.gate.send_replace(true);
    let done = server.send_render(&storyboard, &hook).await;
    let (_, body) = received.recv().await.unwrap();
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (&body["job_id"], &body["jobId"], &body["success"]),
        (&json!(done), &json!(done), &json!(true))
    );

    for none in [json!(""), json!("  "), Value::Null] {
        let mut storyboard = plain();
        storyboard["webhook"] = none.clone();
        let answer = server.post("/video/storyboard", &storyboard).await;
        assert_eq!(answer.status, 200, "{none}: {}", answer.text());
        let id = answer.json()["jobId"].as_str().unwrap().to_owned();
        server.ended(&id).await;
        let render = server.send_render(&id, &json!({"webhook": none}).to_string()).await;
        server.ended(&render).await;
    }
    assert!(received.try_recv().is_err(), "no webhook means none");
    server.stop().await;
}

#[tokio::test]
async fn a_delivery_keeps_its_id_over_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (url, mut received) = receiver(&[StatusCode::SERVICE_UNAVAILABLE]).await;
    let mut settings = settings(dir.path());
    settings.webhook_delays = vec![Duration::from_millis(1500)];
    let server = start_with(settings.clone()).await;
    let mut storyboard = plain();
    storyboard["webhook"] = json!(url);
    server.send_storyboard(&storyboard).await;
    let (first, _) = received.recv().await.unwrap();
    server.stop().await.close().await;
    assert!(received.try_recv().is_err(), "the second try waits for its time");
    let server = start_with(settings).await;
    let (second, _) = received.recv().await.unwrap();
    assert_eq!(first["webhook-id"], second["webhook-id"]);
    server.stop().await;
}

#[tokio::test]
async fn a_sender_that_breaks_ends_as_a_failed_try() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let mut storyboard = plain();
    storyboard["webhook"] = json!("http://breaks.example/hook");
    let id = server.send_storyboard(&storyboard).await;
    let job = server.until(&id, |job| job["data"]["warnings"].to_string().contains("WEBHOOK_FAILED")).await;
    assert!(job["data"]["warnings"].to_string().contains("after 3 tries"), "{job}");
    server.stop().await;
}
