use captions::{Bitmap, Page};
use storyboard::{Horizontal, Rgba, Run, TextStyle, Vertical};

use crate::{TALL, TYPESETTER, WIDE, caption};

fn draw(text: &str, style: &TextStyle) -> Bitmap {
    let layout = TYPESETTER.paginate(&caption(text, "en"), style, WIDE);
    TYPESETTER.raster(&layout.pages[0], WIDE).expect("visible text")
}

fn count(bitmap: &Bitmap, wanted: impl Fn(&[u8]) -> bool) -> usize {
    bitmap.pixels.chunks_exact(4).filter(|pixel| wanted(pixel)).count()
}

#[test]
fn draws_a_box_in_the_lower_third_with_text_in_it() {
    let bitmap = draw("Hello *world*", &TextStyle::default());
    assert!(bitmap.y > 720 && bitmap.y + bitmap.height <= 1080 - 54, "{} {}", bitmap.y, bitmap.height);
    let centre = bitmap.x + bitmap.width / 2;
    assert!(centre.abs_diff(960) <= 2);
    // The corners are round, the box is translucent, the text and the keyword are there in their colours.
    assert_eq!(bitmap.pixels[3], 0);
    let area = (bitmap.width * bitmap.height) as usize;
    assert!(count(&bitmap, |pixel| pixel[3] == 153) > area / 2);
    assert!(count(&bitmap, |pixel| pixel == [255, 255, 255, 255]) > 300);
    assert!(count(&bitmap, |pixel| pixel == [226, 226, 170, 255]) > 300);
}

#[test]
fn places_the_box_by_style_within_margins() {
    let style = TextStyle { vertical: Vertical::Top, horizontal: Horizontal::Left, ..TextStyle::default() };
    let bitmap = draw("Hello", &style);
    assert_eq!((bitmap.x, bitmap.y), (96, 54));
    let style =
        TextStyle { vertical: Vertical::Center, horizontal: Horizontal::Right, ..TextStyle::default() };
    let bitmap = draw("Hello", &style);
    assert!((1920 - 96 - bitmap.x - bitmap.width) <= 2);
    assert!((bitmap.y + bitmap.height / 2).abs_diff(540) <= 2);
}

#[test]
fn outlines_text_that_has_no_box() {
    let clear = Rgba::new(0, 0, 0, 0);
    let light = draw("Hello", &TextStyle { background: clear, ..TextStyle::default() });
    assert!(count(&light, |pixel| pixel[3] > 150 && pixel[0] < 40) > 200);
    let colour = Rgba::new(10, 10, 10, 255);
    let dark = draw("Hello", &TextStyle { background: clear, colour, ..TextStyle::default() });
    assert!(count(&dark, |pixel| pixel[3] > 150 && pixel[0] > 150) > 200);
}

#[test]
fn size_weight_slant_and_underline_show() {
    let plain = draw("Hello jig", &TextStyle::default());
    let large = draw("Hello jig", &TextStyle { size: 96.0, ..TextStyle::default() });
    assert!(large.width > plain.width * 3 / 2 && large.height > plain.height * 3 / 2);
    let white = |bitmap: &Bitmap| count(bitmap, |pixel| pixel[0] > 200);
    let regular = draw("Hello jig", &TextStyle { weight: 400, ..TextStyle::default() });
    let bold = draw("Hello jig", &TextStyle { weight: 700, ..TextStyle::default() });
    assert!(white(&bold) > white(&regular) * 11 / 10);
    let underlined = draw("Hello jig", &TextStyle { underline: true, ..TextStyle::default() });
    assert!(white(&underlined) > white(&plain) * 11 / 10);
    let italic = draw("Hello jig", &TextStyle { italic: true, ..TextStyle::default() });
    assert_ne!(italic.pixels, plain.pixels);
}

#[test]
fn draws_smaller_what_does_not_fit() {
    let line = vec![Run { text: "wide ".repeat(40), keyword: false }];
    let page = Page { lines: vec![line; 12], style: TextStyle::default(), language: "en".to_owned() };
    for canvas in [WIDE, TALL] {
        let bitmap = TYPESETTER.raster(&page, canvas).unwrap();
        assert!(bitmap.width <= canvas.width && bitmap.height <= canvas.height);
        assert!(count(&bitmap, |pixel| pixel[0] > 128) > 100);
    }
}

#[test]
fn never_draws_a_substitute_box() {
    // Gothic letters, which no embedded font has, leave nothing but the box of the caption; alone, not even that.
    let page = |text: &str| Page {
        lines: vec![vec![Run { text: text.to_owned(), keyword: false }]],
        style: TextStyle::default(),
        language: "en".to_owned(),
    };
    assert_eq!(TYPESETTER.raster(&page("\u{10330}\u{10331}"), WIDE), None);
    assert_eq!(TYPESETTER.raster(&page("a\u{10330}b"), WIDE), TYPESETTER.raster(&page("ab"), WIDE));
}
