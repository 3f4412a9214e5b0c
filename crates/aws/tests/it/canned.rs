use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use storyboard::Class;

use crate::stub::{Answer, Asked, Stub, assumed};
use crate::{aws_at, code, connection, object, open, opener, text};

const ACCOUNT: &str = "111122223333";

const OBJECT: Answer2 = Answer2 { headers: &[("ETag", "\"v1\""), ("Content-Length", "5")] };

struct Answer2 {
    headers: &'static [(&'static str, &'static str)],
}

fn head_object() -> Answer {
    Answer(200, OBJECT.headers, String::new())
}

fn error(status: u16, code: &str) -> Answer {
    Answer(status, &[], format!("<Error><Code>{code}</Code><Message>see hunter2</Message></Error>"))
}

fn sts_error(status: u16, code: &str) -> Answer {
    Answer(
        status,
        &[],
        format!(
            "<ErrorResponse><Error><Code>{code}</Code><Message>see hunter2</Message></Error></ErrorResponse>"
        ),
    )
}

#[tokio::test]
async fn the_client_is_rebuilt_for_the_buckets_region() {
    let region: &[(&str, &str)] = &[("x-amz-bucket-region", "eu-central-1")];
    for told_by_bucket in [true, false] {
        let stub = Stub::start(move |asked: &Asked| {
            let line = asked.line();
            if line.starts_with("POST") {
                assumed()
            } else if line == "HEAD /bkt" || line == "HEAD /bkt/" {
                if told_by_bucket {
                    Answer(301, region, String::new())
                } else {
                    Answer(403, &[], String::new())
                }
            } else if asked.region() != "eu-central-1" {
                Answer(301, region, String::new())
            } else if line.starts_with("HEAD") {
                head_object()
            } else {
                Answer(206, &[("ETag", "\"v1\"")], "hello".to_owned())
            }
        })
        .await;
        let aws = aws_at(&stub.endpoint, ACCOUNT).await;
        let opened = open(&opener(&aws, connection(ACCOUNT, "sb-x")), object("bkt", "k.mp4")).await.unwrap();
        assert_eq!(opened.warnings.len(), 1, "{told_by_bucket}");
        assert_eq!(opened.warnings[0].code, "REGION_MISMATCH");
        assert_eq!(text(&opened).await, "hello");
    }
}

#[tokio::test]
async fn one_session_is_asked_for_as_designed() {
    let stub = Stub::start(|asked: &Asked| match asked.head.get(..4) {
        Some("POST") => assumed(),
        Some("HEAD") => head_object(),
        _ => Answer(206, &[("ETag", "\"v1\"")], "hello".to_owned()),
    })
    .await;
    let aws = aws_at(&stub.endpoint, ACCOUNT).await;
    let reads = opener(&aws, connection(ACCOUNT, "sb-external"));
    let answers =
        reads.open_all(&[object("bkt", "a.mp4"), object("bkt", "b.mp4"), object("bkt", "a.mp4")]).await;
    for answer in &answers {
        assert_eq!(text(answer.as_ref().unwrap()).await, "hello");
    }
    let log = stub.log.lock().unwrap().clone();
    let assumed: Vec<_> = log.iter().filter(|asked| asked.head.starts_with("POST")).collect();
    assert_eq!(assumed.len(), 1);
    let body = &assumed[0].body;
    for part in [
        "Action=AssumeRole",
        "RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2FPictoryCloudIntegrationRole",
        "RoleSessionName=sb-job-42",
        "ExternalId=sb-external",
        "DurationSeconds=900",
        "s3%3A%3A%3Abkt%2Fa.mp4",
    ] {
        assert!(body.contains(part), "{part} in {body}");
    }
    assert!(!body.contains("ListBucket"));
    let gets: Vec<_> = log.iter().filter(|asked| asked.head.starts_with("GET")).collect();
    assert_eq!(gets.len(), 3);
    for get in gets {
        assert_eq!(get.header("if-match"), Some("\"v1\""));
        assert_eq!(get.header("range"), Some("bytes=0-4"));
        assert!(!get.line().contains("versionId"));
    }
}

