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

#[tokio::test]
async fn the_token_route_takes_what_clients_send_and_says_one_thing_to_guesses() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let issued = server.store.create_key(&store::Owner::from_text("anna"), "k", 1).await.unwrap();
    let (id, secret) = (&issued.key.client_id, &issued.client_secret);
    let url = format!("{}/pictoryapis/v1/oauth2/token", server.root);
    let send = async |kind: &str, body: &str| {
        http::send("POST", &url, &[("content-type", kind)], body.as_bytes()).await
    };
    let as_json = json!({"client_id": id, "client_secret": secret}).to_string();
    let as_form = format!("client_id={id}&client_secret={secret}");
    // `curl -d` sends JSON under the form's type.
    for (kind, body) in [
        ("application/x-www-form-urlencoded", &as_json),
        ("text/plain", &as_json),
        ("text/plain", &as_form),
        ("application/json", &as_form),
    ] {
        let answer = send(kind, body).await;
        assert_eq!(answer.status, 200, "{kind}: {}", answer.text());
    }
    for body in ["", "[]", "5", "null", "{", "{}", "{\"client_id\":5,\"client_secret\":{}}", "\u{0}=\u{0}"] {
        let answer = send("application/json", body).await;
        assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("INVALID_REQUEST_BODY")), "{body}");
        let names: Vec<_> =
            answer.json()["fields"].as_array().unwrap().iter().map(|f| f["name"].clone()).collect();
        assert_eq!(names, ["client_id", "client_secret"], "{body}");
    }
    let huge = json!({"client_id": id, "client_secret": "x".repeat(100_000)}).to_string();
    let answer = send("application/json", &huge).await;
    assert_eq!((answer.status, &answer.json()["code"]), (413, &json!("REQUEST_TOO_LARGE")));

    let guess = |id: &str, secret: &str| json!({"client_id": id, "client_secret": secret}).to_string();
    let refused = send("application/json", &guess(id, "wrong")).await;
    assert_eq!(refused.status, 401);
    server.store.revoke_key(id, 5).await.unwrap();
    for (id, secret) in [("nobody", "wrong"), ("nobody", secret.as_str()), (id, secret), ("' OR 1=1 --", "x")]
    {
        let answer = send("application/json", &guess(id, secret)).await;
        assert_eq!((answer.status, answer.json()), (401, refused.json()), "one answer, whatever is wrong");
    }
    server.stop().await;
}

#[tokio::test]
async fn credentials_end_when_their_key_or_their_time_does() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let issued = server.store.create_key(&store::Owner::from_text("anna"), "k", 1).await.unwrap();
    let far = i64::MAX;
    let token = server.store.issue_token(&issued.key.id, far).await.unwrap();
    let expired = server.store.issue_token(&issued.key.id, 1000).await.unwrap();
    for good in [
        format!("bearer {token}"),
        format!("BEARER   {token}"),
        format!("  Bearer  {token}  "),
        token.clone(),
        issued.api_key.clone(),
    ] {
        assert_eq!(server.call_as(&good, "GET", "/jobs", "").await.status, 200, "{good}");
    }
    let doubled = format!("Bearer Bearer {token}");
    let (joined, cut) = (format!("Bearer{token}"), token[..token.len() - 1].to_owned());
    for bad in [&expired, &doubled, &joined, &cut, &issued.client_secret, &issued.key.client_id] {
        assert_eq!(server.call_as(bad, "GET", "/jobs", "").await.status, 401, "{bad}");
    }
    server.store.revoke_key(issued.key.id.as_str(), 5).await.unwrap();
    // As if it had been sold in the moment of the revocation.
    let late = server.store.issue_token(&issued.key.id, far).await.unwrap();
    for bad in [&token, &late, &issued.api_key] {
        assert_eq!(server.call_as(bad, "GET", "/jobs", "").await.status, 401);
    }
    server.stop().await;
}
