//! How long each scene is: exact time first, then whole frames from the accumulated sum.
//!
//! Invariants: a scene begins within half a frame of the exact sum of the lengths before it, however many those
//! are (unless scenes shorter than 2 frames push it on); every scene has at least 2 frames.

use storyboard::{Scene, Warning};

use crate::background::{Behind, Findings, micros};
use crate::reading::{LEAST_US, reading_time_us};

/// Length of a scene that nothing says anything about.
const SILENT_US: u64 = 5_000_000;
/// Fewest frames of a scene, a span, a take or a play: fewer cannot be repeated or joined safely, since an IDR picture
/// would stand beside another one.
pub const LEAST_FRAMES: u64 = 2;

/// A scene's place on the film's grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) start: u64,
    pub(crate) frames: u64,
}

/// How many scenes at the head of a list are the parts of one item.
pub(crate) fn item_length(scenes: &[Scene]) -> usize {
    let Some(first) = scenes.first() else { return 0 };
    1 + scenes[1..]
        .iter()
        .zip(1..)
        .take_while(|(scene, n)| scene.item == first.item && scene.part == first.part + n)
        .count()
}

/// Exact lengths in microseconds of the parts of one item.
pub(crate) fn lengths(
    parts: &[Scene],
    behind: &[Option<Behind>],
    fps: u32,
    findings: &mut Findings,
) -> Vec<u64> {
    let minimum = parts.iter().find_map(|scene| scene.minimum_duration).map_or(0, micros);
    let mut readings: Vec<u64> = parts.iter().map(reading).collect();
    if parts.len() > 1 {
        // A part that an edit emptied is still a part: it takes its share.
        readings.iter_mut().for_each(|reading| *reading = (*reading).max(LEAST_US));
    }
    let total: u64 = readings.iter().sum();
    let mut before = 0;
    let mut lengths = Vec::with_capacity(parts.len());
    for ((scene, behind), reading) in parts.iter().zip(behind).zip(readings) {
        let share = |upto: u64| if total == 0 { minimum } else { scaled(minimum, upto, total) };
        let shared = if total == 0 { minimum } else { share(before + reading) - share(before) };
        before += reading;
        lengths.push(match scene.exact_duration {
            Some(exact) => micros(exact),
            None => match reading.max(shared) {
                0 => own_length(scene, behind.as_ref(), fps, findings),
                length => length,
            },
        });
    }
    lengths
}

/// `amount * part / whole`, exactly and rounded down.
fn scaled(amount: u64, part: u64, whole: u64) -> u64 {
    let scaled = u128::from(amount) * u128::from(part) / u128::from(whole.max(1));
    u64::try_from(scaled).unwrap_or(amount)
}

/// Reading time of what is shown or, where a voice reads or nothing is shown, of the text; at least 2 s of either.
fn reading(scene: &Scene) -> u64 {
    let shown: Option<String> =
        scene.caption.as_ref().map(|caption| caption.runs.iter().map(|run| run.text.as_str()).collect());
    let spoken = (scene.voice_over || shown.is_none()).then_some(scene.text.as_str());
    match shown.as_deref().into_iter().chain(spoken).map(reading_time_us).max().unwrap_or(0) {
        0 => 0,
        time => time.max(LEAST_US),
    }
}

/// The length of a scene without text or `minimumDuration`: its background's own, else 5 s.
fn own_length(scene: &Scene, behind: Option<&Behind>, fps: u32, findings: &mut Findings) -> u64 {
    let frames = behind.map_or(0, Behind::frames);
    if frames > 0 {
        return scaled(1_000_000, frames, u64::from(fps));
    }
    let pointer = format!("/scenes/{}", scene.item);
    let message =
        format!("Scene {} has neither a text nor a `minimumDuration`; it is 5 seconds long.", scene.item + 1);
    findings.warnings.push(Warning::at(pointer, "DURATION_ASSUMED", message));
    SILENT_US
}

/// Places scenes of exact lengths on the frame grid.
pub(crate) fn places(lengths: &[u64], fps: u32) -> Vec<Place> {
    let fps = u128::from(fps);
    let mut exact_us = 0_u128;
    let mut start = 0_u64;
    let mut places = Vec::with_capacity(lengths.len());
    for length in lengths {
        exact_us += u128::from(*length);
        let end = u64::try_from((exact_us * fps + 500_000) / 1_000_000).unwrap_or(u64::MAX / 2);
        let end = end.max(start + LEAST_FRAMES);
        places.push(Place { start, frames: end - start });
        start = end;
    }
    places
}