#[tokio::test]
async fn a_weak_tag_names_no_bytes_for_long() {
    const WEAK: &[(&str, &str)] = &[("ETag", "W/\"v1\""), ("Content-Length", "5")];
    for (headers, durable) in [(OBJECT.headers, true), (WEAK, false)] {
        let stub = Stub::start(move |asked: &Asked| match asked.head.get(..4) {
            Some("POST") => assumed(),
            _ => Answer(200, headers, String::new()),
        })
        .await;
        let aws = aws_at(&stub.endpoint, ACCOUNT).await;
        let reads = opener(&aws, connection(ACCOUNT, "sb-external"));
        assert_eq!(open(&reads, object("bkt", "a.mp4")).await.unwrap().reader.durable(), durable);
    }
}

#[tokio::test]
async fn refusals_of_sts_have_their_meaning() {
    let table = [
        (403, "AccessDenied", "ROLE_NOT_ASSUMABLE"),
        (403, "RegionDisabledException", "STS_REGION_DISABLED"),
        (403, "InvalidClientTokenId", "SERVER_CREDENTIALS"),
        (403, "SignatureDoesNotMatch", "SERVER_CREDENTIALS"),
        (400, "RequestTimeTooSkewed", "SERVER_CREDENTIALS"),
        (400, "MalformedPolicyDocument", "GRANT_MALFORMED"),
        (400, "PackedPolicyTooLarge", "GRANT_TOO_LARGE"),
        (400, "ValidationError", "AWS_REFUSED"),
    ];
    for (status, sent, expected) in table {
        let stub = Stub::start(move |_: &Asked| sts_error(status, sent)).await;
        let aws = aws_at(&stub.endpoint, ACCOUNT).await;
        let refused = open(&opener(&aws, connection(ACCOUNT, "sb-x")), object("bkt", "k.mp4")).await;
        assert_eq!(code(&refused), expected, "{sent}");
        let error = refused.err().unwrap();
        let evidence = error.evidence.clone().unwrap();
        assert!(evidence.starts_with(&format!("AssumeRole {status} {sent}")), "{evidence}");
        assert!(!format!("{error:?}").contains("hunter2"), "AWS's own text is not repeated");
    }
}

#[tokio::test]
async fn a_policy_that_packs_too_large_is_cut_in_halves() {
    let stub = Stub::start(|asked: &Asked| match asked.head.get(..4) {
        Some("POST") if asked.body.matches(".mp4").count() > 2 => sts_error(400, "PackedPolicyTooLarge"),
        Some("POST") => assumed(),
        _ => head_object(),
    })
    .await;
    let aws = aws_at(&stub.endpoint, ACCOUNT).await;
    let media: Vec<_> = (0..7).map(|index| object("bkt", &format!("{index}.mp4"))).collect();
    let answers = opener(&aws, connection(ACCOUNT, "sb-x")).open_all(&media).await;
    for (index, answer) in answers.iter().enumerate() {
        assert!(answer.as_ref().unwrap().reader.identity().contains(&format!(":{index}.mp4:")));
    }
}

#[tokio::test]
async fn what_may_pass_is_transient() {
    let stub = Stub::start(|asked: &Asked| match asked.head.get(..4) {
        Some("POST") => assumed(),
        _ => error(503, "SlowDown"),
    })
    .await;
    let aws = aws_at(&stub.endpoint, ACCOUNT).await;
    let refused = open(&opener(&aws, connection(ACCOUNT, "sb-x")), object("bkt", "k.mp4")).await;
    assert_eq!((refused.as_ref().err().unwrap().class, code(&refused)), (Class::Transient, "AWS_BUSY"));
    assert!(stub.lines().iter().filter(|line| *line == "HEAD /bkt/k.mp4").count() > 1, "the SDK tries again");

    // Nobody listens on port 9.
    let aws = aws_at("http://127.0.0.1:9", ACCOUNT).await;
    let refused = open(&opener(&aws, connection(ACCOUNT, "sb-x")), object("bkt", "k.mp4")).await;
    assert_eq!(
        (refused.as_ref().err().unwrap().class, code(&refused)),
        (Class::Transient, "AWS_UNREACHABLE")
    );
}

