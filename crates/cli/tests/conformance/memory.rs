//! Memory does not grow with the film: as much for five minutes as for an hour.

use serde_json::{Value, json};

use crate::films::{Folder, storyboard};

/// Peak PSS of the whole process tree in bytes, rendering so many scenes of 30 s with one worker.
fn peak(folder: &Folder, scenes: usize) -> f64 {
    let scenes: Vec<Value> = (0..scenes)
        .map(|scene| {
            let (name, text) =
                [("short.mp4", "Hello world! Good morning!"), ("long.mp4", "Welcome!")][scene % 2];
            json!({ "backgroundUri": name, "text": text, "minimumDuration": 30 })
        })
        .collect();
    let mut board = storyboard(&scenes);
    (board["videoWidth"], board["videoHeight"]) = (json!(1280), json!(720));
    board["audio"] = json!({ "backGroundMusicUri": "music.mp3", "backGroundMusicVolume": 0.5 });
    let name = format!("film-{}", scenes.len());
    let command = folder.command(&name, &board, &["--config", "one.toml", "--data", &name]);
    let measure = concat!(env!("CARGO_MANIFEST_DIR"), "/../../bench/measure.py");
    let words = ["python3", measure, "--json", "usage.json", "--"].map(str::to_owned);
    folder.run(&[&words[..], &command].concat());
    let usage: Value = serde_json::from_slice(&std::fs::read(folder.path("usage.json")).unwrap()).unwrap();
    println!("{} scenes: {usage}", scenes.len());
    usage["peak_pss"].as_f64().unwrap()
}

#[test]
#[ignore = "long: make check-long"]
fn an_hour_needs_as_much_memory_as_five_minutes() {
    let folder = Folder::new();
    std::fs::write(folder.path("one.toml"), "[render]\nparallel = 1\n").unwrap();
    let size = "size=1920x1080:rate=30";
    folder.ffmpeg(&format!(
        "-f lavfi -i testsrc2={size} -t 4 -c:v libx264 -preset veryfast -pix_fmt yuv420p short.mp4"
    ));
    folder.ffmpeg(&format!(
        "-f lavfi -i testsrc2={size} -t 10 -c:v libx264 -preset veryfast -pix_fmt yuv420p long.mp4"
    ));
    folder.ffmpeg("-f lavfi -i sine=frequency=440:sample_rate=44100:duration=60 music.mp3");
    let (short, long) = (peak(&folder, 10), peak(&folder, 120));
    assert!((long / short - 1.0).abs() <= 0.1, "{short:.0} bytes for 5 minutes, {long:.0} for an hour");
}
