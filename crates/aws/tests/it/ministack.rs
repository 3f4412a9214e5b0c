use std::collections::HashMap;

use aws::policy::inline_policy;
use aws::{DEFAULT_ROLE, new_external_id, trust_policy};
use storyboard::{Address, Class};

use crate::peer::{Peer, SERVER, STRANGER, peer};
use crate::{aws_at, code, connection, object, open, opener, text, versioned};

/// The inline policy of the page that the project starts from, word for word.
const SEED_INLINE: &str = r#"{ "Version": "2012-10-17", "Statement": [ { "Effect": "Allow", "Action": [ "s3:ListBucket", "s3:GetObject" ], "Resource": [ "arn:aws:s3:::{YOUR_S3_BUCKET}", "arn:aws:s3:::{YOUR_S3_BUCKET}/*" ] }, { "Effect": "Allow", "Action": [ "s3:ListAllMyBuckets" ], "Resource": [ "arn:aws:s3:::*" ] } ] }"#;

/// A customer's account with a bucket and the role from our own documents; answers with the external id.
async fn customer(peer: &Peer, account: &str, bucket: &str, inline: Option<&str>) -> String {
    let external_id = new_external_id();
    let principal = aws_at(&peer.endpoint, SERVER).await.caller_arn().await.unwrap();
    assert!(principal.contains(SERVER), "{principal}");
    peer.bucket(account, bucket, "us-east-1", false);
    let own = inline_policy("aws", Some(bucket));
    peer.role(account, DEFAULT_ROLE, &trust_policy(&principal, &external_id), inline.unwrap_or(&own));
    external_id
}

#[tokio::test]
async fn the_right_external_id_reads_and_nothing_else_does() {
    let (peer, account, bucket) = (peer(), "111122220001", "bucket-external-id");
    let external_id = customer(peer, account, bucket, None).await;
    peer.put(account, bucket, "hello_world.mp4", "hello world");
    let aws = aws_at(&peer.endpoint, SERVER).await;

    let right = opener(&aws, connection(account, &external_id));
    let opened = open(&right, object(bucket, "hello_world.mp4")).await.unwrap();
    assert_eq!(opened.reader.size(), 11);
    assert!(opened.warnings.is_empty());
    assert_eq!(&opened.reader.read(6..11).await.unwrap()[..], b"world");
    assert!(opened.reader.identity().starts_with(&format!("s3:{account}:{bucket}:hello_world.mp4:")));

    let wrong = opener(&aws, connection(account, &new_external_id()));
    let refused = open(&wrong, object(bucket, "hello_world.mp4")).await;
    assert_eq!(code(&refused), "ROLE_NOT_ASSUMABLE");
    let error = refused.err().unwrap();
    assert_eq!(error.class, Class::Access);
    assert!(error.evidence.unwrap().starts_with("AssumeRole 403"));
    let fix = error.fix.unwrap();
    assert!(fix.contains("sts:ExternalId") && fix.contains(SERVER) && fix.contains("(4)"), "{fix}");

    let stranger = opener(&aws_at(&peer.endpoint, STRANGER).await, connection(account, &external_id));
    assert_eq!(code(&open(&stranger, object(bucket, "hello_world.mp4")).await), "ROLE_NOT_ASSUMABLE");
    let mut no_role = connection(account, &external_id);
    no_role.role_name = "NoSuchRole".to_owned();
    assert_eq!(
        code(&open(&opener(&aws, no_role), object(bucket, "hello_world.mp4")).await),
        "ROLE_NOT_ASSUMABLE"
    );
    let elsewhere = opener(&aws, connection("111122229999", &external_id));
    assert_eq!(code(&open(&elsewhere, object(bucket, "hello_world.mp4")).await), "ROLE_NOT_ASSUMABLE");
}

