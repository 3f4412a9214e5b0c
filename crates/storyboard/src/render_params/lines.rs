//! From edited text lines back to a caption.
//!
//! A line is what the typesetter made of a text that flows. Where only words changed, the text flows again as it
//! did: lines are joined by what stood between them. Where lines were added or removed, the client thinks in lines,
//! and each stays one.

use std::ops::Range;

use crate::markup::Marked;
use crate::model::Caption;
use crate::script::joint;

/// The caption that lines mean. `base` is the caption that was shown as `before`, if there was one; a line that did
/// not change keeps its keywords, any other gets those of `keywords` and its own `<strong>` marks.
pub(crate) fn caption_of(
    base: Option<&Caption>,
    before: &[String],
    after: &[String],
    keywords: &[String],
) -> Marked {
    let base = base.map(|caption| Marked::from_runs(&caption.runs));
    let places = base
        .as_ref()
        .filter(|_| before.len() == after.len())
        .and_then(|base| places(&base.plain(), before).map(|places| (base.chars(), places)));
    let Some((chars, places)) = places else {
        let mut all = Vec::new();
        for line in after {
            all.extend(marked(line, keywords).chars());
            all.push(('\n', false));
        }
        return Marked::from_chars(&all);
    };
    let mut all: Vec<(char, bool)> = Vec::new();
    for (index, line) in after.iter().enumerate() {
        if index > 0 {
            let gap = chars.get(places[index - 1].end..places[index].start).unwrap_or_default();
            match gap {
                [] => all.extend(joint(&after[index - 1], line).chars().map(|c| (c, false))),
                gap => all.extend(gap.iter().filter(|(c, _)| c.is_whitespace())),
            }
        }
        if *line == before[index] {
            all.extend(chars.get(places[index].clone()).unwrap_or_default());
        } else {
            all.extend(marked(line, keywords).chars());
        }
    }
    Marked::from_chars(&all)
}

fn marked(line: &str, keywords: &[String]) -> Marked {
    if line.to_ascii_lowercase().contains("<strong") {
        return Marked::parse(line);
    }
    Marked::literal(line).highlight(keywords)
}

/// Where each line stands in the text, in characters; `None` unless all are found in order.
fn places(text: &str, lines: &[String]) -> Option<Vec<Range<usize>>> {
    let mut places = Vec::with_capacity(lines.len());
    let (mut byte, mut character) = (0, 0);
    for line in lines {
        let rest = &text[byte..];
        let found = rest.find(line.as_str())?;
        let start = character + rest[..found].chars().count();
        let end = start + line.chars().count();
        places.push(start..end);
        byte += found + line.len();
        character = end;
    }
    Some(places)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Run;

    fn caption(text: &str) -> Caption {
        Caption { runs: Marked::parse(text).runs(), language: "en".to_owned() }
    }

    fn texts(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn a_changed_line_flows_on() {
        let base = caption("Hello <strong>big</strong> world and <strong>all</strong>\nof you");
        let before = texts(&["Hello big", "world and all", "of you"]);
        let after = texts(&["Hello big", "planet and all", "of us"]);
        let marked = caption_of(Some(&base), &before, &after, &texts(&["big", "all"]));
        assert_eq!(marked.plain(), "Hello big planet and all\nof us");
        let keywords: Vec<Run> = marked.runs().into_iter().filter(|run| run.keyword).collect();
        assert_eq!(keywords.iter().map(|run| run.text.as_str()).collect::<Vec<_>>(), ["big", "all"]);
    }

    #[test]
    fn added_lines_stay_lines() {
        let base = caption("Hello world");
        let marked = caption_of(
            Some(&base),
            &texts(&["Hello world"]),
            &texts(&["Hello", "<strong>new</strong> world"]),
            &[],
        );
        assert_eq!(marked.plain(), "Hello\nnew world");
        assert!(marked.runs()[1].keyword);
        assert!(caption_of(Some(&base), &texts(&["Hello world"]), &texts(&[""]), &[]).is_empty());
    }

    #[test]
    fn scripts_without_spaces_stay_so() {
        let base = caption("東京は日本の首都");
        let marked = caption_of(
            Some(&base),
            &texts(&["東京は", "日本の首都"]),
            &texts(&["京都は", "日本の古都"]),
            &[],
        );
        assert_eq!(marked.plain(), "京都は日本の古都");
    }
}
