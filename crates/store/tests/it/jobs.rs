//! The life of a job in rows.

use serde_json::json;
use store::{
    Accepted, Cancelled, DeliveryId, Ending, Error, JobKind, JobState, Millis, NewJob, Outcome, ProgressNote,
    Store,
};
use storyboard::{Class, Problem, Warning};

use crate::{accepted, new_job, owner, shelf};

fn done() -> Outcome {
    Outcome { ending: Ending::Completed(json!({"a": 1})), warnings: Some(vec![Warning::new("W", "w")]) }
}

async fn wakes(store: &Store, now: Millis) -> store::Recovered {
    store.recover(3, now).await.unwrap()
}

#[tokio::test]
async fn a_job_is_claimed_once_reports_forward_and_ends_once() {
    let shelf = shelf().await;
    let store = &shelf.store;
    let id = accepted(store, &new_job("anna", JobKind::Render), 10).await;
    assert!(store.claim_job(&id, "p1", 9).await.unwrap().is_none(), "not due yet");
    let job = store.claim_job(&id, "p1", 10).await.unwrap().unwrap();
    assert_eq!((job.state, job.crashes), (JobState::Planning, 1));
    assert!(store.claim_job(&id, "p2", 11).await.unwrap().is_none());

    let note = |percent| ProgressNote { state: JobState::Rendering, percent, scenes: Some((1, 2)) };
    assert!(!store.note_progress(&id, "p1", note(40), 12).await.unwrap());
    assert!(!store.note_progress(&id, "p1", note(30), 13).await.unwrap());
    let job = store.job(&owner("anna"), &id).await.unwrap();
    assert_eq!((job.percent, job.scenes, job.state), (40, Some((1, 2)), JobState::Rendering));
    assert!(
        store.note_progress(&id, "p2", note(90), 14).await.unwrap(),
        "a lost claim has nothing left to do"
    );

    assert!(!store.finish_job(&id, "p2", &done(), 15).await.unwrap());
    assert!(store.finish_job(&id, "p1", &done(), 15).await.unwrap());
    assert!(!store.finish_job(&id, "p1", &done(), 16).await.unwrap());
    let job = store.job(&owner("anna"), &id).await.unwrap();
    assert_eq!((job.state, job.percent, job.finished), (JobState::Completed, 100, Some(15)));
    assert_eq!(job.result, Some(json!({"a": 1})));
    assert!(matches!(store.job(&owner("ben"), &id).await, Err(Error::NotFound)));
    assert!(matches!(store.cancel_job(&owner("ben"), &id, 17).await, Err(Error::NotFound)));
    assert_eq!(
        store.cancel_job(&owner("anna"), &id, 17).await.unwrap(),
        Cancelled::TooLate(JobState::Completed)
    );
}

#[tokio::test]
async fn retries_wait_and_count() {
    let shelf = shelf().await;
    let store = &shelf.store;
    let id = accepted(store, &new_job("anna", JobKind::Render), 1).await;
    store.claim_job(&id, "p", 1).await.unwrap().unwrap();
    let problem = Problem::new(Class::Transient, "THROTTLED", "Too fast.");
    assert!(store.retry_job(&id, "p", 500, std::slice::from_ref(&problem), 2).await.unwrap());
    assert!(store.claim_job(&id, "p", 499).await.unwrap().is_none());
    let job = store.claim_job(&id, "p", 500).await.unwrap().unwrap();
    assert_eq!((job.attempts, job.crashes, job.problems), (1, 1, vec![problem]));
    store.release_job(&id, "p", 501).await.unwrap();
    let job = store.job(&owner("anna"), &id).await.unwrap();
    assert_eq!((job.state, job.attempts, job.crashes), (JobState::Queued, 1, 0));
}

#[tokio::test]
async fn a_dead_process_loses_nothing_and_a_poisoned_job_is_given_up() {
    let shelf = shelf().await;
    let store = &shelf.store;
    let mut job = new_job("anna", JobKind::Render);
    job.webhook = Some("https://example.com/hook".to_owned());
    let id = accepted(store, &job, 1).await;
    for crash in 1..=3u32 {
        store.claim_job(&id, "dead", 2).await.unwrap().unwrap();
        let recovered = wakes(store, 3).await;
        let expected = if crash < 3 { (1, 0, 1) } else { (0, 1, 0) };
        assert_eq!((recovered.resumed, recovered.poisoned, recovered.waiting), expected);
    }
    let job = store.job(&owner("anna"), &id).await.unwrap();
    assert_eq!((job.state, job.problems[0].code.as_str()), (JobState::Failed, "JOB_CRASHED"));
    assert!(!store.finish_job(&id, "dead", &done(), 9).await.unwrap(), "the dead holder cannot publish");
}