#[tokio::test]
async fn the_servers_own_credentials_are_the_operators_matter() {
    let peer = peer();
    let aws = aws::Aws::load(aws::AwsSettings {
        path_style: true,
        region: Some("us-east-1".to_owned()),
        endpoint_url: Some(peer.endpoint.clone()),
        credentials: Some(aws::StaticCredentials {
            access_key: SERVER.to_owned(),
            secret: "hunter2".to_owned(),
        }),
    })
    .await;
    assert!(!format!("{aws:?}").contains("hunter2"));
    let refused = open(&opener(&aws, connection("111122220001", "sb-x")), object("bucket-any", "k")).await;
    assert_eq!(code(&refused), "SERVER_CREDENTIALS");
    assert!(!format!("{:?}", refused.err()).contains("hunter2"));
    assert_eq!(aws.caller_arn().await.unwrap_err().code, "SERVER_CREDENTIALS");
}

#[tokio::test]
async fn connections_are_checked_before_aws_is_asked() {
    let aws = aws_at("http://127.0.0.1:9", SERVER).await;
    let mut disabled = connection("111122220001", "sb-x");
    disabled.enabled = false;
    let opener = aws.opener("job", HashMap::from([("off".to_owned(), disabled)]));
    let mut none = object("bucket", "k");
    none.connection = None;
    let mut foreign = object("bucket", "k");
    foreign.connection = Some("someone-elses".to_owned());
    let mut off = object("bucket", "k");
    off.connection = Some("off".to_owned());
    let mut url = object("bucket", "k");
    url.address = Address::Url("https://example.com/".to_owned());
    let answers = opener.open_all(&[none, foreign, off, url]).await;
    let codes: Vec<_> = answers.iter().map(code).collect();
    assert_eq!(
        codes,
        ["CONNECTION_REQUIRED", "CONNECTION_UNKNOWN", "CONNECTION_DISABLED", "OPENER_MISMATCH"]
    );
}

#[tokio::test]
async fn the_seeds_literal_policy_reads_a_versioned_bucket() {
    let (peer, account, bucket) = (peer(), "111122220002", "bucket-versioned");
    let seed = SEED_INLINE.replace("{YOUR_S3_BUCKET}", bucket);
    let external_id = new_external_id();
    peer.bucket(account, bucket, "us-east-1", true);
    let principal = format!("arn:aws:iam::{SERVER}:root");
    peer.role(account, DEFAULT_ROLE, &trust_policy(&principal, &external_id), &seed);
    let first = peer.put(account, bucket, "k.mp4", "first").unwrap();
    peer.put(account, bucket, "k.mp4", "second one");
    let aws = aws_at(&peer.endpoint, SERVER).await;
    let reads = opener(&aws, connection(account, &external_id));
    let opened = open(&reads, object(bucket, "k.mp4")).await.unwrap();
    assert_eq!(text(&opened).await, "second one");

    // A named version needs s3:GetObjectVersion, which the seed does not grant and our own document does.
    let refused = open(&reads, versioned(bucket, "k.mp4", Some(first.clone()))).await;
    assert_eq!(code(&refused), "ACCESS_DENIED");
    assert!(refused.err().unwrap().fix.unwrap().contains("s3:GetObjectVersion"));
    let other = new_external_id();
    peer.role(
        account,
        "VersionReader",
        &trust_policy(&principal, &other),
        &inline_policy("aws", Some(bucket)),
    );
    let mut spec = connection(account, &other);
    spec.role_name = "VersionReader".to_owned();
    let opened = open(&opener(&aws, spec), versioned(bucket, "k.mp4", Some(first))).await.unwrap();
    assert_eq!(text(&opened).await, "first");

    peer.delete(account, bucket, "k.mp4");
    let deleted = open(&reads, object(bucket, "k.mp4")).await;
    assert_eq!(code(&deleted), "MEDIA_NOT_FOUND");
}

