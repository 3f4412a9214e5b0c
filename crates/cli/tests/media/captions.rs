//! Captions in the picture and in the subtitle files.

use serde_json::json;

use crate::kit::{Bench, is};

#[test]
fn a_caption_stands_in_the_lower_third_and_subtitles_say_the_same() {
    let bench = Bench::new();
    let film = bench.film(&json!([
        { "text": "Hello world!", "backgroundColor": "white", "minimumDuration": 2 },
        { "text": "Not shown", "subtitle": false, "backgroundColor": "white", "minimumDuration": 2 },
    ]));
    let pictures = film.pictures();
    assert!(pictures[10].at(50, 40).iter().all(|value| *value > 240), "nothing in the middle");
    let difference = pictures[10].difference(&pictures[90]);
    assert!(difference > 1.0, "the box is there, and is not where subtitles are off: {difference}");
    let srt = std::fs::read_to_string(film.path.with_extension("srt")).unwrap();
    assert!(srt.starts_with("1\n00:00:00,000 --> 00:00:02,000\nHello world!\n"), "{srt}");
    assert!(!srt.contains("Not shown"));
    let vtt = std::fs::read_to_string(film.path.with_extension("vtt")).unwrap();
    assert!(vtt.starts_with("WEBVTT\n"), "{vtt}");
}

#[test]
fn keywords_have_their_colour_and_no_box_is_no_box() {
    let bench = Bench::new();
    let film = bench.film(&json!([{
        "text": "<strong>HHHHHHHH</strong>", "backgroundColor": "black", "minimumDuration": 1,
        "keywordColor": "#ff0000", "textBackgroundColor": "#00000000", "verticalAlignment": "center", "fontSize": 200
    }]));
    let picture = &film.pictures()[10];
    let reddest = (10..90).map(|x| picture.at(x, 50)[0] - picture.at(x, 50)[1]).max().unwrap();
    assert!(reddest > 80, "{reddest}");
}

#[test]
fn a_long_text_is_paged_and_every_word_is_shown_once() {
    let bench = Bench::new();
    let words: Vec<String> = (0..60).map(|number| format!("word{number}")).collect();
    let film = bench.film(&json!([{ "text": words.join(" "), "backgroundColor": "navy" }]));
    let pages = film.report["plan"]["scenes"][0]["pages"].as_array().unwrap().len();
    assert!(pages > 3, "{pages}");
    let srt = std::fs::read_to_string(film.path.with_extension("srt")).unwrap();
    for word in &words {
        let times = srt.split_whitespace().filter(|shown| shown == word).count();
        assert_eq!(times, 1, "{word}");
    }
    // 60 words at 2.5 a second.
    assert!((film.frames() as i64 - 720).abs() < 60, "{}", film.frames());
}

#[test]
fn a_logo_stands_in_its_corner_over_every_scene() {
    let bench = Bench::new();
    bench.ffmpeg("-f lavfi -i color=red:size=100x100 -frames:v 1 logo.png");
    let mut storyboard = Bench::storyboard(&json!([
        { "text": "One", "backgroundColor": "white", "minimumDuration": 1 },
        { "text": "Two", "backgroundColor": "white", "minimumDuration": 1 },
    ]));
    storyboard["brandLogo"] =
        json!({ "url": "logo.png", "verticalAlignment": "top", "horizontalAlignment": "right" });
    let pictures = bench.film_of(&storyboard).pictures();
    for frame in [5, pictures.len() - 5] {
        let corner = pictures[frame].at(95, 9);
        assert!(is(corner, [255, 0, 0]), "frame {frame}: {corner:?}");
        assert!(is(pictures[frame].at(5, 9), [255, 255, 255]));
    }
}

#[test]
fn a_voice_that_is_not_there_is_timed_silence_and_a_warning() {
    let bench = Bench::new();
    let text = "Dr. Smith paid $9.99. He was happy with the price of it.";
    let film = bench.film(&json!([
        { "text": text, "voiceOver": true, "splitTextOnPeriod": true, "backgroundColor": "black" }
    ]));
    assert!(film.warnings().iter().any(|code| code.contains("VOICE")), "{:?}", film.warnings());
    let scenes = film.report["plan"]["scenes"].as_array().unwrap();
    assert_eq!(scenes.len(), 2, "an abbreviation and a price end no sentence");
    assert!(film.samples().iter().all(|value| value.abs() < 1e-3));
}
