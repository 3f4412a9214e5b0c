//! One scene of `renderParams` as it comes back.

use serde_json::{Map, Value};

use super::carried::{Carried, read_carried};
use super::emit::{font, location};
use super::lines::caption_of;
use super::shown::{alike, shown};
use crate::markup::Marked;
use crate::media_address::read_media;
use crate::model::{
    Background, BackgroundKind, Canvas, Caption, Fit, Horizontal, MediaBackground, Rgba, Scene, TextStyle,
    Vertical,
};
use crate::options::Options;
use crate::problem::Warning;
use crate::wire::fields::read_connection;
use crate::wire::members::{Member, Members};
use crate::wire::style::{FAMILY_CHARACTERS, SIZES, read_colour};

/// Keywords that are looked for in edited lines.
const KEYWORDS: usize = 100;

/// What a scene takes from the request around it.
pub(crate) struct Around<'a> {
    pub(crate) connection: Option<&'a str>,
    pub(crate) language: &'a str,
    pub(crate) canvas: Canvas,
    pub(crate) options: &'a Options,
}

/// A scene with whether its `storyreel` came back.
pub(crate) struct Returned {
    pub(crate) scene: Scene,
    pub(crate) whole: bool,
    /// The length that the client saw, in seconds.
    pub(crate) seconds: Option<f64>,
}

/// What was carried and what was shown, against what came back.
struct Edits<'a> {
    carried: Option<&'a Carried>,
    now: &'a Map<String, Value>,
}

impl Edits<'_> {
    /// Whether a visible field counts: it has a value, and not the one that was shown.
    fn edited(&self, field: &str) -> bool {
        let now = self.now.get(field).unwrap_or(&Value::Null);
        match self.carried {
            Some(carried) => !now.is_null() && !alike(carried.shown.get(field).unwrap_or(&Value::Null), now),
            None => !now.is_null(),
        }
    }

    /// Like [`Edits::edited`], where taking the value away is an edit too.
    fn changed(&self, field: &str) -> bool {
        let now = self.now.get(field).unwrap_or(&Value::Null);
        self.carried.is_none_or(|carried| !alike(carried.shown.get(field).unwrap_or(&Value::Null), now))
    }
}

/// Reads a scene; `characters` counts the texts of the whole request.
pub(crate) fn read_scene(
    value: &Value,
    members: Members<'_>,
    around: &Around<'_>,
    characters: &mut usize,
) -> Option<Returned> {
    let limits = &around.options.limits;
    let storyreel = members.take(&["storyreel"]);
    let carried = storyreel.as_ref().and_then(|member| read_carried(member, limits));
    let now = shown(value);
    let edits = Edits { carried: carried.as_ref(), now: &now };
    let time = members.take(&["time"]);
    // 0.05 s are 2 frames at the grid's rate.
    let seconds = time.as_ref().and_then(|member| member.number(0.05..=limits.scene_seconds, " seconds"));
    let exact_duration =
        if edits.edited("time") { seconds } else { carried.as_ref().and_then(|c| c.exact_duration) };
    let keywords = read_keywords(&members);
    let (lines, style) = read_pages(&members, &edits, around);
    let (text, caption) = read_caption(&members, &edits, &lines, &keywords, around);
    *characters += text.chars().count();
    *characters += caption.iter().flat_map(|c| &c.runs).map(|run| run.text.chars().count()).sum::<usize>();
    let voice = members.take(&["tts"]);
    let asked = voice.as_ref().and_then(Member::boolean);
    let voice_over = if edits.edited("tts") {
        asked.unwrap_or(false)
    } else {
        carried.as_ref().is_some_and(|c| c.voice_over)
    };
    if voice_over && let Some(member) = &voice {
        member.warn(
            "VOICE_NOT_AVAILABLE",
            "There is no voice yet; the scene is as long as reading it aloud takes, in silence.",
        );
    }
    let background = read_background(&members, &edits, around);
    warn_ignored(&members, &edits);
    members.ignore(&["subtitles", "music", "music-fade-out"]);
    members.finish();
    let (item, part, parts) = carried.as_ref().map_or((0, 0, 1), |c| (c.item, c.part, c.parts));
    let scene = Scene {
        item,
        part,
        parts,
        voice_over: voice_over && !text.is_empty(),
        text,
        caption,
        background: background?,
        minimum_duration: carried.as_ref().and_then(|c| c.minimum_duration),
        exact_duration,
        style,
    };
    Some(Returned { scene, whole: carried.is_some(), seconds })
}

