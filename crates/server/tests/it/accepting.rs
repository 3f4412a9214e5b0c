//! What a storyboard is answered with before any work is done.

use serde_json::{Value, json};

use crate::http;
use crate::kit::{connection, plain, redacted, settings, start, start_with};

fn with_media(connection: &Value) -> Value {
    json!({
        "awsConnectionId": connection,
        "videoName": "test film",
        "scenes": [{"text": "Hello", "backgroundUri": "s3://bucket/hello.mp4", "minimumDuration": 2}],
    })
}

#[tokio::test]
async fn an_accepted_storyboard_has_its_id_under_every_spelling() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let mut body = plain();
    body["videoStyle"] = json!("fancy");
    let answer = server.post("/video/storyboard", &body).await;
    assert_eq!(answer.status, 200);
    let json = answer.json();
    let id = json["jobId"].as_str().unwrap();
    assert_eq!(json["job_id"], id);
    assert_eq!(json["data"], json!({"jobId": id, "job_id": id}));
    assert_eq!(json["success"], true);
    let warnings = json["warnings"].as_array().unwrap();
    assert!(warnings.iter().any(|warning| warning["pointer"] == "/videoStyle"), "{warnings:?}");
    server.stop().await;
}

#[tokio::test]
async fn connections_must_be_known_enabled_and_the_callers() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let ben = server.key_of("ben").await;
    let foreign = server.call_as(&ben, "POST", "/awsconnections", &connection("b").to_string()).await.json();
    let mine = server.post("/awsconnections", &connection("a")).await.json();
    let mut off = connection("off");
    off["enabled"] = json!(false);
    let off = server.post("/awsconnections", &off).await.json();

    let good = server.post("/video/storyboard", &with_media(&mine["connectionId"])).await;
    assert_eq!(good.status, 200, "{}", good.text());
    for (id, code) in [
        (&json!("nothing"), "CONNECTION_UNKNOWN"),
        (&foreign["connectionId"], "CONNECTION_UNKNOWN"),
        (&off["connectionId"], "CONNECTION_DISABLED"),
    ] {
        let answer = server.post("/video/storyboard", &with_media(id)).await;
        assert_eq!(answer.status, 400, "{id}");
        let body = answer.json();
        assert_eq!(body["code"], "INVALID_REQUEST_BODY");
        assert_eq!(
            (&body["fields"][0]["name"], &body["fields"][0]["code"]),
            (&json!("awsConnectionId"), &json!(code))
        );
    }
    let mut by_scene = with_media(&Value::Null);
    by_scene["scenes"][0]["awsConnectionId"] = json!("nothing");
    let answer = server.post("/video/storyboard", &by_scene).await.json();
    assert_eq!(answer["fields"][0]["name"], "scenes[0].awsConnectionId");
    let mut unused = plain();
    unused["awsConnectionId"] = json!("nothing");
    assert_eq!(server.post("/video/storyboard", &unused).await.status, 400);
    server.stop().await;
}

#[tokio::test]
async fn what_is_wrong_has_a_path_and_nothing_is_accepted() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let body = json!({"videoName": "x", "webhook": "http://10.0.0.1/hook", "scenes": [{"text": "Hi"}]});
    let answer = server.post("/video/storyboard", &body).await;
    assert_eq!(answer.status, 400);
    assert!(answer.json()["fields"].as_array().unwrap().iter().any(|field| field["name"] == "webhook"));
    let body = json!({"videoName": "x", "scenes": [{"text": "Hi", "minimumDuration": -1}, {"minimumDuration": 1e300}]});
    let answer = server.post("/video/storyboard", &body).await;
    assert_eq!(answer.status, 400);
    let fields = answer.json()["fields"].as_array().unwrap().clone();
    assert!(fields.iter().any(|field| field["name"] == "scenes[0].minimumDuration"), "{fields:?}");
    let (deep, pairs) = ("[".repeat(100_000), "{\"a\":".repeat(10_000));
    for body in ["", "{", "[]", "null", "{\"scenes\":[]}", "\u{1}", &deep, &pairs, "{\"scenes\":null}"] {
        let answer = server.call("POST", "/video/storyboard", body).await;
        assert_eq!(
            (answer.status, answer.json()["code"].clone()),
            (400, json!("INVALID_REQUEST_BODY")),
            "{body:?}"
        );
    }
    let huge = format!("{{\"videoName\":\"{}\"}}", "x".repeat(3 * 1024 * 1024));
    let answer = server.call("POST", "/video/storyboard", &huge).await;
    assert_eq!(answer.status, 413);
    assert_eq!(server.get("/jobs").await.json(), json!({"items": [], "nextPageKey": null}));
    server.stop().await;
}

