use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use media::{HttpsOpener, Opened, Opener as _, SourceError, UrlPolicy};
use storyboard::{Address, Class, MediaRef};

use crate::web::{Answer, Asked, Web};

fn policy() -> UrlPolicy {
    UrlPolicy { allow_http: true, allow_private: true, max_download: 4000, ..UrlPolicy::default() }
}

async fn open_with(policy: UrlPolicy, url: &str) -> Result<Opened, SourceError> {
    let media = MediaRef { address: Address::Url(url.to_owned()), connection: None, pointer: String::new() };
    HttpsOpener::new(policy).unwrap().open_all(&[media]).await.remove(0)
}

async fn open(url: &str) -> Result<Opened, SourceError> {
    open_with(policy(), url).await
}

fn body() -> Vec<u8> {
    (0..1000_u32).map(|index| (index % 251) as u8).collect()
}

/// A well-behaved server of one file.
fn ranged(asked: &Asked, etag: &str) -> Answer {
    let body = body();
    if asked.header("if-match").is_some_and(|wanted| wanted != etag) {
        return Answer::new(412);
    }
    match asked.range() {
        Some((from, to)) => Answer::new(206)
            .with("ETag", etag)
            .with("Content-Range", format!("bytes {from}-{}/{}", to - 1, body.len()))
            .body(&body[from..to]),
        None => Answer::new(200).with("ETag", etag).body(body),
    }
}

#[tokio::test]
async fn a_strong_etag_is_read_by_pinned_ranges() {
    let web = Web::start(|asked| ranged(asked, "\"v1\"")).await;
    let opened = open(&web.url("/a.mp4?token=hunter2")).await.unwrap();
    assert_eq!(opened.reader.size(), 1000);
    assert_eq!(&opened.reader.read(10..30).await.unwrap()[..], &body()[10..30]);
    assert!(!opened.reader.identity().contains("hunter2"));
    let log = web.log.lock().unwrap().clone();
    assert_eq!(log.len(), 2);
    assert_eq!(log[1].header("if-match"), Some("\"v1\""));
    assert_eq!(log[1].header("accept-encoding"), Some("identity"));
}

#[tokio::test]
async fn a_change_is_seen_whether_or_not_the_server_heeds_if_match() {
    for heeds in [true, false] {
        let count = Arc::new(AtomicUsize::new(0));
        let web = Web::start(move |asked| {
            let etag = if count.fetch_add(1, Ordering::SeqCst) == 0 { "\"v1\"" } else { "\"v2\"" };
            if heeds {
                ranged(asked, etag)
            } else {
                ranged(&Asked { head: asked.head.replace("if-match", "x"), ..asked.clone() }, etag)
            }
        })
        .await;
        let opened = open(&web.url("/a.mp4")).await.unwrap();
        let error = opened.reader.read(0..10).await.unwrap_err();
        assert_eq!((error.class, error.code), (Class::Source, "MEDIA_CHANGED"));
    }
}

#[tokio::test]
async fn without_a_strong_etag_the_bytes_are_the_identity() {
    let weak = Web::start(|asked| ranged(asked, "W/\"v1\"")).await;
    let plain = Web::start(|_| Answer::new(200).body(body())).await;
    let first = open(&weak.url("/a.mp4")).await.unwrap();
    let second = open(&plain.url("/b.mp4")).await.unwrap();
    assert_eq!(first.reader.identity(), second.reader.identity());
    assert!(first.reader.identity().starts_with("sha256:"));
    assert_eq!(&second.reader.read(990..1000).await.unwrap()[..], &body()[990..]);
    assert_eq!(plain.paths().len(), 1);
}

#[tokio::test]
async fn every_identity_may_be_a_key_and_changes_with_the_bytes() {
    // Bytes that differ under the same weak tag, or under none, differ in their identity.
    for tag in [Some("W/\"v1\""), None] {
        let identities = [1_u8, 2].map(|fill| async move {
            let web = Web::start(move |_| {
                let answer = Answer::new(200).body(vec![fill; 100]);
                if let Some(tag) = tag { answer.with("ETag", tag) } else { answer }
            })
            .await;
            let opened = open(&web.url("/a.mp4")).await.unwrap();
            opened.reader.prove().await.unwrap();
            assert!(opened.reader.durable());
            opened.reader.identity().to_owned()
        });
        let [first, second] = identities;
        assert_ne!(first.await, second.await);
    }
    // A strong tag is proved with the tag.
    let web = Web::start(|asked| ranged(asked, "\"v1\"")).await;
    let opened = open(&web.url("/a.mp4")).await.unwrap();
    opened.reader.prove().await.unwrap();
    assert!(opened.reader.durable());
    let log = web.log.lock().unwrap().clone();
    assert_eq!((log[1].header("if-match"), log[1].range()), (Some("\"v1\""), Some((0, 1))));
}

#[tokio::test]
async fn downloads_have_a_limit() {
    let honest = Web::start(|_| Answer::new(200).body(vec![0; 5000])).await;
    let error = open(&honest.url("/a")).await.err().unwrap();
    assert_eq!((error.class, error.code), (Class::Source, "MEDIA_TOO_LARGE"));
    // No length announced: the body ends with the connection.
    let silent =
        Web::start(|_| Answer::new(200).with("Transfer-Encoding", "identity").body(vec![0; 5000])).await;
    assert_eq!(open(&silent.url("/a")).await.err().unwrap().code, "MEDIA_TOO_LARGE");
    let broken = Web::start(|_| Answer::new(200).with("Content-Length", "3000").body(vec![0; 10])).await;
    assert_eq!(open(&broken.url("/a")).await.err().unwrap().class, Class::Transient);
    let empty = Web::start(|_| Answer::new(200)).await;
    assert_eq!(open(&empty.url("/a")).await.err().unwrap().code, "MEDIA_EMPTY");
}

