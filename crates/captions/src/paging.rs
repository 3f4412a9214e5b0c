//! Words of known width onto lines and pages. Pure arithmetic: no fonts here.
//!
//! Pages hold a bounded number of lines; they end at a sentence, else at a clause, else at a word, and are filled
//! evenly; the lines of a page are as even as they can be without adding one.

use std::ops::Range;

/// A stretch of text that is not broken, with what follows it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Word {
    /// Width in pixels without the space after it.
    pub(crate) width: f32,
    /// Width of the space after it; 0 where there is none.
    pub(crate) space: f32,
    /// What it ends.
    pub(crate) end: End,
}

/// What a word ends, from weakest to strongest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    /// Nothing but itself.
    Word,
    /// A clause.
    Clause,
    /// A sentence.
    Sentence,
    /// A paragraph: the line breaks here by force.
    Paragraph,
}

impl End {
    /// What a page break here costs, in units of one more page.
    fn cost(self) -> f32 {
        match self {
            Self::Word => 0.8,
            Self::Clause => 0.3,
            Self::Sentence | Self::Paragraph => 0.0,
        }
    }
}

/// Lines of word indices, for each page. Every word is on exactly one line, in order.
pub(crate) fn pages(words: &[Word], width: f32, lines: usize) -> Vec<Vec<Range<usize>>> {
    let ranges = page_ranges(words, width, lines.max(1));
    ranges.into_iter().map(|range| balanced(words, range, width)).collect()
}

/// The cheapest row of pages, by dynamic programming over the words at which a page may start.
fn page_ranges(words: &[Word], width: f32, lines: usize) -> Vec<Range<usize>> {
    let count = words.len();
    let mut best = vec![f32::INFINITY; count + 1];
    let mut from = vec![0; count + 1];
    best[0] = 0.0;
    for start in 0..count {
        let mut filler = Filler::new(width);
        let mut total = 0.0;
        for (index, word) in words.iter().enumerate().skip(start) {
            filler.add(*word);
            // A page holds at least one word, however wide.
            if filler.lines > lines && index > start {
                break;
            }
            total += word.width + word.space;
            let fill = (total / (width * lines as f32)).min(1.0);
            let end = index + 1;
            let break_cost = if end == count { 0.0 } else { word.end.cost() };
            let cost = best[start] + 1.0 + (1.0 - fill).powi(2) + break_cost;
            if cost < best[end] {
                best[end] = cost;
                from[end] = start;
            }
            if start == 0 && end == count {
                // All of it fits on one page.
                return std::iter::once(0..count).collect();
            }
        }
    }
    let mut ranges = Vec::new();
    let mut end = count;
    while end > 0 {
        ranges.push(from[end]..end);
        end = from[end];
    }
    ranges.reverse();
    ranges
}

/// The lines of one page: each paragraph in as few lines as it needs, of lengths as even as can be, ending at a clause
/// or sentence where that costs little evenness.
fn balanced(words: &[Word], range: Range<usize>, width: f32) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let mut start = range.start;
    for end in range.clone() {
        if words[end].end == End::Paragraph || end + 1 == range.end {
            let paragraph = &words[start..=end];
            lines.extend(
                even_lines(paragraph, width).into_iter().map(|line| line.start + start..line.end + start),
            );
            start = end + 1;
        }
    }
    lines
}

fn even_lines(words: &[Word], width: f32) -> Vec<Range<usize>> {
    let mut filler = Filler::new(width);
    words.iter().for_each(|word| filler.add(*word));
    let (count, needed) = (words.len(), filler.lines);
    let total: f32 = words.iter().map(|word| word.width + word.space).sum();
    let target = total / needed as f32;
    // best[line][end]: the least cost of the first `end` words on `line` lines, and where the last of these starts.
    let mut best = vec![vec![(f32::INFINITY, 0); count + 1]; needed + 1];
    best[0][0].0 = 0.0;
    for line in 1..=needed {
        for start in line - 1..count {
            let before = best[line - 1][start].0;
            if before.is_infinite() {
                continue;
            }
            let mut filler = Filler::new(width);
            for end in start + 1..=count {
                let word = words[end - 1];
                filler.add(word);
                if filler.lines > 1 {
                    break;
                }
                let uneven = ((filler.used - target) / width).powi(2);
                let cost = before + uneven + if end == count { 0.0 } else { word.end.cost() * 0.05 };
                if cost < best[line][end].0 {
                    best[line][end] = (cost, start);
                }
            }
        }
    }
    let mut lines = Vec::with_capacity(needed);
    let mut end = count;
    for line in (1..=needed).rev() {
        let start = best[line][end].1;
        lines.push(start..end);
        end = start;
    }
    lines.reverse();
    lines
}

/// Puts one word after another and counts the lines.
struct Filler {
    width: f32,
    used: f32,
    forced: bool,
    lines: usize,
}

