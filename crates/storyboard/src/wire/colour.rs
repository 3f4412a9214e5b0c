//! Colours as clients write them.
//!
//! Alpha: CSS counts from 0 to 1, Pictory's `renderParams` from 0 to 255, and clients copy from one to the other.
//! Both are read by one rule: up to 1 is a fraction, above it a share of 255. (1/255 is nobody's intention.)

use crate::model::Rgba;

/// Reads `#RGB`, `#RGBA`, `#RRGGBB`, `#RRGGBBAA`, `rgb()`, `rgba()`, `transparent` and common names.
pub(crate) fn parse_colour(text: &str) -> Option<Rgba> {
    let text = text.trim();
    if text.len() > 60 {
        return None;
    }
    if let Some(digits) = text.strip_prefix('#') {
        return parse_hex(digits);
    }
    let lower = text.to_ascii_lowercase();
    if let Some(rest) = lower.strip_prefix("rgba").or_else(|| lower.strip_prefix("rgb")) {
        return parse_function(rest);
    }
    NAMES.iter().find(|(name, _)| *name == lower).map(|(_, colour)| *colour)
}

/// A colour as `renderParams` writes it: `rgba(r,g,b,a)` with alpha from 0 to 255.
pub(crate) fn render_params_colour(colour: Rgba) -> String {
    format!("rgba({},{},{},{})", colour.r, colour.g, colour.b, colour.a)
}

fn parse_hex(digits: &str) -> Option<Rgba> {
    let nibbles: Vec<u8> =
        digits.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect::<Option<_>>()?;
    match *nibbles.as_slice() {
        [r, g, b] => Some(Rgba::new(r * 17, g * 17, b * 17, 255)),
        [r, g, b, a] => Some(Rgba::new(r * 17, g * 17, b * 17, a * 17)),
        [r, r2, g, g2, b, b2] => Some(Rgba::new(r * 16 + r2, g * 16 + g2, b * 16 + b2, 255)),
        [r, r2, g, g2, b, b2, a, a2] => Some(Rgba::new(r * 16 + r2, g * 16 + g2, b * 16 + b2, a * 16 + a2)),
        _ => None,
    }
}

fn parse_function(rest: &str) -> Option<Rgba> {
    let inner = rest.trim().strip_prefix('(')?.strip_suffix(')')?;
    let parts: Vec<&str> =
        inner.split([',', '/', ' ']).map(str::trim).filter(|part| !part.is_empty()).collect();
    let (r, g, b, a) = match *parts.as_slice() {
        [r, g, b] => (r, g, b, None),
        [r, g, b, a] => (r, g, b, Some(a)),
        _ => return None,
    };
    let alpha = match a {
        None => 255,
        Some(a) => {
            let value = match a.strip_suffix('%') {
                Some(percent) => finite(percent)? / 100.0,
                None => finite(a)?,
            };
            if value <= 1.0 { byte(value * 255.0)? } else { byte(value)? }
        }
    };
    Some(Rgba::new(channel(r)?, channel(g)?, channel(b)?, alpha))
}

fn channel(text: &str) -> Option<u8> {
    match text.strip_suffix('%') {
        Some(percent) => byte(finite(percent)? * 2.55),
        None => byte(finite(text)?),
    }
}

fn finite(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|value| value.is_finite())
}

fn byte(value: f64) -> Option<u8> {
    // In range after the check, so the cast cannot lose anything but the fraction.
    (-0.5..255.5).contains(&value).then(|| value.round() as u8)
}

const NAMES: &[(&str, Rgba)] = &[
    ("transparent", Rgba::new(0, 0, 0, 0)),
    ("none", Rgba::new(0, 0, 0, 0)),
    ("black", Rgba::new(0, 0, 0, 255)),
    ("white", Rgba::new(255, 255, 255, 255)),
    ("red", Rgba::new(255, 0, 0, 255)),
    ("green", Rgba::new(0, 128, 0, 255)),
    ("lime", Rgba::new(0, 255, 0, 255)),
    ("blue", Rgba::new(0, 0, 255, 255)),
    ("navy", Rgba::new(0, 0, 128, 255)),
    ("yellow", Rgba::new(255, 255, 0, 255)),
    ("gold", Rgba::new(255, 215, 0, 255)),
    ("orange", Rgba::new(255, 165, 0, 255)),
    ("purple", Rgba::new(128, 0, 128, 255)),
    ("magenta", Rgba::new(255, 0, 255, 255)),
    ("fuchsia", Rgba::new(255, 0, 255, 255)),
    ("pink", Rgba::new(255, 192, 203, 255)),
    ("cyan", Rgba::new(0, 255, 255, 255)),
    ("aqua", Rgba::new(0, 255, 255, 255)),
    ("teal", Rgba::new(0, 128, 128, 255)),
    ("olive", Rgba::new(128, 128, 0, 255)),
    ("maroon", Rgba::new(128, 0, 0, 255)),
    ("brown", Rgba::new(165, 42, 42, 255)),
    ("silver", Rgba::new(192, 192, 192, 255)),
    ("gray", Rgba::new(128, 128, 128, 255)),
    ("grey", Rgba::new(128, 128, 128, 255)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form() {
        let cases = [
            ("#fff", Rgba::new(255, 255, 255, 255)),
            ("#1238", Rgba::new(17, 34, 51, 136)),
            ("#E2E2AA", Rgba::new(226, 226, 170, 255)),
            ("#e2e2aad9", Rgba::new(226, 226, 170, 217)),
            ("rgb(1, 2, 3)", Rgba::new(1, 2, 3, 255)),
            ("rgba(17,17,17,0.6)", Rgba::new(17, 17, 17, 153)),
            ("rgba(17,17,17,153)", Rgba::new(17, 17, 17, 153)),
            ("RGBA(0,0,0,1)", Rgba::new(0, 0, 0, 255)),
            ("rgb(100% 0% 0% / 50%)", Rgba::new(255, 0, 0, 128)),
            (" Transparent ", Rgba::new(0, 0, 0, 0)),
            ("navy", Rgba::new(0, 0, 128, 255)),
        ];
        for (text, colour) in cases {
            assert_eq!(parse_colour(text), Some(colour), "{text}");
        }
        let bad = [
            "",
            "#",
            "#12",
            "#12345",
            "#ggg",
            "rgb()",
            "rgb(1,2)",
            "rgb(256,0,0)",
            "rgb(NaN,0,0)",
            "rgba(0,0,0,-1)",
            "rgba(0,0,0,256)",
            "rgb(1,2,3",
            "puce",
            "#é12",
        ];
        for text in bad {
            assert_eq!(parse_colour(text), None, "{text}");
        }
    }
}