/// Says which edits have no effect. Where lines were edited, what follows from them may have been too.
fn warn_ignored(members: &Members<'_>, edits: &Edits<'_>) {
    const FIELDS: &[(&str, &str)] = &[
        ("pageTimes", "sub_scenes"),
        ("pageTexts", "sub_scenes"),
        ("subtitles", "subtitles"),
        ("animation", "background"),
        ("music", "music"),
    ];
    if edits.carried.is_none() || edits.changed("lines") {
        return;
    }
    for (_, name) in FIELDS.iter().filter(|(field, _)| edits.edited(field)) {
        let message = format!(
            "An edit in `{name}` has no effect; texts are edited in `text_lines`, lengths in the scene's `time`."
        );
        members.report.warn(Warning::at(format!("{}/{name}", members.pointer), "EDIT_IGNORED", message));
    }
}

fn read_keywords(members: &Members<'_>) -> Vec<String> {
    let Some(list) = members.take(&["keywords"]).and_then(|member| member.list()) else { return Vec::new() };
    let words = list.iter().filter_map(Value::as_str).map(str::trim);
    words.filter(|word| !word.is_empty() && word.len() <= 400).take(KEYWORDS).map(str::to_owned).collect()
}

/// The text lines of all pages, and the style that the first edited page asks for.
fn read_pages(members: &Members<'_>, edits: &Edits<'_>, around: &Around<'_>) -> (Vec<String>, TextStyle) {
    let mut lines = Vec::new();
    let base = edits.carried.map_or_else(TextStyle::default, |carried| carried.style.clone());
    let mut style = None;
    let pages =
        members.take(&["sub_scenes"]).and_then(|member| member.list().map(|list| (member.pointer, list)));
    let (pointer, pages) = pages.unwrap_or_default();
    for (index, page) in pages.iter().enumerate() {
        let Some(page) = Members::new(members.report, format!("{pointer}/{index}"), page) else { continue };
        if let Some(member) = page.take(&["text_lines"]) {
            for (index, line) in member.list().unwrap_or_default().iter().enumerate() {
                let Some(line) = Members::new(members.report, format!("{}/{index}", member.pointer), line)
                else {
                    continue;
                };
                let text =
                    line.take(&["text"]).and_then(|member| member.text(around.options.limits.characters));
                lines.push(text.unwrap_or_default().to_owned());
                line.ignore(&["text_animation", "text_bg_animation"]);
                line.finish();
            }
        }
        let look = page.take(&["font"]);
        let place = page.take(&["location"]);
        let font_edited =
            |member: &Member<'_>| edits.carried.is_none() || differs(member.value, &font(&base));
        // Against what was shown, not against the style on this canvas, which may have been edited too.
        let place_edited =
            |member: &Member<'_>| match edits.carried.and_then(|carried| carried.shown.get("location")) {
                Some(shown) => differs(member.value, shown),
                None => edits.carried.is_none() || differs(member.value, &location(&base, around.canvas)),
            };
        let mut own = base.clone();
        let mut edited = false;
        if let Some(member) = look.filter(font_edited) {
            edited |= read_font(&member, &base, &mut own);
        }
        if let Some(member) = place.filter(place_edited) {
            edited |= read_location(&member, around.canvas, &mut own);
        }
        if edited && style.is_none() {
            style = Some(own);
        }
        page.ignore(&["time", "displayItems", "subtitle", "showSceneNumber"]);
        page.finish();
    }
    (lines, style.unwrap_or(base))
}

/// Whether an object differs from another in a member that the other has and that is given.
fn differs(now: &Value, shown: &Value) -> bool {
    let (Value::Object(now), Value::Object(shown)) = (now, shown) else { return true };
    shown.iter().any(|(name, value)| now.get(name).is_some_and(|now| !now.is_null() && !alike(now, value)))
}

