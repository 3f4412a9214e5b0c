//! Writing `renderParams`.

use serde_json::{Map, Value, json};

use super::carried::{Carried, VERSION};
use super::shown::shown;
use super::{PageView, SceneView};
use crate::media_address::address_text;
use crate::model::{
    Background, BackgroundKind, Canvas, Fit, Horizontal, MusicSource, Rgba, Scene, Storyboard, TextStyle,
    Vertical,
};
use crate::wire::colour::render_params_colour;

/// What `audio_id` says where the server chooses or makes the music.
pub(crate) const AUTO: &str = "auto";
/// The colour shown for a background that the program makes.
const GENERATED: Rgba = Rgba::new(28, 34, 48, 255);

/// The v1 `renderParams` of a storyboard. `views` holds a view for each scene, in order; where one is missing the
/// scene is shown without time and text lines.
pub fn render_params(storyboard: &Storyboard, views: &[SceneView]) -> Value {
    let last = storyboard.scenes.len().saturating_sub(1);
    let nothing = SceneView { seconds: 0.0, pages: Vec::new() };
    let scenes: Vec<Value> = storyboard
        .scenes
        .iter()
        .enumerate()
        .map(|(index, scene)| {
            scene_value(scene, views.get(index).unwrap_or(&nothing), storyboard, index, index == last)
        })
        .collect();
    let mut params = json!({
        "audio": audio(storyboard),
        "output": {
            "name": format!("{}.mp4", storyboard.name),
            "description": storyboard.description,
            "format": "mp4",
            "title": storyboard.name,
            "width": storyboard.canvas.width,
            "height": storyboard.canvas.height,
        },
        "scenes": scenes,
        "next_generation_video": true,
        "containsTextToImage": true,
        "storyreel": { "version": VERSION, "language": storyboard.language, "fps": storyboard.fps },
    });
    // So that an edited scene may name an object in S3 although it did not before.
    if let Some(connection) = storyboard.media().iter().find_map(|(media, _)| media.connection.as_ref()) {
        params["awsConnectionId"] = json!(connection);
    }
    if let Some(logo) = &storyboard.logo {
        params["storyreel"]["brandLogo"] = json!({
            "url": address_text(&logo.media.address),
            "awsConnectionId": logo.media.connection,
            "verticalAlignment": logo.vertical,
            "horizontalAlignment": logo.horizontal,
        });
    }
    params
}

fn audio(storyboard: &Storyboard) -> Value {
    let (id, source, connection) = match storyboard.music.as_ref().map(|music| &music.source) {
        None => (None, None, None),
        Some(MusicSource::Auto) => (Some(AUTO), None, None),
        Some(MusicSource::Media(media)) => {
            (Some("track"), Some(address_text(&media.address)), media.connection.clone())
        }
    };
    json!({
        "video_volume": 1,
        "audio_id": id,
        "audio_library": "track",
        "src": source,
        "awsConnectionId": connection,
        "track_volume": storyboard.music.as_ref().map_or(0.0, |music| music.volume),
        "tts": null,
    })
}

fn scene_value(scene: &Scene, view: &SceneView, storyboard: &Storyboard, index: usize, last: bool) -> Value {
    let colour = match scene.background {
        Background::Colour(colour) => colour,
        Background::Generated => GENERATED,
        Background::Media(_) => Rgba::new(0, 0, 0, 255),
    };
    let subtitles: Vec<Value> =
        view.pages.iter().map(|page| json!({"text": joined(&page.lines), "time": page.seconds})).collect();
    let mut value = json!({
        "background": {
            "src": source(&scene.background),
            "color": render_params_colour(colour),
            "bg_animation": {"animation": "none"},
        },
        "time": view.seconds,
        "keywords": keywords(scene),
        "music": storyboard.music.is_some(),
        "tts": scene.voice_over,
        "subtitle": scene.caption.is_some() || scene.text.is_empty(),
        "subtitles": subtitles,
        "sub_scenes": pages(scene, view, storyboard.canvas, index),
    });
    if last {
        value["music-fade-out"] = Value::Bool(true);
    }
    if let Background::Media(background) = &scene.background
        && let Some(connection) = &background.media.connection
    {
        value["awsConnectionId"] = json!(connection);
    }
    let shown = shown(&value);
    value["storyreel"] = serde_json::to_value(carried(scene, shown)).unwrap_or(Value::Null);
    value
}

