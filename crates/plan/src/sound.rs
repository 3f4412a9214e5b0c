//! The film's sound on its sample grid.

use storyboard::{Class, Music, MusicSource, Problem, Storyboard};

use crate::background::{Behind, Findings, find};
use crate::digest::music_seed;
use crate::model::{Cut, MusicPlan, MusicPlanSource, SoundPlan};
use crate::sources::Sources;
use crate::timeline::Place;

/// Samples a second and channel.
const RATE: u64 = 48_000;
/// Longest fade of the music at the film's end, in samples.
const FADE: u64 = 2 * RATE;

/// Samples up to a frame of the grid, rounded up.
pub(crate) fn samples(frames: u64, fps: u32) -> u64 {
    let samples = (u128::from(frames) * u128::from(RATE)).div_ceil(u128::from(fps.max(1)));
    u64::try_from(samples).unwrap_or(u64::MAX)
}

/// The music: at most a quarter of the film is its fade.
pub(crate) fn music(
    storyboard: &Storyboard,
    film_samples: u64,
    sources: &Sources,
    findings: &mut Findings,
) -> Option<MusicPlan> {
    let Music { source, volume } = storyboard.music.as_ref()?;
    let source = match source {
        MusicSource::Auto => MusicPlanSource::Bed { seed: music_seed(storyboard) },
        MusicSource::Media(media) => {
            let (index, facts) = find(media, sources, findings)?;
            if !facts.media.has_audio {
                let message = format!("It holds no sound that can be decoded. ({})", facts.media.format);
                let problem = Problem::new(Class::Source, "NO_SOUND", message).at(media.pointer.clone());
                let problem = problem.file(media.address.to_string());
                findings
                    .problems
                    .push(problem.fix("Name an audio file, or a video with sound, as the music."));
                return None;
            }
            MusicPlanSource::Source(index)
        }
    };
    Some(MusicPlan { source, volume: *volume, fade_out: FADE.min(film_samples / 4) })
}

/// The sound of a background that is heard, if it is; `played` frames of it have played in earlier parts.
pub(crate) fn background(
    behind: &Behind,
    cuts: &[Cut],
    played: u64,
    place: Place,
    fps: u32,
) -> Option<SoundPlan> {
    let Behind::Video { source, looped, audible: true, .. } = behind else { return None };
    let period: u64 = cuts.iter().map(|cut| cut.frames).sum();
    if period == 0 || (!looped && played >= period) {
        return None;
    }
    let start = samples(place.start, fps);
    Some(SoundPlan {
        source: *source,
        start,
        samples: samples(place.start + place.frames, fps) - start,
        cuts: cuts.to_vec(),
        offset: if *looped { played % period } else { played },
        looped: *looped,
        volume: 1.0,
    })
}
