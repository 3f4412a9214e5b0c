//! Delivery: from the job and delivery tables themselves, with a lease, behind four verbs.
//!
//! 1. enqueue in a transaction: a row in state `queued` (or `pending`) is the message, written by whatever verb
//!    makes it; [`Bells::ring`] after the commit saves the consumer the wait for its next look;
//! 2. consume: [`Store::consume`];
//! 3. retry after: `run_after` of the row (`Store::retry_job`, `Store::retry_delivery`);
//! 4. stop: the future given to [`Store::consume`].
//!
//! The lease is the row's `holder`: a process instance. One process holds the data directory's lock, so at its start
//! every holder it finds is dead (`Store::recover`), and nothing waits for a heartbeat to run out. A lost ring costs
//! at most one [`LOOK`]. Whoever is given a row must claim it first, so a row given twice does no harm.

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::{Error, JobKind, Millis, Store};

/// A line that rows stand in; each is consumed apart, so that none waits for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Line {
    /// Storyboard jobs: short.
    Previews,
    /// Render jobs: long.
    Films,
    /// Webhook deliveries.
    Hooks,
}

macro_rules! jobs_in_turn {
    ($kind:literal) => {
        concat!(
            "SELECT id FROM (
                SELECT id, owner, row_number() OVER (PARTITION BY owner ORDER BY id) AS place
                FROM film_jobs WHERE kind = '",
            $kind,
            "' AND state = 'queued' AND holder IS NULL AND run_after <= ?1
            ) AS waiting
            WHERE place <= ?2
            ORDER BY
                place + (SELECT count(*) FROM film_jobs AS held INDEXED BY film_jobs_held
                    WHERE held.kind = '",
            $kind,
            "' AND held.owner = waiting.owner AND held.holder IS NOT NULL),
                (SELECT max(served.claimed) FROM film_jobs AS served
                    WHERE served.kind = '",
            $kind,
            "' AND served.owner = waiting.owner),
                id
            LIMIT ?2"
        )
    };
}

impl Line {
    /// The line of a kind of job.
    pub fn of(kind: JobKind) -> Self {
        match kind {
            JobKind::Storyboard => Self::Previews,
            JobKind::Render => Self::Films,
        }
    }

    /// Rows that are due and not held, in the order of their turns: first whoever has the least at work, then
    /// whoever was served longest ago, then the oldest. So an owner with a hundred jobs holds up nobody's one.
    fn due(self) -> &'static str {
        match self {
            Self::Previews => jobs_in_turn!("storyboard"),
            Self::Films => jobs_in_turn!("render"),
            Self::Hooks => {
                "SELECT id FROM (
                    SELECT id, owner, row_number() OVER (PARTITION BY owner ORDER BY id) AS place
                    FROM hook_deliveries WHERE state = 'pending' AND holder IS NULL AND run_after <= ?1
                ) AS waiting
                WHERE place <= ?2
                ORDER BY
                    place + (SELECT count(*) FROM hook_deliveries AS held INDEXED BY hook_deliveries_held
                        WHERE held.owner = waiting.owner AND held.holder IS NOT NULL),
                    id
                LIMIT ?2"
            }
        }
    }
}

/// What a handler did with its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handled {
    /// It worked on it, or found that there is nothing to do.
    Done,
    /// It could not; the row is given again after a moment.
    NotNow,
}

/// How often a consumer looks at its line without being rung.
const LOOK: Duration = Duration::from_secs(1);

/// One bell for each line, rung after a commit that put a row into it.
#[derive(Debug, Default)]
pub(crate) struct Bells {
    previews: Notify,
    films: Notify,
    hooks: Notify,
}

impl Bells {
    pub(crate) fn ring(&self, line: Line) {
        self.of(line).notify_one();
    }

    fn of(&self, line: Line) -> &Notify {
        match line {
            Line::Previews => &self.previews,
            Line::Films => &self.films,
            Line::Hooks => &self.hooks,
        }
    }
}

