//! A running server with a key, and what the tests do with it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::{Value, json};
use server::{Access, Deps, HookError, Papers, Settings, WebhookSender};
use store::{Connection, Owner, Store};
use storyboard::MediaRef;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::http::{self, Answer};
use crate::studio::TestStudio;

pub(crate) struct Server {
    pub(crate) root: String,
    pub(crate) store: Store,
    pub(crate) studio: Arc<TestStudio>,
    pub(crate) data: PathBuf,
    pub(crate) shutdown: CancellationToken,
    pub(crate) serving: JoinHandle<()>,
    pub(crate) key: String,
}

/// Settings that wait for nothing.
pub(crate) fn settings(data: &Path) -> Settings {
    let mut settings = Settings::new(data.to_owned());
    settings.retry_delays = vec![Duration::ZERO; 2];
    settings.webhook_delays = vec![Duration::ZERO; 2];
    settings.parse.allow_http = true;
    settings.min_free_bytes = 0;
    settings
}

pub(crate) async fn start(data: &Path) -> Server {
    start_with(settings(data)).await
}

pub(crate) async fn start_with(settings: Settings) -> Server {
    let _ = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_test_writer()
        .try_init();
    let data = settings.data_dir.clone();
    let store = Store::open(&data.join("storyreel.db")).await.unwrap();
    let studio = Arc::new(TestStudio::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    let deps = Deps {
        store: store.clone(),
        studio: Arc::clone(&studio) as Arc<dyn server::Filmmaker>,
        settings,
        access: Arc::new(TestAccess),
        webhook: Arc::new(TestSender),
        cage: json!({"network": "none"}),
        ready: std::sync::Arc::new(|_| ()),
    };
    let shutdown = CancellationToken::new();
    let token = shutdown.clone();
    let serving = tokio::spawn(async move { server::serve(listener, deps, token).await.unwrap() });
    let issued = store.create_key(&Owner::from_text("anna"), "test", 1).await.unwrap();
    Server { root, store, studio, data, shutdown, serving, key: issued.api_key }
}

impl Server {
    pub(crate) async fn stop(self) -> Store {
        self.shutdown.cancel();
        self.serving.await.unwrap();
        self.store
    }

    /// The API key of a new key of an owner.
    pub(crate) async fn key_of(&self, owner: &str) -> String {
        self.store.create_key(&Owner::from_text(owner), "k", 1).await.unwrap().api_key
    }

    pub(crate) async fn call_as(&self, key: &str, method: &str, path: &str, body: &str) -> Answer {
        let url = format!("{}/pictoryapis/v1{path}", self.root);
        let headers = [("authorization", key), ("content-type", "application/json")];
        http::send(method, &url, &headers, body.as_bytes()).await
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: &str) -> Answer {
        self.call_as(&self.key, method, path, body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, "").await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call("POST", path, &body.to_string()).await
    }

    /// Sends a storyboard and answers with its job's id.
    pub(crate) async fn send_storyboard(&self, storyboard: &Value) -> String {
        let answer = self.post("/video/storyboard", storyboard).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["jobId"].as_str().unwrap().to_owned()
    }

    /// Asks for the film of a storyboard job and answers with the render job's id.
    pub(crate) async fn send_render(&self, storyboard: &str, body: &str) -> String {
        let answer = self.call("PUT", &format!("/video/render/{storyboard}"), body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["data"]["job_id"].as_str().unwrap().to_owned()
    }

    /// A completed storyboard job's id.
    pub(crate) async fn storyboard(&self) -> String {
        let id = self.send_storyboard(&plain()).await;
        assert_eq!(self.ended(&id).await["data"]["status"], "completed");
        id
    }

    /// A completed film's job.
    pub(crate) async fn film(&self) -> Value {
        let storyboard = self.storyboard().await;
        let id = self.send_render(&storyboard, "").await;
        self.ended(&id).await
    }

    /// Polls a job until a test holds.
    pub(crate) async fn until(&self, id: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let poll = async {
            loop {
                let job = self.get(&format!("/jobs/{id}")).await.json();
                if holds(&job) {
                    return job;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), poll).await.expect("the job comes there in a minute")
    }

    /// The job once it has ended.
    pub(crate) async fn ended(&self, id: &str) -> Value {
        self.until(id, |job| job["data"]["status"] != "in-progress").await
    }
}

/// A storyboard that needs no media.
pub(crate) fn plain() -> Value {
    json!({
        "videoName": "test film",
        "scenes": [{"text": "Hello <strong>world</strong> & all.", "minimumDuration": 2}, {"text": "Good bye.", "minimumDuration": 3}],
    })
}

/// The fields of a connection.
pub(crate) fn connection(name: &str) -> Value {
    json!({"name": name, "awsAccountId": "123456789012", "awsRegion": "us-east-1", "enabled": true})
}

/// Replaces what differs from run to run.
pub(crate) fn redacted(value: &Value, root: &str) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| {
                let value = match (name.as_str(), value) {
                    ("jobId" | "job_id" | "connectionId" | "storyboardJobId", Value::String(_)) => {
                        json!("[id]")
                    }
                    ("createdDate" | "updatedDate" | "completedDate", Value::String(_)) => json!("[date]"),
                    ("externalId" | "planHash" | "nextPageKey", Value::String(_)) => {
                        json!(format!("[{name}]"))
                    }
                    (_, Value::String(text)) if text.starts_with(root) => {
                        let path = text[root.len()..].split('?').next().unwrap();
                        let parts: Vec<&str> = path.split('/').collect();
                        json!(format!("[root]/{}/[id]/{}?[signed]", parts[1], parts[3]))
                    }
                    (_, value) => redacted(value, root),
                };
                (name.clone(), value)
            })
            .collect(),
        Value::Array(items) => items.iter().map(|item| redacted(item, root)).collect(),
        other => other.clone(),
    }
}

