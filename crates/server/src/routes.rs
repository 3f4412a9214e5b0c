//! The routes, as one list.

mod connections;
mod files;
mod health;
mod jobs;
mod looks;
pub(crate) mod videos;

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post, put};
use serde_json::json;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::RequestBodyDeadlineLayer;

use crate::auth;
use crate::errors::ApiError;
use crate::request_log;
use crate::state::App;

/// Largest body of the token route, which anybody may send.
const MAX_TOKEN_BODY: usize = 16 * 1024;

/// All routes. Doubled slashes and one at the end are tolerated: clients join base and path carelessly.
pub(crate) fn router(app: Arc<App>) -> Router {
    let v1 = Router::new()
        .route("/oauth2/token", post(auth::token).layer(DefaultBodyLimit::max(MAX_TOKEN_BODY)))
        .route("/awsconnections", get(connections::list).post(connections::create))
        .route(
            "/awsconnections/{id}",
            get(connections::show).put(connections::update).delete(connections::delete),
        )
        .route("/video/storyboard", post(videos::storyboard))
        .route("/video/render", post(videos::render))
        .route("/video/render/{storyboard}", put(videos::render_storyboard))
        .route("/preview/frame", post(looks::frame))
        .route("/plan", post(looks::plan))
        .route("/jobs", get(jobs::list))
        .route("/jobs/{id}", get(jobs::show).delete(jobs::cancel));
    let (max_body, body_patience) = (app.settings.max_body, app.settings.body_patience);
    let routes = Router::new()
        .nest("/pictoryapis/v1", v1)
        .route("/films/{job}/{file}", get(files::film))
        .route("/downloads/{job}/{file}", get(files::download))
        .route("/previews/{job}/{file}", get(files::preview))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(max_body))
        .layer(RequestBodyDeadlineLayer::new(body_patience))
        .with_state(app);
    // The path is mended before the inner router looks at it, so the layer stands on a router that has none.
    Router::new()
        .fallback_service(routes)
        .layer(middleware::from_fn(tolerate_slashes))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(request_log::log))
}

async fn tolerate_slashes(mut request: Request, next: Next) -> Response {
    if let Some(uri) = mended(request.uri()) {
        *request.uri_mut() = uri;
    }
    next.run(request).await
}

/// The same address with single slashes and none at the end; `None` if it is so already.
fn mended(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let careless = path.contains("//") || (path.len() > 1 && path.ends_with('/'));
    if !careless {
        return None;
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let mut text = format!("/{}", parts.join("/"));
    if let Some(query) = uri.query() {
        text.push('?');
        text.push_str(query);
    }
    text.parse().ok()
}

async fn not_found() -> Response {
    ApiError::NoRoute.into_response()
}

async fn wrong_method() -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, Json(json!({"message": "Method Not Allowed"}))).into_response()
}

#[allow(clippy::needless_pass_by_value, reason = "the layer hands it over")]
fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref().copied());
    ApiError::Internal(format!("a handler panicked: {}", text.unwrap_or("no message")).into()).into_response()
}
