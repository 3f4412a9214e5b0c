//! Accepting jobs: a storyboard, the film of a storyboard job, the film of `renderParams`.
//!
//! No network call: shape, ranges, address forms and connections are answered at once; the job checks the rest.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::HeaderMap;
use bytes::Bytes;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use store::{Accepted, Format, JobId, JobKind, JobState, NewJob};
use storyboard::address::parse_address;
use storyboard::{Address, Problem, Storyboard, Warning};

use crate::auth::Caller;
use crate::connections_of::{connections_of, wrong_connections};
use crate::disk;
use crate::errors::ApiError;
use crate::extract::{Segments, body};
use crate::reading;
use crate::routes::jobs;
use crate::state::{App, now};
use crate::wire;

/// Which part of the room that a film needs must be free to accept one.
const RESERVE: u64 = 8;
/// Longest idempotency key.
const KEY_CHARACTERS: usize = 255;

pub(crate) async fn storyboard(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, ApiError> {
    let draft = Request { kind: JobKind::Storyboard, format: Format::Storyboard, parent: None };
    accept(&app, &caller, &headers, draft, &body(bytes)?).await
}

pub(crate) async fn render(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, ApiError> {
    let draft = Request { kind: JobKind::Render, format: Format::RenderParams, parent: None };
    let bytes = body(bytes)?;
    let bytes = unwrapped(&bytes).unwrap_or(bytes);
    accept(&app, &caller, &headers, draft, &bytes).await
}

/// The film of a storyboard job: as it was planned, or by the `renderParams` in the body.
pub(crate) async fn render_storyboard(
    State(app): State<Arc<App>>,
    caller: Caller,
    Segments(id): Segments<String>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, ApiError> {
    let parent_id = JobId::from_text(&id);
    let parent = app.store.job(&caller.owner, &parent_id).await.map_err(|error| jobs::unknown(error, &id))?;
    if parent.kind != JobKind::Storyboard {
        return Err(ApiError::Conflict(
            "NOT_A_STORYBOARD",
            "This job is a render; name a storyboard job.".to_owned(),
        ));
    }
    match parent.state {
        JobState::Completed => {}
        JobState::Failed | JobState::Cancelled => {
            let message = "The storyboard job has no result to render; look at its errors and send it again.";
            return Err(ApiError::Conflict("STORYBOARD_FAILED", message.to_owned()));
        }
        _ => {
            let message = "The storyboard job is not completed yet; poll it and try again then.";
            return Err(ApiError::Conflict("STORYBOARD_NOT_READY", message.to_owned()));
        }
    }
    let bytes = body(bytes)?;
    let bytes = unwrapped(&bytes).unwrap_or(bytes);
    let mut members = members(&bytes)?;
    members.retain(|_, value| !value.is_null());
    if members.contains_key("scenes") {
        let draft = Request { kind: JobKind::Render, format: Format::RenderParams, parent: Some(parent_id) };
        return accept(&app, &caller, &headers, draft, &bytes).await;
    }
    let webhook = match members.get("webhook") {
        None | Some(Value::Null) => None,
        Some(Value::String(url)) => Some(url.trim().to_owned()).filter(|url| !url.is_empty()),
        Some(_) => return Err(ApiError::body("/webhook", "WRONG_TYPE", "webhook must be a string.")),
    };
    let unknown = members.keys().filter(|name| name.as_str() != "webhook").map(|name| {
        let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        Warning::at(pointer, "UNKNOWN_FIELD", format!("{name:?} is not known here and was ignored."))
    });
    let warnings = unknown.collect();
    let draft = Request { kind: JobKind::Render, format: parent.format, parent: Some(parent_id) };
    let read = Read { request: parent.request, webhook, warnings };
    let (storyboard, _) =
        reading::read(draft.format, read.request.as_bytes(), &app.settings.parse).map_err(ApiError::Body)?;
    checked(&app, &caller, &headers, draft, read, &storyboard, &bytes).await
}

fn refused_webhook(app: &App, url: &str) -> Option<Problem> {
    let message = app.webhook.check(url).err()?;
    Some(Problem::author("/webhook", "WEBHOOK_REFUSED", message))
}

/// What kind of job a request is for.
struct Request {
    kind: JobKind,
    format: Format,
    parent: Option<JobId>,
}

/// What a request says besides its storyboard.
struct Read {
    request: String,
    webhook: Option<String>,
    warnings: Vec<Warning>,
}

/// Refused backgrounds that one answer lists.
const MOST_REFUSED: usize = 100;

/// Accepts a body that holds the storyboard itself.
async fn accept(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    draft: Request,
    bytes: &Bytes,
) -> Result<Json<Value>, ApiError> {
    match reading::read(draft.format, bytes, &app.settings.parse) {
        Ok((storyboard, warnings)) => {
            let request = String::from_utf8(bytes.to_vec())
                .map_err(|_| ApiError::body("", "INVALID_JSON", "The body is not UTF-8."))?;
            let read = Read { request, webhook: storyboard.webhook.clone(), warnings };
            checked(app, caller, headers, draft, read, &storyboard, bytes).await
        }
        Err(mut problems) => {
            // What is wrong besides is said in the same answer, as far as it can be read.
            let request: Value = serde_json::from_slice(bytes).unwrap_or_default();
            problems.extend(wrong_connections(&app.store, &caller.owner, &request).await?);
            let wrong_already = problems.iter().any(|problem| problem.pointer.as_deref() == Some("/webhook"));
            if let Some(url) = request.get("webhook").and_then(Value::as_str)
                && !url.trim().is_empty()
                && !wrong_already
            {
                problems.extend(refused_webhook(app, url.trim()));
            }
            problems.extend(refused_backgrounds(app, &request));
            Err(ApiError::Body(problems))
        }
    }
}

/// Checks connections and webhook, and queues the job.
async fn checked(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    draft: Request,
    read: Read,
    storyboard: &Storyboard,
    body: &Bytes,
) -> Result<Json<Value>, ApiError> {
    let (_, mut problems) = connections_of(&app.store, &caller.owner, storyboard, &read.request).await?;
    problems.extend(read.webhook.as_deref().and_then(|url| refused_webhook(app, url)));
    problems.extend(refused_media(app, storyboard));
    if !problems.is_empty() {
        return Err(ApiError::Body(problems));
    }
    let idempotency = idempotency(headers, &draft, body)?;
    // Room for the ends of the jobs that are accepted already.
    if disk::free(&app.settings.data_dir).is_some_and(|free| free < app.settings.min_free_bytes / RESERVE) {
        return Err(ApiError::Full);
    }
    let job = NewJob {
        owner: caller.owner.clone(),
        key: Some(caller.key.clone()),
        kind: draft.kind,
        format: draft.format,
        parent: draft.parent,
        request: read.request,
        webhook: read.webhook,
        warnings: read.warnings,
        idempotency,
        most_waiting: Some(app.settings.waiting_at_most),
    };
    let accepted = app.store.accept_job(&job, now()).await?;
    let id = match &accepted {
        Accepted::New(id) => {
            tracing::info!(job.id = %id, job.kind = job.kind.as_str(), owner = %job.owner, "a job was accepted");
            id
        }
        Accepted::Repeated(id) => id,
    };
    Ok(Json(wire::accepted(id, &job.warnings)))
}

/// Public media at addresses whose very form the guard refuses, such as a literal private one.
pub(crate) fn refused_media(app: &App, storyboard: &Storyboard) -> Vec<Problem> {
    let refused = storyboard.media().into_iter().filter_map(|(media, _)| match &media.address {
        Address::Url(url) => {
            let reason = app.webhook.check(url).err()?;
            Some(
                Problem::author(media.pointer.clone(), "URL_NOT_ALLOWED", reason)
                    .file(media.address.to_string()),
            )
        }
        Address::S3(_) | Address::File(_) => None,
    });
    refused.take(MOST_REFUSED).collect()
}

/// The same for the backgrounds of a body that is no storyboard, as far as they can be read.
pub(crate) fn refused_backgrounds(app: &App, request: &Value) -> Vec<Problem> {
    let scenes = request.get("scenes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let refused = scenes.iter().enumerate().filter_map(|(index, scene)| {
        let (address, _) = parse_address(scene.get("backgroundUri")?.as_str()?).ok()?;
        let Address::Url(url) = &address else { return None };
        // Plain http:// is the parser's to refuse, and it has.
        let url = url.strip_prefix("http://").map_or_else(|| url.clone(), |rest| format!("https://{rest}"));
        let reason = app.webhook.check(&url).err()?;
        let pointer = format!("/scenes/{index}/backgroundUri");
        Some(Problem::author(pointer, "URL_NOT_ALLOWED", reason).file(address.to_string()))
    });
    refused.take(MOST_REFUSED).collect()
}

/// The client's idempotency key with the hash of all that it stands for.
fn idempotency(
    headers: &HeaderMap,
    draft: &Request,
    body: &Bytes,
) -> Result<Option<(String, String)>, ApiError> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().ok().filter(|key| !key.is_empty() && key.len() <= KEY_CHARACTERS);
    let Some(key) = key else {
        let message = format!("Idempotency-Key must be 1 to {KEY_CHARACTERS} visible ASCII characters.");
        return Err(ApiError::body("", "INVALID_IDEMPOTENCY_KEY", message));
    };
    let mut hash = Sha256::new();
    hash.update(draft.kind.as_str());
    hash.update([0]);
    hash.update(draft.parent.as_ref().map_or("", JobId::as_str));
    hash.update([0]);
    hash.update(body);
    Ok(Some((key.to_owned(), hex::encode(hash.finalize()))))
}

/// A body of no bytes counts as an empty object.
fn members(bytes: &[u8]) -> Result<Map<String, Value>, ApiError> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) => Err(ApiError::body("", "WRONG_TYPE", "The body must be a JSON object.")),
        Err(error) => Err(ApiError::body("", "INVALID_JSON", format!("The body is not JSON: {error}."))),
    }
}

/// `renderParams` out of `{renderParams, webhook}`, which some clients send; the webhook goes along.
pub(crate) fn unwrapped(bytes: &Bytes) -> Option<Bytes> {
    let mut outer: Map<String, Value> = serde_json::from_slice(bytes).ok()?;
    let Some(Value::Object(mut inner)) = outer.remove("renderParams") else { return None };
    for (name, value) in outer {
        inner.entry(name).or_insert(value);
    }
    Some(Value::Object(inner).to_string().into())
}
