//! The queue: rows are given when they are due, and again after a crash.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use store::{Handled, JobId, JobKind, Line, Store};
use tokio::sync::{mpsc, oneshot};

use crate::{accepted, new_job, owner, shelf};

/// A consumer of a line, its clock standing at `now`, and what it was given. Each row is claimed.
fn consume(
    store: &Store,
    line: Line,
    now: i64,
) -> (mpsc::UnboundedReceiver<String>, oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
    let (sender, given) = mpsc::unbounded_channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let store = store.clone();
    let worker = tokio::spawn(async move {
        let stop = async {
            let _ = stopped.await;
        };
        let claims = store.clone();
        let handler = move |row: String| {
            let (sender, store) = (sender.clone(), claims.clone());
            async move {
                store.claim_job(&JobId::from_text(&row), "holder", now).await.unwrap();
                sender.send(row).unwrap();
                Handled::Done
            }
        };
        store.consume(line, 1, move || now, stop, handler).await;
    });
    (given, stop, worker)
}

#[tokio::test]
async fn rows_are_given_oldest_first_and_a_second_process_goes_on_at_once() {
    let shelf = shelf().await;
    let store = &shelf.store;
    let first = accepted(store, &new_job("anna", JobKind::Render), 1).await;
    let second = accepted(store, &new_job("anna", JobKind::Render), 1).await;
    accepted(store, &new_job("anna", JobKind::Storyboard), 1).await;
    let (mut given, _stop, worker) = consume(store, Line::Films, 2);
    assert_eq!(given.recv().await.unwrap(), first.as_str());
    assert_eq!(given.recv().await.unwrap(), second.as_str());
    let third = accepted(store, &new_job("anna", JobKind::Render), 1).await;
    assert_eq!(given.recv().await.unwrap(), third.as_str());
    worker.abort(); // as if the process had been killed

    let again = Store::open(&shelf.path).await.unwrap();
    assert_eq!(again.recover(3, 3).await.unwrap().resumed, 3);
    let (mut given, stop, worker) = consume(&again, Line::Films, 4);
    for id in [&first, &second, &third] {
        assert_eq!(given.recv().await.unwrap(), id.as_str());
    }
    stop.send(()).unwrap();
    worker.await.unwrap();
    assert!(given.recv().await.is_none());
}

#[tokio::test]
async fn a_row_is_not_given_before_it_is_due_nor_after_it_ended() {
    let shelf = shelf().await;
    let store = &shelf.store;
    accepted(store, &new_job("anna", JobKind::Render), 500).await;
    let ended = accepted(store, &new_job("anna", JobKind::Render), 1).await;
    store.cancel_job(&owner("anna"), &ended, 2).await.unwrap();
    let due = accepted(store, &new_job("anna", JobKind::Render), 1).await;
    let (mut given, stop, worker) = consume(store, Line::Films, 499);
    assert_eq!(given.recv().await.unwrap(), due.as_str());
    stop.send(()).unwrap();
    worker.await.unwrap();
    assert!(given.recv().await.is_none());
}

#[tokio::test]
async fn a_panic_in_a_handler_ends_only_that_handler() {
    let shelf = shelf().await;
    let store = &shelf.store;
    accepted(store, &new_job("anna", JobKind::Storyboard), 1).await;
    accepted(store, &new_job("anna", JobKind::Storyboard), 1).await;
    let calls = Arc::new(AtomicUsize::new(0));
    let (sender, mut second) = mpsc::unbounded_channel::<()>();
    let (counted, consumer) = (Arc::clone(&calls), store.clone());
    let worker = tokio::spawn(async move {
        let handler = move |_row: String| {
            let (calls, sender) = (Arc::clone(&counted), sender.clone());
            async move {
                assert!(
                    calls.fetch_add(1, Ordering::SeqCst) > 0,
                    "the first call panics, by design of this test"
                );
                sender.send(()).unwrap();
                Handled::Done
            }
        };
        consumer.consume(Line::Previews, 1, || 2, std::future::pending(), handler).await;
    });
    second.recv().await.unwrap();
    assert!(calls.load(Ordering::SeqCst) >= 2);
    worker.abort();
}

#[tokio::test]
async fn owners_take_turns() {
    let shelf = shelf().await;
    let store = &shelf.store;
    for _ in 0..100 {
        accepted(store, &new_job("anna", JobKind::Render), 1).await;
    }
    let ben = [
        accepted(store, &new_job("ben", JobKind::Render), 2).await,
        accepted(store, &new_job("ben", JobKind::Render), 2).await,
    ];
    let carla = accepted(store, &new_job("carla", JobKind::Render), 3).await;
    let clock = Arc::new(AtomicUsize::new(10));
    let (sender, mut given) = mpsc::unbounded_channel::<String>();
    let (claims, ticks) = (store.clone(), Arc::clone(&clock));
    let worker = tokio::spawn({
        let store = store.clone();
        async move {
            let handler = move |row: String| {
                let (store, sender) = (claims.clone(), sender.clone());
                let now = ticks.fetch_add(1, Ordering::SeqCst) as i64;
                async move {
                    let id = JobId::from_text(row);
                    let job = store.claim_job(&id, "p", now).await.unwrap().unwrap();
                    let ending = store::Ending::Completed(serde_json::json!({}));
                    let outcome = store::Outcome { ending, warnings: None };
                    store.finish_job(&id, "p", &outcome, now).await.unwrap();
                    sender.send(job.owner.to_string()).unwrap();
                    Handled::Done
                }
            };
            store.consume(Line::Films, 1, || 1_000_000, std::future::pending(), handler).await;
        }
    });
    let mut turns = Vec::new();
    for _ in 0..8 {
        turns.push(given.recv().await.unwrap());
    }
    assert_eq!(turns, ["anna", "ben", "carla", "anna", "ben", "anna", "anna", "anna"]);
    worker.abort();
    for id in ben.iter().chain([&carla]) {
        assert_eq!(store.any_job(id).await.unwrap().state, store::JobState::Completed);
    }
}

#[tokio::test]
async fn whoever_has_less_at_work_goes_first() {
    let shelf = shelf().await;
    let store = &shelf.store;
    let anna = [
        accepted(store, &new_job("anna", JobKind::Storyboard), 1).await,
        accepted(store, &new_job("anna", JobKind::Storyboard), 1).await,
    ];
    let ben = accepted(store, &new_job("ben", JobKind::Storyboard), 1).await;
    store.claim_job(&anna[0], "p", 2).await.unwrap().unwrap();
    let (mut given, _stop, worker) = consume(store, Line::Previews, 3);
    assert_eq!(given.recv().await.unwrap(), ben.as_str());
    assert_eq!(given.recv().await.unwrap(), anna[1].as_str());
    worker.abort();
}