#[tokio::test]
async fn a_session_reads_the_storyboards_objects_only() {
    let (peer, account, bucket) = (peer(), "111122220003", "bucket-narrow");
    let external_id = customer(peer, account, bucket, None).await;
    for key in ["a*b.mp4", "aXXb.mp4", "日本/ü 1.mp4", "plus+sign.mp4", "with space.mp4", "quote\"$.mp4"] {
        peer.put(account, bucket, key, key);
    }
    let aws = aws_at(&peer.endpoint, SERVER).await;
    let reads = opener(&aws, connection(account, &external_id));
    for key in ["日本/ü 1.mp4", "plus+sign.mp4", "with space.mp4", "aXXb.mp4"] {
        assert_eq!(text(&open(&reads, object(bucket, key)).await.unwrap()).await, key);
    }
    // The peer does not know `${*}` and so denies; what matters is that the star is no wildcard. demo-aws reads it.
    assert_eq!(code(&open(&reads, object(bucket, "a*b.mp4")).await), "ACCESS_DENIED");
    // A copied URL writes a space as a plus.
    let opened = open(&reads, object(bucket, "with+space.mp4")).await.unwrap();
    assert_eq!(opened.warnings[0].code, "KEY_PLUS_AS_SPACE");
    assert_eq!(text(&opened).await, "with space.mp4");
}

#[tokio::test]
async fn a_session_policy_with_a_star_is_not_a_pattern() {
    // Straight at the peer: the raw star would have opened aXXb.mp4.
    let (peer, account, bucket) = (peer(), "111122220004", "bucket-star");
    let external_id = customer(peer, account, bucket, None).await;
    peer.put(account, bucket, "aXXb.mp4", "not named");
    let aws = aws_at(&peer.endpoint, SERVER).await;
    let reads = opener(&aws, connection(account, &external_id));
    for key in ["a*b.mp4", "a??b.mp4", "*"] {
        assert_eq!(code(&open(&reads, object(bucket, key)).await), "MEDIA_NOT_FOUND", "{key}");
    }
}

#[tokio::test]
async fn missing_and_denied_are_told_apart() {
    let (peer, account, bucket) = (peer(), "111122220005", "bucket-missing");
    let external_id = customer(peer, account, bucket, None).await;
    peer.put(account, bucket, "clips/Hello_World.mp4", "x");
    peer.put(account, bucket, "clips/empty.mp4", "");
    let aws = aws_at(&peer.endpoint, SERVER).await;
    let reads = opener(&aws, connection(account, &external_id));
    let missing = open(&reads, object(bucket, "clips/hello_world.mp4")).await;
    assert_eq!(code(&missing), "MEDIA_NOT_FOUND");
    let error = missing.err().unwrap();
    assert_eq!(error.class, Class::Source);
    assert!(error.fix.unwrap().contains("clips/Hello_World.mp4"));
    assert_eq!(code(&open(&reads, object(bucket, "clips/empty.mp4")).await), "MEDIA_EMPTY");
    assert_eq!(code(&open(&reads, object("bucket-that-is-not", "k")).await), "BUCKET_NOT_FOUND");

    // A role that may list and not read.
    let other = new_external_id();
    let principal = format!("arn:aws:iam::{SERVER}:root");
    let lists = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::{bucket}"}}]}}"#
    );
    peer.role(account, "ListsOnly", &trust_policy(&principal, &other), &lists);
    let mut spec = connection(account, &other);
    spec.role_name = "ListsOnly".to_owned();
    let denied = open(&opener(&aws, spec.clone()), object(bucket, "clips/Hello_World.mp4")).await;
    assert_eq!(code(&denied), "ACCESS_DENIED");
    let error = denied.err().unwrap();
    assert!(error.message.contains("is there"), "{}", error.message);
    let fix = error.fix.unwrap();
    assert!(fix.contains("ListsOnly") && fix.contains(&format!("arn:aws:s3:::{bucket}/*")), "{fix}");
    assert!(error.evidence.unwrap().starts_with("HeadObject 403"));

    // A role that may do nothing: missing and denied cannot be told apart, and the message says so.
    peer.role(account, "Nothing", &trust_policy(&principal, &other), "");
    spec.role_name = "Nothing".to_owned();
    let unknown = open(&opener(&aws, spec), object(bucket, "clips/Hello_World.mp4")).await;
    assert_eq!(code(&unknown), "ACCESS_DENIED");
    assert!(unknown.err().unwrap().message.contains("missing, or"));
}

