//! One item of a v1 storyboard's `scenes`, which becomes one scene or, where its text is split, several.

use super::fields::{read_connection, read_language};
use super::members::{Member, Members};
use super::style::{read_colour, read_style};
use crate::markup::Marked;
use crate::media_address::read_media;
use crate::model::{Background, BackgroundKind, Caption, Fit, MediaBackground, Scene, Segment, TextStyle};
use crate::options::Options;
use crate::problem::{Problem, Warning};
use crate::split::split;

/// What a scene takes from the request around it.
pub(crate) struct SceneContext<'a> {
    pub(crate) connection: Option<&'a str>,
    pub(crate) language: &'a str,
    pub(crate) style: &'a TextStyle,
    pub(crate) options: &'a Options,
}

/// Reads one item; `characters` counts the texts of the whole request.
pub(crate) fn read_scene(
    members: Members<'_>,
    item: usize,
    context: &SceneContext<'_>,
    characters: &mut usize,
) -> Option<Vec<Scene>> {
    let limits = &context.options.limits;
    let text_member = members.take(&["text"]);
    let text = text_member.as_ref().and_then(|member| read_text(member, characters));
    let caption_member = members.take(&["caption"]);
    let caption = caption_member.as_ref().and_then(|member| read_text(member, characters));
    let caption_language = members.take(&["captionLanguage"]).and_then(|member| read_language(&member));
    let shown = members.take(&["subtitles", "subtitle"]).and_then(|member| member.boolean()).unwrap_or(true);
    let on_new_line =
        members.take(&["splitTextOnNewLine"]).and_then(|member| member.boolean()).unwrap_or(false);
    let on_sentence =
        members.take(&["splitTextOnPeriod"]).and_then(|member| member.boolean()).unwrap_or(false);
    let minimum_duration = members
        .take(&["minimumDuration", "minDuration", "minSceneDuration"])
        .and_then(|member| member.number(0.0..=limits.scene_seconds, " seconds"))
        .filter(|seconds| *seconds > 0.0);
    let voice_over = read_voice(&members);
    let style = read_style(&members, context.style);
    let own_connection = read_connection(&members);
    let connection = own_connection.as_deref().or(context.connection);
    let asked = members.take(&["backgroundUri"]);
    let background = read_background(&members, asked.as_ref(), connection, context.options);
    take_unsupported(&members);
    let pointer = members.pointer.clone();
    let report = members.report;
    members.finish();

    // A background that was given and is wrong has its own problem.
    let has_background =
        asked.as_ref().is_some_and(|member| !member.value.as_str().is_some_and(|t| t.trim().is_empty()))
            || matches!(background, Some(Background::Colour(_)));
    if text.is_none() && caption.is_none() && !has_background {
        let wrong_type =
            [text_member, caption_member].iter().flatten().any(|member| !member.value.is_string());
        if !wrong_type {
            let problem =
                Problem::author(pointer, "EMPTY_SCENE", "The scene has neither a text nor a background.");
            report.problem(problem.fix("Give it a `text`, a `backgroundUri` or both."));
        }
        return None;
    }
    let background = match background {
        Some(background) => background,
        None if has_background => return None,
        None => {
            let message = "The scene has no `backgroundUri`; it gets a calm picture made by the program, not stock footage.";
            report.warn(Warning::at(pointer.clone(), "BACKGROUND_GENERATED", message));
            Background::Generated
        }
    };

    let text = text.unwrap_or_default();
    let mut parts = vec![text.clone()];
    if on_new_line || on_sentence {
        if caption.is_some() {
            let message = "A scene with its own `caption` is not split: nothing says which part of it belongs to which text.";
            report.warn(Warning::at(pointer, "CAPTION_NOT_SPLIT", message));
        } else if !text.is_empty() {
            let chars: Vec<char> = text.chars().iter().map(|(c, _)| *c).collect();
            parts = split(&chars, on_new_line, on_sentence)
                .into_iter()
                .map(|range| Marked::from_chars(&text.chars()[range]))
                .collect();
        }
    }
    let language = caption_language.unwrap_or_else(|| context.language.to_owned());
    let count = parts.len();
    let scenes = parts.into_iter().enumerate().map(|(part, text)| {
        let runs = caption.as_ref().unwrap_or(&text).runs();
        Scene {
            item,
            part,
            parts: count,
            text: text.plain(),
            caption: (shown && !runs.is_empty()).then(|| Caption { runs, language: language.clone() }),
            voice_over: voice_over && !text.is_empty(),
            background: background.clone(),
            minimum_duration,
            exact_duration: None,
            style: style.clone(),
        }
    });
    Some(scenes.collect())
}

/// A text with markup; blank counts as absent.
fn read_text(member: &Member<'_>, characters: &mut usize) -> Option<Marked> {
    let text = member.text(usize::MAX - 1)?;
    *characters += text.chars().count();
    let marked = Marked::parse(text);
    (!marked.is_empty()).then_some(marked)
}

fn read_voice(members: &Members<'_>) -> bool {
    let Some(member) = members.take(&["voiceOver"]) else { return false };
    let voice = member.boolean().unwrap_or(false);
    if voice {
        member.warn(
            "VOICE_NOT_AVAILABLE",
            "There is no voice yet; the scene is as long as reading it aloud takes, in silence.",
        );
    }
    voice
}