#[tokio::test]
async fn statuses_have_their_meaning() {
    let web = Web::start(|asked| Answer::new(asked.path[1..].parse().unwrap()).body("secret body")).await;
    let table = [
        (404, Class::Source, "MEDIA_NOT_FOUND"),
        (410, Class::Source, "MEDIA_NOT_FOUND"),
        (401, Class::Access, "ACCESS_DENIED"),
        (403, Class::Access, "ACCESS_DENIED"),
        (416, Class::Source, "MEDIA_EMPTY"),
        (418, Class::Source, "MEDIA_SERVER_REFUSED"),
        (429, Class::Transient, "MEDIA_SERVER_BUSY"),
        (503, Class::Transient, "MEDIA_SERVER_BUSY"),
    ];
    for (status, class, code) in table {
        let error = open(&web.url(&format!("/{status}"))).await.err().unwrap();
        assert_eq!((error.class, error.code), (class, code), "{status}");
        assert!(error.fix.is_some() && !format!("{error:?}").contains("secret"));
    }
}

#[tokio::test]
async fn a_range_is_tried_again_after_a_failure_that_may_pass() {
    let count = Arc::new(AtomicUsize::new(0));
    let web = Web::start(move |asked| {
        if count.fetch_add(1, Ordering::SeqCst) == 1 { Answer::new(503) } else { ranged(asked, "\"v1\"") }
    })
    .await;
    let opened = open(&web.url("/a.mp4")).await.unwrap();
    assert_eq!(&opened.reader.read(5..9).await.unwrap()[..], &body()[5..9]);
    assert_eq!(web.paths().len(), 3);
}

#[tokio::test]
async fn redirects_are_followed_by_hand() {
    let web = Web::start(|asked| match asked.path.as_str() {
        "/start" => Answer::new(302).with("Location", "/middle"),
        "/middle" => Answer::new(307).with("Location", "/end#x"),
        "/end" => ranged(asked, "\"v1\""),
        "/loop" => Answer::new(302).with("Location", "/loop"),
        "/file" => Answer::new(302).with("Location", "file:///etc/passwd"),
        "/user" => Answer::new(302).with("Location", "http://user:hunter2@127.0.0.1/"),
        _ => Answer::new(302),
    })
    .await;
    let opened = open(&web.url("/start")).await.unwrap();
    assert_eq!(&opened.reader.read(5..9).await.unwrap()[..], &body()[5..9]);
    assert_eq!(web.paths(), ["/start", "/middle", "/end", "/end"]);
    for (path, code) in [
        ("/loop", "MEDIA_REDIRECTS"),
        ("/file", "URL_NOT_ALLOWED"),
        ("/user", "URL_NOT_ALLOWED"),
        ("/nowhere", "MEDIA_REDIRECT_BROKEN"),
    ] {
        assert_eq!(open(&web.url(path)).await.err().unwrap().code, code, "{path}");
    }
    assert_eq!(web.paths().iter().filter(|path| *path == "/loop").count(), 4, "three redirects at most");
}

#[tokio::test]
async fn the_guard_stands_before_the_first_byte() {
    let web = Web::start(|asked| ranged(asked, "\"v1\"")).await;
    for policy in [UrlPolicy::default(), UrlPolicy { allow_http: true, ..UrlPolicy::default() }] {
        let error = open_with(policy.clone(), &web.url("/a.mp4")).await.err().unwrap();
        assert_eq!((error.class, error.code), (Class::Access, "URL_NOT_ALLOWED"));
        let opener = HttpsOpener::new(policy).unwrap();
        let posted = opener.client().post_json(&web.url("/hook"), &[], "{}", Duration::from_secs(5)).await;
        assert_eq!(posted.unwrap_err().code, "URL_NOT_ALLOWED");
    }
    assert!(web.paths().is_empty());
}

#[tokio::test]
async fn webhooks_follow_no_redirect() {
    let web = Web::start(|asked| match asked.path.as_str() {
        "/moved" => Answer::new(302).with("Location", "/hook"),
        _ => Answer::new(204),
    })
    .await;
    let opener = HttpsOpener::new(policy()).unwrap();
    let headers = [("X-Storyreel-Delivery".to_owned(), "7".to_owned())];
    let second = Duration::from_secs(5);
    assert_eq!(
        opener.client().post_json(&web.url("/hook"), &headers, "{\"a\":1}", second).await.unwrap(),
        204
    );
    assert_eq!(opener.client().post_json(&web.url("/moved"), &headers, "{}", second).await.unwrap(), 302);
    assert_eq!(web.paths(), ["/hook", "/moved"]);
    let log = web.log.lock().unwrap();
    assert_eq!((log[0].method.as_str(), &log[0].body[..]), ("POST", &b"{\"a\":1}"[..]));
    assert_eq!(log[0].header("x-storyreel-delivery"), Some("7"));
    assert_eq!(log[0].header("content-type"), Some("application/json"));
}
