//! Stopping and dying at any moment: nothing is lost, nothing is made twice.

use std::sync::atomic::Ordering;

use serde_json::json;
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::kit::{plain, start};

/// A runtime of its own, which can be killed with all that runs in it.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

#[test]
fn a_killed_server_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let first = runtime();
    let (id, key) = first.block_on(async {
        let server = start(dir.path()).await;
        let storyboard = server.storyboard().await;
        server.studio.gate.send_replace(false);
        let id = server.send_render(&storyboard, "").await;
        server.studio.at_gate().await;
        (id, server.key.clone())
    });
    drop(first); // no goodbye: tasks vanish where they stand, and with them the lock
    std::fs::write(dir.path().join("tmp").join("half.mp4"), "half").unwrap();

    runtime().block_on(async {
        let server = start(dir.path()).await;
        let answer = loop {
            let answer = server.call_as(&key, "GET", &format!("/jobs/{id}"), "").await.json();
            if answer["data"]["status"] != "in-progress" {
                break answer;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        };
        assert_eq!(answer["data"]["status"], "completed", "{answer}");
        assert_eq!(server.studio.films.load(Ordering::SeqCst), 1);
        assert!(!server.data.join("tmp").join("half.mp4").exists());
        server.stop().await;
    });
}

#[tokio::test]
async fn what_was_published_before_the_end_was_written_is_not_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let film = server.film().await;
    let id = film["jobId"].as_str().unwrap().to_owned();
    let store = server.stop().await;
    // As if the process had died between the rename and the row.
    store.close().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(dir.path().join("storyreel.db"));
    let mut database = options.connect().await.unwrap();
    let crash = "UPDATE film_jobs SET state = 'rendering', holder = 'dead', crashes = 1, result = NULL, finished = NULL
        WHERE id = ?1";
    sqlx::query(crash).bind(&id).execute(&mut database).await.unwrap();
    database.close().await.unwrap();
    let server = start(dir.path()).await;
    let job = server.ended(&id).await;
    assert_eq!(job["data"]["status"], "completed");
    assert_eq!(server.studio.films.load(Ordering::SeqCst), 0, "it was there already");
    assert_eq!(job["data"]["planHash"], film["data"]["planHash"]);
    server.stop().await;
}

#[tokio::test]
async fn a_stopped_server_puts_its_job_back_and_the_next_one_finishes_it() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    server.studio.gate.send_replace(false);
    let running = server.send_storyboard(&plain()).await;
    server.studio.at_gate().await;
    let store = server.stop().await;
    let job = store.any_job(&store::JobId::from_text(&running)).await.unwrap();
    assert_eq!((job.state, job.attempts, job.crashes), (store::JobState::Queued, 0, 0));
    store.close().await;
    let server = start(dir.path()).await;
    assert_eq!(server.ended(&running).await["data"]["status"], "completed");
    server.stop().await;
}

#[tokio::test]
async fn one_data_directory_has_one_server() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let deps = server::Deps {
        store: server.store.clone(),
        studio: server.studio.clone(),
        settings: crate::kit::settings(dir.path()),
        access: std::sync::Arc::new(crate::kit::TestAccess),
        webhook: std::sync::Arc::new(crate::kit::TestSender),
        cage: json!({}),
        ready: std::sync::Arc::new(|_| ()),
    };
    let refused = server::serve(listener, deps, CancellationToken::new()).await;
    assert!(matches!(refused, Err(server::ServeError::Locked(_))));
    server.stop().await;
}
