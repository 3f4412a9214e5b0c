//! Throwing away what is old or too much: films, expired tokens, forgotten directories.

use std::sync::Arc;

use store::{JobId, Millis};

use crate::state::{App, now};

const DAY: Millis = 24 * 60 * 60 * 1000;

/// Sweeps at start and then every so often until the server stops.
pub(crate) async fn work(app: &Arc<App>) {
    loop {
        if let Err(error) = sweep(app, now()).await {
            tracing::error!(error = &*error, "the sweep failed");
        }
        if tokio::time::timeout(app.settings.sweep_every, app.shutdown.cancelled()).await.is_ok() {
            return;
        }
    }
}

async fn sweep(app: &Arc<App>, now: Millis) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    app.store.forget_expired(now).await?;
    strays(app).await?;
    let kept = app.store.kept_films().await?;
    let oldest = match app.settings.keep_films {
        0 => Millis::MIN,
        days => now - Millis::from(days) * DAY,
    };
    let sizes: Vec<u64> = kept.iter().map(|film| app.films.size(&film.id)).collect();
    let mut total: u64 = sizes.iter().sum();
    for (film, size) in kept.iter().zip(sizes) {
        let old = film.finished <= oldest;
        let too_much = app.settings.max_data_bytes.is_some_and(|most| total > most);
        if !old && !too_much {
            continue;
        }
        // The row first: an address must not open half a directory.
        app.store.mark_swept(&film.id, now).await?;
        delete(app, &film.id).await?;
        total = total.saturating_sub(size);
        tracing::info!(job.id = %film.id, bytes = size, old, too_much, "a job's files were deleted");
    }
    Ok(())
}

/// Directories whose job does not want them: a crash came between row and deletion, or the row is gone.
async fn strays(app: &Arc<App>) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    for id in app.films.published()? {
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

async fn delete(app: &Arc<App>, id: &JobId) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let (films, id) = (app.films.clone(), id.clone());
    Ok(tokio::task::spawn_blocking(move || films.delete(&id)).await??)
}