/// Lays the members of a font object that differ from `base` over `style`; whether there were any.
fn read_font(member: &Member<'_>, base: &TextStyle, style: &mut TextStyle) -> bool {
    let Some(members) = member.object() else { return false };
    let shown = font(base);
    let mut edited = false;
    let mut take = |name: &'static str| {
        let member = members.take(&[name])?;
        let new = !alike(member.value, &shown[name]);
        edited |= new;
        new.then_some(member)
    };
    if let Some(member) = take("name")
        && let Some(name) = member.text(FAMILY_CHARACTERS + 6)
    {
        let name = name.trim();
        let stem = [".ttf", ".otf", ".woff2", ".woff"]
            .iter()
            .find_map(|end| {
                name.len()
                    .checked_sub(end.len())
                    .filter(|at| name.get(*at..).is_some_and(|e| e.eq_ignore_ascii_case(end)))
            })
            .and_then(|at| name.get(..at))
            .unwrap_or(name);
        let family: String = stem.chars().filter(|c| !c.is_control()).take(FAMILY_CHARACTERS).collect();
        if !family.trim().is_empty() {
            style.family = family;
        }
    }
    if let Some(size) = take("size").and_then(|member| member.number(SIZES, " pixels")) {
        style.size = size;
    }
    for (name, colour) in
        [("color", &mut style.colour), ("backcolor", &mut style.background), ("keycolor", &mut style.keyword)]
    {
        if let Some(asked) = take(name).and_then(|member| read_colour(&member)) {
            *colour = asked;
        }
    }
    if let Some(list) = take("decoration").and_then(|member| member.list()) {
        let has = |names: &[&str]| {
            list.iter()
                .filter_map(Value::as_str)
                .any(|word| names.iter().any(|name| name.eq_ignore_ascii_case(word.trim())))
        };
        style.underline = has(&["underline"]);
        style.italic = has(&["italics", "italic"]);
        let bold = has(&["bold"]);
        if bold != (base.weight >= 600) {
            style.weight = if bold { 700 } else { 400 };
        }
    }
    members.ignore(&[
        "line_spacing",
        "textShadowColor",
        "textShadowWidthFr",
        "line_height",
        "case",
        "fullWidth",
    ]);
    members.finish();
    edited
}

/// The third of the canvas that a point lies in; whether there was a point.
fn read_location(member: &Member<'_>, canvas: Canvas, style: &mut TextStyle) -> bool {
    let Some(members) = member.object() else { return false };
    let x = members.take(&["start_x"]).and_then(|member| member.number(-10_000.0..=10_000.0, " pixels"));
    let y = members.take(&["start_y"]).and_then(|member| member.number(-10_000.0..=10_000.0, " pixels"));
    members.finish();
    let third = |value: f64, side: u32| (value * 3.0 / f64::from(side.max(1))).clamp(0.0, 2.9) as u8;
    if let Some(x) = x {
        style.horizontal =
            [Horizontal::Left, Horizontal::Center, Horizontal::Right][usize::from(third(x, canvas.width))];
    }
    if let Some(y) = y {
        style.vertical =
            [Vertical::Top, Vertical::Center, Vertical::Bottom][usize::from(third(y, canvas.height))];
    }
    x.is_some() || y.is_some()
}

/// The text and what is shown of it.
fn read_caption(
    members: &Members<'_>,
    edits: &Edits<'_>,
    lines: &[String],
    keywords: &[String],
    around: &Around<'_>,
) -> (String, Option<Caption>) {
    let shown = members.take(&["subtitle"]).and_then(|member| member.boolean());
    let base = edits.carried.and_then(|carried| carried.caption.as_ref());
    let mut text = edits.carried.map(|carried| carried.text.clone()).unwrap_or_default();
    let language = base.map_or_else(|| around.language.to_owned(), |caption| caption.language.clone());
    let caption_is = |marked: &Marked| {
        (!marked.is_empty()).then(|| Caption { runs: marked.runs(), language: language.clone() })
    };
    let mut caption = base.cloned();
    if edits.changed("lines") {
        let before: Vec<String> =
            edits.carried.and_then(|carried| carried.shown.get("lines")).map(flat).unwrap_or_default();
        let marked = caption_of(base, &before, lines, keywords);
        // The spoken text follows what is shown unless the client gave another caption for it.
        let followed = base.is_none_or(|base| Marked::from_runs(&base.runs).plain() == text);
        if followed && (base.is_some() || !marked.is_empty()) {
            text = marked.plain();
        }
        caption = caption_is(&marked);
    } else if edits.edited("keywords")
        && let Some(base) = base
    {
        caption = caption_is(&Marked::from_runs(&base.runs).highlight(keywords));
    }
    match shown {
        Some(false) if edits.edited("subtitle") => caption = None,
        Some(true) if edits.edited("subtitle") && caption.is_none() => {
            caption = caption_is(&Marked::literal(&text).highlight(keywords));
        }
        _ => {}
    }
    (text, caption)
}

