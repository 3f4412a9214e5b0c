//! The contracts of DESIGN.md section 4: lengths, backgrounds, sound.

use plan::{BackgroundPlan, Cut, Motion, MusicPlanSource, views};
use serde_json::{Value, json};

use crate::kit::{planned, refused, storyboard};

fn film(scenes: &Value) -> Value {
    json!({"videoName": "film", "scenes": scenes})
}

fn frames(scenes: &Value) -> Vec<u64> {
    planned(&film(scenes)).plan.scenes.iter().map(|scene| scene.frames).collect()
}

#[test]
fn a_scene_is_as_long_as_the_longest_of_its_reasons() {
    let ten_words = "one two three four five six seven eight nine ten";
    let cases = [
        (json!([{"text": "Hi", "backgroundColor": "red"}]), vec![60]),
        (json!([{"text": ten_words, "backgroundColor": "red"}]), vec![120]),
        (json!([{"text": ten_words, "backgroundColor": "red", "minimumDuration": 3}]), vec![120]),
        (json!([{"text": ten_words, "backgroundColor": "red", "minimumDuration": 4.5}]), vec![135]),
        (json!([{"text": ten_words, "caption": "Hi", "backgroundColor": "red"}]), vec![60]),
        (
            json!([{"text": ten_words, "caption": "Hi", "voiceOver": true, "backgroundColor": "red"}]),
            vec![120],
        ),
        (json!([{"text": ten_words, "subtitles": false, "backgroundColor": "red"}]), vec![120]),
        (json!([{"backgroundUri": "https://a.example/v-350.mp4"}]), vec![105]),
        (json!([{"backgroundUri": "https://a.example/v-350.mp4", "minimumDuration": 1}]), vec![30]),
        (
            json!([{"backgroundUri": "https://a.example/v-350.mp4", "backgroundVideoSegments": [{"start": 0, "end": 1}, {"start": 2, "end": 2.5}]}]),
            vec![45],
        ),
        (json!([{"backgroundUri": "https://a.example/image.png"}]), vec![150]),
        (json!([{"backgroundColor": "red"}]), vec![150]),
        // Half a frame is carried on, not lost.
        (json!(vec![json!({"backgroundColor": "red", "minimumDuration": 1.05}); 4]), vec![32, 31, 32, 31]),
    ];
    for (scenes, expected) in cases {
        assert_eq!(frames(&scenes), expected, "{scenes}");
    }
    let warnings = planned(&film(&json!([{"backgroundColor": "red"}]))).warnings;
    assert_eq!(warnings.iter().map(|w| w.code.as_str()).collect::<Vec<_>>(), ["DURATION_ASSUMED"]);
}

#[test]
fn parts_share_the_minimum_and_the_background_plays_on() {
    let scenes = json!([{"text": "one two three four five six seven eight nine ten. Stop here.", "splitTextOnPeriod": true,
        "backgroundUri": "https://a.example/v-350.mp4", "minimumDuration": 12, "muteBackgroundVideo": false}]);
    let plan = planned(&film(&scenes)).plan;
    // Reading times of 4 s and 2 s.
    assert_eq!(plan.scenes.iter().map(|scene| scene.frames).collect::<Vec<_>>(), [240, 120]);
    let BackgroundPlan::Video { offset, cuts, looped, .. } = &plan.scenes[1].background else { panic!() };
    assert_eq!(
        (*offset, cuts.as_slice(), *looped),
        (240 % 105, [Cut { start_us: 0, frames: 105 }].as_slice(), true)
    );
    assert_eq!(plan.scenes[1].spans[0].motion, Motion::Loop { phase: 30, period: 105, tail: 15 });
    let sounds = &plan.audio.backgrounds;
    assert_eq!((sounds[1].start, sounds[1].samples, sounds[1].offset), (240 * 1600, 120 * 1600, 30));
    let short = json!([{"text": "One. Two.", "splitTextOnPeriod": true, "backgroundColor": "red", "minimumDuration": 1}]);
    assert_eq!(frames(&short), [60, 60]);
}