pub(crate) struct TestAccess;

impl Access for TestAccess {
    fn papers<'a>(&'a self, connection: &'a Connection) -> BoxFuture<'a, Papers> {
        Box::pin(async move {
            Papers {
                role_arn: format!("arn:aws:iam::{}:role/{}", connection.account_id, connection.role_name),
                trust_policy: json!({"trust": "policy"}),
                inline_policy: json!({"inline": "policy"}),
            }
        })
    }

    fn opener(&self, _job: &str, _connections: Vec<Connection>) -> Arc<dyn media::Opener> {
        Arc::new(NothingOpens)
    }

    fn known_region(&self, region: &str) -> bool {
        ["us-east-1", "us-east-2"].contains(&region)
    }

    fn new_external_id(&self) -> String {
        uuid::Uuid::new_v4().to_string()
    }
}

struct NothingOpens;

impl media::Opener for NothingOpens {
    fn open_all<'a>(
        &'a self,
        _media: &'a [MediaRef],
    ) -> BoxFuture<'a, Vec<Result<media::Opened, media::SourceError>>> {
        Box::pin(async { Vec::new() })
    }
}

/// Posts on loopback; refuses what the real guard refuses by its form.
pub(crate) struct TestSender;

impl WebhookSender for TestSender {
    fn post<'a>(
        &'a self,
        url: &'a str,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    ) -> BoxFuture<'a, Result<u16, HookError>> {
        Box::pin(async move {
            if url.contains("rebinds") {
                return Err(HookError::Refused("the name resolves to a private address".to_owned()));
            }
            if url.contains("unreachable") {
                return Err(HookError::Failed(format!("{url} cannot be reached.")));
            }
            assert!(!url.contains("breaks"), "by design of a test");
            let headers: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            Ok(http::send("POST", url, &headers, &body).await.status)
        })
    }

    fn check(&self, url: &str) -> Result<(), String> {
        if url.contains("//10.") {
            Err("A webhook must not go to a private address.".to_owned())
        } else {
            Ok(())
        }
    }
}
