//! What a busy server writes into its log holds no secret.

use std::io;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::http;
use crate::kit::{plain, start};

/// Everything that is logged, from every level and crate.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_secret_is_logged() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let issued = server.store.create_key(&store::Owner::from_text("anna"), "k", 1).await.unwrap();
    let url = format!("{}/pictoryapis/v1/oauth2/token?secret=in-the-query", server.root);
    let (id, secret) = (&issued.key.client_id, &issued.client_secret);
    let body = json!({"client_id": id, "client_secret": secret}).to_string();
    let token = http::send("POST", &url, &[], body.as_bytes()).await.json();
    let token = token["access_token"].as_str().unwrap().to_owned();
    let wrong = json!({"client_id": id, "client_secret": "wrong-but-secret"}).to_string();
    assert_eq!(http::send("POST", &url, &[], wrong.as_bytes()).await.status, 401);
    assert_eq!(server.call_as("Bearer mistyped-secret", "GET", "/jobs", "").await.status, 401);
    assert_eq!(server.call_as(&format!("Bearer {token}"), "GET", "/jobs", "").await.status, 200);

    let mut signatures = Vec::new();
    for hook in
        ["http://rebinds.example/hook?token=hook-secret", "http://unreachable.example/hook?token=hook-secret"]
    {
        let mut storyboard = plain();
        storyboard["webhook"] = json!(hook);
        storyboard["scenes"][0]["backgroundUri"] = json!("https://media.example/a.mp4?sig=media-secret");
        let id = server.send_storyboard(&storyboard).await;
        server
            .until(&id, |job| {
                let warnings = job["data"]["warnings"].as_array();
                warnings.is_some_and(|all| all.iter().any(|warning| warning["code"] == "WEBHOOK_FAILED"))
            })
            .await;
        let job = server.get(&format!("/jobs/{id}")).await.json();
        assert!(!job["data"]["warnings"].to_string().contains("hook-secret"), "{job}");
        let page = job["data"]["preview"].as_str().unwrap().to_owned();
        assert_eq!(http::send("GET", &page, &[], b"").await.status, 200);
        signatures.push(page.split("signature=").nth(1).unwrap().to_owned());
    }
    let film = server.film().await;
    let video = film["data"]["videoURL"].as_str().unwrap().to_owned();
    assert_eq!(http::send("GET", &video, &[], b"").await.status, 200);
    signatures.push(video.split("signature=").nth(1).unwrap().to_owned());
    assert_eq!(http::send("GET", &format!("{video}0"), &[], b"").await.status, 403);
    server.store.revoke_key(issued.key.id.as_str(), 5).await.unwrap();
    assert_eq!(server.call_as(&token, "GET", "/jobs", "").await.status, 401);
    let key = server.key.clone();
    server.stop().await;
    drop(guard);

    let text = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(text.contains("a job was accepted") && text.contains("request"), "something was logged: {text}");
    let mut secrets = vec![
        key,
        issued.api_key.clone(),
        secret.clone(),
        token,
        "in-the-query".to_owned(),
        "wrong-but-secret".to_owned(),
        "mistyped-secret".to_owned(),
        "hook-secret".to_owned(),
        "media-secret".to_owned(),
        "whsec_".to_owned(),
    ];
    secrets.extend(signatures);
    for secret in secrets {
        let line = text.lines().find(|line| line.contains(&secret));
        assert!(line.is_none(), "{secret}: {line:?}");
    }
}
