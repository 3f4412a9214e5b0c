//! Reading `renderParams` as they come back, edited or not.

use serde_json::Value;

use super::emit::AUTO;
use super::read_scene::{Around, Returned, read_scene};
use crate::media_address::read_media;
use crate::model::{Background, Canvas, Logo, Music, MusicSource, Scene, Storyboard};
use crate::options::{Limits, Options};
use crate::problem::{Problem, Warning};
use crate::wire::fields::{
    file_name, read_canvas, read_connection, read_description, read_language, read_logo, read_webhook,
};
use crate::wire::members::{Member, Members};
use crate::wire::report::Report;
use crate::wire::v1::{FPS, check_length};

/// Reads v1 `renderParams` (the body of `POST /v1/video/render`, also with `webhook` and `awsConnectionId`): the
/// storyboard that they mean with its warnings, or every problem at once. Pointers are into this request.
///
/// What [`super::render_params`] wrote, unedited, gives the same storyboard but for pointers and the webhook.
/// Whoever calls this must check [`Storyboard::connections`] against the caller's own.
pub fn parse_render_params(
    value: &Value,
    options: &Options,
) -> Result<(Storyboard, Vec<Warning>), Vec<Problem>> {
    let report = Report::default();
    let storyboard = Members::new(&report, String::new(), value).and_then(|members| read(members, options));
    report.finish(storyboard)
}

fn read(members: Members<'_>, options: &Options) -> Option<Storyboard> {
    let limits = &options.limits;
    let webhook = read_webhook(&members, options);
    let connection = read_connection(&members);
    let output = members.take(&["output"]).and_then(|member| member.object());
    let (name, description, canvas) = match output {
        Some(output) => read_output(output, limits),
        None => (Some(default_name()), String::new(), Some(Canvas { width: 1920, height: 1080 })),
    };
    let music =
        members.take(&["audio"]).and_then(|member| read_audio(&member, connection.as_deref(), options));
    let own = members.take(&["storyreel"]);
    let whole = own.is_some();
    let (language, fps, logo) =
        own.map_or((None, None, None), |member| read_own(&member, connection.as_deref(), options));
    let language = language.unwrap_or_else(|| "en".to_owned());
    let around = Around {
        connection: connection.as_deref(),
        language: &language,
        canvas: canvas.unwrap_or(Canvas { width: 1920, height: 1080 }),
        options,
    };
    let scenes = read_scenes(&members, whole, &around);
    members.ignore(&["next_generation_video", "containsTextToImage"]);
    members.finish();
    Some(Storyboard {
        name: name?,
        description,
        language,
        canvas: canvas?,
        fps: fps.unwrap_or(FPS),
        music,
        logo,
        scenes: scenes?,
        webhook,
    })
}

fn default_name() -> String {
    "film".to_owned()
}

fn read_output(output: Members<'_>, limits: &Limits) -> (Option<String>, String, Option<Canvas>) {
    let canvas = read_canvas(&output, ["width", "height"], limits);
    let description = read_description(&output, &["description"], limits);
    let name = output.take(&["name"]);
    let title = output.take(&["title"]);
    let name = match name.as_ref().or(title.as_ref()) {
        None => Some(default_name()),
        Some(member) => read_file_name(member, limits),
    };
    if let Some(member) = output.take(&["format"])
        && !member.value.as_str().is_some_and(|format| format.eq_ignore_ascii_case("mp4"))
    {
        member.warn("NOT_SUPPORTED_YET", "Films are MP4 only.");
    }
    output.finish();
    (name, description, canvas)
}

/// A file's name without its ending.
fn read_file_name(member: &Member<'_>, limits: &Limits) -> Option<String> {
    let text = member.text(limits.name_characters * 4)?.trim();
    let stem = match text.len().checked_sub(4) {
        Some(at) if text.get(at..).is_some_and(|end| end.eq_ignore_ascii_case(".mp4")) => {
            text.get(..at).unwrap_or(text)
        }
        _ => text,
    };
    let name = file_name(stem, limits.name_characters);
    if name.is_empty() {
        member.problem(
            "INVALID_VALUE",
            "The film's name cannot be a file's.",
            "Give the film a name in `output.name`.",
        );
        return None;
    }
    Some(name)
}

fn read_audio(member: &Member<'_>, connection: Option<&str>, options: &Options) -> Option<Music> {
    let audio = member.object()?;
    let own = read_connection(&audio);
    let volume = audio.take(&["track_volume"]).and_then(|member| member.number(0.0..=1.0, ""));
    let track = audio.take(&["src"]);
    let track = track.and_then(|member| read_media(&member, own.as_deref().or(connection), options));
    let auto = audio.take(&["audio_id"]).is_some_and(|member| member.value.as_str() == Some(AUTO));
    audio.not_yet(&["tts"], "there is no voice yet, and a narration cannot be given.");
    if let Some(member) = audio.take(&["video_volume"])
        && member.number(0.0..=10.0, "").is_some_and(|volume| (volume - 1.0).abs() > 0.0005)
    {
        member.warn("NOT_SUPPORTED_YET", "The sound of backgrounds is heard as it is, or muted.");
    }
    audio.ignore(&["audio_library"]);
    audio.finish();
    let source = match track {
        Some(media) => MusicSource::Media(media),
        None if auto => MusicSource::Auto,
        None => return None,
    };
    Some(Music { source, volume: volume.unwrap_or(0.1) })
}

