//! Jobs: what was accepted, and how far it is.

use serde_json::Value;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use storyboard::{Problem, Warning};

use crate::queue::Line;
use crate::{Error, JobId, KeyId, Millis, Owner, Store};

/// What a job makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobKind {
    /// A plan and a preview.
    Storyboard,
    /// A film.
    Render,
}

/// What a job's request is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// A storyboard as a client sends it.
    Storyboard,
    /// `renderParams`, perhaps edited.
    RenderParams,
}

/// Where a job is; the last three are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobState {
    /// Waits for its turn.
    Queued,
    /// Media are pinned and probed, captions laid out.
    Planning,
    /// Scenes are encoded.
    Rendering,
    /// Scenes and sound are joined.
    Assembling,
    /// The result is published.
    Delivering,
    /// Done.
    Completed,
    /// Ended with problems.
    Failed,
    /// Ended by its owner.
    Cancelled,
}

macro_rules! named {
    ($name:ident { $($variant:ident = $text:literal),* $(,)? }) => {
        impl $name {
            /// The name in the database and on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            fn from_text(text: &str) -> Result<Self, Error> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    other => Err(Error::Corrupt(format!("{} {other:?}", stringify!($name)))),
                }
            }
        }
    };
}
named!(JobKind { Storyboard = "storyboard", Render = "render" });
named!(Format { Storyboard = "storyboard", RenderParams = "render_params" });
named!(JobState {
    Queued = "queued",
    Planning = "planning",
    Rendering = "rendering",
    Assembling = "assembling",
    Delivering = "delivering",
    Completed = "completed",
    Failed = "failed",
    Cancelled = "cancelled",
});

impl JobState {
    /// Whether the job has ended.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// A job to accept.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Whose it is.
    pub owner: Owner,
    /// The key it came with.
    pub key: Option<KeyId>,
    /// What it makes.
    pub kind: JobKind,
    /// What `request` is written in.
    pub format: Format,
    /// The storyboard job that it renders.
    pub parent: Option<JobId>,
    /// The request's JSON, as the client sent it.
    pub request: String,
    /// Where to report its end.
    pub webhook: Option<String>,
    /// What the client should know already.
    pub warnings: Vec<Warning>,
    /// The client's idempotency key and the hash of what it stands for.
    pub idempotency: Option<(String, String)>,
    /// How many of the owner's jobs may wait already; one more is [`Error::TooMany`].
    pub most_waiting: Option<u32>,
}

/// What became of a job to accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// It is queued.
    New(JobId),
    /// The same request came before; this is its job.
    Repeated(JobId),
}

/// What became of a wish to cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// It had not begun, or was cancelled before.
    Done,
    /// It runs and will end soon.
    Requested,
    /// It had ended otherwise.
    TooLate(JobState),
}

/// A job's row.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Whose it is.
    pub owner: Owner,
    /// The key it came with.
    pub key: Option<KeyId>,
    /// What it makes.
    pub kind: JobKind,
    /// What `request` is written in.
    pub format: Format,
    /// The storyboard job that it renders.
    pub parent: Option<JobId>,
    /// Where it is.
    pub state: JobState,
    /// Of the whole job, 0 to 100; never falls.
    pub percent: u8,
    /// Scenes finished and scenes in all, where the stage counts scenes.
    pub scenes: Option<(u32, u32)>,
    /// The request's JSON.
    pub request: String,
    /// Where to report its end.
    pub webhook: Option<String>,
    /// What came of it, where it is completed.
    pub result: Option<Value>,
    /// What stopped it; while it waits for another try, what stopped the last one.
    pub problems: Vec<Problem>,
    /// What the client should know.
    pub warnings: Vec<Warning>,
    /// Tries that ended in a transient problem.
    pub attempts: u32,
    /// Claims that did not end, so far.
    pub crashes: u32,
    /// Its owner wants it ended.
    pub cancel_requested: bool,
    /// Not before this time.
    pub run_after: Millis,
    /// Its files were deleted to make room or for age.
    pub swept: bool,
    /// When it was accepted.
    pub created: Millis,
    /// When its row last changed.
    pub updated: Millis,
    /// When it ended.
    pub finished: Option<Millis>,
}