#[tokio::test]
async fn an_idempotency_key_makes_one_job() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let url = format!("{}/pictoryapis/v1/video/storyboard", server.root);
    let key = server.key.clone();
    let headers = [("authorization", key.as_str()), ("idempotency-key", "one")];
    let body = plain().to_string();
    let first = http::send("POST", &url, &headers, body.as_bytes()).await.json();
    let second = http::send("POST", &url, &headers, body.as_bytes()).await.json();
    assert_eq!(first["jobId"], second["jobId"]);
    let other = http::send("POST", &url, &headers, body.replace("Hello", "Bye").as_bytes()).await;
    assert_eq!(other.status, 422);
    assert_eq!(server.get("/jobs").await.json()["items"].as_array().unwrap().len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn renders_of_storyboard_jobs() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let storyboard = server.storyboard().await;
    for body in [
        "",
        "{}",
        "null",
        "{\"webhook\":\"\"}",
        "{\"scenes\":null,\"renderParams\":null}",
        "{\"webhook\":null,\"x\":1}",
    ] {
        let answer = server.call("PUT", &format!("/video/render/{storyboard}"), body).await;
        assert_eq!(answer.status, 200, "{body}");
        let json = answer.json();
        assert_eq!(json["data"]["job_id"], json["jobId"]);
        assert_eq!(json["warnings"].as_array().unwrap().len(), usize::from(body.contains('x')));
    }
    let unknown = server.call("PUT", "/video/render/018f0000-0000-7000-8000-000000000000", "{}").await;
    assert_eq!(unknown.status, 404);
    insta::assert_json_snapshot!("job_not_found", redacted(&unknown.json(), &server.root));
    let render = server.film().await["jobId"].as_str().unwrap().to_owned();
    assert_eq!(server.call("PUT", &format!("/video/render/{render}"), "{}").await.status, 409);

    server.studio.gate.send_replace(false);
    let running = server.send_storyboard(&plain()).await;
    let early = server.call("PUT", &format!("/video/render/{running}"), "{}").await;
    assert_eq!((early.status, early.json()["code"].clone()), (409, json!("STORYBOARD_NOT_READY")));
    server.studio.gate.send_replace(true);
    server.ended(&running).await;
    server.stop().await;
}

