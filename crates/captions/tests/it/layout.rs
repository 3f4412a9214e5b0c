use proptest::prelude::*;
use storyboard::{Canvas, Run, TextStyle};

use crate::{TALL, TYPESETTER, WIDE, caption, pages};

const SEED: &str = "Hello world! Good morning! Welcome and have a wonderful day ahead!";

#[test]
fn breaks_lines_evenly_and_at_sentences() {
    assert_eq!(
        pages(SEED, "en", WIDE),
        ["Hello world! Good morning!\nWelcome and have a wonderful day ahead!"]
    );
    // Only the smaller side sets the size: the break is the same at 720 lines.
    assert_eq!(pages(SEED, "en", Canvas { width: 1280, height: 720 }), pages(SEED, "en", WIDE));
    assert_eq!(pages(SEED, "en", TALL).len(), 1);
    assert_eq!(pages("One line", "en", WIDE), ["One line"]);
}

#[test]
fn keeps_forced_breaks() {
    assert_eq!(pages("one\ntwo", "en", WIDE), ["one\ntwo"]);
    assert_eq!(pages("one\n\n  two \r\nthree", "en", WIDE).join("\n"), "one\ntwo\nthree");
    assert_eq!(pages("one\ntwo\nthree", "en", TALL), ["one\ntwo\nthree"]);
}

#[test]
fn pages_long_text_at_sentences() {
    let sentence =
        "This sentence is long enough to take about one whole line of a caption, or even somewhat more.";
    let pages = pages(&[sentence; 4].join(" "), "en", WIDE);
    assert_eq!(pages.len(), 4);
    for page in pages {
        assert_eq!(page.replace('\n', " "), sentence);
    }
}

#[test]
fn has_no_page_without_visible_text() {
    for text in ["", "  \n\t ", "\u{200b}\u{feff}\u{7}"] {
        assert_eq!(pages(text, "en", WIDE), [""; 0]);
    }
}

#[test]
fn keeps_keywords_over_a_break() {
    let layout = TYPESETTER.paginate(&caption("one *two\nthree* four", "en"), &TextStyle::default(), WIDE);
    let run = |text: &str, keyword| Run { text: text.to_owned(), keyword };
    assert_eq!(
        layout.pages[0].lines,
        [vec![run("one ", false), run("two", true)], vec![run("three", true), run(" four", false)]]
    );
}

#[test]
fn breaks_what_is_wider_than_a_line() {
    let word = "x".repeat(500);
    let pages = pages(&word, "en", WIDE);
    assert!(pages.len() > 1);
    assert_eq!(pages.concat().replace('\n', ""), word);
}

#[test]
fn breaks_scripts_without_spaces_at_words() {
    let thai = "สวัสดีชาวโลกยินดีต้อนรับสู่รายการของเราขอให้วันนี้เป็นวันที่ดีที่สุดของคุณที่นี่มีทุกอย่าง";
    let pages = pages(thai, "th", WIDE);
    assert!(pages[0].contains('\n'), "{pages:?}");
    let combining = |c: char| matches!(u32::from(c), 0xe31 | 0xe34..=0xe3a | 0xe47..=0xe4e);
    assert!(!pages[0].split('\n').any(|line| line.starts_with(combining)), "{pages:?}");
}

#[test]
fn a_hundred_thousand_characters_are_laid_out() {
    for text in ["Lorem ipsum dolor sit amet. ".repeat(3_600), "a".repeat(100_000), "e\u{301}".repeat(50_000)]
    {
        let pages = pages(&text, "en", WIDE);
        let kept: usize = pages.iter().map(|page| page.chars().filter(|c| !c.is_whitespace()).count()).sum();
        assert_eq!(kept, text.chars().filter(|c| !c.is_whitespace()).count());
    }
}

