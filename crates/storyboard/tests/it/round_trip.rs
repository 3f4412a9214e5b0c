//! `renderParams` go out and come back: unedited, edited, stripped, forged.

use proptest::prelude::*;
use serde_json::{Value, json};
use storyboard::{
    Address, Background, BackgroundKind, Fit, Horizontal, MusicSource, Options, Rgba, Storyboard, Vertical,
    Warning, parse, parse_render_params, parse_value, render_params,
};

use crate::random::{storyboard, views};
use crate::seed::SEED;

fn read(value: &Value) -> (Storyboard, Vec<Warning>) {
    // Through text, as a client sends it.
    let value: Value = serde_json::from_str(&value.to_string()).unwrap();
    parse_render_params(&value, &Options::default()).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn params(storyboard: &Storyboard) -> Value {
    render_params(storyboard, &views(storyboard))
}

fn seed() -> Storyboard {
    parse(SEED.as_bytes(), &Options::default()).unwrap().0
}

/// Edits the seed's parameters and says what became of it.
fn edited(edit: impl Fn(&mut Value)) -> (Storyboard, Vec<Warning>) {
    let mut params = params(&seed());
    edit(&mut params);
    read(&params)
}

fn strip(params: &mut Value) {
    params.as_object_mut().unwrap().remove("storyreel");
    for scene in params["scenes"].as_array_mut().unwrap() {
        scene.as_object_mut().unwrap().remove("storyreel");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn unedited_is_equal(value in storyboard()) {
        let Ok((original, _)) = parse_value(&value, &Options::default()) else {
            return Err(TestCaseError::reject("not a storyboard"));
        };
        let params = params(&original);
        let (back, warnings) = read(&params);
        prop_assert_eq!(back.essence(), original.essence());
        prop_assert_eq!(back.webhook, None);
        let unexpected = warnings.iter().find(|warning| {
            !["VOICE_NOT_AVAILABLE", "BACKGROUND_GENERATED", "ADDRESS"].contains(&warning.code.as_str())
        });
        prop_assert_eq!(unexpected, None);
    }

    #[test]
    fn every_edit_shows(value in storyboard(), choice in any::<prop::sample::Index>(), time in 0.1..50.0_f64) {
        let Ok((original, _)) = parse_value(&value, &Options::default()) else {
            return Err(TestCaseError::reject("not a storyboard"));
        };
        let mut params = params(&original);
        let at = choice.index(original.scenes.len());
        params["audio"]["track_volume"] = json!(0.123);
        let scene = &mut params["scenes"][at];
        scene["time"] = json!(time);
        match scene["background"]["src"].get_mut(0) {
            Some(source) => source["url"] = json!("https://cdn.example.com/edited.mp4"),
            None => scene["background"]["src"] = json!([{"url": "https://cdn.example.com/edited.mp4"}]),
        }
        scene["sub_scenes"][0]["text_lines"] = json!([{"text": "Edited words"}]);
        scene["sub_scenes"] = json!([scene["sub_scenes"][0]]);
        scene["subtitle"] = json!(true);
        let (back, _) = read(&params);
        let scene = &back.scenes[at];
        prop_assert_eq!(scene.exact_duration, Some(time));
        let caption = scene.caption.as_ref().unwrap();
        prop_assert_eq!(caption.runs.iter().map(|run| run.text.as_str()).collect::<String>(), "Edited words");
        let Background::Media(background) = &scene.background else { panic!("{:?}", scene.background) };
        prop_assert_eq!(&background.media.address, &Address::Url("https://cdn.example.com/edited.mp4".to_owned()));
        prop_assert_eq!(back.music.as_ref().map(|music| music.volume), original.music.as_ref().map(|_| 0.123));
        // Nothing else changed.
        for (index, (left, right)) in back.essence().scenes.iter().zip(&original.essence().scenes).enumerate() {
            prop_assert!(index == at || left == right, "scene {}", index);
        }
        prop_assert_eq!(&back.scenes[at].style, &original.scenes[at].style);
    }

    #[test]
    fn stripped_is_what_is_visible(value in storyboard()) {
        let Ok((original, _)) = parse_value(&value, &Options::default()) else {
            return Err(TestCaseError::reject("not a storyboard"));
        };
        let mut params = params(&original);
        strip(&mut params);
        let (back, warnings) = read(&params);
        prop_assert!(warnings.iter().filter(|warning| warning.code == "STORYREEL_MISSING").count() == 2);
        prop_assert_eq!(back.scenes.len(), original.scenes.len());
        prop_assert_eq!(back.canvas, original.canvas);
        for (index, (left, right)) in back.scenes.iter().zip(&original.scenes).enumerate() {
            prop_assert_eq!(left.exact_duration, Some((index + 61) as f64 / 30.0));
            prop_assert_eq!((left.style.vertical, left.style.horizontal), (right.style.vertical, right.style.horizontal));
            prop_assert_eq!(&left.style.family, &right.style.family);
            prop_assert_eq!(left.caption.is_some(), right.caption.is_some());
        }
    }
}

#[test]
fn the_shape_is_pictorys() {
    let params = params(&seed());
    assert_eq!(params["audio"]["track_volume"], json!(0.5));
    assert_eq!(params["output"]["name"], json!("test_video.mp4"));
    assert_eq!((&params["output"]["width"], &params["output"]["height"]), (&json!(1920), &json!(1080)));
    let scene = &params["scenes"][0];
    assert_eq!(scene["background"]["src"][0]["url"], json!("s3://my-bucket/hello_world.mp4"));
    assert_eq!(scene["background"]["src"][0]["mode"], json!("crop"));
    assert_eq!(scene["sub_scenes"][0]["text_lines"][0]["text"], json!("Hello world! Good morning!"));
    assert_eq!(scene["sub_scenes"][0]["font"]["backcolor"], json!("rgba(17,17,17,153)"));
    assert_eq!(params["scenes"][1]["music-fade-out"], json!(true));
    assert!(params["next_generation_video"].as_bool().unwrap());
}

#[test]
fn visible_fields_can_be_edited() {
    let (film, _) = edited(|p| p["scenes"][0]["sub_scenes"][0]["font"]["color"] = json!("rgba(255,0,0,255)"));
    assert_eq!(film.scenes[0].style.colour, Rgba::new(255, 0, 0, 255));
    assert_eq!(
        (film.scenes[0].style.weight, film.scenes[1].style.colour),
        (600, Rgba::new(255, 255, 255, 255))
    );
    let (film, _) = edited(|p| {
        p["scenes"][0]["sub_scenes"][0]["font"] =
            json!({"name": "Arial.ttf", "size": "72", "decoration": ["underline", "italics"]});
        p["scenes"][0]["sub_scenes"][0]["location"] = json!({"start_x": 50, "start_y": 20});
    });
    let style = &film.scenes[0].style;
    assert_eq!((style.family.as_str(), style.size, style.weight), ("Arial", 72.0, 400));
    assert!(style.underline && style.italic);
    assert_eq!((style.vertical, style.horizontal), (Vertical::Top, Horizontal::Left));
    let (film, _) = edited(|p| {
        p["scenes"][0]["background"]["src"][0]["mode"] = json!("fit");
        p["scenes"][0]["background"]["src"][0]["mute"] = json!("false");
        p["scenes"][0]["background"]["src"][0]["type"] = json!("image");
        p["scenes"][1]["background"]["src"] = json!([]);
        p["scenes"][1]["background"]["color"] = json!("#123456");
        p["scenes"][1]["subtitle"] = json!(false);
    });
    let Background::Media(background) = &film.scenes[0].background else { panic!() };
    assert_eq!(
        (background.fit, background.mute, background.kind),
        (Fit::Contain, false, Some(BackgroundKind::Image))
    );
    assert_eq!(film.scenes[1].background, Background::Colour(Rgba::new(0x12, 0x34, 0x56, 255)));
    assert_eq!(film.scenes[1].caption, None);
    let (film, _) = edited(|p| {
        p["audio"]["src"] = json!("https://example.com/a.mp3");
        p["output"]["name"] = json!("other.mp4");
        p["output"]["width"] = json!(1080);
        p["output"]["height"] = json!(1920);
        p["scenes"][0]["keywords"] = json!(["world"]);
        p["webhook"] = json!("https://example.com/hook");
    });
    assert!(matches!(film.music.unwrap().source, MusicSource::Media(_)));
    assert_eq!((film.name.as_str(), film.canvas.width, film.webhook.is_some()), ("other", 1080, true));
    // Another canvas does not move the captions.
    assert_eq!(film.scenes[0].style.horizontal, Horizontal::Center);
    let runs = &film.scenes[0].caption.as_ref().unwrap().runs;
    assert_eq!(
        runs.iter().filter(|run| run.keyword).map(|run| run.text.as_str()).collect::<Vec<_>>(),
        ["world"]
    );
}

#[test]
fn edits_without_effect_are_said() {
    for pointer in ["/subtitles/0/text", "/sub_scenes/0/subtitle", "/sub_scenes/0/time", "/music"] {
        let (film, warnings) = edited(|p| *p["scenes"][0].pointer_mut(pointer).unwrap() = json!("9.5"));
        assert_eq!(
            warnings.iter().map(|w| w.code.as_str()).collect::<Vec<_>>(),
            ["EDIT_IGNORED"],
            "{pointer}"
        );
        assert_eq!(film.essence(), seed().essence());
    }
}

#[test]
fn scenes_can_be_removed_doubled_and_moved() {
    let film = json!({"videoName": "film", "scenes": [
        {"text": "One. Two. Three.", "splitTextOnPeriod": true, "minimumDuration": 9}, {"text": "Four"}]});
    let (original, _) = parse_value(&film, &Options::default()).unwrap();
    let params = params(&original);
    let items = |order: &[usize]| {
        let mut edited = params.clone();
        edited["scenes"] = order.iter().map(|index| params["scenes"][*index].clone()).collect();
        let scenes = read(&edited).0.scenes;
        scenes
            .iter()
            .map(|scene| (scene.item, scene.part, scene.parts, scene.exact_duration.is_some()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        items(&[3, 0, 1, 2]),
        [(0, 0, 1, false), (1, 0, 3, false), (1, 1, 3, false), (1, 2, 3, false)]
    );
    assert_eq!(items(&[0, 2, 3]), [(0, 0, 1, true), (1, 0, 1, true), (2, 0, 1, false)]);
    assert_eq!(items(&[1, 1, 3, 3]), [(0, 0, 1, true), (1, 0, 1, true), (2, 0, 1, false), (3, 0, 1, false)]);
}

#[test]
fn a_scene_may_be_written_by_hand() {
    let (film, warnings) = read(&json!({
        "audio": {"audio_id": "auto", "track_volume": "0.2"}, "output": {"name": "by hand.mp4", "width": 1280, "height": 720},
        "awsConnectionId": "c1",
        "scenes": [{"background": {"src": [{"url": "s3://bucket/a.mp4", "type": "video"}]}, "time": 4,
            "sub_scenes": [{"text_lines": [{"text": "Hello <strong>you</strong>"}, {"text": "there"}]}]}, {}],
    }));
    let scene = &film.scenes[0];
    assert_eq!((scene.text.as_str(), scene.exact_duration), ("Hello you\nthere", Some(4.0)));
    assert!(scene.caption.as_ref().unwrap().runs[1].keyword);
    assert_eq!(film.connections()["c1"], ["/scenes/0/background/src/0/url"]);
    assert_eq!(film.music.unwrap().volume, 0.2);
    assert_eq!(film.scenes[1].background, Background::Generated);
    assert!(warnings.iter().any(|warning| warning.code == "BACKGROUND_GENERATED"));
}

#[test]
fn what_comes_back_is_not_trusted() {
    let forgeries: &[(&str, Value, &str)] = &[
        ("/scenes/0/storyreel/minimumDuration", json!(1e9), "STORYREEL_INVALID"),
        ("/scenes/0/storyreel/minimumDuration", json!(-1), "STORYREEL_INVALID"),
        ("/scenes/0/storyreel/style/size", json!(1e9), "STORYREEL_INVALID"),
        ("/scenes/0/storyreel/style/weight", json!(65_000), "STORYREEL_INVALID"),
        ("/scenes/0/storyreel/parts", json!(0), "STORYREEL_INVALID"),
        ("/scenes/0/storyreel/part", json!(7), "STORYREEL_INVALID"),
        ("/scenes/0/storyreel/segments", json!([{"start": 2.0, "end": 1.0}]), "STORYREEL_INVALID"),
        ("/scenes/0/storyreel", json!("x"), "STORYREEL_INVALID"),
        ("/scenes/0/time", json!(1e6), "OUT_OF_RANGE"),
        ("/scenes/0/time", json!("NaN"), "WRONG_TYPE"),
        ("/scenes/0/background/src/0/url", json!("../../etc/passwd"), "ADDRESS_INVALID"),
        ("/scenes/0/awsConnectionId", json!("a/b"), "INVALID_CONNECTION_ID"),
        ("/audio/track_volume", json!(2), "OUT_OF_RANGE"),
        ("/audio/src", json!("http://example.com/a.mp3"), "HTTP_NOT_ALLOWED"),
        ("/output/width", json!(20_000), "OUT_OF_RANGE"),
        ("/output/name", json!("..."), "INVALID_VALUE"),
        ("/storyreel/fps", json!(100_000), "OUT_OF_RANGE"),
        ("/scenes", json!([]), "NO_SCENES"),
    ];
    for (pointer, value, code) in forgeries {
        let mut params = params(&seed());
        *params.pointer_mut(pointer).unwrap() = value.clone();
        let problems = parse_render_params(&params, &Options::default()).expect_err(pointer);
        let found =
            problems.iter().any(|p| p.code == *code && pointer.starts_with(p.pointer.as_deref().unwrap()));
        assert!(found, "{pointer} {code}: {problems:#?}");
    }
    // Another address in both places is parsed like any other.
    let (film, _) = edited(|p| {
        p["scenes"][0]["background"]["src"][0]["url"] =
            json!("https://bucket.s3.us-east-1.amazonaws.com.evil.example/a.mp4");
        p["scenes"][0]["storyreel"]["shown"]["url"] = p["scenes"][0]["background"]["src"][0]["url"].clone();
    });
    let Background::Media(background) = &film.scenes[0].background else { panic!() };
    assert!(matches!(background.media.address, Address::Url(_)));
    assert_eq!(background.media.connection, None);
    let (_, warnings) = edited(|p| p["scenes"][0]["storyreel"]["version"] = json!(99));
    assert!(warnings.iter().any(|warning| warning.code == "STORYREEL_VERSION"));
}
