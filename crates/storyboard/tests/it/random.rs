//! Random storyboards that are right, and the views of their scenes.

use proptest::prelude::*;
use serde_json::{Value, json};
use storyboard::{Caption, PageView, SceneView, Storyboard};

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "([A-Z]?[a-zé]{1,8}[,.!?]? ){1,30}",
        "[A-Za-z ]{1,9}<strong>[a-z ]{1,9}</strong>[a-z .]{0,9}\n?[A-Z][a-z<&]{0,5}",
        "[日本語の東京。]{1,40}",
        "\\PC{1,40}",
    ]
}

fn uri() -> impl Strategy<Value = String> {
    prop_oneof![
        "s3://my-bucket/[a-z]{1,5}/[ -~]{1,10}[a-z]",
        "https://my\\.bucket\\.s3\\.eu-west-1\\.amazonaws\\.com/(a%20b|%2Bc|d){1,3}\\.mp4(\\?versionId=[a-zA-Z0-9]{5})?",
        "https://cdn\\.example\\.com/[a-z]{1,9}\\.mp4(\\?token=[a-z]{3})?",
    ]
}

fn scene() -> impl Strategy<Value = Value> {
    let background = prop_oneof![
        Just(json!({})),
        (0_u8..255, 0_u8..=255)
            .prop_map(|(grey, alpha)| json!({"backgroundColor": format!("#0000{grey:02x}{alpha:02x}")})),
        (uri(), any::<bool>(), any::<bool>(), prop::option::of(prop_oneof![Just("video"), Just("image")]))
            .prop_map(
                |(uri, looped, mute, kind)| json!({"backgroundUri": uri, "loopBackgroundVideo": looped,
                "muteBackgroundVideo": mute, "backgroundType": kind})
            ),
        (uri(), 0.0..5.0_f64, 0.01..5.0_f64).prop_map(|(uri, start, length)| json!({
            "backgroundUri": uri, "backgroundVideoSegments": [{"start": start, "end": start + length}]
        })),
    ];
    let style = (
        prop::option::of("[A-Z][a-z]{2,8}( [A-Z][a-z]{2,5})?"),
        prop::option::of(8.0..400.0_f64),
        prop::option::of(1_u16..=9),
        any::<[u8; 4]>(),
        prop::option::of(prop::sample::select(vec!["top", "center", "bottom"])),
        prop::option::of(prop::sample::select(vec!["left", "center", "right"])),
    );
    let rest =
        (any::<bool>(), any::<bool>(), any::<bool>(), prop::option::of(0.05..100.0_f64), any::<bool>());
    (text(), prop::option::of(text()), background, style, rest).prop_map(
        |(text, caption, mut scene, style, rest)| {
            let (family, size, weight, [r, g, b, a], vertical, horizontal) = style;
            let (voice, shown, period, minimum, line) = rest;
            for (name, value) in [
                ("text", json!(format!("x{text}"))),
                ("caption", json!(caption)),
                ("fontFamily", json!(family)),
                ("fontSize", json!(size)),
                ("fontWeight", json!(weight.map(|weight| weight * 100))),
                ("textColor", json!(format!("#{r:02x}{g:02x}{b:02x}{a:02x}"))),
                ("fontStyle", json!(if r > 128 { "italic" } else { "normal" })),
                ("textDecoration", json!(if g > 128 { "underline" } else { "none" })),
                ("verticalAlignment", json!(vertical)),
                ("horizontalAlignment", json!(horizontal)),
                ("voiceOver", json!(voice)),
                ("subtitle", json!(shown)),
                ("splitTextOnPeriod", json!(period)),
                ("splitTextOnNewLine", json!(line)),
                ("minimumDuration", json!(minimum)),
            ] {
                scene[name] = value;
            }
            scene
        },
    )
}

/// JSON of a v1 storyboard without problems.
pub(crate) fn storyboard() -> impl Strategy<Value = Value> {
    let audio = prop_oneof![
        Just(json!(null)),
        (0.0..=1.0_f64)
            .prop_map(|volume| json!({"autoBackgroundMusic": true, "backGroundMusicVolume": volume})),
        (uri(), 0.0..=1.0_f64)
            .prop_map(|(uri, volume)| json!({"backGroundMusicUri": uri, "backGroundMusicVolume": volume})),
    ];
    let logo = prop::option::of(uri());
    let canvas = (32_u32..1080, 32_u32..1080);
    let name = "[A-Za-z][A-Za-z .]{0,20}(\\.mp4)?";
    (prop::collection::vec(scene(), 1..6), audio, logo, canvas, name, any::<bool>()).prop_map(
        |(scenes, audio, logo, (width, height), name, german)| {
            json!({
                "videoName": name, "videoDescription": name, "language": if german { "de" } else { "en" },
                "awsConnectionId": "20241207042423053xmex5z9ag9ivmp21", "videoWidth": width * 2, "videoHeight": height * 2,
                "audio": audio, "brandLogo": logo.map(|url| json!({"url": url, "verticalAlignment": "bottom"})),
                "webhook": "https://example.com/hook", "scenes": scenes,
            })
        },
    )
}

/// Views as a typesetter would give them: five words a line, two lines a page.
pub(crate) fn views(storyboard: &Storyboard) -> Vec<SceneView> {
    let views = storyboard.scenes.iter().enumerate().map(|(index, scene)| {
        let lines = scene.caption.as_ref().map(lines).unwrap_or_default();
        let pages =
            lines.chunks(2).map(|lines| PageView { lines: lines.to_vec(), seconds: 1.0 / 3.0 }).collect();
        SceneView { seconds: (index + 61) as f64 / 30.0, pages }
    });
    views.collect()
}

fn lines(caption: &Caption) -> Vec<String> {
    let text: String = caption.runs.iter().map(|run| run.text.as_str()).collect();
    let mut lines = Vec::new();
    for line in text.split('\n') {
        let words: Vec<&str> = line.split(' ').collect();
        lines.extend(words.chunks(5).map(|words| words.join(" ")));
    }
    lines
}
