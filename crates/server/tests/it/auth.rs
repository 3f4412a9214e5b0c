//! Who is let in, and in which forms.

use serde_json::json;

use crate::http;
use crate::kit::start;

#[tokio::test]
async fn tokens_are_bought_as_json_and_as_a_form_and_sent_bare_or_as_bearer() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let issued = server.store.create_key(&store::Owner::from_text("anna"), "k", 1).await.unwrap();
    let (id, secret) = (&issued.key.client_id, &issued.client_secret);
    let url = format!("{}/pictoryapis/v1/oauth2/token", server.root);
    let json_body = json!({"client_id": id, "client_secret": secret}).to_string();
    let form_body = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    for (kind, body) in [
        ("application/json", json_body.as_str()),
        ("application/x-www-form-urlencoded; charset=utf-8", &form_body),
    ] {
        let answer = http::send("POST", &url, &[("content-type", kind)], body.as_bytes()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let token = answer.json();
        assert_eq!((&token["expires_in"], &token["token_type"]), (&json!(3600), &json!("Bearer")));
        let token = token["access_token"].as_str().unwrap();
        for credential in [
            token.to_owned(),
            format!("Bearer {token}"),
            format!("bearer {}", issued.api_key),
            issued.api_key.clone(),
        ] {
            assert_eq!(server.call_as(&credential, "GET", "/jobs", "").await.status, 200);
        }
    }

    let wrong = json!({"client_id": id, "client_secret": "no"}).to_string();
    let answer = http::send("POST", &url, &[("content-type", "application/json")], wrong.as_bytes()).await;
    assert_eq!((answer.status, answer.json()["code"].clone()), (401, json!("INVALID_CLIENT")));
    assert!(answer.json()["message"].is_string());
    assert_eq!(http::send("POST", &url, &[], b"nonsense").await.status, 400);
    server.stop().await;
}

#[tokio::test]
async fn without_a_valid_credential_every_route_says_unauthorized() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    for (method, path) in [
        ("GET", "/jobs"),
        ("GET", "/jobs/x"),
        ("DELETE", "/jobs/x"),
        ("POST", "/video/storyboard"),
        ("POST", "/video/render"),
        ("PUT", "/video/render/x"),
        ("GET", "/awsconnections"),
        ("POST", "/awsconnections"),
        ("PUT", "/awsconnections/x"),
        ("DELETE", "/awsconnections/x"),
    ] {
        for credential in ["", "sr_wrong", "Bearer nothing", "Basic abc", &server.key[1..]] {
            let answer = server.call_as(credential, method, path, "{}").await;
            assert_eq!(
                (answer.status, answer.json()),
                (401, json!({"message": "Unauthorized"})),
                "{method} {path}"
            );
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn careless_slashes_and_wrong_routes() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let key = server.key.clone();
    for path in ["/pictoryapis//v1/jobs", "//pictoryapis/v1/jobs/", "/pictoryapis/v1//jobs//?nextPageKey="] {
        let url = format!("{}{path}", server.root);
        assert_eq!(http::send("GET", &url, &[("authorization", &key)], b"").await.status, 200, "{path}");
    }
    let missing = http::send("GET", &format!("{}/nowhere", server.root), &[], b"").await;
    assert_eq!((missing.status, missing.json()), (404, json!({"message": "Not Found"})));
    let wrong = http::send("PATCH", &format!("{}/pictoryapis/v1/jobs", server.root), &[], b"").await;
    assert_eq!(wrong.status, 405);
    let ready = http::send("GET", &format!("{}/readyz", server.root), &[], b"").await;
    assert_eq!(ready.json()["cage"], json!({"network": "none"}));
    assert_eq!(http::send("GET", &format!("{}/healthz", server.root), &[], b"").await.status, 200);
    server.stop().await;
}