#[tokio::test]
async fn cancelling_waits_for_nobody_but_the_holder() {
    let shelf = shelf().await;
    let store = &shelf.store;
    let anna = owner("anna");
    let waiting = accepted(store, &new_job("anna", JobKind::Render), 1).await;
    assert_eq!(store.cancel_job(&anna, &waiting, 2).await.unwrap(), Cancelled::Done);
    assert_eq!(store.cancel_job(&anna, &waiting, 3).await.unwrap(), Cancelled::Done);
    assert!(store.claim_job(&waiting, "p", 4).await.unwrap().is_none());

    let running = accepted(store, &new_job("anna", JobKind::Render), 1).await;
    store.claim_job(&running, "p", 2).await.unwrap().unwrap();
    assert_eq!(store.cancel_job(&anna, &running, 3).await.unwrap(), Cancelled::Requested);
    let note = ProgressNote { state: JobState::Rendering, percent: 1, scenes: None };
    assert!(store.note_progress(&running, "p", note, 4).await.unwrap());
    wakes(store, 5).await;
    assert_eq!(store.job(&anna, &running).await.unwrap().state, JobState::Cancelled);
}

#[tokio::test]
async fn pages_go_from_new_to_old_without_gap() {
    let shelf = shelf().await;
    let store = &shelf.store;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(accepted(store, &new_job("anna", JobKind::Storyboard), 1).await);
    }
    accepted(store, &new_job("ben", JobKind::Storyboard), 1).await;
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page =
            store.jobs(&owner("anna"), before.as_ref(), 2, ["renderParams", "film.report"]).await.unwrap();
        seen.extend(page.jobs.into_iter().map(|job| job.id));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    ids.reverse();
    assert_eq!(seen, ids);
}

#[tokio::test]
async fn an_idempotency_key_names_one_request() {
    let shelf = shelf().await;
    let store = &shelf.store;
    let job = |hash: &str| NewJob {
        idempotency: Some(("k".to_owned(), hash.to_owned())),
        ..new_job("anna", JobKind::Storyboard)
    };
    let id = accepted(store, &job("a"), 1).await;
    assert_eq!(store.accept_job(&job("a"), 2).await.unwrap(), Accepted::Repeated(id));
    assert!(matches!(store.accept_job(&job("b"), 3).await, Err(Error::KeyReused)));
    store.forget_expired(1 + 24 * 60 * 60 * 1000).await.unwrap();
    accepted(store, &job("b"), 4).await;
}

#[tokio::test]
async fn a_delivery_keeps_its_id_over_tries_and_a_failed_one_warns_in_the_job() {
    let shelf = shelf().await;
    let store = &shelf.store;
    let mut job = new_job("anna", JobKind::Render);
    job.webhook = Some("https://example.com/hook".to_owned());
    let id = accepted(store, &job, 1).await;
    store.claim_job(&id, "p", 1).await.unwrap().unwrap();
    store.finish_job(&id, "p", &done(), 2).await.unwrap();

    let (sender, mut given) = tokio::sync::mpsc::unbounded_channel();
    let consumer = store.clone();
    let worker = tokio::spawn(async move {
        let handler = move |row| {
            let sender = sender.clone();
            async move {
                sender.send(row).unwrap();
                store::Handled::Done
            }
        };
        consumer.consume(store::Line::Hooks, 1, || 3, std::future::pending(), handler).await;
    });
    let hook = DeliveryId::from_text(given.recv().await.unwrap());
    worker.abort();

    let first = store.claim_delivery(&hook, "p", 3).await.unwrap().unwrap();
    assert_eq!((first.job.clone(), first.attempts), (id.clone(), 0));
    store.retry_delivery(&hook, "p", Some((5000, "refused")), 4).await.unwrap();
    assert!(store.claim_delivery(&hook, "p", 4999).await.unwrap().is_none());
    let second = store.claim_delivery(&hook, "p", 5000).await.unwrap().unwrap();
    assert_eq!((second.id.clone(), second.attempts), (first.id, 1));
    store.fail_delivery(&second, "p", "refused", &Warning::new("WEBHOOK_FAILED", "no"), 5001).await.unwrap();
    assert!(store.claim_delivery(&hook, "p", 9000).await.unwrap().is_none());
    let codes: Vec<_> = store
        .job(&owner("anna"), &id)
        .await
        .unwrap()
        .warnings
        .into_iter()
        .map(|warning| warning.code)
        .collect();
    assert_eq!(codes, ["W", "WEBHOOK_FAILED"]);
}

#[tokio::test]
async fn a_job_that_is_unwanted_when_its_try_fails_is_not_put_back() {
    let shelf = shelf().await;
    let store = &shelf.store;
    let id = accepted(store, &new_job("anna", JobKind::Render), 1).await;
    store.claim_job(&id, "p", 1).await.unwrap().unwrap();
    assert_eq!(store.cancel_job(&owner("anna"), &id, 2).await.unwrap(), Cancelled::Requested);
    let problem = Problem::new(Class::Transient, "THROTTLED", "Too fast.");
    assert!(store.retry_job(&id, "p", 1000, &[problem], 3).await.unwrap());
    assert_eq!(store.any_job(&id).await.unwrap().state, JobState::Cancelled);
}
