//! What a client waits for: a storyboard is read, authorised anew, and looked at within a bounded time.
//!
//! Invariants: at most so many are worked on at once as the settings say; a client that goes away ends its work.

use std::future::Future;

use bytes::Bytes;
use pipeline::{Failure, JobContext};
use serde_json::Value;
use store::Format;
use storyboard::{Problem, Storyboard, Warning};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::auth::Caller;
use crate::connections_of::{connections_of, wrong_connections};
use crate::errors::ApiError;
use crate::reading;
use crate::routes::videos::{refused_backgrounds, refused_media, unwrapped};
use crate::state::App;

/// A storyboard that may be looked at.
pub(crate) struct Asked {
    pub(crate) storyboard: Storyboard,
    pub(crate) context: JobContext,
    /// What of the body was ignored.
    pub(crate) warnings: Vec<Warning>,
    /// Ends the work when the request ends, however it does.
    _end: DropGuard,
}

/// Reads a body that holds a storyboard, or `renderParams`, bare or wrapped. `wrong` is what is wrong with the request
/// besides; all of it is said in one answer.
pub(crate) async fn asked(
    app: &App,
    caller: &Caller,
    bytes: &Bytes,
    mut wrong: Vec<Problem>,
) -> Result<Asked, ApiError> {
    let inner = unwrapped(bytes);
    let wrapped = inner.is_some();
    let bytes = inner.as_ref().unwrap_or(bytes);
    let request: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let format =
        if wrapped || is_render_params(&request) { Format::RenderParams } else { Format::Storyboard };
    let (storyboard, warnings) = match reading::read(format, bytes, &app.settings.parse) {
        Ok(read) => read,
        Err(problems) => {
            wrong.extend(problems);
            wrong.extend(wrong_connections(&app.store, &caller.owner, &request).await?);
            wrong.extend(refused_backgrounds(app, &request));
            return Err(ApiError::Body(wrong));
        }
    };
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let (connections, problems) = connections_of(&app.store, &caller.owner, &storyboard, text).await?;
    wrong.extend(problems);
    wrong.extend(refused_media(app, &storyboard));
    if !wrong.is_empty() {
        return Err(ApiError::Body(wrong));
    }
    let cancel = app.shutdown.child_token();
    let context = JobContext {
        owner: caller.owner.to_string(),
        opener: app.access.opener(&format!("look-{}", uuid::Uuid::new_v4()), connections),
        progress: std::sync::Arc::new(|_| ()),
        cancel: CancellationToken::clone(&cancel),
        digests: false,
    };
    Ok(Asked { storyboard, context, warnings, _end: cancel.drop_guard() })
}

/// Whether a body has members that only `renderParams` have.
fn is_render_params(request: &Value) -> bool {
    let scenes = request["scenes"].as_array().map_or(&[][..], Vec::as_slice);
    request["output"].is_object()
        || request["storyreel"].is_object()
        || scenes.iter().any(|scene| scene["sub_scenes"].is_array() || scene["background"].is_object())
}

/// Works once there is a turn, within the time that there is.
pub(crate) async fn bounded<T>(
    app: &App,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, ApiError> {
    let work = async {
        let _turn = app.looks.acquire().await.expect("the semaphore is never closed");
        work.await
    };
    match tokio::time::timeout(app.settings.look_patience, work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(Failure::Problems(problems))) => Err(ApiError::Media(problems)),
        // The server stops, or it took too long.
        Ok(Err(Failure::Cancelled)) | Err(_) => Err(ApiError::Busy),
    }
}
