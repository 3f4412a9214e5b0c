//! The typesetter: captions into pages, pages into bitmaps.
//!
//! Measures: a style's size is in pixels of a canvas whose smaller side is 1080, so that landscape and portrait films
//! carry text of one size to their width. Lines are at most 80 % of the canvas wide; a page has two of them, three on a
//! portrait canvas, fewer where they would not fit the height.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use icu_segmenter::options::{LineBreakOptions, WordBreakInvariantOptions};
use icu_segmenter::{LineSegmenter, WordSegmenter};
use storyboard::{Canvas, Caption, TextStyle, Warning};

use crate::coverage::Family;
use crate::fonts::Fonts;
use crate::page::{Bitmap, Page};
use crate::paging::{self, End, Word};
use crate::shape::{Line, Shaper, extent};
use crate::text::{self, Text, is_cjk};

/// Share of the canvas's width that a line may take.
const MEASURE: f32 = 0.8;

/// Distance of baselines, in sizes of the text.
pub(crate) const LEADING: f32 = 1.25;

/// A caption in pages.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// The pages in order; none where there is no visible text.
    pub pages: Vec<Page>,
    /// `FONT_SUBSTITUTED`, `FONT_UNKNOWN` and `MISSING_GLYPH`, without a pointer. Scenes of one style repeat them:
    /// who lays out several captions says equal ones once.
    pub warnings: Vec<Warning>,
}

/// Lays out captions and draws them. One may serve many threads, one caption at a time.
pub struct Typesetter {
    fonts: Fonts,
    shaper: Mutex<Shaper>,
}

impl std::fmt::Debug for Typesetter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Typesetter").field("fonts", &self.fonts).finish_non_exhaustive()
    }
}

impl Typesetter {
    /// A typesetter for a set of fonts.
    pub fn new(fonts: Fonts) -> Self {
        let shaper = Mutex::new(Shaper::new(fonts.clone()));
        Self { fonts, shaper }
    }

    /// The fonts it sets in.
    pub fn fonts(&self) -> &Fonts {
        &self.fonts
    }

    /// Breaks a caption into pages that fit a canvas. The time it takes grows with the length of the text.
    pub fn paginate(&self, caption: &Caption, style: &TextStyle, canvas: Canvas) -> Layout {
        let paragraphs = text::paragraphs(&caption.runs);
        if paragraphs.is_empty() {
            return Layout { pages: Vec::new(), warnings: Vec::new() };
        }
        let mut shaper = self.shaper();
        let Shaper { coverage, fonts, .. } = &mut *shaper;
        let family = coverage.family(&style.family);
        let families = coverage.families(fonts, &family, &paragraphs, &caption.language);
        let warnings = warnings(style, &family, &families.missing);

        let size = text_size(style, canvas);
        let measure = canvas.width as f32 * MEASURE;
        let (mut words, mut places) = (Vec::new(), Vec::new());
        let mut line_height = size * LEADING;
        for (index, paragraph) in paragraphs.iter().enumerate() {
            let direction = text::direction(&paragraph.text, &caption.language);
            let line = shaper.line(paragraph, &families, style, size, &caption.language, direction);
            let extent = extent(&line);
            line_height = line_height.max(extent.above + extent.below);
            for (range, word) in split(paragraph, &line, measure) {
                words.push(word);
                places.push((index, range));
            }
        }
        drop(shaper);

        let fitting = (canvas.height as f32 * 0.85 / line_height).floor() as usize;
        let lines = (if canvas.height > canvas.width { 3 } else { 2 }).min(fitting).max(1);
        let pages = paging::pages(&words, measure, lines).into_iter().map(|page| {
            let lines = page.into_iter().filter_map(|line| {
                // The words of a line are of one paragraph: a paragraph's last word forces the line to end.
                let (paragraph, first) = places.get(line.start)?;
                let (_, last) = places.get(line.end.checked_sub(1)?)?;
                Some(paragraphs.get(*paragraph)?.runs(first.start..last.end))
            });
            let lines = lines.filter(|line| !line.is_empty()).collect();
            Page { lines, style: style.clone(), language: caption.language.clone() }
        });
        Layout { pages: pages.filter(|page| !page.lines.is_empty()).collect(), warnings }
    }

    /// Draws a page: its box with the text, or the outlined text alone where the box's colour is transparent. `None`
    /// where nothing is to be seen. Text that would not fit is drawn smaller.
    pub fn raster(&self, page: &Page, canvas: Canvas) -> Option<Bitmap> {
        crate::raster::raster(&mut self.shaper(), page, canvas)
    }

