//! Clients that are slow, on purpose or not, and one place for all.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::http;
use crate::kit::{Server, settings, start_with};

/// A server with one place, that waits for nobody long.
async fn narrow(data: &std::path::Path) -> Server {
    let mut settings = settings(data);
    settings.connections = 1;
    settings.head_patience = Duration::from_millis(200);
    settings.body_patience = Duration::from_millis(200);
    settings.answer_patience = Duration::from_millis(200);
    start_with(settings).await
}

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(&server.root["http://".len()..]).await.unwrap()
}

async fn alive(server: &Server) {
    let url = format!("{}/healthz", server.root);
    let answer = http::send("GET", &url, &[], b"");
    let answer = tokio::time::timeout(Duration::from_secs(60), answer).await.expect("there is a place again");
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn half_a_head_holds_no_place_for_long() {
    let dir = tempfile::tempdir().unwrap();
    let server = narrow(dir.path()).await;
    for half in ["", "GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: "] {
        let mut slow = connect(&server).await;
        slow.write_all(half.as_bytes()).await.unwrap();
        alive(&server).await;
        let mut rest = Vec::new();
        let _ = slow.read_to_end(&mut rest).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn half_a_body_is_answered_with_a_timeout() {
    let dir = tempfile::tempdir().unwrap();
    let server = narrow(dir.path()).await;
    let mut slow = connect(&server).await;
    let head = "POST /pictoryapis/v1/oauth2/token HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{";
    slow.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    slow.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("REQUEST_TIMEOUT"), "{answer}");
    alive(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_loses_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let server = narrow(dir.path()).await;
    let job = server.film().await;
    let film = dir.path().join("films").join(job["jobId"].as_str().unwrap()).join("film.mp4");
    std::fs::File::options().write(true).open(film).unwrap().set_len(1 << 30).unwrap();
    let url = job["data"]["videoURL"].as_str().unwrap();
    let mut greedy = connect(&server).await;
    let head = format!("GET {} HTTP/1.1\r\nhost: x\r\n\r\n", &url[server.root.len()..]);
    greedy.write_all(head.as_bytes()).await.unwrap();
    alive(&server).await;
    drop(greedy);
    server.stop().await;
}

#[tokio::test]
async fn a_stopping_server_lets_idle_connections_go() {
    let dir = tempfile::tempdir().unwrap();
    let server = start_with(settings(dir.path())).await;
    let mut idle = connect(&server).await;
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut first = [0; 15];
    idle.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    server.stop().await;
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).await.unwrap();
}

#[tokio::test]
async fn what_is_no_route_or_no_request_is_answered_in_json() {
    let dir = tempfile::tempdir().unwrap();
    let server = start_with(settings(dir.path())).await;
    let key = server.key.clone();
    for (method, path, status, message) in [
        ("GET", "/pictoryapis/v1/nowhere", 404, "Not Found"),
        ("GET", "/pictoryapis/v1/jobs/%ff", 404, "Not Found"),
        ("GET", "/pictoryapis", 404, "Not Found"),
        ("GET", "/films", 404, "Not Found"),
        ("GET", "/films/", 404, "Not Found"),
        ("GET", "/films/x/", 404, "Not Found"),
        ("GET", "/downloads/x", 404, "Not Found"),
        ("GET", "/films/x/y/../../../../signing.key", 404, "Not Found"),
        ("PATCH", "/pictoryapis/v1/jobs", 405, "Method Not Allowed"),
        ("GET", "/pictoryapis/v1/oauth2/token", 405, "Method Not Allowed"),
        ("DELETE", "/pictoryapis/v1/video/render/x", 405, "Method Not Allowed"),
        ("POST", "/films/x/y", 405, "Method Not Allowed"),
    ] {
        let url = format!("{}{path}", server.root);
        let answer = http::send(method, &url, &[("authorization", &key)], b"").await;
        assert_eq!((answer.status, answer.json()), (status, json!({"message": message})), "{method} {path}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
    let twice = server.get("/jobs?nextPageKey=a&nextPageKey=b").await;
    assert_eq!((twice.status, twice.json()["code"].clone()), (400, json!("INVALID_REQUEST_BODY")));
    for key in ["zzz", "MDE4", "4pyT", "J10gT1IgMT0x", "//8"] {
        let answer = server.get(&format!("/jobs?nextPageKey={key}")).await;
        assert!(matches!(answer.status, 200 | 400), "{key}: {}", answer.text());
    }
    server.stop().await;
}
