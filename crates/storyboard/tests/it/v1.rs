//! What the fields of a v1 storyboard mean, and what is said about those that are wrong or have no effect.

use serde_json::{Value, json};
use storyboard::{
    Background, BackgroundKind, Horizontal, MusicSource, Options, Problem, Rgba, Run, Segment, Storyboard,
    Vertical, Warning, json_path, parse_value,
};

fn accept(value: &Value) -> (Storyboard, Vec<Warning>) {
    parse_value(value, &Options::default()).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn refuse(value: &Value) -> Vec<Problem> {
    parse_value(value, &Options::default()).err().unwrap_or_else(|| panic!("accepted: {value}"))
}

fn film(scene: &Value) -> Value {
    json!({"videoName": "film", "scenes": [scene]})
}

/// Sets a member of a storyboard that is otherwise right.
fn with(pointer: &str, value: Value) -> Value {
    let mut film = json!({
        "videoName": "film", "awsConnectionId": "c1", "audio": {}, "textStyles": {},
        "scenes": [{"text": "Hello", "backgroundUri": "s3://bucket/a.mp4"}],
    });
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    film.pointer_mut(parent).unwrap()[name] = value;
    film
}

#[test]
fn bad_input_is_named() {
    let no_connection =
        json!({"videoName": "film", "scenes": [{"text": "a", "backgroundUri": "s3://bucket/a.mp4"}]});
    let many: Vec<Value> = (0..2000).map(|_| json!({"text": "a"})).collect();
    let cases: Vec<(Value, &str, &str)> = vec![
        (json!([]), "", "WRONG_TYPE"),
        (json!({"scenes": [{"text": "a"}]}), "/videoName", "REQUIRED"),
        (with("/videoName", json!("")), "/videoName", "REQUIRED"),
        (with("/videoName", json!("///")), "/videoName", "REQUIRED"),
        (with("/videoName", json!(7)), "/videoName", "WRONG_TYPE"),
        (json!({"videoName": "film"}), "/scenes", "REQUIRED"),
        (with("/scenes", json!([])), "/scenes", "NO_SCENES"),
        (with("/scenes", json!({})), "/scenes", "WRONG_TYPE"),
        (with("/scenes", json!(many)), "/scenes", "TOO_MANY_SCENES"),
        (
            with("/scenes", json!([{"text": "a. ".repeat(1500), "splitTextOnPeriod": true}])),
            "/scenes",
            "TOO_MANY_SCENES",
        ),
        (with("/scenes", json!([{"text": "a".repeat(200_000)}])), "/scenes", "TEXT_TOO_LONG"),
        (with("/scenes", json!([7])), "/scenes/0", "WRONG_TYPE"),
        (with("/scenes", json!([{}])), "/scenes/0", "EMPTY_SCENE"),
        (with("/scenes", json!([{"text": " <break time=\"1s\"/> "}])), "/scenes/0", "EMPTY_SCENE"),
        (with("/scenes/0/text", json!(["a"])), "/scenes/0/text", "WRONG_TYPE"),
        (with("/scenes/0/minimumDuration", json!(-1)), "/scenes/0/minimumDuration", "OUT_OF_RANGE"),
        (with("/scenes/0/minimumDuration", json!("NaN")), "/scenes/0/minimumDuration", "WRONG_TYPE"),
        (with("/scenes/0/minimumDuration", json!("inf")), "/scenes/0/minimumDuration", "WRONG_TYPE"),
        (with("/scenes/0/minimumDuration", json!(1e300)), "/scenes/0/minimumDuration", "OUT_OF_RANGE"),
        (with("/scenes/0/minSceneDuration", json!("3601")), "/scenes/0/minSceneDuration", "OUT_OF_RANGE"),
        (
            with("/scenes", json!(vec![json!({"text": "a", "minimumDuration": 3600}); 5])),
            "/scenes",
            "FILM_TOO_LONG",
        ),
        (with("/scenes/0/backgroundType", json!("gif")), "/scenes/0/backgroundType", "INVALID_VALUE"),
        (
            with("/scenes/0/loopBackgroundVideo", json!("maybe")),
            "/scenes/0/loopBackgroundVideo",
            "WRONG_TYPE",
        ),
        (with("/scenes/0/backgroundUri", json!(5)), "/scenes/0/backgroundUri", "WRONG_TYPE"),
        (with("/scenes/0/backgroundUri", json!("a.mp4")), "/scenes/0/backgroundUri", "ADDRESS_INVALID"),
        (
            with("/scenes/0/backgroundUri", json!("http://example.com/a.mp4")),
            "/scenes/0/backgroundUri",
            "HTTP_NOT_ALLOWED",
        ),
        (
            with("/scenes/0/backgroundVideoSegments", json!([{"start": 3, "end": 2}])),
            "/scenes/0/backgroundVideoSegments/0",
            "OUT_OF_RANGE",
        ),
        (
            with("/scenes/0/backgroundVideoSegments", json!([{"start": 3}])),
            "/scenes/0/backgroundVideoSegments/0/end",
            "REQUIRED",
        ),
        (no_connection, "/scenes/0/backgroundUri", "CONNECTION_REQUIRED"),
        (with("/awsConnectionId", json!("../x")), "/awsConnectionId", "INVALID_CONNECTION_ID"),
        (with("/videoWidth", json!(1921)), "/videoWidth", "ODD_SIZE"),
        (with("/videoWidth", json!(20_000)), "/videoWidth", "OUT_OF_RANGE"),
        (with("/videoHeight", json!("0")), "/videoHeight", "OUT_OF_RANGE"),
        (with("/videoHeight", json!(100.5)), "/videoHeight", "ODD_SIZE"),
        (with("/language", json!("english")), "/language", "INVALID_LANGUAGE"),
        (with("/webhook", json!("ftp://example.com/")), "/webhook", "INVALID_WEBHOOK"),
        (with("/webhook", json!("https://user:pass@example.com/")), "/webhook", "INVALID_WEBHOOK"),
        (with("/webhook", json!(format!("https://example.com/{}", "x".repeat(500)))), "/webhook", "TOO_LONG"),
        (with("/audio/backGroundMusicVolume", json!(1.5)), "/audio/backGroundMusicVolume", "OUT_OF_RANGE"),
        (
            with("/audio/backGroundMusicUri", json!("javascript:alert(1)")),
            "/audio/backGroundMusicUri",
            "ADDRESS_UNSUPPORTED",
        ),
        (with("/textStyles/fontSize", json!("big")), "/textStyles/fontSize", "WRONG_TYPE"),
        (with("/textStyles/textColor", json!("puce")), "/textStyles/textColor", "INVALID_COLOUR"),
        (
            with("/textStyles/verticalAlignment", json!("up")),
            "/textStyles/verticalAlignment",
            "INVALID_VALUE",
        ),
        (with("/brandLogo", json!("logo.png")), "/brandLogo", "WRONG_TYPE"),
    ];
    for (value, pointer, code) in cases {
        let problems = refuse(&value);
        let found = problems
            .iter()
            .find(|problem| problem.pointer.as_deref() == Some(pointer) && problem.code == code);
        assert!(found.is_some(), "{pointer} {code}: {problems:#?}");
        assert!(found.unwrap().message.ends_with('.'), "{found:?}");
        assert_eq!(problems.len(), 1, "{pointer} {code}: {problems:#?}");
    }
}

#[test]
fn everything_is_said_at_once() {
    let problems = refuse(&json!({
        "videoWidth": 101, "language": "?", "audio": {"backGroundMusicVolume": -1},
        "scenes": [{}, {"text": "a", "minimumDuration": "x", "fontSize": 1}, {"backgroundUri": "s3://b"}],
    }));
    let mut paths: Vec<String> = problems.iter().map(|p| json_path(p.pointer.as_deref().unwrap())).collect();
    paths.sort();
    assert_eq!(
        paths,
        [
            "audio.backGroundMusicVolume",
            "language",
            "scenes[0]",
            "scenes[1].fontSize",
            "scenes[1].minimumDuration",
            "scenes[2].backgroundUri",
            "videoName",
            "videoWidth",
        ]
    );
    assert_eq!(problems.iter().find(|p| p.code == "EMPTY_SCENE").unwrap().scene, Some(1));
}

#[test]
fn numbers_and_booleans_may_be_texts() {
    let (storyboard, warnings) = accept(&json!({
        "videoName": "film", "videoWidth": "1080", "videoHeight": "1920", "awsConnectionId": "c1",
        "audio": {"autoBackgroundMusic": "true", "backGroundMusicVolume": "0.25"},
        "scenes": [{"text": "a", "backgroundUri": "s3://bucket/a.png", "minSceneDuration": "6", "loopBackgroundVideo": "false",
            "muteBackgroundVideo": "False", "subtitle": "false", "fontSize": "60px", "fontWeight": "700"}],
    }));
    assert_eq!(warnings, []);
    assert_eq!((storyboard.canvas.width, storyboard.canvas.height), (1080, 1920));
    assert_eq!(storyboard.music.unwrap().volume, 0.25);
    let scene = &storyboard.scenes[0];
    assert_eq!((scene.minimum_duration, scene.style.size, scene.style.weight), (Some(6.0), 60.0, 700));
    assert_eq!((scene.caption.as_ref(), scene.text.as_str()), (None, "a"));
    let Background::Media(background) = &scene.background else { panic!() };
    assert!(!background.looped && !background.mute);
}

#[test]
fn null_and_empty_count_as_absent() {
    let (storyboard, warnings) = accept(&json!({
        "videoName": "film", "videoDescription": null, "language": null, "webhook": "", "awsConnectionId": null,
        "brandLogo": null, "audio": null, "textStyles": null, "videoWidth": null, "videoHeight": "",
        "scenes": [{"text": "a", "caption": null, "minimumDuration": null, "backgroundUri": "", "backgroundType": null,
            "backgroundColor": "#102030", "mediaSearchQuery": "", "aiVoiceOvers": [], "articleUrl": null}],
    }));
    assert_eq!(warnings, []);
    assert_eq!((storyboard.webhook, storyboard.music, storyboard.logo), (None, None, None));
    assert_eq!(storyboard.scenes[0].background, Background::Colour(Rgba::new(16, 32, 48, 255)));
}

#[test]
fn what_has_no_effect_is_named() {
    let (_, warnings) = accept(&json!({
        "videoName": "film", "autoHighlightKeywords": true, "brandId": 5, "vidoeWidth": 3,
        "audio": {"aiVoiceOver": {"speaker": "Jackson"}, "url": "x"},
        "scenes": [{"text": "a", "voiceOver": true, "mediaSearchQuery": "cats", "backgroundUrl": "https://example.com/a.mp4",
            "minimumDuration": 3, "minDuration": 4}],
    }));
    let said: Vec<(&str, &str)> =
        warnings.iter().map(|w| (w.pointer.as_deref().unwrap(), w.code.as_str())).collect();
    for expected in [
        ("/autoHighlightKeywords", "NOT_SUPPORTED_YET"),
        ("/brandId", "NOT_SUPPORTED_YET"),
        ("/vidoeWidth", "UNKNOWN_FIELD"),
        ("/audio/aiVoiceOver", "NOT_SUPPORTED_YET"),
        ("/audio/url", "UNKNOWN_FIELD"),
        ("/scenes/0/voiceOver", "VOICE_NOT_AVAILABLE"),
        ("/scenes/0/mediaSearchQuery", "NOT_SUPPORTED_YET"),
        ("/scenes/0/backgroundUrl", "UNKNOWN_FIELD"),
        ("/scenes/0/minDuration", "ALIAS_CONFLICT"),
        ("/scenes/0", "BACKGROUND_GENERATED"),
    ] {
        assert!(said.contains(&expected), "{expected:?}: {said:?}");
    }
    let hint = |pointer: &str| {
        warnings.iter().find(|w| w.pointer.as_deref() == Some(pointer)).unwrap().message.clone()
    };
    assert!(hint("/vidoeWidth").contains("Did you mean `videoWidth`?"), "{}", hint("/vidoeWidth"));
    assert!(hint("/scenes/0/backgroundUrl").contains("Did you mean `backgroundUri`?"));
}

#[test]
fn styles_lie_over_one_another() {
    let (storyboard, warnings) = accept(&json!({
        "videoName": "film",
        "textStyles": {"fontFamily": "Arial", "fontSize": 36, "textColor": "#ff0000", "textBackgroundColor": "rgba(0,0,0,0.5)",
            "verticalAlignment": "top", "horizontalAlignment": "left", "fontStyle": "italic", "fontWeight": "bold",
            "textDecoration": "underline", "keywordColor": "#e2e2aad9"},
        "scenes": [{"text": "a", "backgroundColor": "red"},
            {"text": "b", "backgroundColor": "red", "fontSize": 72, "verticalAlignment": "center", "fontStyle": "normal"}],
    }));
    assert_eq!(warnings, []);
    let (first, second) = (&storyboard.scenes[0].style, &storyboard.scenes[1].style);
    assert_eq!(
        (first.family.as_str(), first.size, first.weight, first.italic, first.underline),
        ("Arial", 36.0, 700, true, true)
    );
    assert_eq!((first.background, first.keyword), (Rgba::new(0, 0, 0, 128), Rgba::new(226, 226, 170, 217)));
    assert_eq!((first.vertical, first.horizontal), (Vertical::Top, Horizontal::Left));
    assert_eq!((second.size, second.italic, second.vertical), (72.0, false, Vertical::Center));
    assert_eq!(second.colour, first.colour);
}

#[test]
fn texts_are_split_and_keep_their_keywords() {
    let (storyboard, warnings) = accept(&film(&json!({
        "text": "Dr. Smith paid <strong>$9.99</strong>. He left.\nThe <strong>end. Really</strong>.",
        "splitTextOnPeriod": true, "splitTextOnNewLine": "true", "backgroundColor": "#000", "minimumDuration": 10,
    })));
    assert_eq!(warnings, []);
    let texts: Vec<&str> = storyboard.scenes.iter().map(|scene| scene.text.as_str()).collect();
    assert_eq!(texts, ["Dr. Smith paid $9.99.", "He left.", "The end.", "Really."]);
    let parts: Vec<_> = storyboard.scenes.iter().map(|scene| (scene.item, scene.part, scene.parts)).collect();
    assert_eq!(parts, [(0, 0, 4), (0, 1, 4), (0, 2, 4), (0, 3, 4)]);
    assert!(storyboard.scenes.iter().all(|scene| scene.minimum_duration == Some(10.0)));
    let runs = |index: usize| storyboard.scenes[index].caption.as_ref().unwrap().runs.clone();
    assert_eq!(runs(0)[1], Run { text: "$9.99".into(), keyword: true });
    assert_eq!(runs(2)[1], Run { text: "end.".into(), keyword: true });
    assert_eq!(runs(3)[0], Run { text: "Really".into(), keyword: true });
}

#[test]
fn a_caption_replaces_the_text() {
    let (storyboard, warnings) = accept(&film(&json!({
        "text": "One. Two.", "caption": "Eins & <strong>zwei</strong>", "captionLanguage": "de-AT", "splitTextOnPeriod": true,
        "backgroundColor": "#000",
    })));
    assert_eq!(warnings.iter().map(|w| w.code.as_str()).collect::<Vec<_>>(), ["CAPTION_NOT_SPLIT"]);
    let caption = storyboard.scenes[0].caption.as_ref().unwrap();
    assert_eq!((storyboard.scenes[0].text.as_str(), caption.language.as_str()), ("One. Two.", "de"));
    assert_eq!(caption.runs[0].text, "Eins & ");
}

#[test]
fn backgrounds_music_and_logo() {
    let (storyboard, warnings) = accept(&json!({
        "videoName": "a/b\\c\n", "awsConnectionId": "c1", "videoHeight": 720, "webhook": "https://example.com/hook?token=1",
        "brandLogo": {"url": "s3://bucket/logo.png", "verticalAlignment": "bottom", "horizontalAlignment": "left"},
        "audio": {"autoBackgroundMusic": true, "backGroundMusicUri": "https://example.com/a.mp3"},
        "scenes": [
            {"backgroundUri": "https://example.com/a.mp4", "backgroundVideoSegments": [{"start": "1.5", "end": 3}, {"end": 1}]},
            {"backgroundUri": "s3://bucket/a.png", "awsConnectionId": "c2", "backgroundType": "IMAGE"},
        ],
    }));
    let codes: Vec<_> = warnings.iter().map(|w| w.code.as_str()).collect();
    assert_eq!(codes, ["NAME_CHANGED", "SIZE_COMPLETED"]);
    assert_eq!(
        (storyboard.name.as_str(), storyboard.canvas.width, storyboard.canvas.height),
        ("a_b_c", 1280, 720)
    );
    let music = storyboard.music.as_ref().unwrap();
    assert!(matches!(&music.source, MusicSource::Media(_)));
    assert_eq!(music.volume, 0.1);
    let Background::Media(first) = &storyboard.scenes[0].background else { panic!() };
    assert_eq!(first.segments, [Segment { start: 1.5, end: 3.0 }, Segment { start: 0.0, end: 1.0 }]);
    assert_eq!((first.kind, first.media.connection.as_deref()), (None, None));
    let Background::Media(second) = &storyboard.scenes[1].background else { panic!() };
    assert_eq!(second.kind, Some(BackgroundKind::Image));
    let connections = storyboard.connections();
    assert_eq!(connections["c1"], ["/brandLogo/url"]);
    assert_eq!(connections["c2"], ["/scenes/1/backgroundUri"]);
}

#[test]
fn files_only_where_they_are_allowed() {
    let options = Options { allow_files: true, ..Options::default() };
    let value = film(&json!({"backgroundUri": "clips/a.mp4"}));
    let (storyboard, _) = parse_value(&value, &options).unwrap();
    let (media, _) = storyboard.media()[0];
    assert_eq!(media.address.to_string(), "clips/a.mp4");
    for path in ["/etc/passwd", "../a", "a/../../b", "C:\\a", "~/a"] {
        assert!(parse_value(&film(&json!({"backgroundUri": path})), &options).is_err(), "{path}");
    }
}
