//! Whether the server lives, and whether it can take jobs.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::disk;
use crate::state::App;

pub(crate) async fn alive() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

pub(crate) async fn ready(State(app): State<Arc<App>>) -> (StatusCode, Json<Value>) {
    let database = app.store.ready().await.is_ok();
    let free = disk::free(&app.settings.data_dir);
    let enough = free.is_some_and(|free| free >= app.settings.min_free_bytes);
    let stopping = app.shutdown.is_cancelled();
    let ready = database && enough && !stopping;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({
        "ready": ready,
        "database": if database { "ok" } else { "failed" },
        "disk": {"freeBytes": free, "enough": enough},
        "stopping": stopping,
        "cage": app.cage,
        "version": env!("CARGO_PKG_VERSION"),
    });
    (status, Json(body))
}
