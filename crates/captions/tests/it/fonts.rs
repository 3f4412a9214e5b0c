use captions::{Fonts, Typesetter};
use storyboard::TextStyle;

use crate::{TYPESETTER, WIDE, caption};

#[test]
fn the_digest_is_stable_and_tells_sets_apart() {
    let embedded = Fonts::builder().embedded().build().unwrap();
    assert_eq!(embedded.digest(), Fonts::builder().embedded().build().unwrap().digest());
    assert_eq!(embedded.digest().len(), 64);

    let directory = tempdir("digest");
    let face = include_bytes!("../../../../assets/fonts/NotoSansThai-Regular.ttf");
    std::fs::write(directory.join("Acme-Regular.ttf"), face).unwrap();
    std::fs::write(directory.join("readme.txt"), "no font").unwrap();
    let with = Fonts::builder().embedded().directory(&directory).build().unwrap();
    assert_ne!(with.digest(), embedded.digest());

    let again = Fonts::builder().embedded().directory(&directory).build().unwrap();
    assert_eq!(with.digest(), again.digest());
    std::fs::write(directory.join("Acme-Regular.ttf"), &face[..face.len() - 1]).unwrap();
    let changed = Fonts::builder().embedded().directory(&directory).build().unwrap();
    assert_ne!(with.digest(), changed.digest());
}

#[test]
fn a_missing_directory_is_an_error_that_names_it() {
    let error = Fonts::builder().directory("/nonexistent/fonts").build().unwrap_err();
    assert!(error.to_string().contains("/nonexistent/fonts"), "{error}");
}

#[test]
fn a_family_of_a_directory_is_used_and_a_broken_file_is_not() {
    let directory = tempdir("family");
    let face = include_bytes!("../../../../assets/fonts/NotoSans-Bold.ttf");
    std::fs::write(directory.join("AcmeSans-Bold.ttf"), face).unwrap();
    std::fs::write(directory.join("Broken-Regular.ttf"), b"\0\x01\0\0 this is no font").unwrap();
    let typesetter = Typesetter::new(Fonts::builder().embedded().directory(&directory).build().unwrap());
    let mut style = TextStyle { family: "Acme Sans".to_owned(), ..TextStyle::default() };
    let acme = typesetter.paginate(&caption("Hello there", "en"), &style, WIDE);
    assert_eq!(acme.warnings, []);
    let drawn = typesetter.raster(&acme.pages[0], WIDE).unwrap();
    let inter = TYPESETTER.paginate(&caption("Hello there", "en"), &TextStyle::default(), WIDE);
    assert_ne!(drawn.pixels, TYPESETTER.raster(&inter.pages[0], WIDE).unwrap().pixels);

    style.family = "Broken".to_owned();
    let broken = typesetter.paginate(&caption("Hello \u{10330}", "en"), &style, WIDE);
    assert!(typesetter.raster(&broken.pages[0], WIDE).is_some());
    assert_eq!(
        broken.warnings.iter().map(|warning| warning.code.as_str()).collect::<Vec<_>>(),
        ["MISSING_GLYPH"]
    );
}

#[test]
fn families_and_glyphs_that_are_missing_are_said() {
    let codes = |family: &str, text: &str| {
        let style = TextStyle { family: family.to_owned(), ..TextStyle::default() };
        let layout = TYPESETTER.paginate(&caption(text, "en"), &style, WIDE);
        layout.warnings.into_iter().map(|warning| (warning.code, warning.message)).collect::<Vec<_>>()
    };
    assert_eq!(codes("inter", "Hello"), []);
    let substituted = &codes("Arial", "Hello")[0];
    assert_eq!(substituted.0, "FONT_SUBSTITUTED");
    assert!(substituted.1.contains("Arial") && substituted.1.contains("Inter"), "{}", substituted.1);
    assert_eq!(codes("Comic Papyrus", "Hello")[0].0, "FONT_UNKNOWN");
    let missing = codes("Inter", "\u{10330}ab\u{10331}\u{10330}");
    assert_eq!(missing.len(), 1);
    assert!(missing[0].1.contains("U+10330") && missing[0].1.contains("U+10331"), "{}", missing[0].1);
}

#[test]
fn supported_scripts_have_every_glyph() {
    let texts = [
        ("Žluťoučký kůň, Ελληνικά, Українська мова — “quotes” €5", "cs"),
        ("مرحبا بالعالم، صباح الخير", "ar"),
        ("שלום עולם", "he"),
        ("नमस्ते दुनिया क्षत्रिय श्री", "hi"),
        ("สวัสดีชาวโลก ที่นี่", "th"),
        ("ওহে বিশ্ব", "bn"),
        ("வணக்கம் உலகம்", "ta"),
    ];
    for (text, language) in texts {
        let layout = TYPESETTER.paginate(&caption(text, language), &TextStyle::default(), WIDE);
        assert_eq!(layout.warnings, [], "{text}");
    }
}

/// An empty directory of its own for a test, under the build's own folder for such.
fn tempdir(name: &str) -> std::path::PathBuf {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("captions-{name}"));
    if path.exists() {
        std::fs::remove_dir_all(&path).expect("a folder of this test");
    }
    std::fs::create_dir_all(&path).expect("the build's folder for tests");
    path
}
