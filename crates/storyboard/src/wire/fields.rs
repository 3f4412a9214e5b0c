//! Fields that several wire formats share: name, language, webhook, connection, canvas, music.

use serde_json::Value;
use url::Url;

use super::members::{Member, Members};
use crate::media_address::read_media;
use crate::model::{Canvas, Logo, Music, MusicSource};
use crate::model::{Horizontal, Vertical};
use crate::options::{Limits, Options};
use crate::problem::Problem;
use crate::wire::style::{HORIZONTALS, VERTICALS};

/// Volume of the music where none is asked for, as Pictory's.
const DEFAULT_VOLUME: f64 = 0.1;
/// Languages that captions are made for; others are laid out too, with a warning.
const LANGUAGES: &[&str] = &[
    "en", "zh", "nl", "fr", "de", "hi", "it", "ja", "ko", "mr", "pt", "ru", "es", "ta", "ar", "id", "pl",
    "tr", "ur", "vi",
];

/// A required name, made usable as a file name.
pub(crate) fn read_name(members: &Members<'_>, names: &[&'static str], limits: &Limits) -> Option<String> {
    let Some(member) = members.take(names) else {
        missing_name(members, names);
        return None;
    };
    let Value::String(text) = member.value else {
        // For the type's problem.
        let _ = member.text(0);
        return None;
    };
    let name = file_name(text, limits.name_characters);
    if name.is_empty() {
        missing_name(members, names);
        return None;
    }
    if name != text.trim() {
        member.warn(
            "NAME_CHANGED",
            format!("The name cannot be a file's as it is; the film is called \"{name}\"."),
        );
    }
    Some(name)
}

fn missing_name(members: &Members<'_>, names: &[&'static str]) {
    let name = names.first().copied().unwrap_or_default();
    let problem = Problem::author(
        super::pointer::child(&members.pointer, name),
        "REQUIRED",
        format!("`{name}` is missing."),
    );
    members.report.problem(problem.fix(format!("Give the film a name in `{name}`.")));
}

/// A text as a file name: one line, no separators or reserved characters, neither too long nor hidden.
pub(crate) fn file_name(text: &str, most: usize) -> String {
    const MOST_BYTES: usize = 200;
    let mut name = String::new();
    for c in text.trim().chars().take(most) {
        let c = if c.is_control() || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|') {
            '_'
        } else {
            c
        };
        if name.len() + c.len_utf8() > MOST_BYTES {
            break;
        }
        name.push(c);
    }
    let name = name.trim_start_matches(['.', ' ']).trim_end_matches(['.', ' ']);
    if name.chars().all(|c| c == '_') { String::new() } else { name.to_owned() }
}

/// Free text of limited length.
pub(crate) fn read_description(members: &Members<'_>, names: &[&'static str], limits: &Limits) -> String {
    let member = members.take(names);
    member
        .and_then(|member| member.text(limits.description_characters).map(str::to_owned))
        .unwrap_or_default()
}

/// A language tag's primary part, in lower case.
pub(crate) fn read_language(member: &Member<'_>) -> Option<String> {
    let text = member.text(35)?.trim();
    let primary = text.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    let plausible = (2..=3).contains(&primary.len()) && primary.bytes().all(|b| b.is_ascii_lowercase());
    if !plausible {
        member.problem(
            "INVALID_LANGUAGE",
            format!("`{}` is not a language tag.", member.name),
            format!("Give one of {}.", LANGUAGES.join(", ")),
        );
        return None;
    }
    if !LANGUAGES.contains(&primary.as_str()) {
        let message = format!(
            "\"{primary}\" is not among the languages that are looked after; its captions may lack glyphs."
        );
        member.warn("LANGUAGE_NOT_SUPPORTED", message);
    }
    Some(primary)
}

/// An http(s) URL to report to. Whether its host is private is for whoever calls it.
pub(crate) fn read_webhook(members: &Members<'_>, options: &Options) -> Option<String> {
    let member = members.take(&["webhook"])?;
    let text = member.text(options.limits.webhook_characters)?.trim();
    // The URL may hold a secret, so no message repeats it.
    let refuse = |message: &str| {
        member.problem(
            "INVALID_WEBHOOK",
            message,
            "Give an absolute https:// URL without user name or password.",
        );
        None
    };
    match Url::parse(text) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") || !url.has_host() => {
            refuse("`webhook` is not an http(s) URL.")
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            refuse("`webhook` holds a user name or password.")
        }
        Ok(url) => Some(url.to_string()),
        Err(_) => refuse("`webhook` is not a URL."),
    }
}

