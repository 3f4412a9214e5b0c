//! Private media through a role: `render` and `serve` against S3 and STS in process.

use demo_aws::{CUSTOMER_ACCOUNT, DemoAws};
use serde_json::{Value, json};

use crate::kit::{Place, frames, storyboard};
use crate::server::Server;

const CONFIG: &str = "[access]\npath_style = true\n";
const BUCKET: &str = "private-bucket";

/// The SDK's own variables lead to the demo's AWS.
fn environment(aws: &DemoAws) -> [(&'static str, String); 4] {
    let keys = aws.server_credentials();
    [
        ("AWS_ENDPOINT_URL", aws.endpoint_url().to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", keys.access_key),
        ("AWS_SECRET_ACCESS_KEY", keys.secret),
    ]
}

async fn bucket(place: &Place) -> DemoAws {
    let aws = DemoAws::start(&place.path("objects")).await.unwrap();
    place.video("a.mp4", 1);
    aws.customer().put_bucket(BUCKET, "us-east-1");
    aws.customer().put_object(BUCKET, "hello world.mp4", &place.path("a.mp4")).unwrap();
    aws
}

fn connect(server: &Server) -> Value {
    let body =
        json!({"name": "c", "awsAccountId": CUSTOMER_ACCOUNT, "awsRegion": "us-east-1", "enabled": true});
    server.good("POST", "/awsconnections", &body)
}

fn grant(aws: &DemoAws, connection: &Value) {
    let inline = connection["inlinePolicy"].to_string().replace("{YOUR_S3_BUCKET}", BUCKET);
    let role = connection["roleArn"].as_str().unwrap().rsplit('/').next().unwrap();
    aws.customer().create_role(role, &connection["trustPolicy"].to_string(), &inline).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn render_reads_through_a_connection_of_the_data_directory() {
    let place = Place::new();
    let aws = bucket(&place).await;
    let server = Server::start_with(&place, CONFIG, |command| {
        command.envs(environment(&aws));
    });
    let connection = connect(&server);
    let render = |key: &str, owner: &str| {
        let mut body = storyboard(&[&format!("s3://{BUCKET}/{key}")], 1.0);
        body["awsConnectionId"] = connection["connectionId"].clone();
        place.write("s.json", &body.to_string());
        let mut command = place.command();
        command.envs(environment(&aws)).args(["render", "s.json", "-o", "film.mp4", "--data", "data"]);
        let output = command.args(["--config", "storyreel.toml", "--owner", owner]).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    // There is no role yet.
    let (code, said) = render("hello world.mp4", "default");
    assert!(code == Some(3) && said.contains("ROLE_NOT_ASSUMABLE"), "{code:?} {said}");
    grant(&aws, &connection);
    let (code, said) = render("hello world.mp4", "default");
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(frames(&place.path("film.mp4")), 60);
    let (code, said) = render("missing.mp4", "default");
    assert!(code == Some(4) && said.contains("MEDIA_NOT_FOUND"), "{code:?} {said}");
    let (code, said) = render("hello world.mp4", "another");
    assert!(code == Some(2) && said.contains("CONNECTION_UNKNOWN"), "{code:?} {said}");
    let id = connection["connectionId"].as_str().unwrap();
    server.good("PUT", &format!("/awsconnections/{id}"), &json!({"version": 1, "enabled": false}));
    let (code, said) = render("hello world.mp4", "default");
    assert!(code == Some(2) && said.contains("CONNECTION_DISABLED"), "{code:?} {said}");
    assert_eq!(frames(&place.path("film.mp4")), 60, "the film that was there stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_holds_no_secret_whatever_it_is_asked_for() {
    let place = Place::new();
    let aws = bucket(&place).await;
    let environment = environment(&aws);
    let secret = environment[3].1.clone();
    let server = Server::start_with(&place, CONFIG, |command| {
        command
            .envs(environment)
            .env("RUST_LOG", "trace,aws_sigv4=trace,aws_smithy_runtime=trace")
            .arg("--log-json");
    });
    let connection = connect(&server);
    grant(&aws, &connection);
    let mut body = storyboard(&[&format!("s3://{BUCKET}/hello world.mp4")], 1.0);
    body["awsConnectionId"] = connection["connectionId"].clone();
    let draft = server.send_storyboard(&body);
    server.completed(&draft);
    let film = server.completed(&server.send_render(&draft));
    let signature = film["videoURL"].as_str().unwrap().rsplit('=').next().unwrap().to_owned();
    let key = server.key().to_owned();
    let (_, log) = server.stop("-TERM");
    assert!(log.contains(&draft) && log.lines().count() > 10, "{log}");
    for line in log.lines() {
        serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
    }
    let lower = log.to_lowercase();
    for forbidden in [&secret, &key, &signature, "aws4-hmac", "x-amz-security-token", "sessiontoken"] {
        assert!(!lower.contains(&forbidden.to_lowercase()), "{forbidden}");
    }
}

#[test]
fn a_server_without_an_aws_identity_says_so_in_the_job_that_needs_one() {
    let place = Place::new();
    let server = Server::start(&place, "");
    let connection = connect(&server);
    let principal = &connection["trustPolicy"]["Statement"][0]["Principal"]["AWS"];
    assert_eq!(principal, "arn:aws:iam::YOUR_SERVER_ACCOUNT:root");
    let mut body = storyboard(&["s3://some-bucket/a.mp4"], 1.0);
    body["awsConnectionId"] = connection["connectionId"].clone();
    let job = server.ended(&server.send_storyboard(&body));
    assert_eq!(
        (job["status"].as_str(), job["error_code"].as_str()),
        (Some("failed"), Some("SERVER_CREDENTIALS")),
        "{job:#}"
    );
    assert!(job["error_message"].as_str().unwrap().contains("AWS_ACCESS_KEY_ID"));
}