#[tokio::test]
async fn an_object_that_changes_is_noticed() {
    let (peer, account, bucket) = (peer(), "111122220006", "bucket-changes");
    let external_id = customer(peer, account, bucket, None).await;
    peer.put(account, bucket, "k.mp4", "before");
    peer.put(account, bucket, "gone.mp4", "before");
    let aws = aws_at(&peer.endpoint, SERVER).await;
    let reads = opener(&aws, connection(account, &external_id));
    let opened = open(&reads, object(bucket, "k.mp4")).await.unwrap();
    let gone = open(&reads, object(bucket, "gone.mp4")).await.unwrap();
    peer.put(account, bucket, "k.mp4", "after!");
    peer.delete(account, bucket, "gone.mp4");
    let error = opened.reader.read(0..6).await.unwrap_err();
    assert_eq!((error.class, error.code), (Class::Source, "MEDIA_CHANGED"));
    assert!(error.evidence.unwrap().starts_with("GetObject 412"));
    // Without ListBucket in the session, S3 answers 403 for what is gone.
    assert!(["MEDIA_CHANGED", "ACCESS_DENIED"].contains(&gone.reader.read(0..6).await.unwrap_err().code));
}

#[tokio::test]
async fn archived_objects_are_named_as_such() {
    let (peer, account, bucket) = (peer(), "111122220007", "bucket-archive");
    let external_id = customer(peer, account, bucket, None).await;
    let aws = aws_at(&peer.endpoint, SERVER).await;
    let reads = opener(&aws, connection(account, &external_id));
    for storage in ["GLACIER", "DEEP_ARCHIVE"] {
        peer.put_archived(account, bucket, storage, storage);
        let archived = open(&reads, object(bucket, storage)).await;
        assert_eq!(code(&archived), "MEDIA_ARCHIVED");
        let error = archived.err().unwrap();
        assert!(error.message.contains(storage) && error.fix.unwrap().contains("restore-object"));
    }
    for storage in ["STANDARD_IA", "INTELLIGENT_TIERING", "GLACIER_IR"] {
        peer.put_archived(account, bucket, storage, storage);
        assert!(open(&reads, object(bucket, storage)).await.is_ok(), "{storage}");
    }
}

#[tokio::test]
async fn many_objects_are_read_over_several_sessions_in_order() {
    let (peer, account, bucket) = (peer(), "111122220008", "bucket-many");
    let external_id = customer(peer, account, bucket, None).await;
    let keys: Vec<String> = (0..60).map(|index| format!("{}/{index}.mp4", "folder".repeat(10))).collect();
    for key in &keys {
        peer.put(account, bucket, key, key);
    }
    let aws = aws_at(&peer.endpoint, SERVER).await;
    let reads = opener(&aws, connection(account, &external_id));
    let mut media: Vec<_> = keys.iter().map(|key| object(bucket, key)).collect();
    media.push(object(bucket, "missing.mp4"));
    media.push(object(bucket, &keys[0]));
    let answers = reads.open_all(&media).await;
    for (key, answer) in keys.iter().zip(&answers) {
        assert_eq!(&text(answer.as_ref().unwrap()).await, key);
    }
    assert_eq!(code(&answers[60]), "MEDIA_NOT_FOUND");
    assert_eq!(
        answers[61].as_ref().unwrap().reader.identity(),
        answers[0].as_ref().unwrap().reader.identity()
    );
}

#[tokio::test]
async fn another_region_than_the_connections_is_a_warning() {
    let (peer, account, bucket) = (peer(), "111122220009", "bucket-in-ireland");
    let external_id = new_external_id();
    peer.bucket(account, bucket, "eu-west-1", false);
    let trust = trust_policy(&format!("arn:aws:iam::{SERVER}:root"), &external_id);
    peer.role(account, DEFAULT_ROLE, &trust, &inline_policy("aws", Some(bucket)));
    peer.put(account, bucket, "k.mp4", "dia dhuit");
    let aws = aws_at(&peer.endpoint, SERVER).await;
    let opened =
        open(&opener(&aws, connection(account, &external_id)), object(bucket, "k.mp4")).await.unwrap();
    assert_eq!(
        opened.warnings.iter().map(|warning| warning.code.as_str()).collect::<Vec<_>>(),
        ["REGION_MISMATCH"]
    );
    assert!(opened.warnings[0].message.contains("eu-west-1"));
    assert_eq!(text(&opened).await, "dia dhuit");
}
