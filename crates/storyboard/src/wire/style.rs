//! The look of captions as clients ask for it: `textStyles`, and the same members in a scene.

use serde_json::Value;

use super::colour::parse_colour;
use super::members::{Member, Members, shown};
use crate::model::{Horizontal, Rgba, TextStyle, Vertical};

/// Sizes in pixels of a 1080-line canvas that can be drawn and read.
pub(crate) const SIZES: std::ops::RangeInclusive<f64> = 8.0..=400.0;
/// Characters of a font family's name.
pub(crate) const FAMILY_CHARACTERS: usize = 100;

pub(crate) const VERTICALS: &[(&str, Vertical)] = &[
    ("top", Vertical::Top),
    ("center", Vertical::Center),
    ("bottom", Vertical::Bottom),
    ("middle", Vertical::Center),
    ("centre", Vertical::Center),
];
pub(crate) const HORIZONTALS: &[(&str, Horizontal)] = &[
    ("left", Horizontal::Left),
    ("center", Horizontal::Center),
    ("right", Horizontal::Right),
    ("middle", Horizontal::Center),
    ("centre", Horizontal::Center),
];

/// Takes the members of a style and lays what they ask over `base`.
pub(crate) fn read_style(members: &Members<'_>, base: &TextStyle) -> TextStyle {
    let mut style = base.clone();
    if let Some(member) = members.take(&["fontFamily"])
        && let Some(family) = member.text(FAMILY_CHARACTERS)
    {
        let family: String = family.chars().filter(|c| !c.is_control()).collect();
        if !family.trim().is_empty() {
            style.family = family.trim().to_owned();
        }
    }
    if let Some(member) = members.take(&["fontSize"])
        && let Some(size) = read_size(&member)
    {
        style.size = size;
    }
    if let Some(member) = members.take(&["fontStyle"])
        && let Some(italic) = member.choice(&[("normal", false), ("italic", true), ("oblique", true)])
    {
        style.italic = italic;
    }
    if let Some(member) = members.take(&["fontWeight"])
        && let Some(weight) = read_weight(&member)
    {
        style.weight = weight;
    }
    if let Some(member) = members.take(&["textDecoration"]) {
        let choices =
            [("none", Some(false)), ("underline", Some(true)), ("line-through", None), ("overline", None)];
        match member.choice(&choices) {
            Some(Some(underline)) => style.underline = underline,
            Some(None) => member.warn(
                "NOT_SUPPORTED_YET",
                "Of the decorations only `underline` is drawn; this one is left out.",
            ),
            None => {}
        }
    }
    for (name, colour) in [
        ("textColor", &mut style.colour),
        ("textBackgroundColor", &mut style.background),
        ("keywordColor", &mut style.keyword),
    ] {
        if let Some(member) = members.take(&[name])
            && let Some(asked) = read_colour(&member)
        {
            *colour = asked;
        }
    }
    if let Some(member) = members.take(&["verticalAlignment"])
        && let Some(vertical) = member.choice(VERTICALS)
    {
        style.vertical = vertical;
    }
    if let Some(member) = members.take(&["horizontalAlignment"])
        && let Some(horizontal) = member.choice(HORIZONTALS)
    {
        style.horizontal = horizontal;
    }
    style
}

/// A size in pixels, also as `"48"` or `"48px"`.
fn read_size(member: &Member<'_>) -> Option<f64> {
    if let Value::String(text) = member.value
        && let Some(number) = text.trim().strip_suffix("px")
    {
        let value = Value::String(number.to_owned());
        let bare = Member {
            report: member.report,
            pointer: member.pointer.clone(),
            name: member.name.clone(),
            value: &value,
        };
        return bare.number(SIZES, " pixels");
    }
    member.number(SIZES, " pixels")
}

/// A weight: `normal`, `bold` and the like, or 1 to 1000, rounded to hundreds.
fn read_weight(member: &Member<'_>) -> Option<u16> {
    const WORDS: &[(&str, u16)] = &[
        ("thin", 100),
        ("light", 300),
        ("lighter", 300),
        ("normal", 400),
        ("regular", 400),
        ("medium", 500),
        ("semibold", 600),
        ("bold", 700),
        ("bolder", 800),
        ("black", 900),
    ];
    if let Value::String(text) = member.value
        && text.trim().parse::<f64>().is_err()
    {
        return member.choice(WORDS);
    }
    let weight = member.number(1.0..=1000.0, "")?;
    // In range after the check above, and a multiple of 100.
    Some(((weight / 100.0).round().clamp(1.0, 9.0) as u16) * 100)
}

/// A colour; an empty text counts as absent.
pub(crate) fn read_colour(member: &Member<'_>) -> Option<Rgba> {
    if let Value::String(text) = member.value {
        if text.trim().is_empty() {
            return None;
        }
        if let Some(colour) = parse_colour(text) {
            return Some(colour);
        }
    }
    member.problem(
        "INVALID_COLOUR",
        format!("`{}` is {}, which is not a colour.", member.name, shown(member.value)),
        "Write it as #RRGGBB, #RRGGBBAA, rgb(r,g,b) or rgba(r,g,b,a).",
    );
    None
}