/// The background; `None` where none is asked for, and where what is asked for has a problem.
fn read_background(
    members: &Members<'_>,
    asked: Option<&Member<'_>>,
    connection: Option<&str>,
    options: &Options,
) -> Option<Background> {
    let kind = members.take(&["backgroundType"]).and_then(|member| {
        member.choice(&[("video", BackgroundKind::Video), ("image", BackgroundKind::Image)])
    });
    let looped = members.take(&["loopBackgroundVideo"]).and_then(|member| member.boolean()).unwrap_or(true);
    let mute = members.take(&["muteBackgroundVideo"]).and_then(|member| member.boolean()).unwrap_or(true);
    let segments = members.take(&["backgroundVideoSegments", "backgroundVideoSegment"]);
    let segments = segments.and_then(|member| read_segments(&member, options)).unwrap_or_default();
    let colour = members.take(&["backgroundColor"]).and_then(|member| read_colour(&member));
    if let Some(member) = asked
        && !member.value.as_str().is_some_and(|text| text.trim().is_empty())
    {
        let media = read_media(member, connection, options)?;
        if kind == Some(BackgroundKind::Image) && !segments.is_empty() {
            member.warn("SEGMENTS_IGNORED", "`backgroundVideoSegments` has no effect on an image.");
        }
        let segments = if kind == Some(BackgroundKind::Image) { Vec::new() } else { segments };
        return Some(Background::Media(MediaBackground {
            media,
            kind,
            looped,
            mute,
            fit: Fit::Cover,
            segments,
        }));
    }
    colour.map(Background::Colour)
}

/// A list of `{start, end}` in seconds, or one such object.
pub(crate) fn read_segments(member: &Member<'_>, options: &Options) -> Option<Vec<Segment>> {
    let single = std::slice::from_ref(member.value);
    let (items, listed) = if member.value.is_object() { (single, false) } else { (member.list()?, true) };
    if items.len() > options.limits.segments {
        member.problem(
            "TOO_MANY_SEGMENTS",
            format!("There are {} segments; at most {} are allowed.", items.len(), options.limits.segments),
            "Use fewer parts, or several scenes.",
        );
        return None;
    }
    let longest = options.limits.film_seconds * 10.0;
    let mut segments = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let pointer = if listed { format!("{}/{index}", member.pointer) } else { member.pointer.clone() };
        let Some(segment) = Members::new(member.report, pointer.clone(), item) else { continue };
        let missing = |name: &str| {
            let problem = Problem::author(
                format!("{pointer}/{name}"),
                "REQUIRED",
                format!("A segment needs `{name}`."),
            );
            member.report.problem(problem.fix("Give `start` and `end` in seconds."));
        };
        let start = segment.take(&["start"]).and_then(|member| member.number(0.0..=longest, " seconds"));
        let end_member = segment.take(&["end"]);
        if end_member.is_none() {
            missing("end");
        }
        let end = end_member.as_ref().and_then(|member| member.number(0.0..=longest, " seconds"));
        let start_given = start.is_some() || item.get("start").is_none_or(serde_json::Value::is_null);
        segment.finish();
        let (Some(end), true) = (end, start_given) else { continue };
        let start = start.unwrap_or(0.0);
        if end <= start {
            let message = format!("The segment ends at {end} and starts at {start}: nothing is left of it.");
            let problem = Problem::author(pointer, "OUT_OF_RANGE", message);
            member.report.problem(problem.fix("`end` must be later than `start`."));
            continue;
        }
        segments.push(Segment { start, end });
    }
    Some(segments)
}

fn take_unsupported(members: &Members<'_>) {
    members.not_yet(
        &["mediaSearchQuery", "imageVideoSearchKeyword"],
        "there is no stock footage; without `backgroundUri` the program makes a picture.",
    );
    members.not_yet(
        &["articleUrl", "article_url", "pptUrl"],
        "nothing is read from it; give the words as `text`.",
    );
    members.not_yet(
        &[
            "aiVoiceOver",
            "aiVoiceOvers",
            "voiceOverUri",
            "voiceOverSegment",
            "voiceOverSegments",
            "autoSyncVoiceOver",
        ],
        "there is no voice yet; the scene is timed as if someone read it.",
    );
    members.not_yet(
        &["backgroundVisualFilter", "assetId", "library"],
        "there is no stock footage to choose from.",
    );
    members.not_yet(
        &["insertBeforeSceneId", "insertAfterSceneId"],
        "there are no templates; scenes come in their order.",
    );
    members.not_yet(&["autoHighlightKeywords"], "keywords are those marked with <strong>.");
    members.not_yet(&["story"], "it belongs to v2; v1 has `text`.");
    members.not_yet(&["background"], "it belongs to v2; v1 has `backgroundUri` and `backgroundType`.");
    members.not_yet(&["sceneTransition", "endPauseDuration"], "scenes follow each other by plain cuts.");
    members.not_yet(&["hideSubtitles"], "it belongs to v2; v1 has `subtitles`.");
}
