//! Caption text made ready for layout: cleaned, in paragraphs, with keyword and emoji ranges marked.
//!
//! Invariants of a [`Text`]: not empty, no control characters, no space at either end, no two spaces in a row;
//! ranges are in order, do not overlap and end on character boundaries.

use std::ops::Range;

use icu_properties::props::{DefaultIgnorableCodePoint, Emoji, EmojiPresentation, Script};
use icu_properties::{CodePointMapData, CodePointSetData};
use icu_segmenter::GraphemeClusterSegmenter;
use parley::BaseDirection;
use storyboard::Run;

/// One paragraph: text between forced line breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) text: String,
    /// Byte ranges in the keyword colour.
    pub(crate) keywords: Vec<Range<usize>>,
    /// Byte ranges that ask for the colour emoji face.
    pub(crate) emoji: Vec<Range<usize>>,
}

/// Splits runs at forced line breaks and cleans them; paragraphs without visible text are left out.
pub(crate) fn paragraphs(runs: &[Run]) -> Vec<Text> {
    let mut paragraphs = Vec::new();
    let mut open = Open::default();
    let mut last = ' ';
    for run in runs {
        for c in run.text.chars() {
            match c {
                '\n' if last == '\r' => {}
                '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                    open.close_into(&mut paragraphs);
                }
                '\t' | ' ' => open.space = true,
                // Invisible, and without use in a caption that is broken anew.
                '\u{feff}' | '\u{ad}' => {}
                c if c.is_control() => {}
                c => open.push(c, run.keyword),
            }
            last = c;
        }
    }
    open.close_into(&mut paragraphs);
    paragraphs
}

#[derive(Default)]
struct Open {
    text: String,
    keywords: Vec<Range<usize>>,
    space: bool,
}

impl Open {
    fn push(&mut self, c: char, keyword: bool) {
        let start = self.text.len();
        let spaced = std::mem::take(&mut self.space) && start > 0;
        if spaced {
            self.text.push(' ');
        }
        let after = self.text.len();
        self.text.push(c);
        let end = self.text.len();
        if !keyword {
            return;
        }
        match self.keywords.last_mut() {
            // A space inside a keyword belongs to it, so that its underline is not broken.
            Some(last) if last.end == start => last.end = end,
            _ => self.keywords.push(after..end),
        }
    }

    fn close_into(&mut self, paragraphs: &mut Vec<Text>) {
        let Self { text, keywords, .. } = std::mem::take(self);
        if text.chars().any(|c| !c.is_whitespace() && !is_ignorable(c)) {
            let emoji = emoji_ranges(&text);
            paragraphs.push(Text { text, keywords, emoji });
        }
    }
}

impl Text {
    /// The runs of a part of the text, without spaces at its ends.
    pub(crate) fn runs(&self, range: Range<usize>) -> Vec<Run> {
        let part = &self.text[range.clone()];
        let start = range.start + (part.len() - part.trim_start_matches(' ').len());
        let end = (range.start + part.trim_end_matches(' ').len()).max(start);
        let mut runs = Vec::new();
        let mut push = |from: usize, to: usize, keyword: bool| {
            if from < to {
                runs.push(Run { text: self.text[from..to].to_owned(), keyword });
            }
        };
        let mut at = start;
        let first = self.keywords.partition_point(|keyword| keyword.end <= start);
        for keyword in &self.keywords[first..] {
            let (from, to) = (keyword.start.max(start), keyword.end.min(end));
            if from >= to {
                break;
            }
            push(at, from, false);
            push(from, to, true);
            at = to;
        }
        push(at, end, false);
        runs
    }
}

impl Text {
    /// The text without characters that no font has; `None` where nothing visible is left.
    pub(crate) fn without(&self, missing: &[char]) -> Option<Self> {
        if missing.is_empty() {
            return Some(self.clone());
        }
        let mut runs = self.runs(0..self.text.len());
        for run in &mut runs {
            run.text.retain(|c| missing.binary_search(&c).is_err());
        }
        paragraphs(&runs).pop()
    }
}

