//! The visible fields of a `renderParams` scene that can be edited, taken out of its JSON.
//!
//! The same function takes them when the scene is written and when it comes back, so that comparing the two tells
//! what was edited.

use serde_json::{Map, Value, json};

/// The editable fields of a scene, flat; absent ones are `null`.
pub(crate) fn shown(scene: &Value) -> Map<String, Value> {
    let at = |pointer: &str| scene.pointer(pointer).cloned().unwrap_or(Value::Null);
    let empty = Vec::new();
    let pages = scene.get("sub_scenes").and_then(Value::as_array).unwrap_or(&empty);
    let lines: Vec<Value> = pages
        .iter()
        .map(|page| {
            let lines = page.get("text_lines").and_then(Value::as_array).unwrap_or(&empty);
            lines.iter().map(|line| line.get("text").cloned().unwrap_or(Value::Null)).collect()
        })
        .collect();
    let texts: Vec<Value> =
        pages.iter().map(|page| page.get("subtitle").cloned().unwrap_or(Value::Null)).collect();
    let times: Vec<Value> =
        pages.iter().map(|page| page.get("time").cloned().unwrap_or(Value::Null)).collect();
    let fields = json!({
        "url": at("/background/src/0/url"),
        "type": at("/background/src/0/type"),
        "mode": at("/background/src/0/mode"),
        "loop": at("/background/src/0/loop_video"),
        "mute": at("/background/src/0/mute"),
        "color": at("/background/color"),
        "location": at("/sub_scenes/0/location"),
        "time": at("/time"),
        "keywords": at("/keywords"),
        "subtitle": at("/subtitle"),
        "tts": at("/tts"),
        "lines": lines,
        "pageTimes": times,
        "pageTexts": texts,
        "subtitles": at("/subtitles"),
        "animation": at("/background/bg_animation/animation"),
        "music": at("/music"),
    });
    match fields {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Whether two values mean the same: `null` is an absent value, numbers may be texts and differ by rounding.
pub(crate) fn alike(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| alike(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, value)| right.get(name).is_some_and(|other| alike(value, other)))
        }
        _ if left == right => true,
        _ => match (number(left), number(right)) {
            // Half a millisecond, far less than a frame.
            (Some(left), Some(right)) => (left - right).abs() < 0.0005,
            _ => false,
        },
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) if text.len() <= 40 => text.trim().parse().ok(),
        _ => None,
    }
}
