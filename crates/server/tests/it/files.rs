//! Addresses handed out: what they open, for how long, and where they point.

use std::time::Duration;

use url::Url;

use crate::http;
use crate::kit::{plain, settings, start, start_with};

#[tokio::test]
async fn a_film_is_read_whole_and_by_ranges_without_a_header() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let job = server.film().await;
    let url = job["data"]["videoURL"].as_str().unwrap();
    let whole = http::send("GET", url, &[], b"").await;
    assert_eq!((whole.status, whole.text().as_str()), (200, "0123456789"));
    assert_eq!(whole.header("content-type"), Some("video/mp4"));
    assert_eq!(whole.header("content-disposition"), None);
    let part = http::send("GET", url, &[("range", "bytes=2-4")], b"").await;
    assert_eq!((part.status, part.text().as_str()), (206, "234"));
    assert_eq!(part.header("content-range"), Some("bytes 2-4/10"));
    let tail = http::send("GET", url, &[("range", "bytes=-3")], b"").await;
    assert_eq!((tail.status, tail.text().as_str()), (206, "789"));
    assert_eq!(http::send("GET", url, &[("range", "bytes=50-")], b"").await.status, 416);
    let share = http::send("GET", job["data"]["shareVideoURL"].as_str().unwrap(), &[], b"").await;
    assert_eq!(share.text(), "0123456789");
    assert!(
        share.header("content-disposition").unwrap().starts_with("attachment; filename=\"test film.mp4\"")
    );
    for name in ["audioURL", "thumbnail", "srtFile", "vttFile", "txtFile", "videoShareURL"] {
        let url = job["data"][name].as_str().unwrap();
        assert_eq!(http::send("GET", url, &[], b"").await.status, 200, "{name}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_changed_address_opens_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let job = server.film().await;
    let url = job["data"]["videoURL"].as_str().unwrap();
    let later = url.replace("expires=", "expires=9");
    let other_file = url.replace("film.mp4", "result.json");
    let climbing = url.replace("film.mp4", "..%2f..%2fsigning.key");
    let as_download = url.replace("/films/", "/downloads/");
    let bare = url.split('?').next().unwrap().to_owned();
    let mut flipped = url.to_owned();
    let last = flipped.pop().unwrap();
    flipped.push(if last == '0' { '1' } else { '0' });
    for wrong in [later, other_file, climbing, as_download, bare, flipped] {
        let answer = http::send("GET", &wrong, &[], b"").await;
        assert_eq!(answer.status, 403, "{wrong}");
        assert!(!answer.text().contains("0123"), "{wrong}");
    }
    server.stop().await;
}

#[tokio::test]
async fn an_address_expires() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(dir.path());
    settings.url_life = Duration::ZERO;
    let server = start_with(settings).await;
    let job = server.film().await;
    let answer = http::send("GET", job["data"]["videoURL"].as_str().unwrap(), &[], b"").await;
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("expired"), "{}", answer.text());
    server.stop().await;
}

#[tokio::test]
async fn the_preview_page_escapes_and_runs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let mut storyboard = plain();
    storyboard["scenes"][1]["text"] = "a < b & \"c\" > 'd'".into();
    let id = server.send_storyboard(&storyboard).await;
    let job = server.ended(&id).await;
    let page = http::send("GET", job["data"]["preview"].as_str().unwrap(), &[], b"").await;
    assert_eq!(page.status, 200);
    let html = page.text();
    assert!(html.contains("a &lt; b &amp; &quot;c&quot; &gt; &#39;d&#39;"), "{html}");
    assert!(html.contains("Hello world &amp; all."), "{html}");
    assert!(!html.contains("<script"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let picture = html.split("src=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    let picture = http::send("GET", &picture, &[], b"").await;
    assert_eq!((picture.status, picture.header("content-type")), (200, Some("image/jpeg")));
    server.stop().await;
}

#[tokio::test]
async fn a_host_header_that_lies_is_in_no_address() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(dir.path());
    settings.public_url = Some(Url::parse("https://films.example/reel/").unwrap());
    let server = start_with(settings).await;
    let id = server.storyboard().await;
    let url = format!("{}/pictoryapis/v1/jobs/{id}", server.root);
    let key = server.key.clone();
    let headers = [
        ("authorization", key.as_str()),
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "host=evil.example"),
    ];
    let answer = http::send("GET", &url, &headers, b"").await;
    assert!(!answer.text().contains("evil"), "{}", answer.text());
    let preview = answer.json()["data"]["preview"].as_str().unwrap().to_owned();
    assert!(preview.starts_with("https://films.example/reel/previews/"), "{preview}");
    server.stop().await;
}

