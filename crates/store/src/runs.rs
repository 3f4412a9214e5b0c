//! Working on a job: claim, report, end. A claim names a process instance as holder; only the holder may report
//! or end, so that a run that was given up cannot overwrite the next one.

use sqlx::SqliteConnection;
use storyboard::{Class, Problem, Warning};

use crate::queue::Line;
use crate::{DeliveryId, Error, Job, JobId, JobState, Millis, Owner, Store};

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProgressNote {
    /// Where the job is.
    pub state: JobState,
    /// Of the whole job, 0 to 100.
    pub percent: u8,
    /// Scenes finished and scenes in all.
    pub scenes: Option<(u32, u32)>,
}

/// How a job ends.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// With a result.
    Completed(serde_json::Value),
    /// With problems.
    Failed(Vec<Problem>),
    /// By its owner's wish.
    Cancelled,
}

/// How a job ends and what its client should know; `None` leaves the warnings as they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// How it ends.
    pub ending: Ending,
    /// All warnings of the job.
    pub warnings: Option<Vec<Warning>>,
}

impl Outcome {
    pub(crate) fn cancelled() -> Self {
        Self { ending: Ending::Cancelled, warnings: None }
    }
}

/// What was found and done at the start of a process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Jobs that ran when the last process ended and will go on.
    pub resumed: usize,
    /// Jobs that were given up: they crashed too often.
    pub poisoned: usize,
    /// Jobs that wait for their turn, the resumed among them.
    pub waiting: usize,
}

impl Store {
    /// Takes a job to work on it. `None` if it has ended, is not due or is held.
    pub async fn claim_job(&self, id: &JobId, holder: &str, now: Millis) -> Result<Option<Job>, Error> {
        let row = sqlx::query(
            "UPDATE film_jobs SET holder = ?2, crashes = crashes + 1, state = 'planning', claimed = ?3,
                updated = ?3
             WHERE id = ?1 AND holder IS NULL AND state = 'queued' AND run_after <= ?3 RETURNING *",
        )
        .bind(id.as_str())
        .bind(holder)
        .bind(now)
        .fetch_optional(&self.writer)
        .await?;
        row.as_ref().map(crate::jobs::job).transpose()
    }

    /// Reports progress; the percentage never falls. Says whether the job's owner wants it ended.
    pub async fn note_progress(
        &self,
        id: &JobId,
        holder: &str,
        note: ProgressNote,
        now: Millis,
    ) -> Result<bool, Error> {
        let wanted = sqlx::query_scalar(
            "UPDATE film_jobs SET state = ?3, percent = max(percent, ?4), scenes_done = ?5, scenes_total = ?6,
                updated = ?7
             WHERE id = ?1 AND holder = ?2 RETURNING cancel_requested",
        )
        .bind(id.as_str())
        .bind(holder)
        .bind(note.state.as_str())
        .bind(note.percent.min(100))
        .bind(note.scenes.map(|(done, _)| done))
        .bind(note.scenes.map(|(_, total)| total))
        .bind(now)
        .fetch_optional(&self.writer)
        .await?;
        // A run that has lost its claim has nothing left to do.
        Ok(wanted.unwrap_or(true))
    }

    /// Ends a job, with the delivery to its webhook, in one transaction. `false` if the claim was lost.
    pub async fn finish_job(
        &self,
        id: &JobId,
        holder: &str,
        outcome: &Outcome,
        now: Millis,
    ) -> Result<bool, Error> {
        let mut tx = self.write().await?;
        if !held(&mut tx, id, holder).await? {
            return Ok(false);
        }
        end(&mut tx, id, outcome, now).await?;
        tx.commit().await?;
        self.bells.ring(Line::Hooks);
        Ok(true)
    }

    /// Puts a job back until `run_after`, because of problems that may pass; ends it where its owner wanted that
    /// meanwhile. `false` if the claim was lost.
    pub async fn retry_job(
        &self,
        id: &JobId,
        holder: &str,
        run_after: Millis,
        problems: &[Problem],
        now: Millis,
    ) -> Result<bool, Error> {
        let mut tx = self.write().await?;
        let wanted: Option<bool> =
            sqlx::query_scalar("SELECT cancel_requested FROM film_jobs WHERE id = ?1 AND holder = ?2")
                .bind(id.as_str())
                .bind(holder)
                .fetch_optional(&mut *tx)
                .await?;
        let Some(cancelled) = wanted else { return Ok(false) };
        if cancelled {
            end(&mut tx, id, &Outcome::cancelled(), now).await?;
            tx.commit().await?;
            self.bells.ring(Line::Hooks);
            return Ok(true);
        }
        sqlx::query(
            "UPDATE film_jobs SET state = 'queued', holder = NULL, crashes = 0, attempts = attempts + 1,
                run_after = ?3, problems = ?4, updated = ?5
             WHERE id = ?1 AND holder = ?2",
        )
        .bind(id.as_str())
        .bind(holder)
        .bind(run_after)
        .bind(serde_json::to_string(problems)?)
        .bind(now)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.bells.ring(Line::Previews);
        self.bells.ring(Line::Films);
        Ok(true)
    }