    fn shaper(&self) -> MutexGuard<'_, Shaper> {
        // What it holds is scratch space and a cache of files: whole after every step.
        self.shaper.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Pixels of the canvas that the style's size stands for.
pub(crate) fn text_size(style: &TextStyle, canvas: Canvas) -> f32 {
    let side = canvas.width.min(canvas.height) as f32;
    let size = if style.size.is_finite() { style.size as f32 } else { 48.0 };
    (size * side / 1080.0).clamp(4.0, (side * 0.4).max(4.0))
}

fn warnings(style: &TextStyle, family: &Family, missing: &[char]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let asked: String = style.family.chars().filter(|c| !c.is_control()).take(60).collect();
    match family {
        Family::Known(..) => {}
        Family::Substituted => {
            let message = format!("The font {asked} is not installed; captions are set in Inter instead.");
            warnings.push(Warning::new("FONT_SUBSTITUTED", message));
        }
        Family::Unknown => {
            let message = format!(
                "The font \"{asked}\" is not known; captions are set in Inter instead. The operator can add it to a \
                 font directory."
            );
            warnings.push(Warning::new("FONT_UNKNOWN", message));
        }
    }
    if !missing.is_empty() {
        let shown = missing.iter().take(20).map(|c| format!("{c} (U+{:04X})", u32::from(*c)));
        let shown = shown.collect::<Vec<_>>().join(", ");
        let more =
            if missing.len() > 20 { format!(" and {} more", missing.len() - 20) } else { String::new() };
        let message = format!(
            "No font has these characters, which are left out of the caption: {shown}{more}. The operator can add a \
             font that has them to a font directory."
        );
        warnings.push(Warning::new("MISSING_GLYPH", message));
    }
    warnings
}

/// Cuts a paragraph into words: where lines may break, and inside a word that is wider than a line.
fn split(paragraph: &Text, line: &Line, measure: f32) -> Vec<(Range<usize>, Word)> {
    let text = &paragraph.text;
    let clusters = advances(line, text.len());
    let breaks = breaks(text);
    let mut words = Vec::new();
    let mut cluster = 0;
    let mut start = 0;
    for (index, end) in breaks.iter().copied().enumerate() {
        let source = &text[start..end];
        let bare = start + source.trim_end_matches(' ').len();
        let next = breaks.get(index + 1).map_or("", |next| &text[end..*next]);
        let boundary = if end == text.len() { End::Paragraph } else { paging::end_of(source, next) };
        let mut word = Word { width: 0.0, space: 0.0, end: End::Word };
        let mut from = start;
        while let Some((at, advance)) = clusters.get(cluster).copied().filter(|(at, _)| *at < end) {
            if at >= bare {
                word.space += advance;
            } else if at > from && word.width + advance > measure && text.is_char_boundary(at) {
                words.push((from..at, word));
                word = Word { width: advance, ..word };
                from = at;
            } else {
                word.width += advance;
            }
            cluster += 1;
        }
        words.push((from..end, Word { end: boundary, ..word }));
        start = end;
    }
    words
}

/// Start and width of every cluster, in the order of the text.
fn advances(line: &Line, length: usize) -> Vec<(usize, f32)> {
    let mut clusters = Vec::with_capacity(length);
    for run in line.lines().flat_map(|line| line.runs()) {
        clusters.extend(run.clusters().map(|cluster| (cluster.text_range().start, cluster.advance())));
    }
    clusters.sort_by_key(|(start, _)| *start);
    clusters
}

/// Where a line may end, the end of the text included. Between two ideographs only where a word of the dictionary ends,
/// so that Japanese and Chinese words stay whole.
fn breaks(text: &str) -> Vec<usize> {
    let lines = LineSegmenter::new_dictionary(LineBreakOptions::default());
    let candidates = lines.segment_str(text).filter(|at| *at > 0);
    if !text.chars().any(is_cjk) {
        return candidates.collect();
    }
    let words = WordSegmenter::new_dictionary(WordBreakInvariantOptions::default());
    let mut words = words.segment_str(text).peekable();
    let kept = candidates.filter(|at| {
        while words.next_if(|word| word < at).is_some() {}
        let inside = text[*at..].chars().next().is_some_and(is_cjk)
            && text[..*at].chars().next_back().is_some_and(is_cjk);
        !inside || words.peek() == Some(at)
    });
    kept.collect()
}
