use super::*;

fn s3(bucket: &str, key: &str, version: Option<&str>, region: Option<&str>) -> Address {
    Address::S3(S3Address {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        version: version.map(str::to_owned),
        region: region.map(str::to_owned),
    })
}

#[test]
fn accepted_forms_of_s3() {
    let table = [
        ("s3://my-bucket/hello_world.mp4", s3("my-bucket", "hello_world.mp4", None, None)),
        ("S3://my-bucket/a b+c.mp4", s3("my-bucket", "a b+c.mp4", None, None)),
        ("s3://my-bucket/a%20b.mp4", s3("my-bucket", "a%20b.mp4", None, None)),
        ("s3://my-bucket/q?#&.mp4", s3("my-bucket", "q?#&.mp4", None, None)),
        ("s3://my-bucket/k?versionId=7", s3("my-bucket", "k?versionId=7", None, None)),
        ("s3://my-bucket//double//slash", s3("my-bucket", "/double//slash", None, None)),
        ("s3://my.dotted.bucket/ü/日本.mp4", s3("my.dotted.bucket", "ü/日本.mp4", None, None)),
        ("s3://my-bucket/user@home.mp4", s3("my-bucket", "user@home.mp4", None, None)),
        ("s3://my-bucket/a:b*.mp4", s3("my-bucket", "a:b*.mp4", None, None)),
        (
            "https://my-bucket.s3.us-east-1.amazonaws.com/k.mp4",
            s3("my-bucket", "k.mp4", None, Some("us-east-1")),
        ),
        (
            "HTTPS://MY-BUCKET.S3.US-EAST-1.AMAZONAWS.COM/K.mp4",
            s3("my-bucket", "K.mp4", None, Some("us-east-1")),
        ),
        ("https://my-bucket.s3.amazonaws.com/k.mp4", s3("my-bucket", "k.mp4", None, None)),
        ("https://my-bucket.s3-us-west-2.amazonaws.com/k", s3("my-bucket", "k", None, Some("us-west-2"))),
        (
            "https://my-bucket.s3.dualstack.eu-west-1.amazonaws.com/k",
            s3("my-bucket", "k", None, Some("eu-west-1")),
        ),
        (
            "https://my-bucket.s3-fips.us-gov-west-1.amazonaws.com/k",
            s3("my-bucket", "k", None, Some("us-gov-west-1")),
        ),
        (
            "https://my-bucket.s3-fips.dualstack.us-east-2.amazonaws.com/k",
            s3("my-bucket", "k", None, Some("us-east-2")),
        ),
        ("https://my-bucket.s3-accelerate.amazonaws.com/k", s3("my-bucket", "k", None, None)),
        ("https://my-bucket.s3-accelerate.dualstack.amazonaws.com/k", s3("my-bucket", "k", None, None)),
        ("https://my-bucket.s3-external-1.amazonaws.com/k", s3("my-bucket", "k", None, None)),
        (
            "https://my-bucket.s3.cn-north-1.amazonaws.com.cn/k",
            s3("my-bucket", "k", None, Some("cn-north-1")),
        ),
        ("https://a.s3.b.s3.eu-central-1.amazonaws.com/k", s3("a.s3.b", "k", None, Some("eu-central-1"))),
        (
            "https://s3.us-east-1.amazonaws.com/my-bucket/d/k.mp4",
            s3("my-bucket", "d/k.mp4", None, Some("us-east-1")),
        ),
        ("https://s3.amazonaws.com/my-bucket/k.mp4", s3("my-bucket", "k.mp4", None, None)),
        ("https://s3-eu-west-1.amazonaws.com/my-bucket/k", s3("my-bucket", "k", None, Some("eu-west-1"))),
        (
            "https://my-bucket.s3.us-east-1.amazonaws.com/a%20b%2Bc+d.mp4",
            s3("my-bucket", "a b+c+d.mp4", None, Some("us-east-1")),
        ),
        (
            "https://my-bucket.s3.us-east-1.amazonaws.com/a%2520b.mp4",
            s3("my-bucket", "a%20b.mp4", None, Some("us-east-1")),
        ),
        (
            "https://my-bucket.s3.us-east-1.amazonaws.com/%E6%97%A5/ü.mp4",
            s3("my-bucket", "日/ü.mp4", None, Some("us-east-1")),
        ),
        (
            "https://my-bucket.s3.us-east-1.amazonaws.com/k?versionId=a.B_c-1",
            s3("my-bucket", "k", Some("a.B_c-1"), Some("us-east-1")),
        ),
        ("https://my-bucket.s3.us-east-1.amazonaws.com/k?", s3("my-bucket", "k", None, Some("us-east-1"))),
        ("https://us-east-1.s3.amazonaws.com/k", s3("us-east-1", "k", None, None)),
    ];
    for (text, expected) in table {
        match parse_address(text) {
            Ok((address, _)) => assert_eq!(address, expected, "{text}"),
            Err(error) => panic!("{text}: {error}"),
        }
    }
}