/// The names and codes of what is wrong.
fn wrong(answer: &http::Answer) -> Vec<(String, String)> {
    let json = answer.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    json["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| (text(&field["name"]), text(&field["code"])))
        .collect()
}

#[tokio::test]
async fn everything_wrong_is_said_at_once_also_what_only_the_server_knows() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let ben = server.key_of("ben").await;
    let foreign = server.call_as(&ben, "POST", "/awsconnections", &connection("b").to_string()).await.json();
    let body = json!({
        "videoName": "x",
        "webhook": "http://10.0.0.1/hook",
        "awsConnectionId": foreign["connectionId"],
        "scenes": [
            {"text": "Hi", "minimumDuration": -1},
            {"text": "Ho", "awsConnectionId": "nothing"},
            {"text": "He", "backgroundUri": "https://10.0.0.1/a.mp4"},
        ],
    });
    let answer = server.post("/video/storyboard", &body).await;
    let found = wrong(&answer);
    assert_eq!(answer.status, 400);
    for (name, code) in [
        ("scenes[0].minimumDuration", ""),
        ("awsConnectionId", "CONNECTION_UNKNOWN"),
        ("scenes[1].awsConnectionId", "CONNECTION_UNKNOWN"),
        ("webhook", "WEBHOOK_REFUSED"),
        ("scenes[2].backgroundUri", "URL_NOT_ALLOWED"),
    ] {
        let there = found.iter().filter(|(at, what)| at == name && (code.is_empty() || what == code)).count();
        assert_eq!(there, 1, "{name}: {found:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn edited_render_params_are_authorised_anew() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let ben = server.key_of("ben").await;
    let mine = server.post("/awsconnections", &connection("a")).await.json();
    let foreign = server.call_as(&ben, "POST", "/awsconnections", &connection("b").to_string()).await.json();
    let mut off = connection("off");
    off["enabled"] = json!(false);
    let off = server.post("/awsconnections", &off).await.json();
    let id = server.send_storyboard(&with_media(&mine["connectionId"])).await;
    let params = server.ended(&id).await["data"]["renderParams"].clone();
    assert!(params.is_object());
    let put = format!("/video/render/{id}");
    let with = |connection: &Value| {
        // Wherever the connection is named, as a client that knows the shape would forge it.
        let text = params.to_string();
        let mine = mine["connectionId"].to_string();
        serde_json::from_str::<Value>(&text.replace(&mine, &connection.to_string())).unwrap()
    };
    for (connection, code) in [
        (&foreign["connectionId"], "CONNECTION_UNKNOWN"),
        (&off["connectionId"], "CONNECTION_DISABLED"),
        (&json!("nothing"), "CONNECTION_UNKNOWN"),
    ] {
        for answer in [
            server.post("/video/render", &with(connection)).await,
            server.call("PUT", &put, &with(connection).to_string()).await,
            server.call("PUT", &put, &json!({"renderParams": with(connection)}).to_string()).await,
        ] {
            assert_eq!(answer.status, 400, "{}", answer.text());
            assert!(wrong(&answer).iter().any(|(_, what)| what == code), "{}", answer.text());
        }
    }
    for url in
        ["s3://other/secret.mp4", "/etc/passwd", "file:///etc/passwd", "../x.mp4", "http://10.0.0.1/x\u{0}"]
    {
        let mut edited = params.clone();
        edited.as_object_mut().unwrap().remove("awsConnectionId");
        for scene in edited["scenes"].as_array_mut().unwrap() {
            scene["background"]["src"][0] = json!({"url": url, "type": "video"});
            for member in ["storyreel", "awsConnectionId"] {
                scene.as_object_mut().unwrap().remove(member);
            }
        }
        let answer = server.post("/video/render", &edited).await;
        assert_eq!(answer.status, 400, "{url}: {}", answer.text());
    }
    assert_eq!(server.call_as(&ben, "PUT", &put, "{}").await.status, 404);
    assert_eq!(server.call_as(&ben, "PUT", &put, &params.to_string()).await.status, 404);
    // A connection that was good when the storyboard came is looked at again by job and request.
    let path = format!("/awsconnections/{}", mine["connectionId"].as_str().unwrap());
    assert_eq!(server.call("DELETE", &path, "").await.status, 204);
    assert_eq!(server.call("PUT", &put, "{}").await.status, 400);
    server.stop().await;
}

#[tokio::test]
async fn idempotency_keys_belong_to_one_owner_and_one_request() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let ben = server.key_of("ben").await;
    let storyboard = server.storyboard().await;
    let send = async |who: &str, method: &str, path: &str, key: &str, body: &str| {
        let url = format!("{}/pictoryapis/v1{path}", server.root);
        http::send(method, &url, &[("authorization", who), ("idempotency-key", key)], body.as_bytes()).await
    };
    let (anna, body) = (server.key.clone(), plain().to_string());
    let first = send(&anna, "POST", "/video/storyboard", "k", &body).await.json();
    let other = send(&ben, "POST", "/video/storyboard", "k", &body).await.json();
    assert_ne!(first["jobId"], other["jobId"], "another owner's key is another key");
    let put = format!("/video/render/{storyboard}");
    assert_eq!(send(&anna, "PUT", &put, "k", "{}").await.status, 422);
    let render = send(&anna, "PUT", &put, "r", "{}").await.json();
    assert_eq!(send(&anna, "PUT", &put, "r", "{}").await.json()["jobId"], render["jobId"]);
    assert_eq!(send(&anna, "PUT", &put, "r", "").await.status, 422);
    for bad in ["", &"k".repeat(256), "\u{fc}"] {
        let answer = send(&anna, "POST", "/video/storyboard", bad, &body).await;
        assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("INVALID_REQUEST_BODY")), "{bad}");
    }
    // What was refused did not use the key up.
    assert_eq!(send(&anna, "POST", "/video/storyboard", "n", "{}").await.status, 400);
    assert_eq!(send(&anna, "POST", "/video/storyboard", "n", &body).await.status, 200);
    // A cancelled job is still the answer to its request.
    let id = render["jobId"].as_str().unwrap().to_owned();
    server.ended(&id).await;
    assert_eq!(send(&anna, "PUT", &put, "r", "{}").await.json()["jobId"], id.as_str());
    server.stop().await;
}

#[tokio::test]
async fn an_owners_waiting_jobs_are_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(dir.path());
    settings.waiting_at_most = 2;
    let server = start_with(settings).await;
    server.studio.gate.send_replace(false);
    server.send_storyboard(&plain()).await;
    server.studio.at_gate().await;
    for _ in 0..2 {
        server.send_storyboard(&plain()).await;
    }
    let answer = server.post("/video/storyboard", &plain()).await;
    assert_eq!((answer.status, answer.json()["code"].clone()), (429, json!("TOO_MANY_JOBS")));
    assert_eq!(answer.header("retry-after"), Some("30"));
    let ben = server.key_of("ben").await;
    assert_eq!(server.call_as(&ben, "POST", "/video/storyboard", &plain().to_string()).await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn media_at_a_literal_private_address_is_refused_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let mut body = plain();
    body["scenes"][0]["backgroundUri"] = json!("https://10.0.0.1/a.mp4");
    let answer = server.post("/video/storyboard", &body).await;
    assert_eq!(answer.status, 400);
    assert_eq!(wrong(&answer), [("scenes[0].backgroundUri".to_owned(), "URL_NOT_ALLOWED".to_owned())]);
    server.stop().await;
}
