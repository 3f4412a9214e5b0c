//! `/v1/awsconnections`.

use serde_json::{Value, json};

use crate::kit::{connection, redacted, start};

#[tokio::test]
async fn a_connection_from_create_to_delete() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let mut body = connection("films");
    body["colour"] = json!("red");
    let created = server.post("/awsconnections", &body).await;
    assert_eq!(created.status, 200);
    insta::assert_json_snapshot!("connection_created", redacted(&created.json(), &server.root));
    let id = created.json()["connectionId"].as_str().unwrap().to_owned();
    let path = format!("/awsconnections/{id}");

    let list = server.get("/awsconnections").await.json();
    assert_eq!(list["Items"][0]["connectionId"], id);
    assert_eq!(list["Items"][0]["externalId"], created.json()["externalId"]);
    let shown = server.get(&path).await.json();
    assert_eq!(shown["type"], "AWS");

    // A client that reads, changes and writes the whole object.
    let mut whole = shown.clone();
    whole["enabled"] = json!("false");
    let updated = server.call("PUT", &path, &whole.to_string()).await;
    assert_eq!(updated.status, 200, "{}", updated.text());
    assert_eq!((&updated.json()["version"], &updated.json()["enabled"]), (&json!(2), &json!(false)));
    assert_eq!(updated.json()["warnings"], Value::Null);

    let stale = server.call("PUT", &path, &whole.to_string()).await;
    assert_eq!((stale.status, stale.json()["code"].clone()), (409, json!("VERSION_MISMATCH")));
    let no_version = server.call("PUT", &path, r#"{"name":"x"}"#).await;
    assert_eq!((no_version.status, no_version.json()["fields"][0]["name"].clone()), (400, json!("version")));
    let moved = server
        .call("PUT", &path, r#"{"version":2,"awsAccountId":"999999999999","awsRegion":"us-east-2"}"#)
        .await;
    assert_eq!(moved.status, 400);
    let names: Vec<Value> =
        moved.json()["fields"].as_array().unwrap().iter().map(|field| field["name"].clone()).collect();
    assert_eq!(names, ["awsAccountId", "awsRegion"]);

    assert_eq!(server.call("DELETE", &path, "").await.status, 204);
    assert_eq!(server.get(&path).await.status, 404);
    assert_eq!(server.call("DELETE", &path, "").await.status, 404);
    assert_eq!(server.get("/awsconnections").await.json(), json!({"Items": []}));
    server.stop().await;
}

#[tokio::test]
async fn all_that_is_wrong_is_said_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let body = json!({"name": "", "description": 5, "awsAccountId": "12345", "awsRegion": "mars-1", "enabled": "maybe"});
    let wrong = server.post("/awsconnections", &body).await;
    assert_eq!(wrong.status, 400);
    insta::assert_json_snapshot!("connection_all_wrong", wrong.json());
    let empty = server.post("/awsconnections", &json!({"name": null})).await;
    let names: Vec<Value> =
        empty.json()["fields"].as_array().unwrap().iter().map(|field| field["name"].clone()).collect();
    assert_eq!(names, ["name", "awsAccountId", "awsRegion", "enabled"]);
    for body in ["", "[]", "{", "\u{0}", "{\"name\":\"\\u0000\"}"] {
        assert_eq!(server.call("POST", "/awsconnections", body).await.status, 400, "{body:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn another_owner_sees_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let ben = server.key_of("ben").await;
    let mine = server.post("/awsconnections", &connection("films")).await.json();
    let again = server.post("/awsconnections", &connection("films")).await;
    assert_eq!((again.status, again.json()["code"].clone()), (409, json!("NAME_TAKEN")));
    assert_eq!(
        server.call_as(&ben, "POST", "/awsconnections", &connection("films").to_string()).await.status,
        200
    );
    let path = format!("/awsconnections/{}", mine["connectionId"].as_str().unwrap());
    for (method, body) in [("GET", ""), ("PUT", r#"{"version":1,"enabled":false}"#), ("DELETE", "")] {
        assert_eq!(server.call_as(&ben, method, &path, body).await.status, 404, "{method}");
    }
    assert_eq!(server.get(&path).await.json()["version"], 1);
    server.stop().await;
}