    /// Puts a job back because this process stops; the next one goes on with it, and no try is counted.
    pub async fn release_job(&self, id: &JobId, holder: &str, now: Millis) -> Result<(), Error> {
        sqlx::query(
            "UPDATE film_jobs SET state = 'queued', holder = NULL, crashes = max(crashes - 1, 0), updated = ?3
             WHERE id = ?1 AND holder = ?2",
        )
        .bind(id.as_str())
        .bind(holder)
        .bind(now)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Takes over what a dead process held. To be called at start, and only by a process that holds the data
    /// directory's lock: every holder found is dead then. A job that was held `max_crashes` times without coming to an end is failed, so that it cannot take the server down for ever.
    pub async fn recover(&self, max_crashes: u32, now: Millis) -> Result<Recovered, Error> {
        let mut tx = self.write().await?;
        let mut recovered = Recovered::default();
        let held: Vec<(String, u32, bool)> =
            sqlx::query_as("SELECT id, crashes, cancel_requested FROM film_jobs WHERE holder IS NOT NULL")
                .fetch_all(&mut *tx)
                .await?;
        for (id, crashes, cancelled) in held {
            let id = JobId::from_text(id);
            if cancelled {
                end(&mut tx, &id, &Outcome::cancelled(), now).await?;
            } else if crashes >= max_crashes {
                recovered.poisoned += 1;
                let problem = Problem::new(
                    Class::Internal,
                    "JOB_CRASHED",
                    format!(
                        "The server stopped {crashes} times while it worked on this job, so it was given up."
                    ),
                )
                .fix("Try with other media; if it happens again, tell the server's operator.");
                end(&mut tx, &id, &Outcome { ending: Ending::Failed(vec![problem]), warnings: None }, now)
                    .await?;
            } else {
                recovered.resumed += 1;
                sqlx::query("UPDATE film_jobs SET state = 'queued', holder = NULL WHERE id = ?1")
                    .bind(id.as_str())
                    .execute(&mut *tx)
                    .await?;
            }
        }
        sqlx::query("UPDATE hook_deliveries SET holder = NULL WHERE holder IS NOT NULL")
            .execute(&mut *tx)
            .await?;
        let waiting: i64 = sqlx::query_scalar("SELECT count(*) FROM film_jobs WHERE state = 'queued'")
            .fetch_one(&mut *tx)
            .await?;
        recovered.waiting = usize::try_from(waiting).unwrap_or(0);
        tx.commit().await?;
        Ok(recovered)
    }
}

async fn held(tx: &mut SqliteConnection, id: &JobId, holder: &str) -> Result<bool, Error> {
    let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM film_jobs WHERE id = ?1 AND holder = ?2")
        .bind(id.as_str())
        .bind(holder)
        .fetch_optional(tx)
        .await?;
    Ok(found.is_some())
}

/// Writes a job's end and, where it has a webhook, the delivery that reports it.
pub(crate) async fn end(
    tx: &mut SqliteConnection,
    id: &JobId,
    outcome: &Outcome,
    now: Millis,
) -> Result<(), Error> {
    let (state, result, problems) = match &outcome.ending {
        Ending::Completed(result) => (JobState::Completed, Some(result.to_string()), "[]".to_owned()),
        Ending::Failed(problems) => (JobState::Failed, None, serde_json::to_string(problems)?),
        Ending::Cancelled => (JobState::Cancelled, None, "[]".to_owned()),
    };
    let warnings = outcome.warnings.as_ref().map(serde_json::to_string).transpose()?;
    let (owner, webhook): (String, Option<String>) = sqlx::query_as(
        "UPDATE film_jobs SET state = ?2, result = ?3, problems = ?4, warnings = coalesce(?5, warnings),
            percent = CASE WHEN ?2 = 'completed' THEN 100 ELSE percent END,
            scenes_done = CASE WHEN ?2 = 'completed' THEN scenes_total ELSE scenes_done END,
            holder = NULL, finished = ?6, updated = ?6
         WHERE id = ?1 RETURNING owner, webhook",
    )
    .bind(id.as_str())
    .bind(state.as_str())
    .bind(result)
    .bind(problems)
    .bind(warnings)
    .bind(now)
    .fetch_one(&mut *tx)
    .await?;
    if let Some(url) = webhook {
        let owner = Owner::from_text(owner);
        crate::deliveries::create(tx, &DeliveryId::create(), &owner, id, &url, now).await?;
    }
    Ok(())
}
