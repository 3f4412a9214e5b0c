//! Whether the server lives, and whether it can take jobs.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::state::App;

/// Below this much room no film can be counted on.
const ENOUGH: u64 = 256 * 1024 * 1024;

pub(crate) async fn alive() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

pub(crate) async fn ready(State(app): State<Arc<App>>) -> (StatusCode, Json<Value>) {
    let database = app.store.ready().await.is_ok();
    let free = rustix::fs::statvfs(&app.settings.data_dir)
        .ok()
        .map(|stat| stat.f_bavail.saturating_mul(stat.f_frsize));
    let stopping = app.shutdown.is_cancelled();
    let ready = database && free.is_some_and(|free| free >= ENOUGH) && !stopping;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({
        "ready": ready,
        "database": if database { "ok" } else { "failed" },
        "disk": {"freeBytes": free, "enough": free.is_some_and(|free| free >= ENOUGH)},
        "stopping": stopping,
        "cage": app.cage,
        "version": env!("CARGO_PKG_VERSION"),
    });
    (status, Json(body))
}