#[tokio::test]
async fn ranges_and_conditions_as_players_send_them() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let job = server.film().await;
    let url = job["data"]["videoURL"].as_str().unwrap();
    let head = http::send("HEAD", url, &[], b"").await;
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, Some("10"), 0));
    assert_eq!(head.header("accept-ranges"), Some("bytes"));
    let etag = head.header("etag").unwrap().to_owned();
    let modified = head.header("last-modified").unwrap().to_owned();
    for same in [&etag, &modified] {
        let part = http::send("GET", url, &[("range", "bytes=2-4"), ("if-range", same)], b"").await;
        assert_eq!((part.status, part.text().as_str()), (206, "234"), "{same}");
    }
    for other in ["\"other\"", "Thu, 01 Jan 1970 00:00:00 GMT", "nonsense"] {
        let whole = http::send("GET", url, &[("range", "bytes=2-4"), ("if-range", other)], b"").await;
        assert_eq!((whole.status, whole.text().as_str()), (200, "0123456789"), "{other}");
    }
    let several = http::send("GET", url, &[("range", "bytes=0-1,3-4")], b"").await;
    assert_eq!((several.status, several.text().as_str()), (200, "0123456789"));
    let known = http::send("GET", url, &[("if-none-match", &etag)], b"").await;
    assert_eq!(known.status, 304);
    for odd in ["bytes=", "bytes=9-2", "bytes=a-b", "lines=1-2", "bytes=-0", "bytes=18446744073709551615-"] {
        let answer = http::send("GET", url, &[("range", odd)], b"").await;
        assert!(matches!(answer.status, 200 | 416), "{odd}: {}", answer.status);
    }
    let film = dir.path().join("films").join(job["jobId"].as_str().unwrap()).join("film.mp4");
    std::fs::remove_file(film).unwrap();
    let lost = http::send("GET", url, &[], b"").await;
    assert_eq!((lost.status, lost.header("content-type")), (404, Some("application/json")));
    assert!(lost.json()["code"].is_string());
    server.stop().await;
}

#[tokio::test]
async fn tricks_with_paths_open_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let job = server.film().await;
    let url = job["data"]["videoURL"].as_str().unwrap();
    let same = http::send("GET", &url.replace("film.mp4", "%66ilm.mp4"), &[], b"").await;
    assert_eq!(same.status, 200, "another spelling of the same name");
    for trick in [
        "%2e%2e%2fsigning.key",
        "..%5csigning.key",
        "film.mp4%00",
        "film.mp4%00.jpg",
        "%252e%252e%252fsigning.key",
        "%ff",
        "film.mp4%2f",
        ".",
        "%2e",
        "",
    ] {
        let answer = http::send("GET", &url.replace("film.mp4", trick), &[], b"").await;
        assert!(matches!(answer.status, 403 | 404), "{trick}: {}", answer.status);
        assert!(answer.json()["message"].is_string(), "{trick}");
    }
    for doubled in [
        format!("{url}&signature=x"),
        url.replace("expires=", "expires=+"),
        url.replace("expires=", "expires=0"),
    ] {
        let answer = http::send("GET", &doubled, &[], b"").await;
        assert!(matches!(answer.status, 400 | 403), "{doubled}");
    }
    server.stop().await;
}

#[tokio::test]
async fn everything_handed_out_says_what_it_is_and_not_to_guess() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let job = server.film().await;
    for (name, kind) in [
        ("videoURL", "video/mp4"),
        ("audioURL", "audio/mp4"),
        ("thumbnail", "image/jpeg"),
        ("srtFile", "application/x-subrip; charset=utf-8"),
        ("vttFile", "text/vtt; charset=utf-8"),
        ("txtFile", "text/plain; charset=utf-8"),
    ] {
        let answer = http::send("GET", job["data"][name].as_str().unwrap(), &[], b"").await;
        assert_eq!(answer.header("content-type"), Some(kind));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{name}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
    server.stop().await;
}