#[test]
fn other_hosts_are_plain_urls() {
    let table = [
        "https://example.com/a.mp4",
        "https://bucket.s3.us-east-1.amazonaws.com.evil.example/k.mp4",
        "https://evilamazonaws.com/k.mp4",
        "https://bucket.s3.us-east-1.evilamazonaws.com/k.mp4",
        "https://amazonaws.com/k.mp4",
        "https://abc.execute-api.us-east-1.amazonaws.com/prod/k.mp4",
        "https://abc.compute-1.amazonaws.com/k.mp4",
        "https://bucket.s3.us-east-1.amazonaws.com.cn.evil.example/k.mp4",
        "https://d111.cloudfront.net/k.mp4?x=1",
        "http://example.com/a.mp4",
        "https://example.com:8443/a.mp4",
        "https://127.0.0.1/a.mp4",
        "https://notes3.us-east-1.amazonaws.com/k",
    ];
    for text in table {
        let (address, _) = parse_address(text).expect(text);
        assert_eq!(address, Address::Url(text.to_owned()));
    }
    let (address, _) = parse_address("https://example.com/a.mp4#t=5").expect("a fragment is left out");
    assert_eq!(address, Address::Url("https://example.com/a.mp4".to_owned()));
}

#[test]
fn warnings_say_what_was_understood() {
    let presigned = "https://my-bucket.s3.us-east-1.amazonaws.com/k?X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&X-Amz-Signature=SECRET&X-Amz-Security-Token=TOKEN";
    let (address, warnings) = parse_address(presigned).expect("presigned");
    assert_eq!(address, Address::Url(presigned.to_owned()));
    assert!(!address.to_string().contains("SECRET"));
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("60 s from 20260101T000000Z"), "{}", warnings[0]);
    assert!(!warnings[0].contains("SECRET") && !warnings[0].contains("TOKEN"));
    let old = "https://my-bucket.s3.amazonaws.com/k?AWSAccessKeyId=A&Signature=B&Expires=1";
    assert!(matches!(parse_address(old), Ok((Address::Url(_), warnings)) if warnings.len() == 1));
    for text in [
        "s3://my-bucket/k?versionId=7",
        "s3://my-bucket/a%20b.mp4",
        "https://bucket.s3.us-east-1.amazonaws.com.evil.example/k.mp4",
    ] {
        assert_eq!(parse_address(text).map(|(_, warnings)| warnings.len()), Ok(1), "{text}");
    }
    for text in
        ["s3://my-bucket/k.mp4", "https://my-bucket.s3.us-east-1.amazonaws.com/k", "https://example.com/k"]
    {
        assert_eq!(parse_address(text).map(|(_, warnings)| warnings.len()), Ok(0), "{text}");
    }
}