/// Direction of a page: that of its language where the page has such letters, else that of its first strong letter.
pub(crate) fn direction(text: &str, language: &str) -> BaseDirection {
    const RIGHT_TO_LEFT: [&str; 9] = ["ar", "he", "iw", "fa", "ur", "yi", "ps", "sd", "ug"];
    let mut strong = text.chars().filter(|c| c.is_alphabetic()).map(is_right_to_left);
    let primary = language.split('-').next().unwrap_or_default();
    let rtl =
        if RIGHT_TO_LEFT.contains(&primary) { strong.any(|rtl| rtl) } else { strong.next().unwrap_or(false) };
    if rtl { BaseDirection::Rtl } else { BaseDirection::Ltr }
}

fn is_right_to_left(c: char) -> bool {
    matches!(u32::from(c), 0x0590..=0x08ff | 0xfb1d..=0xfdff | 0xfe70..=0xfeff | 0x10800..=0x10fff | 0x1e800..=0x1efff)
}

/// Whether a character needs no glyph of its own.
pub(crate) fn is_ignorable(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Whether a character belongs to the ideographic scripts and what is written with them.
pub(crate) fn is_cjk(c: char) -> bool {
    let script = CodePointMapData::<Script>::new().get(c);
    [Script::Han, Script::Hiragana, Script::Katakana, Script::Hangul, Script::Bopomofo].contains(&script)
        || matches!(u32::from(c), 0x3000..=0x303f | 0xff00..=0xffef)
}

/// Grapheme clusters shown as emoji: by their own default, or by variation selector 16.
fn emoji_ranges(text: &str) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    if text.chars().all(|c| u32::from(c) < 0x203c && c != '\u{200d}') {
        return ranges;
    }
    let emoji = CodePointSetData::new::<Emoji>();
    let presentation = CodePointSetData::new::<EmojiPresentation>();
    let mut start = 0;
    for end in GraphemeClusterSegmenter::new().segment_str(text).skip(1) {
        let cluster = &text[start..end];
        let first = cluster.chars().next().unwrap_or(' ');
        let selected = cluster.contains('\u{fe0f}') && emoji.contains(first);
        let default = cluster.chars().any(|c| presentation.contains(c)) && !cluster.contains('\u{fe0e}');
        if selected || default {
            match ranges.last_mut() {
                Some(last) if last.end == start => last.end = end,
                _ => ranges.push(start..end),
            }
        }
        start = end;
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str, keyword: bool) -> Run {
        Run { text: text.to_owned(), keyword }
    }

    #[test]
    fn cleans_and_splits_at_forced_breaks() {
        let runs = [run("  one\u{0}\ttwo \r\n", false), run(" \u{200b}\n", false), run("three  ", false)];
        let texts: Vec<_> = paragraphs(&runs).into_iter().map(|text| text.text).collect();
        assert_eq!(texts, ["one two", "three"]);
    }

    #[test]
    fn keeps_keywords_over_cleaning_and_cutting() {
        let runs = [run("a ", false), run("bold  word", true), run(" c", false)];
        let text = &paragraphs(&runs)[0];
        assert_eq!(text.text, "a bold word c");
        assert_eq!(text.keywords, vec![2..11; 1]);
        assert_eq!(text.runs(0..7), [run("a ", false), run("bold", true)]);
        assert_eq!(text.runs(7..13), [run("word", true), run(" c", false)]);
    }

    #[test]
    fn finds_emoji_by_default_and_by_selector() {
        let text = &paragraphs(&[run(
            "\u{2764}\u{fe0f} x \u{2764} 1\u{fe0f}\u{20e3} 1 \u{1f44b}\u{1f3fd}\u{1f1e7}\u{1f1f7}",
            false,
        )])[0];
        let found: Vec<_> = text.emoji.iter().map(|range| &text.text[range.clone()]).collect();
        assert_eq!(found, ["\u{2764}\u{fe0f}", "1\u{fe0f}\u{20e3}", "\u{1f44b}\u{1f3fd}\u{1f1e7}\u{1f1f7}"]);
    }

    #[test]
    fn takes_the_direction_of_language_or_first_letter() {
        assert_eq!(direction("API (\u{5d0})", "he"), BaseDirection::Rtl);
        assert_eq!(direction("API", "he"), BaseDirection::Ltr);
        assert_eq!(direction("12 \u{645} a", "en"), BaseDirection::Rtl);
    }
}
