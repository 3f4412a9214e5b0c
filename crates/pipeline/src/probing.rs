//! What the media is: probed in a child, or known from an earlier job of the same owner.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use media::ObjectReader;
use plan::MediaInfo;
use storyboard::Address;
use worker::{Reply, Run, Task, TaskError, Versions, WorkerError};

use crate::job::{JobContext, Stage};
use crate::larder::Larder;
use crate::ledger::Account;
use crate::meter::Meter;
use crate::recipe;
use crate::shared::Shared;
use crate::staff::Staff;

/// A media object as a storyboard names it: its address, and the connection that it is read through.
pub(crate) type Key = (Address, Option<String>);

/// Says what each of some objects is.
pub(crate) async fn probe_all(
    shared: &Shared,
    (staff, larder, versions): (&Staff, &Larder, &Versions),
    readers: &HashMap<Key, Arc<dyn ObjectReader>>,
    meter: &Meter<'_>,
    context: &JobContext,
) -> HashMap<Key, Result<MediaInfo, WorkerError>> {
    let total = readers.len() as u64;
    let probes = readers.iter().map(|(key, reader)| {
        async move {
            let known = recipe::facts(&context.owner, reader.identity(), versions);
            let ingredient = [(0, reader)];
            let answer = match larder.facts(&known, &ingredient).await {
                Ok(Some(info)) => Ok(info),
                Err(error) => Err(error),
                Ok(None) => {
                    let probed = probe(shared, staff, reader, context).await;
                    if let Ok(info) = &probed {
                        larder.keep_facts(&known, &ingredient, info).await;
                    }
                    probed
                }
            };
            (key.clone(), answer)
        }
        .boxed()
    });
    // Boxed and listed first: the compiler cannot see that a lazy row of borrowing futures may change threads.
    let probes: Vec<BoxFuture<'_, (Key, Result<MediaInfo, WorkerError>)>> = probes.collect();
    let mut probes = futures::stream::iter(probes).buffer_unordered(shared.settings.parallel.max(1));
    let mut probed = HashMap::new();
    while let Some((key, answer)) = probes.next().await {
        probed.insert(key, answer);
        meter.report(Stage::Planning, probed.len() as u64, total + 1, None);
    }
    probed
}

async fn probe(
    shared: &Shared,
    staff: &Staff,
    reader: &Arc<dyn ObjectReader>,
    context: &JobContext,
) -> Result<MediaInfo, WorkerError> {
    let run = Run {
        sources: BTreeMap::from([(0, Arc::clone(reader))]),
        files: Vec::new(),
        progress: &|_, _| {},
        cancel: &context.cancel,
    };
    match staff.run(shared, Account::Planning, &Task::Probe, run).await? {
        Reply::Probe(info) => Ok(info),
        other => Err(TaskError::internal(format!("unexpected reply {other:?}")).into()),
    }
}

/// One answer of a probe serves every use of the object.
pub(crate) fn copy(error: &WorkerError) -> WorkerError {
    match error {
        WorkerError::Read { source_index, error } => {
            WorkerError::Read { source_index: *source_index, error: error.clone() }
        }
        WorkerError::Task(error) => WorkerError::Task(error.clone()),
        WorkerError::Crashed { status, stderr, last_source } => {
            WorkerError::Crashed { status: *status, stderr: stderr.clone(), last_source: *last_source }
        }
        WorkerError::Silent { last_source } => WorkerError::Silent { last_source: *last_source },
        WorkerError::Cancelled => WorkerError::Cancelled,
        WorkerError::Io(error) => WorkerError::Io(std::io::Error::new(error.kind(), error.to_string())),
    }
}