impl Store {
    /// Gives `handler` the id of each row that is due by `clock`, owners in turn, at most `at_once` at a time, until `stop` resolves; then waits for the handlers that run. A handler's panic is logged and ends nothing.
    /// One consumer for each line.
    pub async fn consume<H, F>(
        &self,
        line: Line,
        at_once: usize,
        clock: impl Fn() -> Millis + Send,
        stop: impl Future<Output = ()> + Send,
        handler: H,
    ) where
        H: Fn(String) -> F + Send + Sync + 'static,
        F: Future<Output = Handled> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let mut running = JoinSet::new();
        let mut given: HashSet<String> = HashSet::new();
        tokio::pin!(stop);
        loop {
            let room = at_once.max(1).saturating_sub(running.len());
            let rows = if room == 0 { Vec::new() } else { self.look(line, clock(), &given, room).await };
            for row in rows {
                given.insert(row.clone());
                let handler = Arc::clone(&handler);
                running.spawn(async move {
                    let handled = tokio::spawn(handler(row.clone())).await;
                    if let Err(error) = &handled {
                        tracing::error!(?line, row, %error, "a handler panicked");
                    }
                    if !matches!(handled, Ok(Handled::Done)) {
                        tokio::time::sleep(LOOK).await;
                    }
                    row
                });
            }
            let full = running.len() >= at_once.max(1);
            tokio::select! {
                () = &mut stop => break,
                Some(ended) = running.join_next() => {
                    if let Ok(row) = ended {
                        given.remove(&row);
                    }
                }
                () = self.bells.of(line).notified(), if !full => {}
                () = tokio::time::sleep(LOOK), if !full => {}
            }
        }
        while running.join_next().await.is_some() {}
    }

    /// Due rows that were not given yet.
    async fn look(&self, line: Line, now: Millis, given: &HashSet<String>, room: usize) -> Vec<String> {
        let limit = i64::try_from(given.len() + room).unwrap_or(i64::MAX);
        let found: Result<Vec<String>, Error> = sqlx::query_scalar(line.due())
            .bind(now)
            .bind(limit)
            .fetch_all(&self.reader)
            .await
            .map_err(Error::from);
        match found {
            Ok(rows) => rows.into_iter().filter(|row| !given.contains(row)).take(room).collect(),
            Err(error) => {
                tracing::error!(
                    ?line,
                    error = &error as &dyn std::error::Error,
                    "the queue could not be read"
                );
                Vec::new()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What SQLite does for a query, one step a line.
    async fn steps(store: &Store, query: &'static str) -> String {
        let rows: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {query}")))
                .bind(1)
                .bind(1)
                .fetch_all(&store.reader)
                .await
                .unwrap();
        rows.into_iter().map(|row| row.3 + "\n").collect()
    }

    #[tokio::test]
    async fn no_turn_costs_a_walk_through_a_table() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("s.db")).await.unwrap();
        for line in [Line::Previews, Line::Films, Line::Hooks] {
            let steps = steps(&store, line.due()).await;
            // The parts of the query itself are scanned, and the waiting rows through their own index.
            let own = |step: &str| step.contains("waiting") || step.contains("subquery");
            let walks = |step: &str| step.starts_with("SCAN") && !own(step);
            assert!(!steps.lines().any(walks), "{line:?}:\n{steps}");
            assert!(steps.contains("_waiting") && steps.contains("_held"), "{line:?}:\n{steps}");
        }
        for query in [
            "SELECT * FROM film_jobs WHERE owner = ?1 AND id < ?2 ORDER BY id DESC LIMIT 9",
            "SELECT id FROM film_jobs WHERE finished <= ?1 AND (state <> 'completed' OR swept = 1) ORDER BY finished LIMIT ?2",
            "SELECT 1 FROM film_jobs WHERE kind IN ('storyboard', 'render') AND owner = ?1 AND state = 'queued' LIMIT ?2",
            "SELECT 1 FROM api_keys k WHERE k.api_key_hash = ?1
                OR k.id = (SELECT key_id FROM api_tokens WHERE hash = ?1 AND expires > ?2)",
            "SELECT id FROM film_jobs WHERE state = 'completed' AND swept = 0 AND finished IS NOT NULL
                ORDER BY finished, id LIMIT ?1 + ?2",
        ] {
            let steps = steps(&store, query).await;
            let walks = |step: &str| step.starts_with("SCAN") && !step.contains("USING");
            assert!(!steps.lines().any(walks), "{query}:\n{steps}");
        }
    }
}