#[test]
fn what_was_set_before_does_not_matter() {
    let fresh = captions::Typesetter::new(TYPESETTER.fonts().clone());
    let text = caption("Same \u{2764}\u{fe0f} text 1\u{fe0f}\u{20e3} שלום", "en");
    let expected = fresh.paginate(&text, &TextStyle::default(), WIDE);
    fresh.paginate(
        &caption("नमस्ते \u{1f600} *x*", "hi"),
        &TextStyle { italic: true, ..TextStyle::default() },
        TALL,
    );
    assert_eq!(fresh.paginate(&text, &TextStyle::default(), WIDE), expected);
    let bitmap = fresh.raster(&expected.pages[0], WIDE);
    assert_eq!(bitmap, TYPESETTER.raster(&expected.pages[0], WIDE));
}

fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-zA-Z]{1,12}[.,!? ]{0,2}",
        1 => "[\u{5d0}-\u{5ea}]{1,8} ",
        1 => "[\u{621}-\u{64a}]{1,8} ",
        1 => "[\u{915}-\u{939}]\u{94d}?[\u{915}-\u{939}]\u{93f}? ?",
        1 => "[\u{e01}-\u{e2e}]{1,8}",
        1 => "[\u{4e00}-\u{4fff}\u{3041}-\u{3090}]{1,8}",
        1 => proptest::char::any().prop_map(String::from),
        1 => Just("\u{1f468}\u{200d}\u{1f469}\u{fe0f}\n".to_owned()),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn any_canvas() -> impl Strategy<Value = Canvas> {
    (8_u32..1100, 8_u32..1100).prop_map(|(width, height)| Canvas { width: width * 2, height: height * 2 })
}

fn any_style() -> impl Strategy<Value = TextStyle> {
    let sizes =
        prop_oneof![8 => 8.0..200.0, 1 => Just(0.0), 1 => Just(-3.0), 1 => Just(f64::NAN), 1 => Just(1e9)];
    (sizes, any::<bool>(), 0_u16..1200, any::<bool>(), any::<u8>()).prop_map(
        |(size, italic, weight, underline, alpha)| {
            let background = storyboard::Rgba::new(0, 0, 0, alpha);
            TextStyle { size, italic, weight, underline, background, ..TextStyle::default() }
        },
    )
}

/// What is not white space, in order.
fn ink(text: &str) -> String {
    let removed = |c: &char| !c.is_whitespace() && !c.is_control() && *c != '\u{ad}' && *c != '\u{feff}';
    text.chars().filter(removed).collect()
}

fn is_forced_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn text_is_preserved_and_bitmaps_lie_inside(text in any_text(), style in any_style(), canvas in any_canvas()) {
        let source = storyboard::Caption {
            runs: vec![Run { text: text.clone(), keyword: false }],
            language: "en".to_owned(),
        };
        let layout = TYPESETTER.paginate(&source, &style, canvas);
        let kept = layout.pages.iter().map(captions::Page::text).collect::<Vec<_>>().join("\n");
        // What carries meaning is all there, and in order; without forced breaks, so is everything else.
        let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
        prop_assert_eq!(letters(&kept), letters(&text));
        if !layout.pages.is_empty() && !text.chars().any(is_forced_break) {
            prop_assert_eq!(ink(&kept), ink(&text));
        }
        let most = if canvas.height > canvas.width { 3 } else { 2 };
        for page in &layout.pages {
            prop_assert!((1..=most).contains(&page.lines.len()));
            if let Some(bitmap) = TYPESETTER.raster(page, canvas) {
                for side in [bitmap.x, bitmap.y, bitmap.width, bitmap.height] {
                    prop_assert_eq!(side % 2, 0);
                }
                prop_assert!(bitmap.x + bitmap.width <= canvas.width && bitmap.y + bitmap.height <= canvas.height);
                prop_assert_eq!(bitmap.pixels.len(), (bitmap.width * bitmap.height * 4) as usize);
                let premultiplied = |p: &[u8]| p[0] <= p[3] && p[1] <= p[3] && p[2] <= p[3];
                prop_assert!(bitmap.pixels.chunks_exact(4).all(premultiplied));
            }
        }
    }
}
