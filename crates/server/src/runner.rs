//! Working on jobs: claim, run, end. A run re-reads its row, is idempotent, works in a temporary directory and
//! publishes once.

mod body;
mod progress;

use std::sync::Arc;
use std::time::Duration;

use store::{Ending, Handled, Job, JobId, JobKind, Line, Outcome};
use storyboard::{Class, Problem, Warning};
use tracing::Instrument as _;

use crate::films::Made;
use crate::state::{App, Run, now};

/// Longest pause between two tries to write a job's end.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How often a preview is tried again at most: with the default pauses for two and a half minutes.
const PREVIEW_TRIES: usize = 3;

/// How a run ended.
#[derive(Debug)]
pub(crate) enum RunEnd {
    /// It was published.
    Made(Made),
    /// Something was wrong.
    Problems(Vec<Problem>, Vec<Warning>),
    /// Its token was cancelled: by the owner or because the server stops.
    Cancelled,
}

/// Takes jobs until the server stops.
pub(crate) async fn work(app: &Arc<App>) {
    let line = |line, at_once| {
        let this = Arc::clone(app);
        app.store.consume(line, at_once, now, app.shutdown.clone().cancelled_owned(), move |row| {
            run(Arc::clone(&this), JobId::from_text(row))
        })
    };
    tokio::join!(
        line(Line::Previews, app.settings.previews_at_once),
        line(Line::Films, app.settings.films_at_once),
    );
}

async fn run(app: Arc<App>, id: JobId) -> Handled {
    if app.shutdown.is_cancelled() {
        return Handled::Done;
    }
    let job = match app.store.claim_job(&id, &app.instance, now()).await {
        Ok(Some(job)) => job,
        Ok(None) => return Handled::Done,
        Err(error) => {
            tracing::error!(job.id = %id, error = &error as &dyn std::error::Error, "a job could not be claimed");
            return Handled::NotNow;
        }
    };
    let run = app.begin_run(&id);
    if job.cancel_requested {
        run.cancel.cancel();
    }
    let span = tracing::info_span!("job", job.id = %id, job.kind = job.kind.as_str());
    async {
        let start = std::time::Instant::now();
        tracing::info!(attempt = job.attempts + 1, "a job begins");
        let ended = guarded(&app, &job, &run).await;
        settle(&app, &job, &run, ended).await;
        let duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(duration_ms, "a job's run is over");
    }
    .instrument(span)
    .await;
    app.end_run(&id);
    Handled::Done
}

/// Runs the body in a task of its own, so that its panic is a failed job and nothing more; ends it with the server.
async fn guarded(app: &Arc<App>, job: &Job, run: &Run) -> RunEnd {
    let body = tokio::spawn(body::run(Arc::clone(app), job.clone(), run.cancel.clone()).in_current_span());
    let abort = body.abort_handle();
    let joined = async {
        tokio::pin!(body);
        tokio::select! {
            joined = &mut body => joined,
            () = app.shutdown.cancelled() => {
                run.cancel.cancel();
                body.await
            }
        }
    };
    let result = joined.await;
    abort.abort();
    result.unwrap_or_else(|error| RunEnd::Problems(vec![internal(&error)], job.warnings.clone()))
}

/// Writes what a run came to.
async fn settle(app: &App, job: &Job, run: &Run, ended: RunEnd) {
    let outcome = match ended {
        RunEnd::Made(made) => {
            Outcome { ending: Ending::Completed(made.result), warnings: Some(made.warnings) }
        }
        RunEnd::Cancelled if app.shutdown.is_cancelled() && !cancel_requested(app, job).await => {
            if let Err(error) = app.store.release_job(&job.id, &app.instance, now()).await {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a job was not put back; the next start does it"
                );
            }
            tracing::info!("a job was put back for the next start");
            return;
        }
        RunEnd::Cancelled => Outcome { ending: Ending::Cancelled, warnings: None },
        RunEnd::Problems(problems, warnings) => {
            let passing =
                !problems.is_empty() && problems.iter().all(|problem| problem.class == Class::Transient);
            if passing && let Some(delay) = retry_delay(app, job) {
                let run_after = now() + i64::try_from(delay.as_millis()).unwrap_or(0);
                tracing::warn!(
                    code = problems[0].code,
                    delay_ms = delay.as_millis() as u64,
                    "a job waits for another try"
                );
                write(app, || app.store.retry_job(&job.id, &app.instance, run_after, &problems, now())).await;
                return;
            }
            if let Some(problem) = problems.first() {
                tracing::warn!(code = problem.code, count = problems.len(), "a job failed");
            }
            Outcome { ending: Ending::Failed(problems), warnings: Some(warnings) }
        }
    };
    let outcome = &outcome;
    write(app, || app.store.finish_job(&job.id, &app.instance, outcome, now())).await;
    run.cancel.cancel();
}

/// How long the job waits for its next try; `None` after the last. Somebody waits for a preview: it is tried less.
fn retry_delay(app: &App, job: &Job) -> Option<Duration> {
    let tries = match job.kind {
        JobKind::Storyboard => PREVIEW_TRIES,
        JobKind::Render => usize::MAX,
    };
    app.settings.retry_delays.iter().take(tries).nth(job.attempts as usize).copied()
}

async fn cancel_requested(app: &App, job: &Job) -> bool {
    app.store.any_job(&job.id).await.is_ok_and(|job| job.cancel_requested)
}

/// Writes what something came to, again until it is written or the server stops: a full disk must not lose it. The
/// next start takes over what was not written.
pub(crate) async fn write<F>(app: &App, verb: impl Fn() -> F)
where
    F: Future<Output = Result<bool, store::Error>>,
{
    let mut pause = Duration::from_millis(500);
    loop {
        match verb().await {
            Ok(true) => return,
            Ok(false) => {
                tracing::warn!("a claim was lost before its end was written");
                return;
            }
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "an end was not written; trying again"
                );
            }
        }
        if tokio::time::timeout(pause, app.shutdown.cancelled()).await.is_ok() {
            return;
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Our own failure: the client gets an id, the log the chain.
pub(crate) fn internal(error: &(dyn std::error::Error + 'static)) -> Problem {
    let id = uuid::Uuid::new_v4();
    tracing::error!(error.id = %id, error, "a job failed inside");
    Problem::new(Class::Internal, "INTERNAL", "Something failed in the server.")
        .fix(format!("Its operator finds it in the log under {id}."))
}

/// Too little room to begin: it may pass, so the job waits, and fails under the same name if it does not.
pub(crate) fn no_room() -> Problem {
    Problem::new(
        Class::Transient,
        "DISK_FULL",
        "The server's disk has too little room, so the film was not made.",
    )
    .fix("Tell its operator, and send the job again when there is room.")
}

/// A failed file operation; a full disk has a name of its own.
pub(crate) fn io_problem(error: &std::io::Error) -> Problem {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            tracing::error!(error = error as &dyn std::error::Error, "the disk is full");
            Problem::new(Class::Internal, "DISK_FULL", "The server's disk is full, so the film was not made.")
                .fix("Tell its operator, and send the job again when there is room.")
        }
        _ => internal(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_named_and_nothing_else_is_told() {
        let full = io_problem(&std::io::Error::from_raw_os_error(28));
        assert_eq!((full.class, full.code.as_str()), (Class::Internal, "DISK_FULL"));
        let other = io_problem(&std::io::Error::other("/secret/path"));
        assert_eq!(other.code, "INTERNAL");
        assert!(!format!("{other:?}").contains("secret"));
    }
}