#[test]
fn without_a_loop_picture_and_sound_end() {
    let scenes = json!([{"text": "One. Two. Three.", "splitTextOnPeriod": true, "backgroundUri": "https://a.example/v-300.mp4",
        "loopBackgroundVideo": false, "muteBackgroundVideo": false}]);
    let plan = planned(&film(&scenes)).plan;
    let motions: Vec<Vec<(u64, Motion)>> = plan
        .scenes
        .iter()
        .map(|scene| scene.spans.iter().map(|span| (span.frames, span.motion.clone())).collect())
        .collect();
    assert_eq!(
        motions,
        [vec![(60, Motion::Full)], vec![(30, Motion::Full), (30, Motion::Still)], vec![(60, Motion::Still)]]
    );
    assert_eq!(plan.audio.backgrounds.len(), 2);
    let BackgroundPlan::Video { offset, .. } = plan.scenes[2].background else { panic!() };
    assert_eq!(offset, 89);
}

#[test]
fn long_captions_have_pages_by_reading_time() {
    let text = (1..=15).map(|n| format!("word{n}")).collect::<Vec<_>>().join(" ");
    let plan = planned(&film(&json!([{"text": text, "backgroundUri": "https://a.example/v-100.mp4"}]))).plan;
    let spans: Vec<_> =
        plan.scenes[0].spans.iter().map(|span| (span.start, span.frames, span.page)).collect();
    assert_eq!(spans, [(0, 120, Some(0)), (120, 60, Some(1))]);
    assert_eq!(plan.cues().len(), 2);
    let views = views(&plan);
    assert_eq!((views[0].seconds, views[0].pages[0].seconds, views[0].pages[0].lines.len()), (6.0, 4.0, 2));
}

#[test]
fn captions_that_do_not_fit_are_said() {
    let mut board = storyboard(&film(&json!([{"text": "a ".repeat(40), "backgroundColor": "red"}])));
    board.scenes[0].exact_duration = Some(0.1);
    let planned = plan::plan(&board, &plan::Sources::default(), &crate::kit::Words).unwrap();
    crate::kit::check(&planned.plan);
    assert_eq!((planned.plan.frames, planned.plan.scenes[0].pages.len()), (3, 1));
    assert!(planned.warnings.iter().any(|w| w.code == "CAPTION_CUT"));
}

#[test]
fn media_that_are_not_what_they_should_be() {
    let problems = refused(&json!({
        "videoName": "film",
        "audio": {"backGroundMusicUri": "https://a.example/image.png"},
        "brandLogo": {"url": "https://a.example/sound.mp3"},
        "scenes": [
            {"backgroundUri": "https://a.example/sound.mp3?token=secret"},
            {"text": "fine", "backgroundColor": "red"},
            {"backgroundUri": "https://a.example/v-100.mp4", "backgroundVideoSegments": [{"start": 1, "end": 2}]},
        ],
    }));
    let said: Vec<_> =
        problems.iter().map(|p| (p.code.as_str(), p.pointer.as_deref().unwrap(), p.scene)).collect();
    assert_eq!(
        said,
        [
            ("NO_PICTURE", "/scenes/0/backgroundUri", Some(1)),
            ("SEGMENT_OUTSIDE", "/scenes/2/backgroundUri", Some(3)),
            ("NO_SOUND", "/audio/backGroundMusicUri", None),
            ("NO_PICTURE", "/brandLogo/url", None),
        ]
    );
    assert!(problems.iter().all(|problem| !problem.to_string().contains("secret")));
}

