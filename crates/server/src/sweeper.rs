//! Throwing away what is old or too much: films, expired tokens, forgotten jobs and directories.

use std::sync::Arc;
use std::time::Duration;

use store::{JobId, Millis};

use crate::disk;
use crate::state::{App, now};

const DAY: Millis = 24 * 60 * 60 * 1000;
/// After a film is published, so that one sweep serves a burst of them.
const BREATH: Duration = Duration::from_secs(1);

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Sweeps at start, every so often, and, where the directory has a limit, soon after a job took room; until the
/// server stops.
pub(crate) async fn work(app: &Arc<App>) {
    loop {
        sweep(app, now()).await;
        let due = async {
            let took_room = async {
                app.took_room.notified().await;
                tokio::time::sleep(BREATH.min(app.settings.sweep_every)).await;
            };
            tokio::select! {
                () = took_room, if app.settings.max_data_bytes.is_some() => {}
                () = tokio::time::sleep(app.settings.sweep_every) => {}
            }
        };
        tokio::select! {
            () = due => {}
            () = app.shutdown.cancelled() => return,
        }
    }
}

/// Each part is tried whatever became of the others: on a full disk some of them cannot do without the others' room.
async fn sweep(app: &Arc<App>, now: Millis) {
    let parts = [
        by_age(app, now).await,
        by_limit(app, now).await,
        strays(app).await,
        forget(app, now).await,
        app.store.forget_expired(now).await.map_err(Into::into),
    ];
    for error in parts.into_iter().filter_map(Result::err) {
        tracing::error!(error = &*error, "a part of the sweep failed");
    }
}

/// Films older than the operator keeps them.
async fn by_age(app: &Arc<App>, now: Millis) -> Result<(), Failed> {
    if app.settings.keep_films == 0 {
        return Ok(());
    }
    let oldest = now - Millis::from(app.settings.keep_films) * DAY;
    for film in app.store.kept_films().await? {
        if film.finished > oldest {
            break; // the oldest come first
        }
        delete_film(app, &film.id, now, "age").await?;
    }
    Ok(())
}

/// Jobs that ended long ago and have no files.
async fn forget(app: &Arc<App>, now: Millis) -> Result<(), Failed> {
    if app.settings.keep_jobs == 0 {
        return Ok(());
    }
    let jobs = app.store.forget_jobs(now - Millis::from(app.settings.keep_jobs) * DAY).await?;
    if jobs > 0 {
        tracing::info!(jobs, "old jobs were forgotten");
    }
    Ok(())
}

/// The oldest films, as long as the data directory is larger than the operator allows. All of it counts: films, what
/// is being made, the database and its copies; only films can go. The cache has a limit of its own: no film goes for
/// what only saves time.
async fn by_limit(app: &Arc<App>, now: Millis) -> Result<(), Failed> {
    let Some(most) = app.settings.max_data_bytes else { return Ok(()) };
    let (directory, cache) = (app.settings.data_dir.clone(), app.settings.cache_dir.clone());
    let mut total = tokio::task::spawn_blocking(move || {
        let cached =
            cache.filter(|cache| cache.starts_with(&directory)).map_or(0, |cache| disk::used(&cache));
        disk::used(&directory).saturating_sub(cached)
    })
    .await?;
    if total <= most {
        return Ok(());
    }
    for film in app.store.kept_films().await? {
        if total <= most {
            return Ok(());
        }
        let files = app.films.of(&film.id);
        let size = tokio::task::spawn_blocking(move || disk::used(&files)).await?;
        delete_film(app, &film.id, now, "limit").await?;
        total = total.saturating_sub(size);
    }
    if total > most {
        tracing::warn!(
            total,
            most,
            "the data directory is above its limit although no film is left to delete"
        );
    }
    Ok(())
}

async fn delete_film(app: &Arc<App>, id: &JobId, now: Millis, why: &str) -> Result<(), Failed> {
    // The row first: an address must not open half a directory.
    match app.store.mark_swept(id, now).await {
        Ok(()) => delete(app, id).await?,
        // A full disk has no room for the note either, so the files make it.
        Err(store::Error::DiskFull) => {
            delete(app, id).await?;
            app.store.mark_swept(id, now).await?;
        }
        Err(error) => return Err(error.into()),
    }
    tracing::info!(job.id = %id, why, "a job's files were deleted");
    Ok(())
}

/// Directories whose job does not want them: a crash came between row and deletion, or the row is gone.
async fn strays(app: &Arc<App>) -> Result<(), Failed> {
    let films = app.films.clone();
    for id in tokio::task::spawn_blocking(move || films.published()).await?? {
        let stray = match app.store.any_job(&id).await {
            Ok(job) => job.swept || (job.state.is_final() && job.state != store::JobState::Completed),
            Err(store::Error::NotFound) => true,
            Err(error) => return Err(error.into()),
        };
        if stray {
            delete(app, &id).await?;
        }
    }
    Ok(())
}

async fn delete(app: &Arc<App>, id: &JobId) -> Result<(), Failed> {
    let (films, id) = (app.films.clone(), id.clone());
    Ok(tokio::task::spawn_blocking(move || films.delete(&id)).await??)
}
