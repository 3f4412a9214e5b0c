//! Picture and sound stay together: sources of awkward rates with a flash and a click at once, scenes of awkward
//! lengths, and both found again in the film at every scene boundary.

use serde_json::{Value, json};

use crate::bitstream::Stream;
use crate::films::{FPS, Film, Folder, decode, storyboard};

/// Samples a second of the sound that is looked at.
const RATE: f64 = 48_000.0;
/// Half a frame in seconds.
const HALF: f64 = 0.5 / FPS as f64;

/// Length of the loop of either source in seconds: the nearest whole number of frames.
const ROUND: f64 = 4.0;

/// Two seconds and a bit between flashes; twice that is the source.
pub(crate) fn sources(folder: &Folder) {
    for (name, rate, frames) in [("23.mov", "24000/1001", 48), ("29.mov", "30000/1001", 60)] {
        let between = f64::from(frames) * 1001.0 / if frames == 48 { 24_000.0 } else { 30_000.0 };
        folder.ffmpeg(&format!(
            "-f lavfi -i color=0x404040:size=320x180:rate={rate},drawbox=color=white:t=fill:enable='lt(mod(n,{frames}),2)' \
             -f lavfi -i aevalsrc='0.8*sin(2*PI*1000*t)*lt(mod(t,{between}),0.02)':s=48000 \
             -frames:v {} -t {} -c:v libx264 -preset veryfast -pix_fmt yuv420p -c:a pcm_s16le {name}",
            2 * frames,
            2.0 * between,
        ));
    }
}

/// Scenes that turn about rates and lengths, and their exact length in seconds.
pub(crate) fn scenes(count: usize, lengths: [f64; 2]) -> (Vec<Value>, Vec<f64>) {
    let scene = |index: usize| {
        let name = ["23.mov", "29.mov"][index / 2 % 2];
        json!({
            "backgroundUri": name, "muteBackgroundVideo": false, "loopBackgroundVideo": true,
            "minimumDuration": lengths[index % 2],
        })
    };
    ((0..count).map(scene).collect(), (0..count).map(|index| lengths[index % 2]).collect())
}

/// Exact frame count, even times, and at the start of every scene, and of every round of its loop, the flash
/// and the click, where the author said.
pub(crate) fn is_in_time(film: &Film, lengths: &[f64]) {
    let mut ends = lengths.iter().scan(0.0, |end, length| {
        *end += length;
        Some(*end)
    });
    let starts: Vec<f64> = std::iter::once(0.0).chain(&mut ends).collect();
    let frames = (starts[lengths.len()] * FPS as f64).round() as usize;
    assert_eq!(film.report["film"]["frames"], frames);
    let stream = Stream::of(&film.path);
    stream.is_even(&film.path, frames);
    stream.joints().unwrap();
    let luma = decode(
        &film.path,
        &[
            "-map",
            "0:v",
            "-fps_mode",
            "passthrough",
            "-vf",
            "scale=1:1:flags=area,format=gray",
            "-f",
            "rawvideo",
        ],
    );
    assert_eq!(luma.len(), frames, "pictures out of ffmpeg");
    let sound = decode(&film.path, &["-map", "0:a", "-f", "s16le", "-ac", "1", "-ar", "48000"]);
    for (scene, start) in starts[..lengths.len()].iter().enumerate() {
        let rounds = (lengths[scene] / ROUND) as u32;
        for moment in (0..=rounds).map(|round| start + f64::from(round) * ROUND) {
            let flash = flash(&luma, moment)
                .unwrap_or_else(|| panic!("scene {scene} at {start:.3} s: no flash at {moment:.3} s"));
            let click = click(&sound, moment)
                .unwrap_or_else(|| panic!("scene {scene} at {start:.3} s: no click at {moment:.3} s"));
            let place = format!("scene {scene}: {moment:.4} s, flash at {flash:.4}, click at {click:.4}");
            assert!((flash - moment).abs() <= HALF + 1e-6, "{place}");
            assert!((click - flash).abs() <= HALF, "{place}");
        }
    }
}

/// Start of the flash around a time: the first bright frame after a dark one, or the film's first.
fn flash(luma: &[u8], around: f64) -> Option<f64> {
    let bright = |frame: usize| luma.get(frame).is_some_and(|value| *value > 150);
    let middle = (around * FPS as f64).round() as usize;
    (middle.saturating_sub(4)..middle + 5)
        .find(|frame| bright(*frame) && (*frame == 0 || !bright(frame - 1)))
        .map(|frame| frame as f64 / FPS as f64)
}

/// Start of the click around a time: where the sound first reaches half of its greatest value there.
fn click(sound: &[u8], around: f64) -> Option<f64> {
    let middle = (around * RATE) as usize;
    let reach = (RATE * 0.1) as usize;
    let first = middle.saturating_sub(reach);
    let part = sound.get(first * 2..((middle + reach) * 2).min(sound.len()))?;
    let values: Vec<u16> =
        part.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]]).unsigned_abs()).collect();
    let greatest = *values.iter().max()?;
    let onset = values.iter().position(|value| *value >= greatest / 2)?;
    (greatest > 3000).then(|| (first + onset) as f64 / RATE)
}

#[test]
fn flashes_and_clicks_meet_at_every_scene_boundary_and_round() {
    let folder = Folder::new();
    sources(&folder);
    let (scenes, lengths) = scenes(12, [3.337, 5.603]);
    is_in_time(&folder.film("film", &storyboard(&scenes), &[]), &lengths);
}

#[test]
#[ignore = "long: make check-long"]
fn flashes_and_clicks_meet_after_an_hour_of_500_scenes() {
    let folder = Folder::new();
    sources(&folder);
    // 250 x (3.337 + 11.063) s is an hour.
    let (scenes, lengths) = scenes(500, [3.337, 11.063]);
    is_in_time(&folder.film("film", &storyboard(&scenes), &[]), &lengths);
}
