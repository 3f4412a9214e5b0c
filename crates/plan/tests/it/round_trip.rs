//! The plan goes out as `renderParams` and comes back: unedited it is the same plan, an edit shows in it.

use plan::{Plan, plan, views};
use serde_json::{Value, json};
use storyboard::{Options, parse_render_params, render_params};

use crate::kit::{Words, check, planned, sources, storyboard};
use crate::seed::seed;

fn params(film: &Value) -> Value {
    render_params(&storyboard(film), &views(&planned(film).plan))
}

fn plan_of(params: &Value) -> Plan {
    let (film, _) =
        parse_render_params(params, &Options::default()).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let plan = plan(&film, &sources(&film), &Words).unwrap_or_else(|problems| panic!("{problems:#?}")).plan;
    check(&plan);
    plan
}

fn split() -> Value {
    json!({"videoName": "film", "audio": {"autoBackgroundMusic": true}, "scenes": [
        {"text": "one two three four five six. Seven eight. Nine.", "splitTextOnPeriod": true, "minimumDuration": 11.11,
            "backgroundUri": "https://a.example/v-350.mp4", "muteBackgroundVideo": false,
            "backgroundVideoSegments": [{"start": 0.1, "end": 0.7}, {"start": 1, "end": 3.3}]},
        {"text": "A generated <strong>picture</strong>"},
        {"backgroundUri": "https://a.example/image.png"},
    ]})
}

#[test]
fn unedited_has_the_same_hash() {
    for film in [seed(), split()] {
        assert_eq!(plan_of(&params(&film)).hash(), planned(&film).plan.hash());
    }
}

#[test]
fn the_four_edits_show() {
    let film = params(&seed());
    let hash = plan_of(&film).hash();
    let edit = |pointer: &str, value: Value| {
        let mut film = film.clone();
        *film.pointer_mut(pointer).unwrap() = value;
        let plan = plan_of(&film);
        assert_ne!(plan.hash(), hash, "{pointer}");
        plan
    };
    let plan = edit("/scenes/0/sub_scenes/0/text_lines/0/text", json!("Good night!"));
    assert_eq!(plan.cues()[0].text, "Good night!");
    let plan = edit("/scenes/0/time", json!(7.5));
    assert_eq!((plan.scenes[0].frames, plan.frames), (225, 375));
    let plan = edit("/scenes/1/background/src/0/url", json!("s3://my-bucket/other.mp4"));
    assert_eq!(plan.sources[1].name, "s3://my-bucket/other.mp4");
    let plan = edit("/audio/track_volume", json!(0.25));
    assert_eq!(plan.audio.music.unwrap().volume, 0.25);
}

#[test]
fn stripped_keeps_its_length() {
    let mut film = params(&split());
    film.as_object_mut().unwrap().remove("storyreel");
    for scene in film["scenes"].as_array_mut().unwrap() {
        scene.as_object_mut().unwrap().remove("storyreel");
    }
    assert_eq!(plan_of(&film).frames, planned(&split()).plan.frames);
}