/// Sorts behind every id.
const AFTER_ALL: &str = "\u{10ffff}";

/// A page of jobs, the newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct JobPage {
    /// The jobs.
    pub jobs: Vec<Job>,
    /// The next page's `before`, where there is one.
    pub next: Option<JobId>,
}

impl Store {
    /// Accepts a job, in one transaction that survives a power cut; its row is its place in the queue.
    pub async fn accept_job(&self, new: &NewJob, now: Millis) -> Result<Accepted, Error> {
        let mut tx = self.write().await?;
        if let Some((key, request_hash)) = &new.idempotency {
            let known =
                sqlx::query("SELECT request_hash, job FROM idempotency_keys WHERE owner = ?1 AND key = ?2")
                    .bind(new.owner.as_str())
                    .bind(key)
                    .fetch_optional(&mut *tx)
                    .await?;
            if let Some(row) = known {
                let same = row.try_get::<String, _>("request_hash")? == *request_hash;
                let job = JobId::from_text(row.try_get::<String, _>("job")?);
                return if same { Ok(Accepted::Repeated(job)) } else { Err(Error::KeyReused) };
            }
        }
        if let Some(most) = new.most_waiting {
            let waiting: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM film_jobs WHERE kind IN ('storyboard', 'render') AND owner = ?1 AND state = 'queued'",
            )
            .bind(new.owner.as_str())
            .fetch_one(&mut *tx)
            .await?;
            if waiting >= i64::from(most) {
                return Err(Error::TooMany);
            }
        }
        let id = JobId::create();
        sqlx::query(
            "INSERT INTO film_jobs (id, owner, key_id, kind, format, parent, state, request, webhook, warnings,
                run_after, created, updated)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'queued', ?7, ?8, ?9, ?10, ?10, ?10)",
        )
        .bind(id.as_str())
        .bind(new.owner.as_str())
        .bind(new.key.as_ref().map(KeyId::as_str))
        .bind(new.kind.as_str())
        .bind(new.format.as_str())
        .bind(new.parent.as_ref().map(JobId::as_str))
        .bind(&new.request)
        .bind(&new.webhook)
        .bind(serde_json::to_string(&new.warnings)?)
        .bind(now)
        .execute(&mut *tx)
        .await?;
        if let Some((key, request_hash)) = &new.idempotency {
            sqlx::query(
                "INSERT INTO idempotency_keys (owner, key, request_hash, job, created) VALUES (?1, ?2, ?3, ?4, ?5)",
            )
            .bind(new.owner.as_str())
            .bind(key)
            .bind(request_hash)
            .bind(id.as_str())
            .bind(now)
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        self.bells.ring(Line::of(new.kind));
        Ok(Accepted::New(id))
    }

    /// One of the owner's jobs.
    pub async fn job(&self, owner: &Owner, id: &JobId) -> Result<Job, Error> {
        let row = sqlx::query("SELECT * FROM film_jobs WHERE owner = ?1 AND id = ?2")
            .bind(owner.as_str())
            .bind(id.as_str())
            .fetch_one(&self.reader)
            .await?;
        job(&row)
    }

    /// A job whoever owns it; for work on it, never for an answer to a client.
    pub async fn any_job(&self, id: &JobId) -> Result<Job, Error> {
        let row = sqlx::query("SELECT * FROM film_jobs WHERE id = ?1")
            .bind(id.as_str())
            .fetch_one(&self.reader)
            .await?;
        job(&row)
    }

    /// The owner's jobs older than `before`, the newest first. Their requests are left empty, and of each result the
    /// members `without`, by paths such as `film.report`: a page of them can be too large to hold.
    pub async fn jobs(
        &self,
        owner: &Owner,
        before: Option<&JobId>,
        limit: u32,
        without: [&str; 2],
    ) -> Result<JobPage, Error> {
        let rows =
            sqlx::query("SELECT id, owner, key_id, kind, format, parent, state, percent, scenes_done, scenes_total,
                '' AS request, webhook, json_remove(result, '$.' || ?4, '$.' || ?5) AS result, problems, warnings, attempts,
                crashes, cancel_requested, run_after, swept, created, updated, finished
             FROM film_jobs WHERE owner = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3")
                .bind(owner.as_str())
                .bind(before.map_or(AFTER_ALL, JobId::as_str))
                .bind(i64::from(limit) + 1)
                .bind(without[0])
                .bind(without[1])
                .fetch_all(&self.reader)
                .await?;
        let mut jobs = rows.iter().map(job).collect::<Result<Vec<_>, _>>()?;
        let more = jobs.len() > limit as usize;
        jobs.truncate(limit as usize);
        let next = if more { jobs.last().map(|job| job.id.clone()) } else { None };
        Ok(JobPage { jobs, next })
    }

    /// Ends a job that waits, or asks for the end of one that runs.
    pub async fn cancel_job(&self, owner: &Owner, id: &JobId, now: Millis) -> Result<Cancelled, Error> {
        let mut tx = self.write().await?;
        let row = sqlx::query("SELECT state, holder FROM film_jobs WHERE owner = ?1 AND id = ?2")
            .bind(owner.as_str())
            .bind(id.as_str())
            .fetch_one(&mut *tx)
            .await?;
        let state = JobState::from_text(&row.try_get::<String, _>("state")?)?;
        if state == JobState::Cancelled {
            return Ok(Cancelled::Done);
        }
        if state.is_final() {
            return Ok(Cancelled::TooLate(state));
        }
        if row.try_get::<Option<String>, _>("holder")?.is_some() {
            sqlx::query("UPDATE film_jobs SET cancel_requested = 1, updated = ?2 WHERE id = ?1")
                .bind(id.as_str())
                .bind(now)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            return Ok(Cancelled::Requested);
        }
        crate::runs::end(&mut tx, id, &crate::Outcome::cancelled(), now).await?;
        tx.commit().await?;
        self.bells.ring(Line::Hooks);
        Ok(Cancelled::Done)
    }
}

