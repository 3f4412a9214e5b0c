//! Answers that a client waits for: one frame of a storyboard's film, and what the film would come to.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use pipeline::{Moment, PictureFormat, Report, Spot};
use serde::Deserialize;
use serde_json::{Value, json};
use store::JobId;
use storyboard::Problem;

use crate::auth::Caller;
use crate::errors::ApiError;
use crate::extract::{Words, body};
use crate::looking::{asked, bounded};
use crate::ports::Look;
use crate::state::App;

/// The digest of the frame as the film hands it to its encoder.
const FRAME_DIGEST: HeaderName = HeaderName::from_static("storyreel-frame-digest");
/// The frame's number, from the film's start.
const FRAME: HeaderName = HeaderName::from_static("storyreel-frame");
/// The storyboard's scene that the frame belongs to, counted from 1.
const SCENE: HeaderName = HeaderName::from_static("storyreel-scene");
/// The hash of the plan.
const PLAN_HASH: HeaderName = HeaderName::from_static("storyreel-plan-hash");

#[derive(Deserialize)]
pub(crate) struct Wanted {
    at: Option<String>,
    scene: Option<String>,
    format: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Comparison {
    against: Option<String>,
}

pub(crate) async fn frame(
    State(app): State<Arc<App>>,
    caller: Caller,
    Words(wanted): Words<Wanted>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let bytes = body(bytes)?;
    let mut wrong = Vec::new();
    let moment = moment(&wanted, &mut wrong);
    let format = format(&wanted, &headers, &mut wrong);
    let asked = asked(&app, &caller, &bytes, wrong).await?;
    let (Some(moment), Some(format)) = (moment, format) else {
        return Err(ApiError::body("", "UNREADABLE", "The query cannot be read."));
    };
    let known =
        |spot: &Spot| headers.get_all(IF_NONE_MATCH).iter().any(|tags| names(tags, &tag(spot, format)));
    let look = Look { moment, format, known: &known };
    let (spot, drawn) = bounded(&app, app.studio.look(&asked.storyboard, &asked.context, &look)).await?;
    let digest = drawn.as_ref().and_then(|drawn| drawn.digest);
    let mut answer = match drawn {
        None => StatusCode::NOT_MODIFIED.into_response(),
        Some(drawn) => Bytes::from(drawn.bytes).into_response(),
    };
    let is_drawn = answer.status() == StatusCode::OK;
    let own = answer.headers_mut();
    put(own, ETAG, &tag(&spot, format));
    put(own, CACHE_CONTROL, "private, no-cache");
    put(own, VARY, "accept");
    put(own, FRAME, &spot.frame.to_string());
    put(own, SCENE, &spot.scene.to_string());
    put(own, PLAN_HASH, &spot.plan_hash);
    if is_drawn {
        put(own, CONTENT_TYPE, media_type(format));
        put(own, X_CONTENT_TYPE_OPTIONS, "nosniff");
    }
    if let Some(digest) = digest {
        put(own, FRAME_DIGEST, &digest.to_string());
    }
    Ok(answer)
}

pub(crate) async fn plan(
    State(app): State<Arc<App>>,
    caller: Caller,
    Words(comparison): Words<Comparison>,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, ApiError> {
    let bytes = body(bytes)?;
    let (mut wrong, mut earlier) = (Vec::new(), None);
    if let Some(id) = comparison.against.as_deref().filter(|id| !id.is_empty()) {
        earlier = report_of(&app, &caller, id, &mut wrong).await?;
    }
    let asked = asked(&app, &caller, &bytes, wrong).await?;
    let work = app.studio.outlook(&asked.storyboard, &asked.context, earlier.as_ref());
    let (outlook, more) = bounded(&app, work).await?;
    let mut warnings = asked.warnings;
    warnings.extend(more);
    let mut answer = json!(outlook);
    answer["warnings"] = json!(warnings);
    Ok(Json(answer))
}

/// The report of a film of this caller's.
async fn report_of(
    app: &App,
    caller: &Caller,
    id: &str,
    wrong: &mut Vec<Problem>,
) -> Result<Option<Report>, ApiError> {
    let mut refuse = |code: &str, message: &str| {
        let fix = "Name a completed render job of yours, or leave it out.";
        wrong.push(Problem::author("/against", code, message).fix(fix));
    };
    let job = match app.store.job(&caller.owner, &JobId::from_text(id)).await {
        Ok(job) => job,
        Err(store::Error::NotFound) => {
            refuse("JOB_UNKNOWN", "There is no such job of yours.");
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    let mut result = job.result.unwrap_or_default();
    let report = serde_json::from_value(result["film"]["report"].take()).ok();
    if report.is_none() {
        refuse("NO_REPORT", "This job has no report of a film.");
    }
    Ok(report)
}

/// Which frame; one of the query's `at` and `scene`.
fn moment(wanted: &Wanted, wrong: &mut Vec<Problem>) -> Option<Moment> {
    let (name, message) = match (&wanted.at, &wanted.scene) {
        (Some(at), None) => match at.parse() {
            Ok(second) if second >= 0.0 && f64::is_finite(second) => return Some(Moment::Second(second)),
            _ => ("/at", "at must be seconds from the film's start, such as 2.5."),
        },
        (None, Some(scene)) => match scene.parse() {
            Ok(number) if number > 0 => return Some(Moment::Scene(number)),
            _ => ("/scene", "scene must be a scene's number, counted from 1."),
        },
        (None, None) => ("/at", "Say which frame: ?at=SECONDS, or ?scene=N for a scene's first."),
        (Some(_), Some(_)) => ("/scene", "Say at or scene, not both."),
    };
    wrong.push(Problem::author(name, "INVALID_VALUE", message));
    None
}

/// What the query says, else what the client prefers, else PNG.
fn format(wanted: &Wanted, headers: &HeaderMap, wrong: &mut Vec<Problem>) -> Option<PictureFormat> {
    match wanted.format.as_deref() {
        Some("png") => Some(PictureFormat::Png),
        Some("webp") => Some(PictureFormat::Webp),
        Some(_) => {
            wrong.push(Problem::author("/format", "INVALID_VALUE", "format must be png or webp."));
            None
        }
        None => {
            let accept = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
            let accept = accept.collect::<Vec<_>>().join(",");
            let webp = preference(&accept, "image/webp") > preference(&accept, "image/png");
            Some(if webp { PictureFormat::Webp } else { PictureFormat::Png })
        }
    }
}

/// How much an Accept header wants a type, and whether it names it.
fn preference(accept: &str, media_type: &str) -> (u16, bool) {
    let mut found = (0, false);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let named = name.eq_ignore_ascii_case(media_type);
        if !named && name != "image/*" && name != "*/*" {
            continue;
        }
        let quality = parts.find_map(|part| part.strip_prefix("q=")).and_then(|q| q.parse::<f32>().ok());
        let quality = (quality.unwrap_or(1.0).clamp(0.0, 1.0) * 1000.0) as u16;
        // A type that is named is worth what its own name says.
        if named || !found.1 {
            found = (if named { quality } else { quality.max(found.0) }, named);
        }
    }
    found
}

/// The entity tag of a frame as a file of a format.
fn tag(spot: &Spot, format: PictureFormat) -> String {
    format!("\"{}.{}\"", spot.tag, if format == PictureFormat::Webp { "webp" } else { "png" })
}

/// Whether an If-None-Match header names a tag.
fn names(tags: &HeaderValue, tag: &str) -> bool {
    let Ok(tags) = tags.to_str() else { return false };
    tags.split(',')
        .map(str::trim)
        .any(|named| named == "*" || named.strip_prefix("W/").unwrap_or(named) == tag)
}

fn media_type(format: PictureFormat) -> &'static str {
    match format {
        PictureFormat::Png => "image/png",
        PictureFormat::Webp => "image/webp",
        PictureFormat::Jpeg => "image/jpeg",
    }
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(accept: &str) -> PictureFormat {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, accept.parse().unwrap());
        format(&Wanted { at: None, scene: None, format: None }, &headers, &mut Vec::new()).unwrap()
    }

    #[test]
    fn the_client_gets_what_it_likes_better() {
        assert_eq!(chosen("image/png"), PictureFormat::Png);
        assert_eq!(chosen("image/webp"), PictureFormat::Webp);
        assert_eq!(chosen("*/*"), PictureFormat::Png);
        assert_eq!(chosen("image/avif,image/webp,image/apng,image/*,*/*;q=0.8"), PictureFormat::Webp);
        assert_eq!(chosen("image/webp,image/png"), PictureFormat::Png);
        assert_eq!(chosen("image/webp;q=0.5, image/png;q=0.9"), PictureFormat::Png);
        assert_eq!(chosen("image/webp;q=0, */*"), PictureFormat::Png);
        assert_eq!(chosen("text/html"), PictureFormat::Png);
    }

    #[test]
    fn tags_are_compared_one_by_one() {
        let names = |tags: &str, tag: &str| names(&HeaderValue::from_str(tags).unwrap(), tag);
        assert!(names("\"a\", W/\"b\"", "\"b\""));
        assert!(names("*", "\"b\""));
        assert!(!names("\"ab\"", "\"b\""));
    }
}