fn carried(scene: &Scene, shown: Map<String, Value>) -> Carried {
    let (kind, segments, colour) = match &scene.background {
        Background::Media(background) => (background.kind, background.segments.clone(), None),
        Background::Colour(colour) => (None, Vec::new(), Some(*colour)),
        Background::Generated => (None, Vec::new(), None),
    };
    Carried {
        version: VERSION,
        item: scene.item,
        part: scene.part,
        parts: scene.parts,
        text: scene.text.clone(),
        caption: scene.caption.clone(),
        voice_over: scene.voice_over,
        minimum_duration: scene.minimum_duration,
        exact_duration: scene.exact_duration,
        style: scene.style.clone(),
        kind,
        segments,
        colour,
        shown,
    }
}

fn source(background: &Background) -> Value {
    let Background::Media(background) = background else { return json!([]) };
    let kind = match background.kind {
        Some(BackgroundKind::Image) => Some("image"),
        Some(BackgroundKind::Video) => Some("video"),
        None => None,
    };
    json!([{
        "url": address_text(&background.media.address),
        "asset_id": null,
        "type": kind,
        "library": null,
        "mode": if background.fit == Fit::Cover { "crop" } else { "fit" },
        "frame": null,
        "loop_video": background.looped,
        "mute": background.mute,
        "resource_id": null,
        "sessionId": null,
    }])
}

/// Every keyword once, in order.
fn keywords(scene: &Scene) -> Vec<String> {
    let mut keywords: Vec<String> = Vec::new();
    let runs = scene.caption.iter().flat_map(|caption| &caption.runs);
    for run in runs.filter(|run| run.keyword) {
        let keyword = run.text.trim();
        if !keyword.is_empty() && !keywords.iter().any(|known| known == keyword) {
            keywords.push(keyword.to_owned());
        }
    }
    keywords
}

/// The caption pages; a scene without any has one empty page, to be filled in.
fn pages(scene: &Scene, view: &SceneView, canvas: Canvas, index: usize) -> Value {
    let empty = PageView { lines: Vec::new(), seconds: view.seconds };
    let pages = if view.pages.is_empty() { std::slice::from_ref(&empty) } else { view.pages.as_slice() };
    let pages = pages.iter().map(|page| {
        let lines = page
            .lines
            .iter()
            .map(|text| json!({"text": text, "text_animation": [], "text_bg_animation": []}));
        json!({
            "time": page.seconds,
            "location": location(&scene.style, canvas),
            "displayItems": [],
            "text_lines": lines.collect::<Vec<_>>(),
            "subtitle": joined(&page.lines),
            "showSceneNumber": format!("Scene {}", index + 1),
            "font": font(&scene.style),
        })
    });
    pages.collect()
}

fn joined(lines: &[String]) -> String {
    let mut text = String::new();
    for line in lines {
        text.push_str(crate::script::joint(&text, line));
        text.push_str(line);
    }
    text
}

/// Where a caption stands, as a point that lies in its third of the canvas.
pub(crate) fn location(style: &TextStyle, canvas: Canvas) -> Value {
    let x = match style.horizontal {
        Horizontal::Left => canvas.width / 20,
        Horizontal::Center => canvas.width / 2,
        Horizontal::Right => canvas.width * 19 / 20,
    };
    let y = match style.vertical {
        Vertical::Top => canvas.height / 10,
        Vertical::Center => canvas.height / 2,
        Vertical::Bottom => canvas.height * 17 / 20,
    };
    json!({"start_x": x, "start_y": y})
}

/// A style as Pictory's font object.
pub(crate) fn font(style: &TextStyle) -> Value {
    let mut decoration = Vec::new();
    for (on, name) in
        [(style.weight >= 600, "bold"), (style.italic, "italics"), (style.underline, "underline")]
    {
        if on {
            decoration.push(name);
        }
    }
    json!({
        "name": format!("{}.ttf", style.family),
        "size": style.size,
        "line_spacing": 0,
        "color": render_params_colour(style.colour),
        "backcolor": render_params_colour(style.background),
        "keycolor": render_params_colour(style.keyword),
        "textShadowColor": null,
        "textShadowWidthFr": null,
        "line_height": null,
        "case": null,
        "decoration": decoration,
        "fullWidth": false,
    })
}
