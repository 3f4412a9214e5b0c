//! The queue: wake-ups come with their rows, and come again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use store::{JobKind, Line, Store};
use tokio::sync::{mpsc, oneshot};

use crate::{accepted, new_job, owner, shelf};

/// A consumer of a line and what it was woken for.
fn consume(
    store: &Store,
    line: Line,
) -> (mpsc::UnboundedReceiver<String>, oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
    let (sender, woken) = mpsc::unbounded_channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let store = store.clone();
    let worker = tokio::spawn(async move {
        let stop = async {
            let _ = stopped.await;
        };
        let handler = move |row: String| {
            let sender = sender.clone();
            async move { sender.send(row).unwrap() }
        };
        store.consume(line, 1, stop, handler).await;
    });
    (woken, stop, worker)
}

#[tokio::test]
async fn an_accepted_job_wakes_its_line_and_a_second_process_goes_on_at_once() {
    let shelf = shelf().await;
    let store = &shelf.store;
    let id = accepted(store, &new_job("anna", JobKind::Render), 1).await;
    let (mut woken, _stop, worker) = consume(store, Line::Films);
    assert_eq!(woken.recv().await.unwrap(), id.as_str());
    store.claim_job(&id, "first", 2).await.unwrap().unwrap();
    worker.abort(); // as if the process had been killed

    let again = Store::open(&shelf.path).await.unwrap();
    assert_eq!(again.recover(3, 3).await.unwrap().resumed, 1);
    let (mut woken, stop, worker) = consume(&again, Line::Films);
    assert_eq!(woken.recv().await.unwrap(), id.as_str());
    assert!(again.claim_job(&id, "second", 4).await.unwrap().is_some());
    stop.send(()).unwrap();
    worker.await.unwrap();
}

#[tokio::test]
async fn a_refused_job_leaves_no_wake_up() {
    let shelf = shelf().await;
    let store = &shelf.store;
    let mut job = new_job("anna", JobKind::Render);
    job.parent = Some(store::JobId::from_text("missing"));
    assert!(store.accept_job(&job, 1).await.is_err(), "the foreign key refuses it");
    let good = accepted(store, &new_job("anna", JobKind::Render), 1).await;
    let (mut woken, stop, worker) = consume(store, Line::Films);
    assert_eq!(woken.recv().await.unwrap(), good.as_str());
    stop.send(()).unwrap();
    worker.await.unwrap();
    assert!(woken.recv().await.is_none());
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
            }
        };
        consumer.consume(Line::Previews, 1, std::future::pending(), handler).await;
    });
    second.recv().await.unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    worker.abort();
}

#[tokio::test]
async fn a_lost_wake_up_is_made_again_unless_the_line_is_at_work() {
    let shelf = shelf().await;
    let store = &shelf.store;
    let id = accepted(store, &new_job("anna", JobKind::Render), 1000).await;
    assert_eq!(store.wake_overdue(10_000, 5000).await.unwrap(), 0);
    assert_eq!(store.wake_overdue(10_000, 11_000).await.unwrap(), 1);
    store.claim_job(&id, "p", 12_000).await.unwrap().unwrap();
    accepted(store, &new_job("anna", JobKind::Render), 1000).await;
    assert_eq!(store.wake_overdue(10_000, 30_000).await.unwrap(), 0);
    assert_eq!(store.jobs(&owner("anna"), None, 9).await.unwrap().jobs.len(), 2);
}