impl Filler {
    fn new(width: f32) -> Self {
        // A hair of tolerance, so that a measure found by bisection holds the very words it was found with.
        Self { width: width + 0.01, used: 0.0, forced: true, lines: 0 }
    }

    fn add(&mut self, word: Word) {
        if self.forced || self.used + word.width > self.width {
            self.lines += 1;
            self.used = 0.0;
        }
        self.used += word.width + word.space;
        self.forced = word.end == End::Paragraph;
    }
}

/// What a word ends, judged by its last characters and by how the next one begins.
pub(crate) fn end_of(word: &str, next: &str) -> End {
    let bare = word
        .trim_end_matches(' ')
        .trim_end_matches(['"', '\'', ')', ']', '”', '’', '»', '」', '』', '）', '】']);
    let Some(last) = bare.chars().next_back() else { return End::Word };
    match last {
        '!' | '?' | '…' | '。' | '！' | '？' | '؟' | '۔' | '।' | '॥' => End::Sentence,
        '.' if !is_abbreviation(bare) && !next.starts_with(char::is_lowercase) => End::Sentence,
        ',' | ';' | ':' | '—' | '–' | '、' | '，' | '；' | '：' | '،' | '؛' => End::Clause,
        _ => End::Word,
    }
}

fn is_abbreviation(word: &str) -> bool {
    const KNOWN: [&str; 14] =
        ["dr", "mr", "mrs", "ms", "prof", "st", "vs", "etc", "no", "inc", "ltd", "jr", "sr", "approx"];
    let stem = word.trim_end_matches('.').trim_start_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let initial = stem.chars().count() == 1 && stem.chars().all(char::is_alphabetic);
    initial
        || stem.contains('.') && !stem.ends_with(|c: char| c.is_ascii_digit())
        || KNOWN.contains(&stem.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Word> {
        let parts: Vec<&str> = text.split(' ').collect();
        let ends = parts.iter().enumerate().map(|(index, part)| {
            let next = parts.get(index + 1).copied().unwrap_or_default();
            Word { width: part.chars().count() as f32, space: 1.0, end: end_of(part, next) }
        });
        ends.collect()
    }

    fn show(text: &str, width: f32, lines: usize) -> Vec<Vec<String>> {
        let parts: Vec<&str> = text.split(' ').collect();
        let pages = pages(&words(text), width, lines);
        pages.into_iter().map(|page| page.into_iter().map(|line| parts[line].join(" ")).collect()).collect()
    }

    #[test]
    fn evens_out_the_lines_of_a_page() {
        assert_eq!(show("one two three four five six", 24.0, 2), [["one two three", "four five six"]]);
    }

    #[test]
    fn ends_pages_at_sentences() {
        let text = "Hello there world. This is a longer sentence, with a clause. The end comes now.";
        let pages = show(text, 20.0, 2);
        assert_eq!(pages[0], ["Hello there world."]);
        assert_eq!(pages[1], ["This is a", "longer sentence,"]);
        assert_eq!(pages[2], ["with a clause.", "The end comes now."]);
    }

    #[test]
    fn ends_a_line_at_a_sentence_where_that_is_nearly_even() {
        let text = "Hello world! Good morning! Welcome and have a wonderful day ahead!";
        assert_eq!(
            show(text, 60.0, 2),
            [["Hello world! Good morning!", "Welcome and have a wonderful day ahead!"]]
        );
    }

    #[test]
    fn keeps_forced_breaks_and_words_wider_than_a_line() {
        let word = |width, end| Word { width, space: 0.0, end };
        let words = [word(5.0, End::Paragraph), word(50.0, End::Word), word(3.0, End::Paragraph)];
        assert_eq!(pages(&words, 20.0, 3), [[0..1, 1..2, 2..3]]);
        assert_eq!(pages(&words, 20.0, 2), [vec![0..1; 1], vec![1..2, 2..3]]);
    }

    #[test]
    fn spreads_a_sentence_that_fills_several_pages() {
        let text = vec!["word"; 25].join(" ");
        let counts: Vec<usize> = show(&text, 24.0, 2)
            .iter()
            .map(|page| page.iter().map(|line| line.split(' ').count()).sum())
            .collect();
        assert_eq!(counts.iter().sum::<usize>(), 25);
        assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{counts:?}");
    }

    #[test]
    fn knows_abbreviations_from_sentences() {
        assert_eq!(end_of("Dr.", "Smith"), End::Word);
        assert_eq!(end_of("U.S.", "Army"), End::Word);
        assert_eq!(end_of("9.99.", "Then"), End::Sentence);
        assert_eq!(end_of("done.\"", "Next"), End::Sentence);
        assert_eq!(end_of("end.", "but"), End::Word);
    }
}
