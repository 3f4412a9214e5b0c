//! Whatever a client sends, the parser answers: no panic, short lists, quickly.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use storyboard::{Options, parse, parse_render_params, parse_value, render_params};

use crate::random::{storyboard, views};

#[test]
fn malformed_json_is_one_problem_with_its_place() {
    let deep = "[".repeat(100_000);
    let cases = [
        ("", "empty"),
        ("{", "line 1 column 1"),
        ("{\"videoName\": NaN}", "line 1"),
        ("{\"a\": 1e999}", "out of range"),
        ("{} {}", "trailing"),
        ("\u{0}", "line 1"),
        (deep.as_str(), "recursion"),
        ("{\"a\": \"\\uD800\"}", "line 1"),
    ];
    for (text, part) in cases {
        let problems = parse(text.as_bytes(), &Options::default()).unwrap_err();
        assert_eq!((problems.len(), problems[0].code.as_str()), (1, "MALFORMED_JSON"), "{part}");
        assert!(problems[0].message.contains(part), "{part}: {}", problems[0].message);
    }
    assert_eq!(parse(b"\xff\xfe", &Options::default()).unwrap_err()[0].code, "MALFORMED_JSON");
}

#[test]
fn a_name_given_twice_is_said() {
    let text = r#"{"videoName": "a", "videoName": "b", "scenes": [{"text": "x", "text": "y", "backgroundColor": "red"}]}"#;
    let (storyboard, warnings) = parse(text.as_bytes(), &Options::default()).unwrap();
    assert_eq!((storyboard.name.as_str(), storyboard.scenes[0].text.as_str()), ("b", "y"));
    let pointers: Vec<_> = warnings.iter().map(|w| w.pointer.as_deref().unwrap()).collect();
    assert_eq!(pointers, ["/videoName", "/scenes/0/text"]);
}

#[test]
fn answers_stay_short() {
    let unknown: Map<String, Value> = (0..50_000).map(|n| (format!("backgroundUr{n}"), json!(n))).collect();
    let mut film = Value::Object(unknown);
    film["videoName"] = json!("film");
    film["scenes"] = json!([{"text": "a"}]);
    let (_, warnings) = parse_value(&film, &Options::default()).unwrap();
    assert!(warnings.len() < 300 && warnings.iter().any(|w| w.code == "MORE_WARNINGS"));
    let bad: Vec<Value> = (0..1000).map(|_| json!({"minimumDuration": "x"})).collect();
    let problems = parse_value(&json!({"scenes": bad}), &Options::default()).unwrap_err();
    assert!(problems.len() < 300 && problems.iter().any(|p| p.code == "MORE_PROBLEMS"));
}

const NAMES: &[&str] = &[
    "videoName",
    "videoDescription",
    "language",
    "webhook",
    "awsConnectionId",
    "brandLogo",
    "audio",
    "textStyles",
    "scenes",
    "videoWidth",
    "videoHeight",
    "text",
    "caption",
    "captionLanguage",
    "backgroundUri",
    "backgroundType",
    "minimumDuration",
    "backgroundVideoSegments",
    "loopBackgroundVideo",
    "subtitle",
    "splitTextOnPeriod",
    "splitTextOnNewLine",
    "fontSize",
    "fontWeight",
    "textColor",
    "autoBackgroundMusic",
    "backGroundMusicUri",
    "backGroundMusicVolume",
    "url",
    "start",
    "end",
    "voiceOver",
    "backgroundColor",
    "~/",
    "renderParams",
    "output",
    "background",
    "src",
    "time",
    "sub_scenes",
    "text_lines",
    "storyreel",
    "shown",
    "width",
    "height",
    "name",
    "font",
    "size",
    "color",
    "keywords",
    "lines",
    "track_volume",
    "mode",
];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-10.0..100.0).prop_map(Value::from),
        "(s3://[a-z]{3}/.{0,5}|https://.{0,10}|[A-Za-z ]{0,10}\\. [A-Z][a-z]{0,4}|.{0,20}|<[a-z]{0,7}.{0,8}>|#[0-9a-f]{0,9}|&.{0,5};)"
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(NAMES), inner), 0..8).prop_map(|members| {
                Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

/// Pointers of all values within a value.
fn all_pointers(value: &Value, pointer: String, pointers: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(n, item)| all_pointers(item, format!("{pointer}/{n}"), pointers));
        }
        Value::Object(members) => {
            members.iter().for_each(|(name, item)| all_pointers(item, format!("{pointer}/{name}"), pointers));
        }
        _ => {}
    }
    pointers.push(pointer);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_json_panics(value in any_json(), scene in any_json()) {
        let options = Options { allow_files: true, ..Options::default() };
        let whole = parse_value(&value, &options);
        let again = parse(value.to_string().as_bytes(), &options);
        prop_assert_eq!(whole, again);
        let _ = parse_value(&json!({"videoName": "film", "scenes": [scene], "audio": value, "awsConnectionId": "c"}), &options);
    }

    #[test]
    fn no_render_params_panic(value in any_json(), film in storyboard(), place in any::<prop::sample::Index>()) {
        let _ = parse_render_params(&value, &Options::default());
        let Ok((film, _)) = parse_value(&film, &Options::default()) else {
            return Err(TestCaseError::reject("not a storyboard"));
        };
        let mut params = render_params(&film, &views(&film));
        let mut pointers = Vec::new();
        all_pointers(&params, String::new(), &mut pointers);
        *params.pointer_mut(&pointers[place.index(pointers.len())]).unwrap() = value;
        if let Ok((edited, _)) = parse_render_params(&params, &Options::default()) {
            // Whatever was accepted goes round unchanged.
            let again = parse_render_params(&render_params(&edited, &views(&edited)), &Options::default());
            prop_assert_eq!(again.unwrap().0.essence(), edited.essence());
        }
    }

    #[test]
    fn no_text_panics(text in "(\\PC|[.!?<>& \n\"']){0,60}", period: bool, line: bool) {
        let film = json!({"videoName": "film", "scenes": [{"text": text, "backgroundColor": "red",
            "splitTextOnPeriod": period, "splitTextOnNewLine": line}]});
        if let Ok((storyboard, _)) = parse_value(&film, &Options::default()) {
            for (part, scene) in storyboard.scenes.iter().enumerate() {
                prop_assert_eq!((scene.part, scene.parts), (part, storyboard.scenes.len()));
                let runs = scene.caption.iter().flat_map(|caption| &caption.runs);
                let shown: String = runs.map(|run| run.text.as_str()).collect();
                prop_assert_eq!(&shown, &scene.text);
                prop_assert!(!scene.text.starts_with(' ') && !scene.text.contains("  "));
            }
        }
    }
}
