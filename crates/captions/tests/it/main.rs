//! What a caption becomes: pages, and bitmaps.

mod fonts;
mod layout;
mod raster;

use std::sync::LazyLock;

use captions::{Fonts, Typesetter};
use storyboard::{Canvas, Caption, Run, TextStyle};

const WIDE: Canvas = Canvas { width: 1920, height: 1080 };
const TALL: Canvas = Canvas { width: 1080, height: 1920 };

/// The embedded fonts only: what these tests say must not depend on the machine's packages.
static TYPESETTER: LazyLock<Typesetter> =
    LazyLock::new(|| Typesetter::new(Fonts::builder().embedded().build().expect("embedded fonts")));

/// A caption in a language, text between asterisks being keywords.
fn caption(text: &str, language: &str) -> Caption {
    let runs = text.split('*').enumerate();
    let runs = runs.map(|(index, text)| Run { text: text.to_owned(), keyword: index % 2 == 1 });
    Caption { runs: runs.collect(), language: language.to_owned() }
}

/// The pages' texts.
fn pages(text: &str, language: &str, canvas: Canvas) -> Vec<String> {
    let layout = TYPESETTER.paginate(&caption(text, language), &TextStyle::default(), canvas);
    layout.pages.iter().map(captions::Page::text).collect()
}