/// Lines of all pages in one list.
fn flat(pages: &Value) -> Vec<String> {
    let pages = pages.as_array().into_iter().flatten();
    let lines = pages.flat_map(|page| page.as_array().into_iter().flatten());
    lines.map(|line| line.as_str().unwrap_or_default().to_owned()).collect()
}

fn read_background(members: &Members<'_>, edits: &Edits<'_>, around: &Around<'_>) -> Option<Background> {
    let connection = read_connection(members).or_else(|| around.connection.map(str::to_owned));
    let Some(member) = members.take(&["background"]) else {
        return Some(plain_background(edits, None));
    };
    let background = member.object()?;
    let colour =
        background.take(&["color"]).filter(|_| edits.edited("color")).and_then(|member| read_colour(&member));
    background.ignore(&["bg_animation"]);
    let sources = background.take(&["src"]);
    let list = sources.as_ref().and_then(Member::list).unwrap_or_default();
    if let (Some(member), true) = (&sources, list.len() > 1) {
        member.warn("EDIT_IGNORED", "A scene has one background; only the first of these counts.");
    }
    background.finish();
    let first = match (&sources, list.first()) {
        (Some(member), Some(value)) => Members::new(member.report, format!("{}/0", member.pointer), value)?,
        _ => return Some(plain_background(edits, colour)),
    };
    first.ignore(&["asset_id", "library", "frame", "resource_id", "sessionId"]);
    let kind = first.take(&["type"]).filter(|_| edits.edited("type")).and_then(|member| {
        member.choice(&[("video", BackgroundKind::Video), ("image", BackgroundKind::Image)])
    });
    let fit = first.take(&["mode"]).and_then(|member| {
        member.choice(&[
            ("crop", Fit::Cover),
            ("cover", Fit::Cover),
            ("fit", Fit::Contain),
            ("contain", Fit::Contain),
        ])
    });
    let looped = first.take(&["loop_video"]).and_then(|member| member.boolean()).unwrap_or(true);
    let mute = first.take(&["mute"]).and_then(|member| member.boolean()).unwrap_or(true);
    let url = first.take(&["url"]);
    first.finish();
    let Some(url) = url.filter(|member| !member.value.as_str().is_some_and(|text| text.trim().is_empty()))
    else {
        return Some(plain_background(edits, colour));
    };
    let media = read_media(&url, connection.as_deref(), around.options)?;
    let replaced = edits.changed("url");
    let (mut segments, mut carried_kind) = (Vec::new(), None);
    if let Some(carried) = edits.carried {
        if !replaced {
            (segments, carried_kind) = (carried.segments.clone(), carried.kind);
        } else if !carried.segments.is_empty() {
            url.warn(
                "SEGMENTS_IGNORED",
                "The segments belonged to the background before; the new one is shown whole.",
            );
        }
    }
    let kind = kind.or(carried_kind);
    Some(Background::Media(MediaBackground {
        media,
        kind,
        looped,
        mute,
        fit: fit.unwrap_or(Fit::Cover),
        segments,
    }))
}

/// The background of a scene without media: a colour, or what the program makes.
fn plain_background(edits: &Edits<'_>, colour: Option<Rgba>) -> Background {
    match (colour, edits.carried) {
        (Some(colour), _) => Background::Colour(colour),
        (None, Some(carried)) => carried.colour.map_or(Background::Generated, Background::Colour),
        (None, None) => Background::Generated,
    }
}
