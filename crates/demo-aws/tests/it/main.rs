//! The demo's AWS, read with the same code that reads the real one.
#![allow(clippy::unwrap_used)] // helpers of tests, outside of #[test] functions

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use aws::policy::inline_policy;
use aws::{Aws, AwsSettings, ConnectionSpec, DEFAULT_ROLE, StaticCredentials, trust_policy};
use demo_aws::{CUSTOMER_ACCOUNT, Credentials, DemoAws, SERVER_ACCOUNT};
use media::{Opened, Opener, SourceError};
use storyboard::{Address, MediaRef, S3Address};

const BUCKET: &str = "customer-media";

async fn aws(demo: &DemoAws, keys: Credentials) -> Aws {
    Aws::load(AwsSettings {
        path_style: true,
        region: Some("us-east-1".to_owned()),
        endpoint_url: Some(demo.endpoint_url().to_owned()),
        credentials: Some(StaticCredentials { access_key: keys.access_key, secret: keys.secret }),
    })
    .await
}

fn opener(aws: &Aws, external_id: &str, region: &str) -> Arc<dyn Opener> {
    let spec = ConnectionSpec {
        account_id: CUSTOMER_ACCOUNT.to_owned(),
        region: region.to_owned(),
        external_id: external_id.to_owned(),
        role_name: DEFAULT_ROLE.to_owned(),
        enabled: true,
    };
    aws.opener("demo-job", HashMap::from([("c1".to_owned(), spec)]))
}

fn object(bucket: &str, key: &str) -> MediaRef {
    let address = S3Address { bucket: bucket.to_owned(), key: key.to_owned(), version: None, region: None };
    MediaRef { address: Address::S3(address), connection: Some("c1".to_owned()), pointer: String::new() }
}

async fn open(opener: &Arc<dyn Opener>, bucket: &str, key: &str) -> Result<Opened, SourceError> {
    opener.open_all(&[object(bucket, key)]).await.remove(0)
}

fn code(answer: &Result<Opened, SourceError>) -> &'static str {
    answer.as_ref().err().map_or("opened", |error| error.code)
}

async fn demo(root: &Path) -> DemoAws {
    let demo = DemoAws::start(&root.join("objects")).await.unwrap();
    let server = aws(&demo, demo.server_credentials()).await;
    let principal = server.caller_arn().await.unwrap();
    assert!(principal.contains(SERVER_ACCOUNT));
    let customer = demo.customer();
    customer.put_bucket(BUCKET, "eu-west-1");
    for key in ["hello world.mp4", "a*b.mp4", "aXXb.mp4", "日本/ü$1.mp4"] {
        let file = root.join("upload");
        std::fs::write(&file, key).unwrap();
        customer.put_object(BUCKET, key, &file).unwrap();
    }
    let trust = trust_policy(&principal, "sb-right");
    customer.create_role(DEFAULT_ROLE, &trust, &inline_policy("aws", Some(BUCKET))).unwrap();
    demo
}

#[tokio::test]
async fn the_role_opens_what_the_storyboard_names() {
    let root = tempfile::tempdir().unwrap();
    let demo = demo(root.path()).await;
    let server = aws(&demo, demo.server_credentials()).await;
    let reads = opener(&server, "sb-right", "eu-west-1");
    // One session each, so that the escaped star is all that the session names.
    for key in ["hello world.mp4", "a*b.mp4", "aXXb.mp4", "日本/ü$1.mp4"] {
        let opened = open(&reads, BUCKET, key).await.unwrap();
        assert!(opened.warnings.is_empty());
        let bytes = opened.reader.read(0..opened.reader.size()).await.unwrap();
        assert_eq!(bytes, key.as_bytes());
        assert_eq!(opened.reader.read(1..3).await.unwrap(), &key.as_bytes()[1..3]);
    }
    let elsewhere = opener(&server, "sb-right", "us-east-1");
    let opened = open(&elsewhere, BUCKET, "aXXb.mp4").await.unwrap();
    assert_eq!(opened.warnings[0].code, "REGION_MISMATCH");
    assert_eq!(code(&open(&reads, BUCKET, "Hello World.mp4").await), "MEDIA_NOT_FOUND");
    assert_eq!(code(&open(&reads, "another-bucket", "k").await), "BUCKET_NOT_FOUND");
    demo.shutdown().await;
}

#[tokio::test]
async fn others_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let demo = demo(root.path()).await;
    demo.customer().put_bucket("not-granted", "eu-west-1");
    let file = root.path().join("upload");
    demo.customer().put_object("not-granted", "k", &file).unwrap();
    let server = aws(&demo, demo.server_credentials()).await;
    let wrong = opener(&server, "sb-wrong", "eu-west-1");
    assert_eq!(code(&open(&wrong, BUCKET, "aXXb.mp4").await), "ROLE_NOT_ASSUMABLE");
    let stranger = aws(&demo, demo.stranger_credentials()).await;
    let stranger = opener(&stranger, "sb-right", "eu-west-1");
    assert_eq!(code(&open(&stranger, BUCKET, "aXXb.mp4").await), "ROLE_NOT_ASSUMABLE");
    let mut forged = demo.server_credentials();
    forged.secret = "guessed".to_owned();
    let forged = aws(&demo, forged).await;
    let forged = opener(&forged, "sb-right", "eu-west-1");
    assert_eq!(code(&open(&forged, BUCKET, "aXXb.mp4").await), "SERVER_CREDENTIALS");
    let right = opener(&server, "sb-right", "eu-west-1");
    assert_eq!(code(&open(&right, "not-granted", "k").await), "ACCESS_DENIED");
    assert!(demo.customer().create_role("x", "{}", "{}").is_err());
}

#[tokio::test]
async fn a_replaced_object_is_noticed() {
    let root = tempfile::tempdir().unwrap();
    let demo = demo(root.path()).await;
    let server = aws(&demo, demo.server_credentials()).await;
    let reads = opener(&server, "sb-right", "eu-west-1");
    let opened = open(&reads, BUCKET, "aXXb.mp4").await.unwrap();
    let file = root.path().join("upload");
    std::fs::write(&file, "replaced").unwrap();
    demo.customer().put_object(BUCKET, "aXXb.mp4", &file).unwrap();
    assert_eq!(opened.reader.read(0..4).await.unwrap_err().code, "MEDIA_CHANGED");
    let again = open(&reads, BUCKET, "aXXb.mp4").await.unwrap();
    assert_eq!(&again.reader.read(0..8).await.unwrap()[..], b"replaced");
}

#[tokio::test]
async fn unsigned_requests_and_plain_keys_open_nothing() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let root = tempfile::tempdir().unwrap();
    let demo = demo(root.path()).await;
    let address = demo.endpoint_url().trim_start_matches("http://").to_owned();
    for path in ["/", "/customer-media", "/customer-media/aXXb.mp4", "/customer-media/..%2F..%2Fetc%2Fpasswd"]
    {
        let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 403"), "{path}: {answer}");
    }
}
