//! What signed addresses open: films with ranges, downloads, the preview page.

use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    ETAG, IF_RANGE, LAST_MODIFIED, RANGE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse as _, Response};
use serde::Deserialize;
use store::{Job, JobId, JobState};
use tower::ServiceExt as _;
use tower_http::services::ServeFile;

use crate::addresses::{Purpose, Refusal};
use crate::errors::ApiError;
use crate::extract::{Segments, Words};
use crate::preview;
use crate::state::{App, now};

#[derive(Deserialize)]
pub(crate) struct Signed {
    #[serde(default)]
    expires: String,
    #[serde(default)]
    signature: String,
}

pub(crate) async fn film(
    State(app): State<Arc<App>>,
    Segments((job, file)): Segments<(String, String)>,
    Words(signed): Words<Signed>,
    request: Request,
) -> Result<Response, ApiError> {
    let job = open(&app, Purpose::Show, &job, &file, &signed).await?;
    serve(&app, &job, &file, request).await
}

pub(crate) async fn download(
    State(app): State<Arc<App>>,
    Segments((job, file)): Segments<(String, String)>,
    Words(signed): Words<Signed>,
    request: Request,
) -> Result<Response, ApiError> {
    let job = open(&app, Purpose::Download, &job, &file, &signed).await?;
    let name = job.result.as_ref().and_then(|result| result["name"].as_str()).unwrap_or("film").to_owned();
    let extension = file.rsplit_once('.').map_or("mp4", |(_, extension)| extension).to_owned();
    let mut response = serve(&app, &job, &file, request).await?;
    response.headers_mut().insert(CONTENT_DISPOSITION, attachment(&name, &extension));
    Ok(response)
}

pub(crate) async fn preview(
    State(app): State<Arc<App>>,
    Segments((job, file)): Segments<(String, String)>,
    Words(signed): Words<Signed>,
) -> Result<Response, ApiError> {
    let job = open(&app, Purpose::Preview, &job, &file, &signed).await?;
    let page = Html(preview::page(&job, &app.addresses, now()));
    let policy =
        HeaderValue::from_str(&preview::policy()).map_err(|error| ApiError::Internal(error.into()))?;
    let headers: [(HeaderName, HeaderValue); 4] = [
        (CONTENT_SECURITY_POLICY, policy),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
    ];
    Ok((headers, page).into_response())
}

/// The job behind an address that holds.
async fn open(app: &App, purpose: Purpose, job: &str, file: &str, signed: &Signed) -> Result<Job, ApiError> {
    app.addresses.check(purpose, job, file, &signed.expires, &signed.signature, now()).map_err(
        |refusal| match refusal {
            Refusal::Forged => ApiError::Address("This address was not made by this server."),
            Refusal::Expired => {
                ApiError::Address("This address has expired; look at the job again for a new one.")
            }
        },
    )?;
    let job = app.store.any_job(&JobId::from_text(job)).await?;
    if job.swept || job.state != JobState::Completed {
        return Err(ApiError::NotFound("The file was deleted; make it again with a new job."));
    }
    Ok(job)
}

async fn serve(app: &App, job: &Job, file: &str, request: Request) -> Result<Response, ApiError> {
    // Only names that this server signed come here; a path that climbs was never among them.
    if file.contains(['/', '\\', '\0']) || file.starts_with('.') {
        return Err(ApiError::NotFound("There is no such file."));
    }
    let path = app.films.of(&job.id).join(file);
    let mut response = ranged(path, request).await?;
    if response.status() == StatusCode::NOT_FOUND {
        return Err(ApiError::NotFound("There is no such file."));
    }
    let headers = response.headers_mut();
    if let Some(kind) = content_type(file) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600"));
    // The signature is the authority, so a player on any page may load subtitles and film.
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    Ok(response)
}

/// Answers with the file or a range of it. Several ranges at once, or a range of a file that is not the one that the
/// client has a part of (`If-Range`), are answered with the whole file, as HTTP allows.
async fn ranged(path: PathBuf, request: Request) -> Result<Response, ApiError> {
    let (mut parts, _) = request.into_parts();
    if parts.headers.get(RANGE).is_some_and(|range| range.as_bytes().contains(&b',')) {
        parts.headers.remove(RANGE);
    }
    let condition = parts.headers.remove(IF_RANGE).filter(|_| parts.headers.contains_key(RANGE));
    let response = sent(&path, &parts).await?;
    let Some(condition) = condition else { return Ok(response) };
    let same = [ETAG, LAST_MODIFIED].iter().any(|name| response.headers().get(name) == Some(&condition));
    if same {
        return Ok(response);
    }
    parts.headers.remove(RANGE);
    sent(&path, &parts).await
}

async fn sent(path: &std::path::Path, parts: &Parts) -> Result<Response, ApiError> {
    let mut request = Request::new(Body::empty());
    *request.method_mut() = parts.method.clone();
    *request.headers_mut() = parts.headers.clone();
    let served =
        ServeFile::new(path).oneshot(request).await.map_err(|error| ApiError::Internal(error.into()))?;
    Ok(served.map(Body::new))
}

fn content_type(file: &str) -> Option<&'static str> {
    Some(match file.rsplit_once('.')?.1 {
        "mp4" => "video/mp4",
        "m4a" => "audio/mp4",
        "jpg" => "image/jpeg",
        "srt" => "application/x-subrip; charset=utf-8",
        "vtt" => "text/vtt; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}

/// `attachment` with the film's name: plain for old clients, in UTF-8 for the others.
fn attachment(name: &str, extension: &str) -> HeaderValue {
    let unsafe_in_names = |c: &char| {
        // Marks of writing direction can make ".exe" look like ".mp4".
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        turns || c.is_control() || matches!(c, '/' | '\\')
    };
    let name: String = name.chars().filter(|c| !unsafe_in_names(c)).take(150).collect();
    let name = if name.trim().is_empty() { "film" } else { name.trim() };
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || " ._-()".contains(c) { c } else { '_' })
        .collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    let text =
        format!("attachment; filename=\"{plain}.{extension}\"; filename*=UTF-8''{encoded}.{extension}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_download_is_named_safely() {
        let text = attachment("Über \"uns\"\r\n/..; x", "mp4");
        assert_eq!(
            text.to_str().unwrap(),
            "attachment; filename=\"_ber _uns_.._ x.mp4\"; filename*=UTF-8''%C3%9Cber%20%22uns%22..%3B%20x.mp4"
        );
        let text = attachment("gpj.\u{202e}film", "mp4");
        assert!(text.to_str().unwrap().contains("''gpj.film.mp4"), "{text:?}");
        assert!(attachment(" \u{200f}/", "mp4").to_str().unwrap().contains("\"film.mp4\""));
    }
}
