//! Markup in clients' texts: `<strong>` marks keywords, SSML is for a voice and never shown.
//!
//! Only well-formed tags of known names are markup, so that `AT&T <3` and `a <b and c> d` stay as written. The
//! five XML entities, `&nbsp;` and numeric references are decoded, once: Pictory reads a text as SSML, where
//! `AT&amp;T` is how a careful client writes AT&T. Everything else stays literal.
//!
//! A [`Marked`] text is tidy: no control characters but line feeds, no space at a line's ends or doubled, no
//! empty lines.

use crate::model::Run;

/// A tidy text; each character with whether it belongs to a keyword.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Marked {
    chars: Vec<(char, bool)>,
}

impl Marked {
    /// Reads a text with markup.
    pub(crate) fn parse(text: &str) -> Self {
        let mut chars = Vec::with_capacity(text.len());
        let mut keyword_depth = 0_usize;
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if c == '<'
                && let Some(tag) = Tag::parse(rest)
            {
                match tag.name.as_str() {
                    "strong" if tag.closing => keyword_depth = keyword_depth.saturating_sub(1),
                    "strong" => keyword_depth += usize::from(!tag.empty),
                    "br" => chars.push(('\n', false)),
                    "break" | "p" | "s" => chars.push((' ', false)),
                    _ => {}
                }
                rest = &rest[tag.length..];
            } else if c == '&'
                && let Some((decoded, length)) = entity(rest)
            {
                chars.push((decoded, keyword_depth > 0));
                rest = &rest[length..];
            } else {
                chars.push((c, keyword_depth > 0));
                rest = &rest[c.len_utf8()..];
            }
        }
        Self { chars: tidy(&chars) }
    }

    /// Takes a text literally, whatever looks like markup in it.
    pub(crate) fn literal(text: &str) -> Self {
        Self { chars: tidy(&text.chars().map(|c| (c, false)).collect::<Vec<_>>()) }
    }

    /// Takes runs literally.
    pub(crate) fn from_runs(runs: &[Run]) -> Self {
        let chars: Vec<_> = runs.iter().flat_map(|run| run.text.chars().map(|c| (c, run.keyword))).collect();
        Self { chars: tidy(&chars) }
    }

    pub(crate) fn from_chars(chars: &[(char, bool)]) -> Self {
        Self { chars: tidy(chars) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.chars.is_empty()
    }

    pub(crate) fn chars(&self) -> &[(char, bool)] {
        &self.chars
    }

    /// The text without marks.
    pub(crate) fn plain(&self) -> String {
        self.chars.iter().map(|(c, _)| c).collect()
    }

    /// The text in runs of one look, none empty.
    pub(crate) fn runs(&self) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for &(c, keyword) in &self.chars {
            match runs.last_mut() {
                Some(run) if run.keyword == keyword => run.text.push(c),
                _ => runs.push(Run { text: c.to_string(), keyword }),
            }
        }
        runs
    }

    /// The same text with each whole-word occurrence of these keywords marked, and nothing else.
    pub(crate) fn highlight(&self, keywords: &[String]) -> Self {
        let mut chars: Vec<(char, bool)> = self.chars.iter().map(|(c, _)| (*c, false)).collect();
        for keyword in keywords {
            let wanted: Vec<char> = keyword.trim().chars().collect();
            if wanted.is_empty() || wanted.len() > chars.len() {
                continue;
            }
            for start in 0..=chars.len() - wanted.len() {
                let end = start + wanted.len();
                let same = chars[start..end].iter().zip(&wanted).all(|((c, _), w)| c == w);
                let open = start == 0 || !word_goes_on(chars[start - 1].0, wanted[0]);
                let close = end == chars.len() || !word_goes_on(wanted[wanted.len() - 1], chars[end].0);
                if same && open && close {
                    chars[start..end].iter_mut().for_each(|c| c.1 = true);
                }
            }
        }
        Self { chars }
    }
}

fn word_goes_on(left: char, right: char) -> bool {
    left.is_alphanumeric()
        && right.is_alphanumeric()
        && !crate::script::is_unspaced(left)
        && !crate::script::is_unspaced(right)
}

/// Brings a text into the form that [`Marked`] promises.
fn tidy(chars: &[(char, bool)]) -> Vec<(char, bool)> {
    let mut out: Vec<(char, bool)> = Vec::with_capacity(chars.len());
    let mut gap: Option<(char, bool)> = None;
    let mut previous = '\0';
    for &(c, keyword) in chars {
        let lf_of_crlf = c == '\n' && previous == '\r';
        previous = c;
        let white = match c {
            '\n' if lf_of_crlf => continue,
            '\n' | '\r' | '\u{0B}' | '\u{0C}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
            '\u{FEFF}' => continue,
            c if c.is_control() && c != '\t' => continue,
            // A no-break space is kept: it is there to hold a line together.
            c if c.is_whitespace() && c != '\u{A0}' && c != '\u{202F}' => Some(' '),
            _ => None,
        };
        match white {
            Some('\n') => gap = Some(('\n', false)),
            Some(_) => gap = Some(gap.unwrap_or((' ', keyword))),
            None => {
                if let Some((space, was_keyword)) = gap.take()
                    && !out.is_empty()
                {
                    // A space within one keyword belongs to it; one at its edge does not.
                    let inside =
                        space == ' ' && was_keyword && keyword && out.last().is_some_and(|last| last.1);
                    out.push((space, inside));
                }
                out.push((c, keyword));
            }
        }
    }
    out
}

