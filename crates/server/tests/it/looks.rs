//! What is answered while the client waits: a frame, and what a film would come to.

use std::time::Duration;

use serde_json::{Value, json};
use storyboard::{Class, Problem};
use tokio::io::AsyncWriteExt as _;

use crate::http;
use crate::kit::{Server, plain, settings, start, start_with};
use crate::studio::Turn;

async fn frame(server: &Server, query: &str, headers: &[(&str, &str)], body: &Value) -> http::Answer {
    let url = format!("{}/pictoryapis/v1/preview/frame?{query}", server.root);
    let own = [("authorization", server.key.as_str()), ("content-type", "application/json")];
    http::send("POST", &url, &[&own, headers].concat(), body.to_string().as_bytes()).await
}

#[tokio::test]
async fn a_frame_is_a_picture_with_a_tag_that_saves_the_next_one() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let answer = frame(&server, "at=0.5", &[], &plain()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.text(), "a picture of anna as Png");
    let expected = [
        ("content-type", "image/png"),
        ("cache-control", "private, no-cache"),
        ("x-content-type-options", "nosniff"),
        ("storyreel-frame", "15"),
        ("storyreel-scene", "1"),
        ("storyreel-frame-digest", "0000000000000001"),
    ];
    for (name, value) in expected {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    let tag = answer.header("etag").unwrap();
    assert!(tag.starts_with(&format!("\"{}-15", answer.header("storyreel-plan-hash").unwrap())), "{tag}");
    let same = frame(&server, "at=0.5", &[("if-none-match", tag)], &plain()).await;
    assert_eq!((same.status, same.body.len(), same.header("etag")), (304, 0, Some(tag)));
    let webp = frame(&server, "at=0.5", &[("if-none-match", tag), ("accept", "image/webp")], &plain()).await;
    assert_eq!((webp.status, webp.text().as_str()), (200, "a picture of anna as Webp"));
    let webp = frame(&server, "scene=2&format=webp", &[], &plain()).await;
    assert_eq!(
        (webp.header("content-type"), webp.header("storyreel-frame")),
        (Some("image/webp"), Some("60"))
    );
    server.stop().await;
}

#[tokio::test]
async fn render_params_are_looked_at_too() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let storyboard = server.storyboard().await;
    let job = server.get(&format!("/jobs/{storyboard}")).await.json();
    let params = &job["data"]["renderParams"];
    for body in [params.clone(), json!({ "renderParams": params })] {
        let answer = frame(&server, "at=0", &[], &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("storyreel-plan-hash"), job["data"]["planHash"].as_str());
        let plan = server.post("/plan", &body).await.json();
        assert_eq!(plan["planHash"], job["data"]["planHash"]);
    }
    server.stop().await;
}

#[tokio::test]
async fn all_that_is_wrong_is_in_one_answer() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let mut body = plain();
    body["awsConnectionId"] = json!("nothing");
    body["scenes"][0]["minimumDuration"] = json!(-1);
    body["scenes"][1]["backgroundUri"] = json!("https://10.0.0.1/a.mp4");
    let answer = frame(&server, "format=gif", &[], &body).await;
    assert_eq!(answer.status, 400);
    let fields = answer.json()["fields"].clone();
    let names: Vec<&str> =
        fields.as_array().unwrap().iter().map(|field| field["name"].as_str().unwrap()).collect();
    for name in ["at", "format", "awsConnectionId", "scenes[0].minimumDuration", "scenes[1].backgroundUri"] {
        assert!(names.contains(&name), "{name}: {fields:#}");
    }
    for query in ["at=-1", "at=NaN", "at=inf", "at=x", "scene=0", "scene=-1", "at=1&scene=1", "at=1&at=2", ""]
    {
        assert_eq!(frame(&server, query, &[], &plain()).await.status, 400, "{query}");
    }
    for body in ["", "{", "[]", "null", "{\"scenes\":null}"] {
        assert_eq!(server.call("POST", "/preview/frame?at=0", body).await.status, 400, "{body}");
        assert_eq!(server.call("POST", "/plan", body).await.status, 400, "{body}");
    }
    assert_eq!(
        server.call_as("wrong", "POST", "/preview/frame?at=0", &plain().to_string()).await.status,
        401
    );
    assert_eq!(server.call_as("wrong", "POST", "/plan", &plain().to_string()).await.status, 401);
    server.stop().await;
}

