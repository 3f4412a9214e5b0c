//! `POST /v1/video/storyboard`: the request as a whole.

use serde_json::Value;

use super::fields::{
    read_canvas, read_connection, read_description, read_language, read_logo, read_music, read_name,
    read_webhook,
};
use super::json;
use super::members::{Member, Members};
use super::report::Report;
use super::style::read_style;
use super::v1_scene::{SceneContext, read_scene};
use crate::model::{Music, Scene, Storyboard, TextStyle};
use crate::options::{Limits, Options};
use crate::problem::{Problem, Warning};

/// Frames per second of every film, until a wire format asks otherwise.
pub(crate) const FPS: u32 = 30;

/// Reads a v1 storyboard from JSON text: the storyboard with its warnings, or every problem at once.
///
/// Malformed JSON is one problem, `MALFORMED_JSON`, that names line and column.
pub fn parse(json: &[u8], options: &Options) -> Result<(Storyboard, Vec<Warning>), Vec<Problem>> {
    let document = json::read(json)?;
    let report = Report::default();
    document.duplicates.into_iter().for_each(|pointer| report.warn(json::duplicate(pointer)));
    read(&document.value, report, options)
}

/// Reads a v1 storyboard from a JSON value; like [`parse`].
pub fn parse_value(value: &Value, options: &Options) -> Result<(Storyboard, Vec<Warning>), Vec<Problem>> {
    read(value, Report::default(), options)
}

fn read(
    value: &Value,
    report: Report,
    options: &Options,
) -> Result<(Storyboard, Vec<Warning>), Vec<Problem>> {
    let storyboard =
        Members::new(&report, String::new(), value).and_then(|members| read_storyboard(members, options));
    report.finish(storyboard)
}

fn read_storyboard(members: Members<'_>, options: &Options) -> Option<Storyboard> {
    let limits = &options.limits;
    let name = read_name(&members, &["videoName"], limits);
    let description = read_description(&members, &["videoDescription"], limits);
    let language = members
        .take(&["language"])
        .and_then(|member| read_language(&member))
        .unwrap_or_else(|| "en".to_owned());
    let webhook = read_webhook(&members, options);
    let connection = read_connection(&members);
    let canvas = read_canvas(&members, ["videoWidth", "videoHeight"], limits);
    let logo = read_logo(&members, connection.as_deref(), options);
    let music =
        members.take(&["audio"]).and_then(|member| read_audio(&member, connection.as_deref(), options));
    let style = match members.take(&["textStyles", "textStyle"]).and_then(|member| member.object()) {
        Some(styles) => {
            let style = read_style(&styles, &TextStyle::default());
            styles.finish();
            style
        }
        None => TextStyle::default(),
    };
    let context =
        SceneContext { connection: connection.as_deref(), language: &language, style: &style, options };
    let scenes = read_scenes(&members, &context);
    take_unsupported(&members);
    members.finish();
    Some(Storyboard {
        name: name?,
        description,
        language,
        canvas: canvas?,
        fps: FPS,
        music,
        logo,
        scenes: scenes?,
        webhook,
    })
}

fn read_audio(member: &Member<'_>, connection: Option<&str>, options: &Options) -> Option<Music> {
    let audio = member.object()?;
    let music = read_music(&audio, connection, options);
    audio.not_yet(
        &[
            "aiVoiceOver",
            "aiVoiceOvers",
            "voiceOverUri",
            "voiceOverSegments",
            "voiceOverSegment",
            "autoSyncVoiceOver",
        ],
        "there is no voice yet; scenes are timed as if someone read them.",
    );
    audio.finish();
    music
}

fn take_unsupported(members: &Members<'_>) {
    members.not_yet(&["autoHighlightKeywords"], "keywords are those marked with <strong>.");
    members.not_yet(
        &["voiceOver", "splitTextOnNewLine", "splitTextOnPeriod"],
        "give it in each scene; here it has no effect.",
    );
    members.not_yet(
        &["aiVoiceOver", "aiVoiceOvers", "voiceOverUri"],
        "there is no voice yet; voice settings belong in `audio`.",
    );
    members.not_yet(&["brandId", "brandName", "brand"], "give `textStyles` and `brandLogo` instead.");
    members.not_yet(
        &["templateId", "variables", "smartLayoutId", "smartLayoutName"],
        "the film is made from `scenes` alone.",
    );
    members.not_yet(&["saveProject", "projectMetadata"], "no project is kept; the job keeps its storyboard.");
    members.not_yet(&["vimeoConnectionId", "destinations"], "the film is offered for download only.");
    members.not_yet(&["webhookInput"], "the webhook is called without it.");
    members.not_yet(&["aspectRatio"], "give `videoWidth` and `videoHeight`.");
    members.not_yet(&["backgroundMusic"], "it belongs to v2; v1 has `audio`.");
    members.not_yet(&["logo"], "it belongs to v2; v1 has `brandLogo`.");
    members.not_yet(&["subtitleStyle"], "it belongs to v2; v1 has `textStyles`.");
}

fn read_scenes(members: &Members<'_>, context: &SceneContext<'_>) -> Option<Vec<Scene>> {
    let limits = &context.options.limits;
    let Some(member) = members.take(&["scenes"]) else {
        let problem = Problem::author("/scenes", "REQUIRED", "`scenes` is missing.");
        members.report.problem(problem.fix("Give at least one scene with a text or a background."));
        return None;
    };
    let items = member.list()?;
    if items.is_empty() {
        member.problem(
            "NO_SCENES",
            "There are no scenes.",
            "Give at least one scene with a text or a background.",
        );
        return None;
    }
    if items.len() > limits.scenes {
        too_many(&member, items.len(), limits);
        return None;
    }
    let mut scenes = Vec::with_capacity(items.len());
    let mut characters = 0;
    let mut complete = true;
    for (index, item) in items.iter().enumerate() {
        let pointer = format!("/scenes/{index}");
        let Some(reader) = Members::new(members.report, pointer, item) else {
            complete = false;
            continue;
        };
        match read_scene(reader, index, context, &mut characters) {
            Some(parts) => scenes.extend(parts),
            None => complete = false,
        }
    }
    if characters > limits.characters {
        member.problem(
            "TEXT_TOO_LONG",
            format!("The texts have {characters} characters in all; {} are allowed.", limits.characters),
            "Make several films of it.",
        );
        return None;
    }
    if scenes.len() > limits.scenes {
        too_many(&member, scenes.len(), limits);
        return None;
    }
    check_length(&member, &scenes, limits);
    complete.then_some(scenes)
}

fn too_many(member: &Member<'_>, count: usize, limits: &Limits) {
    member.problem(
        "TOO_MANY_SCENES",
        format!("There are {count} scenes; at most {} are allowed.", limits.scenes),
        "Make several films of it.",
    );
}

/// Refuses at once what can only become too long; the plan checks the true length.
pub(crate) fn check_length(member: &Member<'_>, scenes: &[Scene], limits: &Limits) {
    let least: f64 = scenes
        .iter()
        .filter_map(|scene| match scene.exact_duration {
            Some(exact) => Some(exact),
            None => scene.minimum_duration.filter(|_| scene.part == 0),
        })
        .sum();
    if least > limits.film_seconds {
        member.problem(
            "FILM_TOO_LONG",
            format!(
                "The scenes ask for {least:.0} seconds at least; {:.0} are allowed.",
                limits.film_seconds
            ),
            "Make several films of it.",
        );
    }
}
