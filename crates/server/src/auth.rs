//! Who calls: the token route, and the extractor that makes a handler authenticated by its type.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequestParts, State};
use axum::http::HeaderValue;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use bytes::Bytes;
use serde_json::{Value, json};
use store::{KeyId, Owner};
use storyboard::Problem;

use crate::errors::ApiError;
use crate::extract::body;
use crate::state::{App, now};

/// An authenticated caller. `X-Pictory-User-Id` is a label of the client's and no authority, so it is not here.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) owner: Owner,
    pub(crate) key: KeyId,
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let bearer =
            parts.headers.get(AUTHORIZATION).and_then(bearer).ok_or(ApiError::Unauthorized)?.to_owned();
        match app.store.key_by_bearer(&bearer, now()).await {
            Ok(key) => Ok(Self { owner: key.owner, key: key.id }),
            Err(store::Error::NotFound) => Err(ApiError::Unauthorized),
            Err(error) => Err(error.into()),
        }
    }
}

/// The credential in the header, bare or after `Bearer`.
fn bearer(header: &HeaderValue) -> Option<&str> {
    let text = header.to_str().ok()?.trim();
    let bare = match text.split_once(' ') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") => rest.trim(),
        Some(_) => return None,
        None => text,
    };
    (!bare.is_empty()).then_some(bare)
}

/// `POST /v1/oauth2/token`, as JSON or as a form; any `grant_type`. The body tells which it is, whatever the
/// `Content-Type` says: no form is a JSON object.
pub(crate) async fn token(
    State(app): State<Arc<App>>,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, ApiError> {
    let bytes = body(bytes)?;
    let fields: Value = match serde_json::from_slice(&bytes) {
        Ok(value @ Value::Object(_)) => value,
        _ => url::form_urlencoded::parse(&bytes)
            .map(|(name, value)| (name.into_owned(), json!(value)))
            .collect(),
    };
    let text =
        |name: &str| fields.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let (client_id, secret) = match (text("client_id"), text("client_secret")) {
        (Some(id), Some(secret)) => (id, secret),
        (id, secret) => {
            let missing = [("/client_id", id), ("/client_secret", secret)];
            let problems = missing.into_iter().filter(|(_, value)| value.is_none()).map(|(pointer, _)| {
                Problem::author(pointer, "REQUIRED", format!("{} is missing.", &pointer[1..]))
            });
            return Err(ApiError::Body(problems.collect()));
        }
    };
    let key = match app.store.key_by_secret(client_id, secret).await {
        Ok(key) => key,
        Err(store::Error::NotFound) => return Err(ApiError::WrongSecret),
        Err(error) => return Err(error.into()),
    };
    let life = app.settings.token_life;
    let expires = now() + i64::try_from(life.as_millis()).unwrap_or(0);
    let token = app.store.issue_token(&key.id, expires).await?;
    Ok(Json(json!({"access_token": token, "expires_in": life.as_secs(), "token_type": "Bearer"})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_or_bearer() {
        let read = |text: &str| bearer(&HeaderValue::from_str(text).unwrap()).map(str::to_owned);
        assert_eq!(read("abc").as_deref(), Some("abc"));
        assert_eq!(read("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(read("bearer   abc ").as_deref(), Some("abc"));
        for bad in ["", " ", "Basic abc", "Bearer "] {
            assert!(read(bad).is_none_or(|text| text == "Bearer"), "{bad}");
        }
    }
}
