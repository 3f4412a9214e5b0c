//! What holds for every film.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::kit::planned;

fn scene() -> impl Strategy<Value = Value> {
    let background = prop_oneof![
        Just(json!({"backgroundColor": "navy"})),
        Just(json!({"backgroundUri": "https://a.example/image.png"})),
        (1_u32..1500, any::<bool>(), any::<bool>()).prop_map(|(length, looped, mute)| json!({
            "backgroundUri": format!("https://a.example/v-{length}.mp4"),
            "loopBackgroundVideo": looped,
            "muteBackgroundVideo": mute,
        })),
        (0_u32..100, 1_u32..100).prop_map(|(start, length)| json!({
            "backgroundUri": "https://a.example/v-200.mp4",
            "backgroundVideoSegments": [{"start": f64::from(start) / 100.0, "end": f64::from(start + length) / 100.0}],
        })),
    ];
    let text = prop::option::of("([A-Z][a-z]{1,6}( [a-z]{1,6}){0,20}\\. ){1,5}");
    (background, text, prop::option::of(0.01..20.0_f64), any::<bool>()).prop_map(
        |(mut scene, text, minimum, split)| {
            scene["text"] = json!(text);
            scene["minimumDuration"] = json!(minimum);
            scene["splitTextOnPeriod"] = json!(split);
            scene
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_plan_upholds_its_invariants(scenes in prop::collection::vec(scene(), 1..12)) {
        let film = json!({"videoName": "film", "scenes": scenes, "audio": {"autoBackgroundMusic": true}});
        // `planned` checks them.
        let first = planned(&film);
        prop_assert_eq!(first.plan.hash(), planned(&film).plan.hash());
        let text = serde_json::to_string(&first.plan).unwrap();
        prop_assert_eq!(&serde_json::from_str::<plan::Plan>(&text).unwrap(), &first.plan);
        let cues = first.plan.cues();
        prop_assert!(cues.iter().all(|cue| cue.start_frame < cue.end_frame && cue.end_frame <= first.plan.frames));
        prop_assert!(cues.windows(2).all(|pair| pair[0].end_frame <= pair[1].start_frame));
    }

    #[test]
    fn five_hundred_scenes_stay_in_sync(lengths in prop::collection::vec(100_000_u64..20_000_000, 500)) {
        let scenes: Vec<Value> = lengths
            .iter()
            .map(|us| json!({"backgroundColor": "red", "minimumDuration": *us as f64 / 1e6}))
            .collect();
        let plan = planned(&json!({"videoName": "film", "scenes": scenes})).plan;
        let mut exact_us = 0_u64;
        for (scene, length) in plan.scenes.iter().zip(&lengths) {
            // Half a frame of 30 is a sixtieth of a second.
            let twice_off = (scene.start * 1_000_000).abs_diff(exact_us * 30) * 2;
            prop_assert!(twice_off <= 1_000_000, "frame {} for {} us", scene.start, exact_us);
            exact_us += length;
        }
    }
}
