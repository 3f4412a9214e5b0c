//! Delivery: apalis on the same SQLite file, behind four verbs. It carries wake-ups ("look at this row") and
//! nothing else; state, attempts, back-off and leases are columns of our rows.
//!
//! 1. enqueue in a transaction: [`wake`], in the caller's own transaction;
//! 2. consume: [`Store::consume`];
//! 3. retry after: a row's `run_after` and a wake-up at that time, in one transaction (`Store::retry_job`);
//! 4. stop: the future given to [`Store::consume`].
//!
//! What follows from apalis' habits: its `setup()` is never called (it turns `synchronous` off); worker names are
//! new at each start (an old name is refused, or hides the dead worker); a handler runs in a task of its own, so
//! that neither its panic nor the worker's end takes the other along; its attempt counter is ignored (it does not
//! count crashes); a worker that ends by itself is started again; and at the start of a process, which holds the
//! data directory's lock, all its rows are thrown away and made anew from ours (`Store::recover`), so that nothing
//! waits for the heartbeat of a dead worker. Lost wake-ups are made again by `Store::wake_overdue`.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use apalis::prelude::{BackendExt as _, TaskBuilder, WorkerBuilder, WorkerBuilderExt as _, WorkerError};
use apalis_sqlite::{Config, SqliteStorage};
use sqlx::SqliteConnection;
use tokio::sync::watch;

use crate::{Error, JobKind, Millis, Store};

/// A line that wake-ups stand in; each has workers of its own, so that none waits for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Line {
    /// Storyboard jobs: short.
    Previews,
    /// Render jobs: long.
    Films,
    /// Webhook deliveries.
    Hooks,
}

impl Line {
    /// The line of a kind of job.
    pub fn of(kind: JobKind) -> Self {
        match kind {
            JobKind::Storyboard => Self::Previews,
            JobKind::Render => Self::Films,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Previews => "previews",
            Self::Films => "films",
            Self::Hooks => "hooks",
        }
    }
}

/// How often a line is looked at for wake-ups: the most that an idle server adds to a job.
const POLL: Duration = Duration::from_millis(200);
/// Pause before a worker that ended by itself is started again.
const RESTART: Duration = Duration::from_secs(1);

/// Puts a wake-up for a row into a line, in the caller's transaction, to be delivered at `at` or soon after.
pub(crate) async fn wake(
    connection: &mut SqliteConnection,
    line: Line,
    row: &str,
    at: Millis,
) -> Result<(), Error> {
    // apalis counts in seconds: rounded up, so that a wake-up never comes before its row is due.
    let seconds = u64::try_from(at.div_euclid(1000) + i64::from(at.rem_euclid(1000) > 0)).unwrap_or(0);
    let task = TaskBuilder::new(serde_json::to_vec(row)?).run_at_timestamp(seconds).max_attempts(1).build();
    apalis_sqlite::queries::push_tasks(connection, line.name(), &[task])
        .await
        .map_err(|error| Error::Queue(error.to_string()))
}

/// Throws away everything that the queue remembers.
pub(crate) async fn clear(connection: &mut SqliteConnection) -> Result<(), Error> {
    sqlx::query("DELETE FROM Jobs").execute(&mut *connection).await?;
    sqlx::query("DELETE FROM Workers").execute(&mut *connection).await?;
    Ok(())
}

/// Throws away what the queue has done with.
pub(crate) async fn tidy(connection: &mut SqliteConnection) -> Result<(), Error> {
    sqlx::query("DELETE FROM Jobs WHERE status IN ('Done', 'Failed', 'Killed')").execute(connection).await?;
    Ok(())
}

impl Store {
    /// Calls `handler` with the id of each row that is woken, at most `concurrency` at a time, until `stop`
    /// resolves; then waits for the handlers that run. It ends only then.
    pub async fn consume<H, F>(
        &self,
        line: Line,
        concurrency: usize,
        stop: impl Future<Output = ()> + Send,
        handler: H,
    ) where
        H: Fn(String) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let (stopped, watch) = watch::channel(false);
        let work = async {
            while !*watch.borrow() {
                match self.run_worker(line, concurrency, watch.clone(), Arc::clone(&handler)).await {
                    Ok(()) if *watch.borrow() => return,
                    Ok(()) => tracing::warn!(line = line.name(), "a queue worker ended and is started again"),
                    Err(error) => {
                        tracing::error!(line = line.name(), %error, "a queue worker failed and is started again");
                    }
                }
                let mut watch = watch.clone();
                let _ = tokio::time::timeout(RESTART, watch.wait_for(|stopped| *stopped)).await;
            }
        };
        let stop = async {
            stop.await;
            stopped.send_replace(true);
        };
        tokio::join!(work, stop);
    }

    async fn run_worker<H, F>(
        &self,
        line: Line,
        concurrency: usize,
        mut stopped: watch::Receiver<bool>,
        handler: Arc<H>,
    ) -> Result<(), WorkerError>
    where
        H: Fn(String) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let config = Config::default().queue(line.name()).batch_size(1).persist_results(false);
        let backend = SqliteStorage::<String>::new(&self.writer).with_config(config).poll_with_interval(POLL);
        let worker = WorkerBuilder::new(format!("{}-{}", line.name(), uuid::Uuid::new_v4()))
            .backend(backend)
            .concurrency(concurrency.max(1))
            .build(move |row: String| {
                let run = tokio::spawn(handler(row));
                async move {
                    if let Err(error) = run.await {
                        tracing::error!(line = line.name(), %error, "a queue handler panicked");
                    }
                    Ok::<(), std::io::Error>(())
                }
            });
        worker
            .run_until(async move {
                let _ = stopped.wait_for(|stopped| *stopped).await;
                Ok::<(), WorkerError>(())
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wake_up_goes_with_its_transaction() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("s.db")).await.unwrap();
        let mut tx = store.write().await.unwrap();
        wake(&mut tx, Line::Films, "rolled back", 0).await.unwrap();
        drop(tx);
        let mut tx = store.write().await.unwrap();
        wake(&mut tx, Line::Films, "committed", 0).await.unwrap();
        tx.commit().await.unwrap();
        let rows: Vec<Vec<u8>> =
            sqlx::query_scalar("SELECT job FROM Jobs").fetch_all(&store.reader).await.unwrap();
        assert_eq!(rows, [br#""committed""#]);
    }
}
