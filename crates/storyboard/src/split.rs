//! Splitting a text into scenes: at line feeds, and at the ends of sentences.
//!
//! Works on characters and answers with ranges, so that a keyword keeps its mark in whichever part it falls.
//! A sentence ends at `. ! ?` and their kin, not at the dot of an abbreviation, an initial, a decimal or a URL;
//! where a dot may be both (`in the U.S. He said`), the next word decides.

use std::ops::Range;

use crate::script::is_unspaced;

/// Splits a text; the ranges are trimmed and none is empty or without a letter, digit or symbol to read.
pub(crate) fn split(chars: &[char], on_new_line: bool, on_sentence: bool) -> Vec<Range<usize>> {
    let lines = if on_new_line { lines(chars) } else { std::iter::once(0..chars.len()).collect() };
    let mut parts: Vec<Range<usize>> = Vec::new();
    for line in lines {
        let first_of_line = parts.len();
        let pieces = if on_sentence { sentences(chars, line) } else { vec![line] };
        for piece in pieces.into_iter().map(|piece| trimmed(chars, piece)).filter(|piece| !piece.is_empty()) {
            let says_something = chars[piece.clone()].iter().any(|c| c.is_alphanumeric() || !c.is_ascii());
            match parts.last_mut() {
                // A stray quote or dash is no scene of its own: it stays with the sentence before it.
                Some(last) if !says_something && last.end <= piece.start => last.end = piece.end,
                _ => parts.push(piece),
            }
        }
        debug_assert!(parts.len() >= first_of_line || first_of_line > 0);
    }
    parts
}

fn lines(chars: &[char]) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let mut start = 0;
    for (at, c) in chars.iter().enumerate() {
        if *c == '\n' {
            lines.push(start..at);
            start = at + 1;
        }
    }
    lines.push(start..chars.len());
    lines
}

fn trimmed(chars: &[char], range: Range<usize>) -> Range<usize> {
    let Range { mut start, mut end } = range;
    while start < end && chars[start].is_whitespace() {
        start += 1;
    }
    while start < end && chars[end - 1].is_whitespace() {
        end -= 1;
    }
    start..end
}

fn sentences(chars: &[char], range: Range<usize>) -> Vec<Range<usize>> {
    let mut sentences = Vec::new();
    let mut start = range.start;
    let mut at = range.start;
    while at < range.end {
        if !is_terminator(chars[at]) {
            at += 1;
            continue;
        }
        let first = at;
        while at < range.end && is_terminator(chars[at]) {
            at += 1;
        }
        let marks_end = at;
        while at < range.end && is_closer(chars[at]) {
            at += 1;
        }
        if ends_sentence(chars, start..range.end, first..marks_end, at) {
            sentences.push(start..at);
            start = at;
        }
    }
    sentences.push(start..range.end);
    sentences
}

fn is_terminator(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…' | '‼' | '⁇' | '⁈' | '⁉' | '؟' | '۔') || is_close_terminator(c)
}

/// Ends a sentence in scripts that put no space after it.
fn is_close_terminator(c: char) -> bool {
    matches!(c, '。' | '！' | '？' | '｡' | '।' | '॥' | '၊' | '။' | '។')
}

fn is_closer(c: char) -> bool {
    matches!(
        c,
        '"' | '\'' | ')' | ']' | '}' | '”' | '’' | '»' | '›' | '」' | '』' | '）' | '】' | '〉' | '》'
    )
}

