//! The member `storyreel`: what Pictory's shape cannot hold of a scene.
//!
//! It comes back from the client, so it is checked like a storyboard before anything in it counts.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::markup::Marked;
use crate::model::{BackgroundKind, Caption, Rgba, Segment, TextStyle};
use crate::options::Limits;
use crate::wire::members::Member;
use crate::wire::style::{FAMILY_CHARACTERS, SIZES};

/// Version of this member's shape.
pub(crate) const VERSION: u32 = 1;

/// A scene's part that has no visible field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Carried {
    pub(crate) version: u32,
    pub(crate) item: usize,
    pub(crate) part: usize,
    pub(crate) parts: usize,
    pub(crate) text: String,
    pub(crate) caption: Option<Caption>,
    pub(crate) voice_over: bool,
    pub(crate) minimum_duration: Option<f64>,
    pub(crate) exact_duration: Option<f64>,
    pub(crate) style: TextStyle,
    pub(crate) kind: Option<BackgroundKind>,
    pub(crate) segments: Vec<Segment>,
    /// The colour of a colour background; `None` for media and for a picture made by the program.
    pub(crate) colour: Option<Rgba>,
    /// The visible fields as they were shown.
    pub(crate) shown: Map<String, Value>,
}

/// Reads and checks the member; `None` where it is unusable, which is a problem, or of another version, a warning.
pub(crate) fn read_carried(member: &Member<'_>, limits: &Limits) -> Option<Carried> {
    let version = member.value.get("version").and_then(Value::as_u64);
    if version.is_some() && version != Some(u64::from(VERSION)) {
        member.warn(
            "STORYREEL_VERSION",
            "`storyreel` is of another version; the visible fields and defaults apply.",
        );
        return None;
    }
    let carried = serde_json::from_value::<Carried>(member.value.clone())
        .ok()
        .and_then(|carried| checked(carried, limits));
    if carried.is_none() {
        member.problem(
            "STORYREEL_INVALID",
            "`storyreel` is not as the server wrote it.",
            "Send it back as it came, or leave it out; edit the visible fields only.",
        );
    }
    carried
}

/// The member with its texts tidied, if everything in it could have come from a storyboard.
fn checked(mut carried: Carried, limits: &Limits) -> Option<Carried> {
    let duration = |seconds: Option<f64>| {
        seconds.is_none_or(|seconds| seconds.is_finite() && seconds > 0.0 && seconds <= limits.scene_seconds)
    };
    let longest = limits.film_seconds * 10.0;
    let segment =
        |segment: &Segment| segment.start >= 0.0 && segment.start < segment.end && segment.end <= longest;
    let style = &carried.style;
    let family = style.family.trim();
    let sane = carried.parts >= 1
        && carried.parts <= limits.scenes
        && carried.part < carried.parts
        && carried.item < limits.scenes
        && duration(carried.minimum_duration)
        && duration(carried.exact_duration)
        && carried.segments.len() <= limits.segments
        && carried.segments.iter().all(segment)
        && SIZES.contains(&style.size)
        && style.weight.is_multiple_of(100)
        && (100..=900).contains(&style.weight)
        && !family.is_empty()
        && family.chars().count() <= FAMILY_CHARACTERS
        && !family.chars().any(char::is_control)
        && carried.caption.as_ref().is_none_or(|caption| is_language(&caption.language));
    if !sane {
        return None;
    }
    carried.text = Marked::literal(&carried.text).plain();
    if let Some(mut caption) = carried.caption.take() {
        caption.runs = Marked::from_runs(&caption.runs).runs();
        carried.caption = (!caption.runs.is_empty()).then_some(caption);
    }
    Some(carried)
}

fn is_language(tag: &str) -> bool {
    (2..=3).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_lowercase())
}