/// The id of a registered connection. A wrong one, which has its own problem, stands for "some connection", so that
/// the media read with it are not reported too.
pub(crate) fn read_connection(members: &Members<'_>) -> Option<String> {
    let member = members.take(&["awsConnectionId"])?;
    if matches!(member.value, Value::String(text) if text.trim().is_empty()) {
        return None;
    }
    let Some(id) = member.text(100).map(str::trim) else { return Some(String::new()) };
    if !id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
        member.problem(
            "INVALID_CONNECTION_ID",
            "`awsConnectionId` is not the form of a connection's id.",
            "Give the connectionId that POST /v1/awsconnections answered.",
        );
    }
    Some(id.to_owned())
}

/// The picture's size; one side alone gives the other by 16:9.
pub(crate) fn read_canvas(
    members: &Members<'_>,
    names: [&'static str; 2],
    limits: &Limits,
) -> Option<Canvas> {
    let width = members.take(&[names[0]]);
    let height = members.take(&[names[1]]);
    let mut failed = false;
    let mut side = |member: &Option<Member<'_>>| -> Option<u32> {
        let member = member.as_ref()?;
        if matches!(member.value, Value::String(text) if text.trim().is_empty()) {
            return None;
        }
        let side = read_side(member, limits);
        failed |= side.is_none();
        side
    };
    let (wide, high) = (side(&width), side(&height));
    if failed {
        return None;
    }
    let even = |value: f64| ((value / 2.0).round() as u32 * 2).clamp(limits.least_side, limits.greatest_side);
    let canvas = match (wide, high) {
        (None, None) => Canvas { width: 1920, height: 1080 },
        (Some(width), Some(height)) => Canvas { width, height },
        (Some(width), None) => Canvas { width, height: even(f64::from(width) * 9.0 / 16.0) },
        (None, Some(height)) => Canvas { width: even(f64::from(height) * 16.0 / 9.0), height },
    };
    let named = width.as_ref().or(height.as_ref());
    if let Some(member) = named {
        if u64::from(canvas.width) * u64::from(canvas.height) > limits.pixels {
            member.problem(
                "OUT_OF_RANGE",
                format!(
                    "A picture of {}x{} is too large; {} pixels are allowed.",
                    canvas.width, canvas.height, limits.pixels
                ),
                "Choose a smaller size, such as 1920x1080.",
            );
            return None;
        }
        if wide.is_some() != high.is_some() {
            let message =
                format!("Only one side was given; the picture is {}x{}.", canvas.width, canvas.height);
            member.warn("SIZE_COMPLETED", message);
        }
    }
    Some(canvas)
}

fn read_side(member: &Member<'_>, limits: &Limits) -> Option<u32> {
    let value = member.number(f64::from(limits.least_side)..=f64::from(limits.greatest_side), " pixels")?;
    let nearest = ((value / 2.0).round() * 2.0) as u32;
    if value != f64::from(nearest) {
        member.problem(
            "ODD_SIZE",
            format!("`{}` is {value}; the sides of a picture must be even.", member.name),
            format!("Use {nearest}."),
        );
        return None;
    }
    Some(nearest)
}

/// Music as v1 asks for it in `audio`: a track wins over `autoBackgroundMusic`.
pub(crate) fn read_music(audio: &Members<'_>, connection: Option<&str>, options: &Options) -> Option<Music> {
    let auto = audio.take(&["autoBackgroundMusic"]).and_then(|member| member.boolean()).unwrap_or(false);
    let own = read_connection(audio);
    let track = audio.take(&["backGroundMusicUri", "backgroundMusicUri"]);
    let track = track.and_then(|member| read_media(&member, own.as_deref().or(connection), options));
    let volume = audio.take(&["backGroundMusicVolume", "backgroundMusicVolume"]);
    let volume = volume.and_then(|member| member.number(0.0..=1.0, "")).unwrap_or(DEFAULT_VOLUME);
    let source = match track {
        Some(media) => MusicSource::Media(media),
        None if auto => MusicSource::Auto,
        None => return None,
    };
    Some(Music { source, volume })
}

/// A logo over the film; without an address there is none.
pub(crate) fn read_logo(members: &Members<'_>, connection: Option<&str>, options: &Options) -> Option<Logo> {
    let logo = members.take(&["brandLogo"])?.object()?;
    let own = read_connection(&logo);
    let connection = own.as_deref().or(connection);
    let media = logo.take(&["url"]).and_then(|member| read_media(&member, connection, options));
    let vertical = logo.take(&["verticalAlignment"]).and_then(|member| member.choice(VERTICALS));
    let horizontal = logo.take(&["horizontalAlignment"]).and_then(|member| member.choice(HORIZONTALS));
    logo.finish();
    Some(Logo {
        media: media?,
        vertical: vertical.unwrap_or(Vertical::Top),
        horizontal: horizontal.unwrap_or(Horizontal::Right),
    })
}
