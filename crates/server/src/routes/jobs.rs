//! Looking at jobs and ending them.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};
use store::{Cancelled, JobId};

use crate::auth::Caller;
use crate::errors::ApiError;
use crate::extract::{Segments, Words};
use crate::state::{App, now};
use crate::wire::{self, Detail};

/// Jobs on a page of the list.
const PAGE: u32 = 25;
/// How long a cancel waits for the run to end before it answers.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Paging {
    next_page_key: Option<String>,
}

pub(crate) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<Json<Value>, ApiError> {
    let job =
        app.store.job(&caller.owner, &JobId::from_text(&id)).await.map_err(|error| unknown(error, &id))?;
    Ok(Json(wire::job(&job, &app.addresses, Detail::Full, now())))
}

pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Words(paging): Words<Paging>,
) -> Result<Json<Value>, ApiError> {
    let before = match paging.next_page_key.as_deref().filter(|key| !key.is_empty()) {
        None => None,
        Some(key) => {
            let bytes = URL_SAFE_NO_PAD.decode(key.trim_end_matches('='));
            let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| {
                ApiError::body("/nextPageKey", "UNREADABLE", "nextPageKey is not one that this server gave.")
            })?;
            Some(JobId::from_text(text))
        }
    };
    let page = app.store.jobs(&caller.owner, before.as_ref(), PAGE, ["renderParams", "film.report"]).await?;
    let now = now();
    let items: Vec<Value> =
        page.jobs.iter().map(|job| wire::job(job, &app.addresses, Detail::Listed, now)).collect();
    let next = page.next.map(|id| URL_SAFE_NO_PAD.encode(id.as_str()));
    Ok(Json(json!({"items": items, "nextPageKey": next})))
}

/// Cancels; answers with the job as it is then. A job that has ended stays as it is: 409.
pub(crate) async fn cancel(
    State(app): State<Arc<App>>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<Json<Value>, ApiError> {
    let job_id = JobId::from_text(&id);
    let cancelled =
        app.store.cancel_job(&caller.owner, &job_id, now()).await.map_err(|error| unknown(error, &id))?;
    match cancelled {
        Cancelled::TooLate(state) => {
            let message = format!(
                "The job has {} already.",
                if state == store::JobState::Failed { "failed" } else { "completed" }
            );
            return Err(ApiError::Conflict("JOB_FINISHED", message));
        }
        Cancelled::Requested => {
            if let Some(run) = app.run(&job_id) {
                run.cancel.cancel();
                let _ = tokio::time::timeout(PATIENCE, run.ended.cancelled()).await;
            }
        }
        Cancelled::Done => {}
    }
    let job = app.store.job(&caller.owner, &job_id).await?;
    Ok(Json(wire::job(&job, &app.addresses, Detail::Full, now())))
}

/// A job that is not there has an answer of its own shape.
pub(crate) fn unknown(error: store::Error, id: &str) -> ApiError {
    match error {
        store::Error::NotFound => ApiError::JobNotFound(id.to_owned()),
        other => other.into(),
    }
}
