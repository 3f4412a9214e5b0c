//! The children of a job at work: they wait for their turn among all jobs, and what they took is noted.

use std::sync::Arc;
use std::time::Instant;

use worker::{Crew, Reply, Run, Supervisor, Task, TaskError, Versions, WorkerError, Written};

use crate::job::Failure;
use crate::ledger::{Account, Ledger};
use crate::planning::Planned;
use crate::problems::{Place, failure};
use crate::shared::Shared;

/// The children of one job.
pub(crate) struct Staff {
    crew: Crew,
    ledger: Arc<Ledger>,
}

impl Staff {
    pub(crate) fn new(supervisor: Supervisor, ledger: Arc<Ledger>) -> Self {
        Self { crew: Crew::new(supervisor), ledger }
    }

    /// Runs a task once a child may work.
    pub(crate) async fn run(
        &self,
        shared: &Shared,
        account: Account,
        task: &Task,
        run: Run<'_>,
    ) -> Result<Reply, WorkerError> {
        let slot = shared.slots.acquire();
        let _slot = tokio::select! {
            slot = slot => slot.expect("the slots are never closed"),
            () = run.cancel.cancelled() => return Err(WorkerError::Cancelled),
        };
        let since = Instant::now();
        let answer = self.crew.run(task, run).await?;
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

    /// Lets the children go.
    pub(crate) async fn end(&self) {
        self.crew.end().await;
    }
}

/// Runs a task that writes files, once a child may work.
pub(crate) async fn written(
    shared: &Shared,
    planned: &Planned,
    account: Account,
    task: &Task,
    run: Run<'_>,
    place: impl Fn(Option<usize>) -> Place,
) -> Result<Written, Failure> {
    let answer = match planned.staff.run(shared, account, task, run).await {
        Ok(Reply::Written(written)) => Ok(written),
        Ok(other) => Err(WorkerError::from(TaskError::internal(format!("unexpected reply {other:?}")))),
        Err(error) => Err(error),
    };
    answer.map_err(|error| failure(error, place))
}
