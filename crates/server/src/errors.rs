//! The one place that knows which status an error has and what a client may read of it.
//!
//! A client's error says what is wrong and what to do; a server's error says an id only, and the log has the chain.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use storyboard::{Class, Problem};

/// Why a request has no good answer.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// No valid credential.
    Unauthorized,
    /// Wrong client id or secret.
    WrongSecret,
    /// All that is wrong with the body.
    Body(Vec<Problem>),
    /// All that keeps the request's media from being shown.
    Media(Vec<Problem>),
    /// A request that a client waits for had no turn, or no end, in time.
    Busy,
    /// The body is larger than the limit.
    TooLarge,
    /// The body did not come in time.
    Slow,
    /// The owner has as many jobs waiting as it may have.
    TooManyJobs,
    /// No such route.
    NoRoute,
    /// No such thing of this owner.
    NotFound(&'static str),
    /// No such job of this owner.
    JobNotFound(String),
    /// The request does not fit the state that things are in: code and message.
    Conflict(&'static str, String),
    /// The same idempotency key with another body.
    KeyReused,
    /// A signed address that does not hold.
    Address(&'static str),
    /// The disk has no room to accept anything.
    Full,
    /// Ours.
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

impl ApiError {
    /// One problem with the body.
    pub(crate) fn body(pointer: &str, code: &str, message: impl Into<String>) -> Self {
        Self::Body(vec![Problem::author(pointer, code, message)])
    }
}

impl From<store::Error> for ApiError {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::NotFound => Self::NotFound("There is no such thing."),
            store::Error::NameTaken => Self::Conflict(
                "NAME_TAKEN",
                "Another connection has this name; choose one that is not in use.".to_owned(),
            ),
            store::Error::VersionMismatch { current } => Self::Conflict(
                "VERSION_MISMATCH",
                format!("The connection is at version {current}; read it again and send that version."),
            ),
            store::Error::KeyReused => Self::KeyReused,
            store::Error::DiskFull => Self::Full,
            store::Error::TooMany => Self::TooManyJobs,
            other => Self::Internal(Box::new(other)),
        }
    }
}

impl From<std::io::Error> for ApiError {
    fn from(error: std::io::Error) -> Self {
        Self::Internal(Box::new(error))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, body) = match self {
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, json!({"message": "Unauthorized"})),
            Self::WrongSecret => (
                StatusCode::UNAUTHORIZED,
                coded("INVALID_CLIENT", "The client id or secret is wrong, or the key was revoked."),
            ),
            Self::Body(problems) => (StatusCode::BAD_REQUEST, bad_body(&problems)),
            Self::Media(problems) => return media(&problems),
            Self::Busy => {
                let body =
                    coded("BUSY", "The server did not come to an answer in time; send the request again.");
                return (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5")], Json(body)).into_response();
            }
            Self::TooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, coded("REQUEST_TOO_LARGE", "The request body is too large."))
            }
            Self::Slow => (
                StatusCode::REQUEST_TIMEOUT,
                coded("REQUEST_TIMEOUT", "The request body did not come in time; send it again."),
            ),
            Self::TooManyJobs => {
                let message =
                    "Too many of your jobs wait for their turn; send this one again when some have ended.";
                let body = coded("TOO_MANY_JOBS", message);
                return (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "30")], Json(body)).into_response();
            }
            Self::NoRoute => (StatusCode::NOT_FOUND, json!({"message": "Not Found"})),
            Self::NotFound(message) => (StatusCode::NOT_FOUND, coded("NOT_FOUND", message)),
            Self::JobNotFound(id) => (
                StatusCode::NOT_FOUND,
                json!({
                    "job_id": id,
                    "success": false,
                    "data": {"job_id": id, "jobId": id, "error_code": "5000", "error_message": "JOB_NOT_FOUND"},
                }),
            ),
            Self::Conflict(code, message) => (StatusCode::CONFLICT, coded(code, &message)),
            Self::KeyReused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                coded("IDEMPOTENCY_KEY_REUSED", "This Idempotency-Key was used with another request."),
            ),
            Self::Address(message) => (StatusCode::FORBIDDEN, json!({"message": message})),
            Self::Full => (
                StatusCode::INSUFFICIENT_STORAGE,
                coded("DISK_FULL", "The server's disk is full; nothing was accepted. Tell its operator."),
            ),
            Self::Internal(error) => {
                let id = uuid::Uuid::new_v4();
                tracing::error!(error.id = %id, error = &*error, "a request failed");
                let message =
                    format!("Something failed in the server. Its operator finds it in the log under {id}.");
                (StatusCode::INTERNAL_SERVER_ERROR, coded("INTERNAL", &message))
            }
        };
        (status, Json(body)).into_response()
    }
}

/// What kept media from being read: the storyboard's fault, its media's, or ours, in this order.
fn media(problems: &[Problem]) -> Response {
    let any = |class| problems.iter().any(|problem| problem.class == class);
    if any(Class::Author) {
        return (StatusCode::BAD_REQUEST, Json(bad_body(problems))).into_response();
    }
    let mut body = bad_body(problems);
    body["code"] = json!(problems.first().map_or("INTERNAL", |problem| problem.code.as_str()));
    if problems.len() > 1 {
        body["message"] = json!(format!("{} things are wrong with the media; see fields.", problems.len()));
    }
    body["errors"] = json!(problems);
    if any(Class::Access) || any(Class::Source) {
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response();
    }
    if any(Class::Transient) {
        return (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5")], Json(body)).into_response();
    }
    (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
}

fn coded(code: &str, message: &str) -> Value {
    json!({"code": code, "message": message})
}

/// Pictory's shape for a body with errors: every member that is wrong, by its path.
fn bad_body(problems: &[Problem]) -> Value {
    let fields: Vec<Value> = problems
        .iter()
        .map(|problem| {
            let name = problem.pointer.as_deref().map(storyboard::json_path).unwrap_or_default();
            let errors = match &problem.fix {
                Some(fix) => format!("{} {fix}", problem.message),
                None => problem.message.clone(),
            };
            json!({"name": name, "errors": errors, "code": problem.code})
        })
        .collect();
    let message = match problems {
        [one] => one.to_string(),
        many => format!("{} members of the request are wrong; see fields.", many.len()),
    };
    json!({"code": "INVALID_REQUEST_BODY", "message": message, "fields": fields})
}
