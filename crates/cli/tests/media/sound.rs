//! What is heard: music, backgrounds, silence.

use serde_json::{Value, json};

use crate::kit::{Bench, rms};

fn with_audio(scenes: &Value, audio: Value) -> Value {
    let mut storyboard = Bench::storyboard(scenes);
    storyboard["audio"] = audio;
    storyboard
}

/// Loudness and true peak by ffmpeg's own meter.
fn loudness(path: &std::path::Path) -> (f64, f64) {
    let output = std::process::Command::new("ffmpeg")
        .args(["-nostdin", "-i"])
        .arg(path)
        .args(["-af", "ebur128=peak=true", "-f", "null", "-"])
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    let summary = &words[words.rfind("Summary:").unwrap()..];
    let number = |label: &str| {
        let rest = &summary[summary.find(label).unwrap() + label.len()..];
        rest.split_whitespace().next().unwrap().parse::<f64>().unwrap_or(f64::NEG_INFINITY)
    };
    (number("I:"), number("Peak:"))
}

#[test]
fn music_is_levelled_looped_and_faded_out() {
    let bench = Bench::new();
    // Half a second short of four rounds; far too loud, at another rate, mono.
    bench.ffmpeg("-f lavfi -i sine=frequency=440:sample_rate=44100:duration=2.5,volume=8 -ac 1 music.mp3");
    let scenes = json!([{ "backgroundColor": "black", "minimumDuration": 9.5 }]);
    let film = bench.film_of(&with_audio(
        &scenes,
        json!({ "backGroundMusicUri": "music.mp3", "backGroundMusicVolume": 0.5 }),
    ));
    let (lufs, peak) = loudness(&film.path);
    assert!((lufs - -26.0).abs() < 1.0, "half of -20 LUFS is -26: {lufs}");
    assert!(peak <= -1.5, "{peak}");
    let samples = film.samples();
    assert_eq!(samples.len(), 285 * 1600 * 2);
    let middle = rms(&samples, 3.0, 4.0);
    for second in 0..7 {
        let here = rms(&samples, f64::from(second) + 0.1, f64::from(second) + 0.9);
        assert!((here / middle - 1.0).abs() < 0.2, "second {second}: {here} against {middle}");
    }
    assert!(rms(&samples, 9.4, 9.5) < middle / 5.0, "faded out");
}

#[test]
fn a_background_is_heard_only_where_it_is_not_muted() {
    let bench = Bench::new();
    bench.ffmpeg(
        "-f lavfi -i color=black:size=320x180:rate=30:duration=1 -f lavfi -i sine=frequency=1000:duration=1 \
         -c:v libx264 -pix_fmt yuv420p -c:a aac -shortest tone.mp4",
    );
    let film = bench.film(&json!([
        { "backgroundUri": "tone.mp4", "minimumDuration": 1 },
        { "backgroundUri": "tone.mp4", "muteBackgroundVideo": false, "minimumDuration": 2 },
        { "backgroundUri": "tone.mp4", "muteBackgroundVideo": false, "loopBackgroundVideo": false, "minimumDuration": 2 },
    ]));
    let samples = film.samples();
    assert!(rms(&samples, 0.1, 0.9) < 1e-4, "muted");
    let tone = rms(&samples, 1.2, 1.8);
    assert!(tone > 0.02);
    assert!((rms(&samples, 2.2, 2.8) / tone - 1.0).abs() < 0.1, "it loops with the picture");
    assert!((rms(&samples, 3.2, 3.8) / tone - 1.0).abs() < 0.1);
    assert!(rms(&samples, 4.2, 4.9) < 1e-3, "silence while the last picture holds");
}

#[test]
fn a_background_without_sound_is_silence_and_a_warning() {
    let bench = Bench::new();
    bench.ffmpeg(
        "-f lavfi -i color=black:size=320x180:rate=30:duration=1 -c:v libx264 -pix_fmt yuv420p mute.mp4",
    );
    let film = bench.film(&json!([{ "backgroundUri": "mute.mp4", "muteBackgroundVideo": false }]));
    assert!(rms(&film.samples(), 0.0, 1.0) < 1e-4);
    assert!(!film.warnings().is_empty());
}

#[test]
fn music_of_the_servers_choice_is_calm_and_there_throughout() {
    let bench = Bench::new();
    let scenes = json!([{ "backgroundColor": "black", "minimumDuration": 12 }]);
    let film = bench
        .film_of(&with_audio(&scenes, json!({ "autoBackgroundMusic": true, "backGroundMusicVolume": 0.5 })));
    let (lufs, peak) = loudness(&film.path);
    assert!((lufs - -26.0).abs() < 1.5, "{lufs}");
    assert!(peak <= -1.5, "{peak}");
    let samples = film.samples();
    for second in 1..10 {
        assert!(rms(&samples, f64::from(second), f64::from(second) + 0.5) > 0.002, "second {second}");
    }
}

#[test]
fn loud_backgrounds_together_stay_below_the_ceiling() {
    let bench = Bench::new();
    bench.ffmpeg(
        "-f lavfi -i color=black:size=320x180:rate=30:duration=2 -f lavfi -i aevalsrc='0.99*sgn(sin(440*2*PI*t))':s=48000:d=2 \
         -c:v libx264 -pix_fmt yuv420p -c:a pcm_s16le loud.mov",
    );
    bench.ffmpeg("-f lavfi -i sine=frequency=330:duration=3 music.mp3");
    let scenes = json!([{ "backgroundUri": "loud.mov", "muteBackgroundVideo": false, "minimumDuration": 3 }]);
    let film = bench.film_of(&with_audio(
        &scenes,
        json!({ "backGroundMusicUri": "music.mp3", "backGroundMusicVolume": 1 }),
    ));
    let (_, peak) = loudness(&film.path);
    // As decoded: AAC adds nearly 3 dB to a square wave that was limited exactly.
    assert!((-4.0..=-1.5).contains(&peak), "{peak}");
}
