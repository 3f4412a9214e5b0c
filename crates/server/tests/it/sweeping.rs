//! Old films go; what they were can still be asked.

use std::time::Duration;

use std::path::Path;

use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::http;
use crate::kit::{settings, start, start_with};

const DAY: i64 = 24 * 60 * 60 * 1000;
const BIG: u64 = 10_000_000;

/// Makes a published film as large as a real one; a hole in a file counts like bytes.
fn enlarge(data: &Path, job: &Value) {
    let film = data.join("films").join(job["jobId"].as_str().unwrap()).join("film.mp4");
    std::fs::File::options().write(true).open(film).unwrap().set_len(BIG).unwrap();
}

/// Lets a job have ended so long ago; no server may run.
async fn age(data: &Path, id: &str, by: i64) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(data.join("storyreel.db"));
    let mut database = options.connect().await.unwrap();
    let verb = "UPDATE film_jobs SET finished = finished - ?2, created = created - ?2 WHERE id = ?1";
    sqlx::query(verb).bind(id).bind(by).execute(&mut database).await.unwrap();
    database.close().await.unwrap();
}

#[tokio::test]
async fn films_beyond_the_limit_are_swept_the_oldest_first() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let old = server.film().await;
    let new = server.film().await;
    let url = new["data"]["videoURL"].as_str().unwrap();
    let path = url[server.root.len()..].to_owned();
    server.stop().await.close().await;
    enlarge(dir.path(), &old);
    enlarge(dir.path(), &new);
    std::fs::create_dir(dir.path().join("films").join("stray")).unwrap();

    let mut settings = settings(dir.path());
    settings.max_data_bytes = Some(BIG + BIG / 2);
    settings.sweep_every = Duration::from_millis(50);
    let server = start_with(settings).await;
    let old_id = old["jobId"].as_str().unwrap();
    let job = server.until(old_id, |job| job["data"]["expired"] == true).await;
    assert_eq!(job["data"]["status"], "completed");
    assert!(job["data"]["videoURL"].is_null());
    assert!(job["data"]["warnings"].as_array().unwrap().iter().any(|warning| warning["code"] == "EXPIRED"));
    let url = old["data"]["videoURL"].as_str().unwrap();
    let old_path = &url["http://".len()..];
    let old_path = &old_path[old_path.find('/').unwrap()..];
    let gone = http::send("GET", &format!("{}{old_path}", server.root), &[], b"").await;
    assert_eq!((gone.status, gone.json()["code"].clone()), (404, json!("NOT_FOUND")));
    assert_eq!(http::send("HEAD", &format!("{}{path}", server.root), &[], b"").await.status, 200);
    let stray = async {
        while dir.path().join("films").join("stray").exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), stray).await.expect("the stray directory goes");
    server.stop().await;
}

#[tokio::test]
async fn everything_in_the_data_directory_counts() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let film = server.film().await;
    server.stop().await.close().await;
    enlarge(dir.path(), &film);
    std::fs::File::create(dir.path().join("backup-1.db")).unwrap().set_len(BIG).unwrap();
    let mut settings = settings(dir.path());
    settings.max_data_bytes = Some(BIG + BIG / 2);
    let server = start_with(settings).await;
    server.until(film["jobId"].as_str().unwrap(), |job| job["data"]["expired"] == true).await;
    server.stop().await;
}

#[tokio::test]
async fn a_film_that_breaks_the_limit_does_not_wait_for_the_next_round() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(dir.path());
    settings.max_data_bytes = Some(0);
    settings.sweep_every = Duration::from_secs(24 * 60 * 60);
    let server = start_with(settings).await;
    let id = server.storyboard().await;
    server.until(&id, |job| job["data"]["expired"] == true).await;
    // What it was can still be rendered: the request is kept.
    let render = server.send_render(&id, "").await;
    assert_eq!(server.ended(&render).await["data"]["status"], "completed");
    server.stop().await;
}

#[tokio::test]
async fn films_go_by_age_and_jobs_long_after_them() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let (old, new) = (server.film().await, server.film().await);
    let (old, new) = (old["jobId"].as_str().unwrap().to_owned(), new["jobId"].as_str().unwrap().to_owned());
    let key = server.key.clone();
    server.stop().await.close().await;
    age(dir.path(), &old, 8 * DAY).await;
    age(dir.path(), &new, 6 * DAY).await;
    let mut settings = settings(dir.path());
    settings.keep_films = 7;
    let server = start_with(settings.clone()).await;
    let path = |id: &str| format!("/jobs/{id}");
    loop {
        let job = server.call_as(&key, "GET", &path(&old), "").await.json();
        if job["data"]["expired"] == true {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The row says so first, the files follow.
    while dir.path().join("films").join(&old).exists() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(dir.path().join("films").join(&new).exists());
    server.stop().await.close().await;

    age(dir.path(), &old, 100 * DAY).await;
    let server = start_with(settings).await;
    while server.call_as(&key, "GET", &path(&old), "").await.status != 404 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let kept = server.call_as(&key, "GET", &path(&new), "").await.json();
    assert!(kept["data"]["videoURL"].is_string(), "{kept}");
    server.stop().await;
}
