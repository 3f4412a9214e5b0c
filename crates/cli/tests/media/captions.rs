//! Captions in the picture and in the subtitle files.

use serde_json::json;

use crate::kit::Bench;

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