#[test]
fn what_is_mended_is_said() {
    let planned = planned(&film(&json!([
        {"text": "a", "backgroundUri": "https://a.example/image.png", "backgroundType": "video"},
        {"text": "a", "backgroundUri": "https://a.example/mute-100.mp4", "backgroundType": "image", "muteBackgroundVideo": false},
        {"text": "a", "backgroundUri": "https://a.example/v-100.mp4", "backgroundVideoSegments": [{"start": 0.5, "end": 9}]},
    ])));
    let codes: Vec<_> = planned.warnings.iter().map(|w| w.code.as_str()).collect();
    assert_eq!(
        codes,
        [
            "BACKGROUND_TYPE_DIFFERS",
            "BACKGROUND_TYPE_DIFFERS",
            "BACKGROUND_SILENT",
            "SEGMENT_CLAMPED",
            "FONT_SUBSTITUTED"
        ]
    );
    assert!(matches!(planned.plan.scenes[0].background, BackgroundPlan::Image { .. }));
    let BackgroundPlan::Video { cuts, .. } = &planned.plan.scenes[2].background else { panic!() };
    assert_eq!(cuts.as_slice(), [Cut { start_us: 500_000, frames: 15 }]);
}

#[test]
fn music_fades_and_is_seeded() {
    let with_audio = |audio: Value, text: &str| {
        let scenes = json!([{"text": text, "backgroundUri": "https://a.example/v-100.mp4"}]);
        planned(&json!({"videoName": "film", "audio": audio, "scenes": scenes})).plan
    };
    let auto = json!({"autoBackgroundMusic": true});
    let plan = with_audio(auto.clone(), "Hello");
    let music = plan.audio.music.unwrap();
    assert_eq!((music.volume, music.fade_out), (0.1, 24_000));
    assert!(matches!(music.source, MusicPlanSource::Bed { .. }));
    // Another caption does not change the sound.
    assert_eq!(with_audio(auto, "World").audio.music.unwrap(), music);
    let track = with_audio(json!({"backGroundMusicUri": "https://a.example/sound.mp3"}), &"a ".repeat(100));
    let music = track.audio.music.unwrap();
    assert_eq!((music.source, music.fade_out), (MusicPlanSource::Source(1), 96_000));
}

#[test]
fn one_object_is_one_source() {
    let board = storyboard(&film(&json!([
        {"text": "a", "backgroundUri": "https://a.example/v.mp4"}, {"text": "b", "backgroundUri": "https://a.example/v.mp4"},
        {"text": "c", "backgroundUri": "https://a.example/w.mp4"},
    ])));
    let sources = crate::kit::sources(&board);
    let numbers: Vec<_> = board.media().iter().map(|(media, _)| sources.index(media).unwrap()).collect();
    assert_eq!((numbers.as_slice(), sources.len()), ([0, 0, 1].as_slice(), 2));
    // A source that nobody looked at is our mistake.
    let problems = plan::plan(&board, &plan::Sources::default(), &crate::kit::Words).unwrap_err();
    assert_eq!((problems.len(), problems[0].class), (3, storyboard::Class::Internal));
}

#[test]
fn generated_backgrounds_stay_when_others_change() {
    let seeds = |scenes: &Value| {
        let plan = planned(&film(scenes)).plan;
        let seed = |background: &BackgroundPlan| match background {
            BackgroundPlan::Generated { seed } => *seed,
            other => panic!("{other:?}"),
        };
        plan.scenes.iter().map(|scene| seed(&scene.background)).collect::<Vec<_>>()
    };
    let first = seeds(&json!([{"text": "One. Two.", "splitTextOnPeriod": true}, {"text": "Other"}]));
    assert!(first[0] == first[1] && first[1] != first[2]);
    assert_eq!(seeds(&json!([{"text": "New"}, {"text": "Other"}]))[1], first[2]);
}

#[test]
fn subtitles_are_escaped() {
    let plan = planned(&film(&json!([{"text": "a &lt;b&gt; --> AT&amp;T", "backgroundColor": "red"}]))).plan;
    assert!(plan::subtitles::vtt(&plan).contains("a &lt;b&gt; --&gt; AT&amp;T\n"));
    assert!(plan::subtitles::srt(&plan).contains("a <b> -> AT&T\n"));
}

#[test]
fn a_film_has_a_greatest_length() {
    let problems = refused(&film(&json!([{"backgroundUri": "https://a.example/v-2000000.mp4"}])));
    assert_eq!(problems[0].code, "FILM_TOO_LONG");
}