#[test]
fn rejected_forms() {
    let long_key = format!("s3://my-bucket/{}", "k".repeat(1025));
    let long_url = format!("https://example.com/{}", "k".repeat(4096));
    let table = [
        ("", "ADDRESS_INVALID"),
        ("   ", "ADDRESS_INVALID"),
        ("s3://my-bucket", "ADDRESS_INVALID"),
        ("s3://my-bucket/", "ADDRESS_INVALID"),
        ("s3://my-bucket/folder/", "ADDRESS_INVALID"),
        ("s3:///key", "ADDRESS_INVALID"),
        ("s3:my-bucket/key", "ADDRESS_INVALID"),
        ("s3://ab/key", "ADDRESS_INVALID"),
        ("s3://My_Bucket/key", "ADDRESS_INVALID"),
        ("s3://{YOUR_S3_BUCKET}/hello_world.mp4", "ADDRESS_INVALID"),
        ("s3://10.0.0.1/key", "ADDRESS_INVALID"),
        ("s3://my..bucket/key", "ADDRESS_INVALID"),
        ("s3://-bucket/key", "ADDRESS_INVALID"),
        ("s3://my-bucket/a/../b.mp4", "ADDRESS_INVALID"),
        ("s3://my-bucket/./b.mp4", "ADDRESS_INVALID"),
        ("s3://my-bucket/a\nb", "ADDRESS_INVALID"),
        ("s3://key:hunter2@my-bucket/a", "ADDRESS_CREDENTIALS"),
        (long_key.as_str(), "ADDRESS_INVALID"),
        (long_url.as_str(), "ADDRESS_INVALID"),
        ("s3://ap-name-hrzrlukc5m36ft7okagglf3gmwluquse1b-s3alias/k", "ADDRESS_UNSUPPORTED"),
        ("s3://my-olap-abc--ol-s3/k", "ADDRESS_UNSUPPORTED"),
        ("s3://fast--use1-az4--x-s3/k", "ADDRESS_UNSUPPORTED"),
        ("s3://arn:aws:s3:us-east-1:111122223333:accesspoint/ap/object/k", "ADDRESS_UNSUPPORTED"),
        ("arn:aws:s3:::my-bucket/k", "ADDRESS_UNSUPPORTED"),
        ("ftp://example.com/k", "ADDRESS_UNSUPPORTED"),
        ("file:///etc/passwd", "ADDRESS_UNSUPPORTED"),
        ("data:video/mp4;base64,AAAA", "ADDRESS_UNSUPPORTED"),
        ("gs://my-bucket/k", "ADDRESS_UNSUPPORTED"),
        ("javascript:alert(1)", "ADDRESS_UNSUPPORTED"),
        ("https:example.com/k", "ADDRESS_INVALID"),
        ("https:/example.com/k", "ADDRESS_INVALID"),
        ("https:///example.com/k", "ADDRESS_INVALID"),
        ("https://user:hunter2@example.com/k", "ADDRESS_CREDENTIALS"),
        ("https://user@my-bucket.s3.us-east-1.amazonaws.com/k", "ADDRESS_CREDENTIALS"),
        ("https://my-bucket.s3.us-east-1.amazonaws.com@evil.example/k", "ADDRESS_CREDENTIALS"),
        ("https://example.com\\@evil.example/k", "ADDRESS_INVALID"),
        ("https://example.com./k", "ADDRESS_INVALID"),
        ("https://my-bucket.s3.us-east-1.amazonaws.com./k", "ADDRESS_INVALID"),
        ("https://exa mple.com/k", "ADDRESS_INVALID"),
        ("https://[::1/k", "ADDRESS_INVALID"),
        ("https://my-bucket.s3.us-east-1.amazonaws.com:443/k", "ADDRESS_INVALID"),
        ("https://my-bucket.s3.us-east-1.amazonaws.com:8443/k", "ADDRESS_INVALID"),
        ("http://my-bucket.s3.us-east-1.amazonaws.com/k", "ADDRESS_INVALID"),
        ("https://my-bucket.s3.us-east-1.amazonaws.com/", "ADDRESS_INVALID"),
        ("https://my-bucket.s3.us-east-1.amazonaws.com", "ADDRESS_INVALID"),
        ("https://my-bucket.s3.us-east-1.amazonaws.com/folder/", "ADDRESS_INVALID"),
        ("https://my-bucket.s3.us-east-1.amazonaws.com/a/../b", "ADDRESS_INVALID"),
        ("https://my-bucket.s3.us-east-1.amazonaws.com/a/%2e%2E/b", "ADDRESS_INVALID"),
        ("https://my-bucket.s3.us-east-1.amazonaws.com/a/..%2Fb", "ADDRESS_INVALID"),
        ("https://my-bucket.s3.us-east-1.amazonaws.com/a%00b", "ADDRESS_INVALID"),
        ("https://my-bucket.s3.us-east-1.amazonaws.com/a%zz", "ADDRESS_INVALID"),
        ("https://my-bucket.s3.us-east-1.amazonaws.com/a%2", "ADDRESS_INVALID"),
        ("https://my-bucket.s3.us-east-1.amazonaws.com/a%FFb", "ADDRESS_INVALID"),
        ("https://my-bucket.s3.us-east-1.amazonaws.com/k#t=1", "ADDRESS_INVALID"),
        ("https://my-bucket.s3.us-east-1.amazonaws.com/k?x=1", "ADDRESS_INVALID"),
        ("https://my-bucket.s3.us-east-1.amazonaws.com/k?versionId=", "ADDRESS_INVALID"),
        ("https://my-bucket.s3.us-east-1.amazonaws.com/k?versionId=1&versionId=2", "ADDRESS_INVALID"),
        ("https://s3.us-east-1.amazonaws.com/my-bucket", "ADDRESS_INVALID"),
        ("https://s3.us-east-1.amazonaws.com/my-bucket/", "ADDRESS_INVALID"),
        ("https://s3-accelerate.amazonaws.com/my-bucket/k", "ADDRESS_INVALID"),
        ("https://my-bucket.s3.cn-north-1.amazonaws.com/k", "ADDRESS_INVALID"),
        ("https://my-bucket.s3.us-east-1.amazonaws.com.cn/k", "ADDRESS_INVALID"),
        ("https://my-bucket.s3-website-us-east-1.amazonaws.com/k", "ADDRESS_UNSUPPORTED"),
        ("https://my-bucket.s3-website.eu-central-1.amazonaws.com/k", "ADDRESS_UNSUPPORTED"),
        ("https://ap-111122223333.s3-accesspoint.us-east-1.amazonaws.com/k", "ADDRESS_UNSUPPORTED"),
        ("https://olap-1.s3-object-lambda.us-east-1.amazonaws.com/k", "ADDRESS_UNSUPPORTED"),
        ("https://x.111122223333.op-1.s3-outposts.us-east-1.amazonaws.com/k", "ADDRESS_UNSUPPORTED"),
        ("https://alias.accesspoint.s3-global.amazonaws.com/k", "ADDRESS_UNSUPPORTED"),
        ("https://b--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com/k", "ADDRESS_UNSUPPORTED"),
        ("https://my-bucket.bucket.vpce-1a2b.s3.us-east-1.vpce.amazonaws.com/k", "ADDRESS_UNSUPPORTED"),
        ("/etc/passwd", "ADDRESS_INVALID"),
        ("../secret.mp4", "ADDRESS_INVALID"),
        ("a/../../secret.mp4", "ADDRESS_INVALID"),
        ("~/x.mp4", "ADDRESS_INVALID"),
        ("dir\\x.mp4", "ADDRESS_INVALID"),
    ];
    for (text, code) in table {
        match parse_address(text) {
            Err(error) => {
                assert_eq!(error.code, code, "{text}: {error}");
                assert!(error.fix.is_some(), "{text}");
                assert!(!error.message.contains("hunter2"), "{text}: {error}");
            }
            Ok(parsed) => panic!("{text} was accepted: {parsed:?}"),
        }
    }
}

#[test]
fn relative_paths_are_files() {
    for text in ["intro.mp4", "clips/intro 1.mp4", "ü/日本.mp4", ".hidden.mp4"] {
        assert_eq!(parse_address(text), Ok((Address::File(text.to_owned()), Vec::new())));
    }
}

#[test]
fn no_text_panics() {
    // Every prefix of every character soup: slicing at odd places is the usual way to panic.
    let soup = [
        "s3://",
        "https://",
        "%",
        "%F",
        "é",
        "日",
        "amazonaws.com",
        ".s3.",
        "/",
        "?",
        "#",
        "@",
        ":",
        "-",
        "\u{0}",
        "x",
    ];
    for first in soup {
        for second in soup {
            for third in soup {
                for fourth in soup {
                    let _ = parse_address(&[first, second, third, fourth].concat());
                }
            }
        }
    }
}