/// Tags that never show. `strong` marks keywords; the rest is SSML of the voices that Pictory offers.
const TAGS: &[&str] = &[
    "strong",
    "br",
    "break",
    "p",
    "s",
    "w",
    "speak",
    "emphasis",
    "phoneme",
    "prosody",
    "say-as",
    "sub",
    "lang",
    "voice",
    "audio",
    "mark",
    "desc",
    "lexicon",
    "amazon:effect",
    "amazon:domain",
    "amazon:auto-breaths",
    "mstts:express-as",
];

/// Longer ones are text.
const LONGEST_TAG: usize = 400;

struct Tag {
    name: String,
    closing: bool,
    empty: bool,
    length: usize,
}

impl Tag {
    /// Reads a known, well-formed tag at the start of a text.
    fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let bytes = &bytes[..bytes.len().min(LONGEST_TAG)];
        let closing = bytes.get(1) == Some(&b'/');
        let mut at = 1 + usize::from(closing);
        let start = at;
        while bytes.get(at).is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b':')) {
            at += 1;
        }
        let name = text.get(start..at)?.to_ascii_lowercase();
        if !TAGS.contains(&name.as_str()) {
            return None;
        }
        loop {
            let before = at;
            at = skip_space(bytes, at);
            match bytes.get(at)? {
                b'>' => return Some(Self { name, closing, empty: false, length: at + 1 }),
                b'/' if bytes.get(at + 1) == Some(&b'>') => {
                    return Some(Self { name, closing, empty: true, length: at + 2 });
                }
                _ if at > before && !closing => at = skip_attribute(bytes, at)?,
                _ => return None,
            }
        }
    }
}

fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

/// Skips `name="value"`; a name without a value is not an attribute here.
fn skip_attribute(bytes: &[u8], mut at: usize) -> Option<usize> {
    let start = at;
    while bytes.get(at).is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b':' | b'_' | b'.')) {
        at += 1;
    }
    if at == start {
        return None;
    }
    at = skip_space(bytes, at);
    if bytes.get(at) != Some(&b'=') {
        return None;
    }
    at = skip_space(bytes, at + 1);
    let quote = *bytes.get(at)?;
    if quote == b'"' || quote == b'\'' {
        let length = bytes.get(at + 1..)?.iter().position(|b| *b == quote)?;
        return Some(at + length + 2);
    }
    let length = bytes[at..].iter().position(|b| b.is_ascii_whitespace() || matches!(b, b'>' | b'/'))?;
    (length > 0).then_some(at + length)
}

/// Decodes an entity at the start of a text: the character and the entity's length.
fn entity(text: &str) -> Option<(char, usize)> {
    let end = text.bytes().take(12).position(|b| b == b';')?;
    let name = text.get(1..end)?;
    let decoded = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{A0}',
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => {
                    u32::from_str_radix(hex, 16).ok()?
                }
                None if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok()?,
                _ => return None,
            };
            char::from_u32(code).filter(|c| !c.is_control() || *c == '\n')?
        }
    };
    Some((decoded, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        Marked::parse(text)
            .runs()
            .iter()
            .map(|run| if run.keyword { format!("[{}]", run.text) } else { run.text.clone() })
            .collect()
    }

    #[test]
    fn keywords_become_runs_and_ssml_goes() {
        let cases = [
            ("Hello <strong>world</strong>!", "Hello [world]!"),
            ("<STRONG>Two words</STRONG> here", "[Two words] here"),
            ("a<strong> b </strong>c", "a [b] c"),
            ("<speak>Wait<break time=\"1s\"/>now</speak>", "Wait now"),
            (
                "<prosody rate='slow' pitch=\"+5%\">Slow</prosody> <say-as interpret-as=\"characters\">AB</say-as>",
                "Slow AB",
            ),
            ("<phoneme alphabet=\"ipa\" ph=\"a>b\">x</phoneme>y", "xy"),
            ("never closed <strong>key", "never closed [key]"),
            ("stray </strong> end", "stray end"),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_markup_stays() {
        for text in [
            "AT&T <3 you",
            "1 < 2 > 0",
            "a <s and b> c",
            "<em>no</em>",
            "<",
            "<strong",
            "&",
            "&unknown;",
            "R&D; now",
            "&#0;",
            "&#xD800;",
            "</",
            "<break",
            "< strong>x",
            "&#99999999999;",
            "a <!-- b -->",
        ] {
            assert_eq!(shown(text), text, "{text}");
        }
    }

    #[test]
    fn entities_are_decoded_once() {
        assert_eq!(shown("AT&amp;T"), "AT&T");
        assert_eq!(shown("&amp;lt;b&gt; &#233; &#x1F600;"), "&lt;b> é 😀");
    }

    #[test]
    fn space_is_tidied() {
        assert_eq!(shown("  a \t b \r\n\r\n  c\u{0}\u{7}d  \n"), "a b\ncd");
    }

    #[test]
    fn highlights_whole_words() {
        let marked = Marked::literal("cat concat cat.").highlight(&["cat".to_owned()]);
        assert_eq!(marked.runs().len(), 4);
        assert_eq!(marked.runs()[1].text, " concat ");
    }
}
