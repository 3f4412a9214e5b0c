//! The two job bodies: a plan with its preview, and a film.

use std::sync::Arc;

use pipeline::{Failure, JobContext, Progress, Stage};
use serde_json::json;
use store::{Job, JobKind};
use storyboard::{Class, Problem, Storyboard, Warning};
use tokio_util::sync::CancellationToken;

use crate::connections_of::connections_of;
use crate::disk;
use crate::films::Made;
use crate::reading;
use crate::runner::{RunEnd, internal, io_problem, no_room, progress};
use crate::state::{App, now};

/// Why a run ends early, with the warnings so far.
type Early = RunEnd;

pub(crate) async fn run(app: Arc<App>, job: Job, cancel: CancellationToken) -> RunEnd {
    match attempt(&app, &job, &cancel).await {
        Ok(made) => RunEnd::Made(made),
        Err(early) => early,
    }
}

async fn attempt(app: &Arc<App>, job: &Job, cancel: &CancellationToken) -> Result<Made, Early> {
    // The run before this one may have published and died before it could say so.
    if let Some(made) =
        app.films.made(&job.id).map_err(|error| failed(vec![io_problem(&error)], &job.warnings))?
    {
        return Ok(made);
    }
    let (storyboard, mut warnings) = reading::read(job.format, job.request.as_bytes(), &app.settings.parse)
        .map_err(|problems| failed(problems, &job.warnings))?;
    add(&mut warnings, &job.warnings);
    let (connections, problems) = connections_of(&app.store, &job.owner, &storyboard, &job.request)
        .await
        .map_err(|error| failed(vec![internal(&error)], &warnings))?;
    if !problems.is_empty() {
        return Err(failed(problems, &warnings));
    }
    let (notes, id) = (Arc::clone(app), job.id.clone());
    let write = move |note| {
        let (app, id) = (Arc::clone(&notes), id.clone());
        async move { app.store.note_progress(&id, &app.instance, note, now()).await }
    };
    let (sink, writer) = progress::channel(write, cancel);
    let context = JobContext {
        owner: job.owner.to_string(),
        digests: false,
        opener: app.access.opener(job.id.as_str(), connections),
        progress: Arc::clone(&sink),
        cancel: cancel.clone(),
    };
    let work = async move {
        let result = make(app, job, &storyboard, &context, &mut warnings).await;
        drop((sink, context));
        result.map_err(|failure| match failure {
            Failure::Problems(problems) => failed(problems, &warnings),
            Failure::Cancelled => RunEnd::Cancelled,
        })
    };
    tokio::join!(work, writer).0
}

/// Makes and publishes. A source that changed while it was read is planned again once.
async fn make(
    app: &App,
    job: &Job,
    storyboard: &Storyboard,
    context: &JobContext,
    warnings: &mut Vec<Warning>,
) -> Result<Made, Failure> {
    let mut again = false;
    loop {
        match once(app, job, storyboard, context, warnings).await {
            Err(Failure::Problems(problems))
                if !again
                    && !problems.is_empty()
                    && problems.iter().all(|problem| problem.code == "MEDIA_CHANGED") =>
            {
                again = true;
                add(warnings, &problems.iter().map(changed).collect::<Vec<_>>());
            }
            Err(Failure::Cancelled) if !context.cancel.is_cancelled() => {
                return Err(Failure::Problems(vec![internal(&Unasked)]));
            }
            result => return result,
        }
    }
}

/// A run that says it was cancelled although nobody asked.
#[derive(Debug, thiserror::Error)]
#[error("the studio gave up although nobody cancelled")]
struct Unasked;

async fn once(
    app: &App,
    job: &Job,
    storyboard: &Storyboard,
    context: &JobContext,
    warnings: &mut Vec<Warning>,
) -> Result<Made, Failure> {
    let io = |error: std::io::Error| Failure::Problems(vec![io_problem(&error)]);
    if disk::free(&app.settings.data_dir).is_some_and(|free| free < app.settings.min_free_bytes) {
        return Err(Failure::Problems(vec![no_room()]));
    }
    let workshop = app.films.workshop(&job.id).map_err(io)?;
    let (result, more) = match job.kind {
        JobKind::Storyboard => {
            let draft = app.studio.draft(storyboard, context, workshop.path()).await?;
            let result = json!({
                "name": draft.plan.name,
                "fps": draft.plan.fps,
                "planHash": draft.plan.hash(),
                "renderParams": reading::render_params(storyboard, &draft.plan),
                "scenes": draft.scenes,
            });
            (result, draft.warnings)
        }
        JobKind::Render => {
            let mut shot = app.studio.shoot(storyboard, context, workshop.path()).await?;
            let hash = shot.plan.hash();
            let mut more = shot.warnings;
            more.append(&mut shot.film.warnings);
            more.extend(differs(app, job, &hash).await);
            let result = json!({
                "name": shot.plan.name,
                "planHash": hash,
                "seconds": shot.film.seconds(),
                "film": shot.film,
            });
            (result, more)
        }
    };
    if context.cancel.is_cancelled() {
        return Err(Failure::Cancelled);
    }
    (context.progress)(Progress { stage: Stage::Delivering, scenes: None, percent: 99 });
    add(warnings, &more);
    let made = Made { result, warnings: warnings.clone() };
    let (films, id) = (app.films.clone(), job.id.clone());
    // Waits for the disk, so not on a thread that others need.
    let published =
        tokio::task::spawn_blocking(move || films.publish(&id, workshop, &made).map(|()| made)).await;
    let made = published.map_err(|error| Failure::Problems(vec![internal(&error)]))?.map_err(io)?;
    app.took_room.notify_one();
    Ok(made)
}

/// A warning where an unedited storyboard's film is not what its preview showed.
async fn differs(app: &App, job: &Job, hash: &str) -> Option<Warning> {
    let parent = app.store.job(&job.owner, job.parent.as_ref()?).await.ok()?;
    let shown = parent.result.as_ref().and_then(|result| result["planHash"].as_str().map(str::to_owned))?;
    let unedited = parent.format == job.format && parent.request == job.request;
    (unedited && shown != hash).then(|| {
        Warning::new(
            "PLAN_CHANGED",
            "Something changed between the preview and this film, such as a media object; the film was planned again.",
        )
    })
}

fn changed(problem: &Problem) -> Warning {
    let file = problem.file.as_deref().unwrap_or("A media object");
    let message =
        format!("{file} changed while it was read; the film was planned again with its new content.");
    Warning { code: "MEDIA_CHANGED".to_owned(), pointer: problem.pointer.clone(), message }
}

fn failed(mut problems: Vec<Problem>, warnings: &[Warning]) -> Early {
    if problems.is_empty() {
        problems.push(Problem::new(Class::Internal, "INTERNAL", "The job failed without saying why."));
    }
    RunEnd::Problems(problems, warnings.to_vec())
}

/// Adds warnings that are not there yet.
fn add(warnings: &mut Vec<Warning>, more: &[Warning]) {
    for warning in more {
        if !warnings.contains(warning) {
            warnings.push(warning.clone());
        }
    }
}