/// The film's own `storyreel`: language, frame rate, logo.
fn read_own(
    member: &Member<'_>,
    connection: Option<&str>,
    options: &Options,
) -> (Option<String>, Option<u32>, Option<Logo>) {
    let Some(own) = member.object() else { return (None, None, None) };
    let language = own.take(&["language"]).and_then(|member| read_language(&member));
    let fps = own
        .take(&["fps"])
        .and_then(|member| member.number(1.0..=120.0, " frames a second"))
        .map(|fps| fps as u32);
    let logo = read_logo(&own, connection, options);
    own.ignore(&["version"]);
    own.finish();
    (language, fps, logo)
}

fn read_scenes(members: &Members<'_>, whole: bool, around: &Around<'_>) -> Option<Vec<Scene>> {
    let limits = &around.options.limits;
    let Some(member) = members.take(&["scenes"]) else {
        let problem = Problem::author("/scenes", "REQUIRED", "`scenes` is missing.");
        members
            .report
            .problem(problem.fix("Send the renderParams of the storyboard job, edited as you like."));
        return None;
    };
    let list = member.list()?;
    if list.is_empty() || list.len() > limits.scenes {
        let code = if list.is_empty() { "NO_SCENES" } else { "TOO_MANY_SCENES" };
        let message = format!("There are {} scenes; 1 to {} are allowed.", list.len(), limits.scenes);
        member.problem(code, message, "Send the renderParams of the storyboard job, edited as you like.");
        return None;
    }
    let mut returned = Vec::with_capacity(list.len());
    let mut characters = 0;
    for (index, value) in list.iter().enumerate() {
        let reader = Members::new(members.report, format!("/scenes/{index}"), value);
        returned.extend(reader.and_then(|reader| read_scene(value, reader, around, &mut characters)));
    }
    // Carried texts and captions both count, so that twice the limit is still what a storyboard may hold.
    if characters > limits.characters * 2 {
        member.problem(
            "TEXT_TOO_LONG",
            format!("The texts have {characters} characters in all; {} are allowed.", limits.characters * 2),
            "Make several films of it.",
        );
        return None;
    }
    if returned.len() < list.len() {
        return None;
    }
    say_what_is_missing(members.report, &returned, whole);
    let scenes = regroup(returned);
    check_length(&member, &scenes, limits);
    Some(scenes)
}

fn say_what_is_missing(report: &Report, returned: &[Returned], whole: bool) {
    let missing: Vec<String> = returned
        .iter()
        .enumerate()
        .filter(|(_, one)| !one.whole)
        .map(|(index, _)| (index + 1).to_string())
        .collect();
    if !missing.is_empty() {
        let many = missing.len();
        let list = missing.into_iter().take(20).collect::<Vec<_>>().join(", ");
        let message = format!(
            "{many} scenes ({list}) came back without `storyreel`; their visible fields and defaults apply."
        );
        report.warn(Warning::at("/scenes", "STORYREEL_MISSING", message));
    }
    if !whole {
        let message =
            "`storyreel` of the film is missing: its language is taken as English and it has no logo.";
        report.warn(Warning::new("STORYREEL_MISSING", message));
    }
    for (index, one) in returned.iter().enumerate() {
        if one.scene.background == Background::Generated {
            let message =
                "The scene has no background of its own; it gets a calm picture made by the program.";
            report.warn(Warning::at(format!("/scenes/{index}"), "BACKGROUND_GENERATED", message));
        }
    }
}

/// Numbers the scenes' items. Where every split text is whole and in order, they stay as they were; else each item
/// that is whole keeps its parts, and the rest stand alone at the length that the client saw.
fn regroup(returned: Vec<Returned>) -> Vec<Scene> {
    let mut scenes = Vec::with_capacity(returned.len());
    let mut item = 0;
    let mut rest = returned.into_iter().peekable();
    while let Some(first) = rest.next() {
        let mut group = vec![first];
        let (number, parts) = (group[0].scene.item, group[0].scene.parts);
        let whole = group[0].whole && group[0].scene.part == 0;
        while whole
            && group.len() < parts
            && let Some(next) = rest.next_if(|next| {
                next.whole
                    && next.scene.item == number
                    && next.scene.part == group.len()
                    && next.scene.parts == parts
            })
        {
            group.push(next);
        }
        if whole && group.len() == parts {
            scenes.extend(group.into_iter().map(|one| Scene { item, ..one.scene }));
            item += 1;
            continue;
        }
        for one in group {
            let exact_duration = one.scene.exact_duration.or(one.seconds);
            scenes.push(Scene {
                item,
                part: 0,
                parts: 1,
                minimum_duration: None,
                exact_duration,
                ..one.scene
            });
            item += 1;
        }
    }
    scenes
}
