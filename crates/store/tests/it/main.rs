//! The store against a real file.
#![allow(clippy::unwrap_used, reason = "a failing helper should fail its test")]

mod access;
mod jobs;
mod opening;
mod queue;
mod sweeping;

use std::path::PathBuf;

use store::{Format, JobId, JobKind, NewJob, Owner, Store};

/// A store in a directory that goes with it.
pub(crate) struct Shelf {
    pub(crate) store: Store,
    pub(crate) path: PathBuf,
    _dir: tempfile::TempDir,
}

pub(crate) async fn shelf() -> Shelf {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("storyreel.db");
    Shelf { store: Store::open(&path).await.unwrap(), path, _dir: dir }
}

pub(crate) fn owner(name: &str) -> Owner {
    Owner::from_text(name)
}

pub(crate) fn new_job(owner: &str, kind: JobKind) -> NewJob {
    NewJob {
        owner: Owner::from_text(owner),
        key: None,
        kind,
        format: Format::Storyboard,
        parent: None,
        request: "{}".to_owned(),
        webhook: None,
        warnings: Vec::new(),
        idempotency: None,
        most_waiting: None,
    }
}

pub(crate) async fn accepted(store: &Store, job: &NewJob, now: i64) -> JobId {
    match store.accept_job(job, now).await.unwrap() {
        store::Accepted::New(id) => id,
        store::Accepted::Repeated(id) => panic!("{id} was there"),
    }
}
