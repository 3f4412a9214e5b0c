//! Old films go; what they were can still be asked.

use std::time::Duration;

use crate::http;
use crate::kit::{settings, start, start_with};

#[tokio::test]
async fn films_beyond_the_limit_are_swept_the_oldest_first() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let old = server.film().await;
    let new = server.film().await;
    server.stop().await.close().await;
    let size: u64 = std::fs::read_dir(dir.path().join("films").join(new["jobId"].as_str().unwrap()))
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    std::fs::create_dir(dir.path().join("films").join("stray")).unwrap();

    let mut settings = settings(dir.path());
    settings.max_data_bytes = Some(size);
    settings.sweep_every = Duration::from_millis(50);
    let server = start_with(settings).await;
    let old_id = old["jobId"].as_str().unwrap();
    let job = server.until(old_id, |job| job["data"]["expired"] == true).await;
    assert_eq!(job["data"]["status"], "completed");
    assert!(job["data"]["videoURL"].is_null());
    assert!(job["data"]["warnings"].as_array().unwrap().iter().any(|warning| warning["code"] == "EXPIRED"));
    let url = old["data"]["videoURL"].as_str().unwrap();
    let path = &url["http://".len()..];
    let path = &path[path.find('/').unwrap()..];
    assert_eq!(http::send("GET", &format!("{}{path}", server.root), &[], b"").await.status, 404);
    let new = server.get(&format!("/jobs/{}", new["jobId"].as_str().unwrap())).await.json();
    assert_eq!(http::send("GET", new["data"]["videoURL"].as_str().unwrap(), &[], b"").await.status, 200);
    let gone = async {
        while dir.path().join("films").join("stray").exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), gone).await.expect("the stray directory goes");
    server.stop().await;
}
