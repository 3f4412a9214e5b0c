//! Whole GOPs of a source that is already as the film is to be go into it as they are.

use serde_json::json;

use crate::kit::Bench;

/// A source made by this program, so that its parameter sets are the film's.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.ffmpeg("-f lavfi -i testsrc2=size=320x180:rate=30:duration=8 -pix_fmt yuv420p raw.mp4");
    let film = bench.film(&json!([{"backgroundUri": "raw.mp4", "minimumDuration": 8}]));
    std::fs::rename(film.path, bench.path("own.mp4")).unwrap();
    bench
}

#[test]
fn bare_gops_pass_and_the_rest_is_drawn() {
    let bench = bench();
    let own = crate::kit::pictures_of(&bench.path("own.mp4"));
    let film = bench.film(&json!([
        // Frames 45 to 237 of the source: its GOPs from 60 and from 120 are whole.
        {"backgroundUri": "own.mp4", "backgroundVideoSegments": [{"start": 1.5, "end": 7.9}], "minimumDuration": 6.4},
        {"text": "Drawn over", "backgroundUri": "own.mp4", "minimumDuration": 8},
        {"backgroundUri": "own.mp4", "loopBackgroundVideo": true, "minimumDuration": 20},
        {"backgroundUri": "raw.mp4", "minimumDuration": 8},
    ]));
    let took = &film.report["took"];
    assert_eq!(took["passedThrough"], 120 + 240, "{took}");
    assert!(took["scenes"][3]["notPassedThrough"].as_str().unwrap().contains("parameter sets"), "{took}");
    assert_eq!(film.report["took"]["scenes"][1].get("notPassedThrough"), None, "nothing there was bare");
    let pictures = film.pictures();
    assert_eq!(pictures.len(), 192 + 240 + 600 + 240);
    // Frame by frame the film shows the source, passed or drawn.
    for (frame, picture) in pictures.iter().enumerate() {
        let source = match frame {
            0..192 => frame + 45,
            432..1032 => (frame - 432) % 240,
            _ => continue,
        };
        let own_difference = picture.difference(&own[source]);
        assert!(own_difference < 2.0, "frame {frame} is not {source}: {own_difference}");
    }
    // What passed is the source's to the bit.
    assert!((0..240).all(|frame| pictures[432 + frame].difference(&own[frame]) == 0.0));
}

#[test]
fn what_is_turned_or_of_another_size_is_drawn() {
    let bench = bench();
    bench.ffmpeg("-i own.mp4 -c copy -metadata:s:v rotate=180 turned.mp4");
    let film = bench.film(&json!([{"backgroundUri": "turned.mp4", "minimumDuration": 4}]));
    let took = &film.report["took"];
    assert_eq!(took["passedThrough"], 0);
    assert!(took["scenes"][0]["notPassedThrough"].as_str().unwrap().contains("turned"), "{took}");
    let mut larger = Bench::storyboard(&json!([{"backgroundUri": "own.mp4", "minimumDuration": 2}]));
    larger["videoWidth"] = json!(640);
    larger["videoHeight"] = json!(360);
    let film = bench.film_of(&larger);
    assert_eq!(film.report["took"]["passedThrough"], 0);
}