#[tokio::test]
async fn bodies_that_break_off_and_sessions_that_end_are_tried_again() {
    let gets = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&gets);
    let stub = Stub::start(move |asked: &Asked| match asked.head.get(..4) {
        Some("POST") => assumed(),
        Some("HEAD") => head_object(),
        _ => match counter.fetch_add(1, Ordering::SeqCst) {
            0 => Answer(206, &[("ETag", "\"v1\""), ("Content-Length", "5")], "hel".to_owned()),
            1 => error(400, "ExpiredToken"),
            _ => Answer(206, &[("ETag", "\"v1\"")], "hello".to_owned()),
        },
    })
    .await;
    let aws = aws_at(&stub.endpoint, ACCOUNT).await;
    let opened = open(&opener(&aws, connection(ACCOUNT, "sb-x")), object("bkt", "k.mp4")).await.unwrap();
    assert_eq!(text(&opened).await, "hello");
    assert_eq!(stub.lines().iter().filter(|line| line.starts_with("POST")).count(), 2, "a session more");
}

#[tokio::test]
async fn a_store_that_ignores_if_match_does_not_mix_versions() {
    for (status, etag) in [(206, "\"v2\""), (200, "\"v2\"")] {
        let stub = Stub::start(move |asked: &Asked| match asked.head.get(..4) {
            Some("POST") => assumed(),
            Some("HEAD") => head_object(),
            _ if etag == "\"v2\"" => Answer(status, &[("ETag", "\"v2\"")], "other".to_owned()),
            _ => unreachable!(),
        })
        .await;
        let aws = aws_at(&stub.endpoint, ACCOUNT).await;
        let opened = open(&opener(&aws, connection(ACCOUNT, "sb-x")), object("bkt", "k.mp4")).await.unwrap();
        assert_eq!(opened.reader.read(0..5).await.unwrap_err().code, "MEDIA_CHANGED");
    }
}

#[tokio::test]
async fn a_restored_object_is_read_and_a_tiered_one_is_not() {
    type Row = (&'static [(&'static str, &'static str)], Option<&'static str>);
    let table: [Row; 4] = [
        (
            &[("ETag", "\"1\""), ("Content-Length", "5"), ("x-amz-storage-class", "GLACIER")],
            Some("MEDIA_ARCHIVED"),
        ),
        (
            &[
                ("ETag", "\"1\""),
                ("Content-Length", "5"),
                ("x-amz-storage-class", "GLACIER"),
                ("x-amz-restore", "ongoing-request=\"true\""),
            ],
            Some("MEDIA_ARCHIVED"),
        ),
        (
            &[
                ("ETag", "\"1\""),
                ("Content-Length", "5"),
                ("x-amz-storage-class", "GLACIER"),
                ("x-amz-restore", "ongoing-request=\"false\", expiry-date=\"Fri, 21 Dec 2100 00:00:00 GMT\""),
            ],
            None,
        ),
        (
            &[
                ("ETag", "\"1\""),
                ("Content-Length", "5"),
                ("x-amz-storage-class", "INTELLIGENT_TIERING"),
                ("x-amz-archive-status", "ARCHIVE_ACCESS"),
            ],
            Some("MEDIA_ARCHIVED"),
        ),
    ];
    for (headers, expected) in table {
        let stub = Stub::start(move |asked: &Asked| match asked.head.get(..4) {
            Some("POST") => assumed(),
            _ => Answer(200, headers, String::new()),
        })
        .await;
        let aws = aws_at(&stub.endpoint, ACCOUNT).await;
        let answer = open(&opener(&aws, connection(ACCOUNT, "sb-x")), object("bkt", "k.mp4")).await;
        assert_eq!(answer.err().map(|error| error.code), expected);
    }
}

#[tokio::test]
async fn a_server_without_credentials_says_so() {
    let stub = Stub::start(|_: &Asked| assumed()).await;
    let aws = aws::Aws::load(aws::AwsSettings {
        region: Some("us-east-1".to_owned()),
        endpoint_url: Some(stub.endpoint.clone()),
        ..aws::AwsSettings::default()
    })
    .await;
    // The test's environment may have credentials: then there is nothing to see.
    if std::env::vars_os().any(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
        return;
    }
    let refused = open(&opener(&aws, connection(ACCOUNT, "sb-x")), object("bkt", "k.mp4")).await;
    assert_eq!(code(&refused), "SERVER_CREDENTIALS");
    assert!(stub.lines().is_empty());
}