pub(crate) fn job(row: &SqliteRow) -> Result<Job, Error> {
    let scenes = match (row.try_get::<Option<u32>, _>("scenes_done")?, row.try_get("scenes_total")?) {
        (Some(done), Some(total)) => Some((done, total)),
        _ => None,
    };
    let result = row.try_get::<Option<String>, _>("result")?;
    Ok(Job {
        id: JobId::from_text(row.try_get::<String, _>("id")?),
        owner: Owner::from_text(row.try_get::<String, _>("owner")?),
        key: row.try_get::<Option<String>, _>("key_id")?.map(KeyId::from_text),
        kind: JobKind::from_text(&row.try_get::<String, _>("kind")?)?,
        format: Format::from_text(&row.try_get::<String, _>("format")?)?,
        parent: row.try_get::<Option<String>, _>("parent")?.map(JobId::from_text),
        state: JobState::from_text(&row.try_get::<String, _>("state")?)?,
        percent: row.try_get("percent")?,
        scenes,
        request: row.try_get("request")?,
        webhook: row.try_get("webhook")?,
        result: result.map(|text| serde_json::from_str(&text)).transpose()?,
        problems: serde_json::from_str(&row.try_get::<String, _>("problems")?)?,
        warnings: serde_json::from_str(&row.try_get::<String, _>("warnings")?)?,
        attempts: row.try_get("attempts")?,
        crashes: row.try_get("crashes")?,
        cancel_requested: row.try_get("cancel_requested")?,
        run_after: row.try_get("run_after")?,
        swept: row.try_get("swept")?,
        created: row.try_get("created")?,
        updated: row.try_get("updated")?,
        finished: row.try_get("finished")?,
    })
}