#[tokio::test]
async fn what_keeps_media_from_being_read_has_a_status_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let problem = |class| Problem::new(class, "CODE", "What is wrong.").at("/scenes/0/backgroundUri");
    for (classes, status) in [
        (vec![Class::Author], 400),
        (vec![Class::Access], 422),
        (vec![Class::Source, Class::Transient], 422),
        (vec![Class::Transient], 503),
        (vec![Class::Internal], 500),
    ] {
        for route in ["/preview/frame?at=0", "/plan"] {
            server.studio.next(Turn::Fail(classes.iter().copied().map(problem).collect()));
            let answer = server.post(route, &plain()).await;
            assert_eq!(answer.status, status, "{classes:?} {}", answer.text());
            assert_eq!(answer.json()["fields"][0]["name"], "scenes[0].backgroundUri");
            if status != 400 {
                assert_eq!(answer.json()["code"], "CODE");
                assert_eq!(answer.json()["errors"].as_array().unwrap().len(), classes.len());
            }
        }
    }
    server.studio.next(Turn::Panic);
    assert_eq!(server.post("/plan", &plain()).await.status, 500);
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_goes_away_ends_its_work() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    server.studio.gate.send_replace(false);
    let body = plain().to_string();
    let mut stream = tokio::net::TcpStream::connect(server.root.trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "POST /pictoryapis/v1/preview/frame?at=0 HTTP/1.1\r\nhost: x\r\nauthorization: {}\r\n\
         content-length: {}\r\n\r\n{body}",
        server.key,
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    server.studio.at_gate().await;
    drop(stream);
    let mut waiting = server.studio.waiting.subscribe();
    let gone = waiting.wait_for(|count| *count == 0);
    tokio::time::timeout(Duration::from_secs(30), gone).await.expect("the work ends").unwrap();
    server.stop().await;
}

#[tokio::test]
async fn few_are_looked_at_at_once_and_none_waits_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(dir.path());
    (settings.looks_at_once, settings.look_patience) = (1, Duration::from_millis(300));
    let server = start_with(settings).await;
    server.studio.gate.send_replace(false);
    let body = plain();
    let (first, second) = tokio::join!(frame(&server, "at=0", &[], &body), server.post("/plan", &body));
    for answer in [first, second] {
        assert_eq!((answer.status, &answer.json()["code"]), (503, &json!("BUSY")));
        assert!(answer.header("retry-after").is_some());
    }
    server.studio.gate.send_replace(true);
    assert_eq!(frame(&server, "at=0", &[], &plain()).await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_plan_is_compared_with_a_film_of_the_same_owner() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let film = server.film().await;
    let id = film["data"]["jobId"].as_str().unwrap();
    let alone = server.post("/plan", &plain()).await.json();
    assert_eq!(alone["framesToEncode"], 2);
    assert!(alone["warnings"].as_array().unwrap().iter().any(|warning| warning["code"] == "STUDIO"));
    let compared = server.post(&format!("/plan?against={id}"), &plain()).await.json();
    assert_eq!(compared["framesToEncode"], film["data"]["frames"]);
    let storyboard = film["data"]["storyboardJobId"].as_str().unwrap();
    for (other, code) in [("nothing", "JOB_UNKNOWN"), (storyboard, "NO_REPORT")] {
        let answer = server.post(&format!("/plan?against={other}"), &plain()).await;
        assert_eq!((answer.status, &answer.json()["fields"][0]["code"]), (400, &json!(code)));
        assert_eq!(answer.json()["fields"][0]["name"], "against");
    }
    let ben = server.key_of("ben").await;
    let answer = server.call_as(&ben, "POST", &format!("/plan?against={id}"), &plain().to_string()).await;
    assert_eq!(answer.json()["fields"][0]["code"], "JOB_UNKNOWN");
    let shown = server.get(&format!("/jobs/{id}")).await.json();
    assert_eq!(shown["data"]["report"]["outputFrames"], shown["data"]["frames"]);
    let listed = server.get("/jobs").await.json();
    assert!(
        listed["items"].as_array().unwrap().iter().all(|job| job["data"]["report"].is_null()),
        "{listed}"
    );
    server.stop().await;
}