/// Whether the terminators in `marks`, with closers up to `after`, end the sentence that begins at `span.start`.
fn ends_sentence(chars: &[char], span: Range<usize>, marks: Range<usize>, after: usize) -> bool {
    let rest = &chars[after..span.end];
    let Some(&next) = rest.first() else { return true };
    let closed = after > marks.end;
    if chars[marks.clone()].iter().any(|c| is_close_terminator(*c)) {
        // 「はい。」と言った goes on after the quotation.
        return !(closed && matches!(next, 'と' | 'っ' | '、' | 'の' | 'は' | 'が' | 'を' | '，' | '。'));
    }
    if !next.is_whitespace() {
        // "9.99", "example.com", "U.S." inside; but a mark before CJK text needs no space.
        return is_unspaced(next) && chars[marks.start] != '.';
    }
    let next_word: String = {
        let word = rest.iter().skip_while(|c| c.is_whitespace() || is_opener(**c));
        word.take_while(|c| !c.is_whitespace()).take(30).collect()
    };
    let Some(next_letter) = next_word.chars().next() else { return true };
    let ellipsis = chars[marks.clone()].contains(&'…')
        || (marks.len() > 1 && chars[marks.clone()].iter().all(|c| *c == '.'));
    if (ellipsis || closed) && next_letter.is_lowercase() {
        // "Well... yes" and "“Really?” he asked" go on.
        return false;
    }
    if marks.len() == 1 && chars[marks.start] == '.' && !closed {
        return !dot_belongs_to_word(chars, span.start, marks.start, &next_word);
    }
    true
}

fn is_opener(c: char) -> bool {
    matches!(c, '"' | '\'' | '(' | '[' | '{' | '“' | '‘' | '«' | '‹' | '¿' | '¡')
}

/// Whether the dot at `dot` is part of the word before it rather than the end of a sentence.
fn dot_belongs_to_word(chars: &[char], start: usize, dot: usize, next_word: &str) -> bool {
    let mut from = dot;
    while from > start
        && !chars[from - 1].is_whitespace()
        && !is_opener(chars[from - 1])
        && chars[from - 1] != '-'
    {
        from -= 1;
    }
    let word: String = chars[from..dot].iter().collect();
    let lower = word.to_lowercase();
    let next_is_number = next_word.starts_with(|c: char| c.is_ascii_digit() || c == '#' || c == '§');
    let starts_sentence = {
        let bare: String = next_word.chars().filter(|c| c.is_alphanumeric() || *c == '\'').collect();
        STARTERS.contains(&bare.as_str())
    };
    if TITLES.contains(&lower.as_str()) || NEVER_LAST.contains(&lower.as_str()) {
        return true;
    }
    if BEFORE_NUMBER.contains(&lower.as_str()) {
        return next_is_number;
    }
    // "1. Mix the flour." is a numbered sentence; "in 1999." is not.
    if from == trimmed(chars, start..dot).start
        && !word.is_empty()
        && word.len() <= 3
        && word.bytes().all(|b| b.is_ascii_digit())
    {
        return true;
    }
    let single_capital = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
    let dotted = word.contains('.')
        && word.split('.').all(|part| part.chars().count() <= 3 && part.chars().all(char::is_alphabetic));
    if single_capital || dotted || MAYBE_LAST.contains(&lower.as_str()) {
        return !starts_sentence;
    }
    false
}

/// Always before a name.
const TITLES: &[&str] = &[
    "mr", "mrs", "ms", "mx", "dr", "prof", "rev", "hon", "fr", "gen", "col", "maj", "capt", "cpt", "lt",
    "sgt", "cmdr", "adm", "gov", "sen", "rep", "pres", "supt", "st", "ste", "mt", "ft", "sra", "srta", "dra",
    "mme", "mlle", "hr", "dhr", "mgr",
];

/// Never the last word of a sentence.
const NEVER_LAST: &[&str] = &[
    "e.g", "i.e", "eg", "ie", "cf", "vs", "viz", "approx", "ca", "al", "esp", "incl", "resp", "z.b", "d.h",
    "u.a", "bzw", "p.ej", "bijv", "o.a", "т.е", "т.д",
];

/// Abbreviations only before a number: "No. 5", but "No. We can't."
const BEFORE_NUMBER: &[&str] = &[
    "no", "nos", "nr", "vol", "fig", "figs", "p", "pp", "art", "sec", "sect", "ch", "chap", "pt", "ed", "eq",
    "par", "tel", "ext", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec",
];

