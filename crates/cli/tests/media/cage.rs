//! The cage around the media process, tried from inside, and its end with its parent.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::future::BoxFuture;
use media::{ObjectReader, SourceError};
use tokio_util::sync::CancellationToken;
use worker::{Run, Supervisor, Task, WorkerError};

fn supervisor() -> Supervisor {
    Supervisor::new(env!("CARGO_BIN_EXE_storyreel").into())
}

#[tokio::test]
async fn files_sockets_programs_and_the_environment_are_out_of_reach() {
    let report = supervisor().check_cage().await.unwrap();
    assert!(report.files_refused && report.network_refused && report.exec_refused, "{report:?}");
    assert_eq!(report.environment, 0);
    assert_ne!(report.strength(), "broken");
}

/// A source whose bytes never come.
struct Stuck;

impl ObjectReader for Stuck {
    fn identity(&self) -> &'static str {
        "stuck"
    }

    fn size(&self) -> u64 {
        1 << 20
    }

    fn read(&self, _: std::ops::Range<u64>) -> BoxFuture<'_, Result<Bytes, SourceError>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn cancelling_ends_a_child_that_waits_for_bytes() {
    let cancel = CancellationToken::new();
    let sources: BTreeMap<usize, Arc<dyn ObjectReader>> = BTreeMap::from([(0, Arc::new(Stuck) as _)]);
    let supervisor = supervisor();
    let run = Run { sources, files: Vec::new(), progress: &|_, _| {}, cancel: &cancel };
    let begun = Instant::now();
    let (answer, ()) = tokio::join!(supervisor.run(&Task::Probe, run), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        cancel.cancel();
    });
    assert!(matches!(answer, Err(WorkerError::Cancelled)), "{answer:?}");
    // The promise is a second; the bound here only tells it from never.
    assert!(begun.elapsed() < Duration::from_secs(30));
}

/// Every read fails.
struct Gone;

impl ObjectReader for Gone {
    fn identity(&self) -> &'static str {
        "gone"
    }

    fn size(&self) -> u64 {
        1 << 20
    }

    fn read(&self, _: std::ops::Range<u64>) -> BoxFuture<'_, Result<Bytes, SourceError>> {
        let error = SourceError::new(storyboard::Class::Source, "MEDIA_CHANGED", "It changed.");
        Box::pin(async move { Err(error) })
    }
}

#[tokio::test]
async fn a_failed_read_is_reported_as_the_reader_said_it() {
    let sources: BTreeMap<usize, Arc<dyn ObjectReader>> = BTreeMap::from([(0, Arc::new(Gone) as _)]);
    let cancel = CancellationToken::new();
    let run = Run { sources, files: Vec::new(), progress: &|_, _| {}, cancel: &cancel };
    match supervisor().run(&Task::Probe, run).await {
        Err(WorkerError::Read { source_index: 0, error }) => assert_eq!(error.code, "MEDIA_CHANGED"),
        other => panic!("{other:?}"),
    }
}
