//! The children of a job at work: they wait for their turn among all jobs, and what they took is noted.
//!
//! A job has children of its own. What somebody waits for, such as one frame, borrows those that are kept for its owner
//! and has its turn apart from the jobs.

use std::sync::Arc;
use std::time::Instant;

use worker::{Crew, Reply, Run, Task, TaskError, Versions, WorkerError, Written};

use crate::easels::Lease;
use crate::job::Failure;
use crate::ledger::{Account, Ledger};
use crate::problems::{Place, failure};
use crate::shared::Shared;

/// Who works for a job.
pub(crate) enum Hands {
    /// Children of its own.
    Own(Crew),
    /// Children that are kept for its owner; they go back when this is dropped.
    Lent(Lease),
}

impl Hands {
    fn crew(&self) -> &Crew {
        match self {
            Self::Own(crew) => crew,
            Self::Lent(lease) => lease.crew(),
        }
    }
}

/// The children of one job.
pub(crate) struct Staff {
    hands: Hands,
    ledger: Arc<Ledger>,
}

impl Staff {
    pub(crate) fn new(hands: Hands, ledger: Arc<Ledger>) -> Self {
        Self { hands, ledger }
    }

    /// Whether the children may hold what they read for somebody earlier.
    pub(crate) fn are_lent(&self) -> bool {
        matches!(self.hands, Hands::Lent(_))
    }

    /// Runs a task once a child may work.
    pub(crate) async fn run(
        &self,
        shared: &Shared,
        account: Account,
        task: &Task,
        run: Run<'_>,
    ) -> Result<Reply, WorkerError> {
        let slots = match &self.hands {
            Hands::Own(_) => &shared.slots,
            Hands::Lent(lease) => lease.slots(),
        };
        let slot = slots.acquire();
        let _slot = tokio::select! {
            slot = slot => slot.expect("the slots are never closed"),
            () = run.cancel.cancelled() => return Err(WorkerError::Cancelled),
        };
        let since = Instant::now();
        let answer = self.hands.crew().run(task, run).await?;
        self.ledger.task(account, since, answer.cost);
        Ok(answer.reply)
    }

    /// What encodes here; asked of a child once a process.
    pub(crate) async fn versions(&self, shared: &Shared, run: Run<'_>) -> Result<Versions, WorkerError> {
        let versions = shared.versions.get_or_try_init(|| async {
            match self.run(shared, Account::Planning, &Task::Versions, run).await? {
                Reply::Versions(versions) => Ok(versions),
                other => Err(TaskError::internal(format!("unexpected reply {other:?}")).into()),
            }
        });
        versions.await.cloned()
    }

    /// Lets the job's own children go.
    pub(crate) async fn end(&self) {
        if let Hands::Own(crew) = &self.hands {
            crew.end().await;
        }
    }
}

/// Runs a task that writes files, once a child may work.
pub(crate) async fn written(
    shared: &Shared,
    staff: &Staff,
    account: Account,
    task: &Task,
    run: Run<'_>,
    place: impl Fn(Option<usize>) -> Place,
) -> Result<Written, Failure> {
    let answer = match staff.run(shared, account, task, run).await {
        Ok(Reply::Written(written)) => Ok(written),
        Ok(other) => Err(WorkerError::from(TaskError::internal(format!("unexpected reply {other:?}")))),
        Err(error) => Err(error),
    };
    answer.map_err(|error| failure(error, place))
}