/// May end a sentence; the next word decides.
const MAYBE_LAST: &[&str] = &[
    "etc", "inc", "ltd", "co", "corp", "bros", "llc", "plc", "jr", "sr", "esq", "ph.d", "m.d", "b.a", "m.a",
    "a.m", "p.m", "u.s", "u.k", "u.n", "e.u", "d.c", "ave", "blvd", "rd", "dept", "univ", "est", "min",
    "max", "hrs", "mins", "secs",
];

/// Words that begin sentences far oftener than they follow an abbreviation.
const STARTERS: &[&str] = &[
    "The",
    "A",
    "An",
    "He",
    "She",
    "It",
    "We",
    "They",
    "I",
    "You",
    "This",
    "That",
    "These",
    "Those",
    "There",
    "Here",
    "In",
    "On",
    "At",
    "But",
    "And",
    "So",
    "Or",
    "If",
    "When",
    "While",
    "Then",
    "Now",
    "What",
    "Who",
    "Why",
    "How",
    "Where",
    "My",
    "Our",
    "Your",
    "His",
    "Her",
    "Their",
    "Its",
    "It's",
    "Let",
    "Let's",
    "After",
    "Before",
    "With",
    "For",
    "From",
    "As",
    "To",
    "However",
    "Please",
    "Welcome",
    "Today",
    "Meanwhile",
    "Next",
    "Finally",
    "Since",
    "Because",
    "Although",
    "Not",
    "No",
    "Yes",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str, new_line: bool, sentence: bool) -> Vec<String> {
        let chars: Vec<char> = text.chars().collect();
        split(&chars, new_line, sentence).into_iter().map(|range| chars[range].iter().collect()).collect()
    }

    #[test]
    fn one_sentence_stays_one() {
        for text in [
            "Dr. Smith paid $9.99.",
            "Mr. and Mrs. Brown met Prof. J. R. R. Tolkien at St. Mary's.",
            "We ship to the U.S. Army and e.g. the U.K. Navy.",
            "See www.example.com/a.b?c=d for No. 5 and Fig. 2.",
            "Well... that is that.",
            "“Really?” he asked.",
            "1. Mix the flour.",
            "Pi is 3.14159 and v2.0.1 is out",
            "He works at Acme Inc. Berlin.",
            "「はい。」と彼は言った。",
            "",
            "...",
        ] {
            assert!(parts(text, false, true).len() <= 1, "{text}: {:?}", parts(text, false, true));
        }
    }

    #[test]
    fn sentences_part() {
        let cases: &[(&str, &[&str])] = &[
            ("Hello world! Good morning!", &["Hello world!", "Good morning!"]),
            ("hello world. good morning.", &["hello world.", "good morning."]),
            ("He lives in the U.S. He likes it.", &["He lives in the U.S.", "He likes it."]),
            ("No. We cannot.", &["No.", "We cannot."]),
            ("She said “Go.” Then she left.", &["She said “Go.”", "Then she left."]),
            ("What?! Yes... Maybe.", &["What?!", "Yes...", "Maybe."]),
            ("It was 1999. Everyone danced.", &["It was 1999.", "Everyone danced."]),
            ("1. Mix flour. 2. Bake.", &["1. Mix flour.", "2. Bake."]),
            ("こんにちは。元気ですか？はい！", &["こんにちは。", "元気ですか？", "はい！"]),
            ("नमस्ते। आप कैसे हैं?", &["नमस्ते।", "आप कैसे हैं?"]),
            ("Visit example.com. Then call.", &["Visit example.com.", "Then call."]),
            ("¿Qué tal? ¡Bien!", &["¿Qué tal?", "¡Bien!"]),
            ("One. \" Two.", &["One.", "\" Two."]),
        ];
        for (text, expected) in cases {
            assert_eq!(parts(text, false, true), *expected, "{text}");
        }
    }

    #[test]
    fn lines_part_and_both_may_be_asked() {
        assert_eq!(parts("One. Two.\nThree", true, false), ["One. Two.", "Three"]);
        assert_eq!(parts("One. Two.\nThree", true, true), ["One.", "Two.", "Three"]);
        assert_eq!(parts("One. Two.\nThree", false, false), ["One. Two.\nThree"]);
        assert_eq!(parts("\n\n", true, true), Vec::<String>::new());
    }
}
