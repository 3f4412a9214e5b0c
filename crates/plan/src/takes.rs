//! How a scene becomes a clip: which frames are drawn and encoded, once each, and how the encoded pictures are played.
//!
//! A **take** is a row of pictures that is drawn and encoded in one go; a **play** copies encoded pictures into the
//! film, once or several times. Invariants, which keep the film's bitstream strictly conformant (H.264, 7.4.3 on
//! `idr_pic_id` and 7.4.1.2.4):
//!
//! - plays cover the scene's frames in order, each frame with the picture that it is to show;
//! - a take begins with an IDR picture, a play begins at one, and neither ends with one;
//! - takes and plays have at least [`LEAST_FRAMES`] pictures;
//! - what is repeated has at least [`LEAST_REPEATED`] pictures, since IDR pictures are many times larger than others.

use serde::{Deserialize, Serialize};

use crate::model::{Motion, ScenePlan, Span};
use crate::timeline::LEAST_FRAMES;

/// Fewest pictures of a row that is repeated: a still of 60 s as repeated rows of 2 pictures is 16 times as large.
pub const LEAST_REPEATED: u64 = 60;

/// A scene as pictures to encode and copies to make of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Takes {
    /// What is drawn and encoded, in order; their pictures are numbered through from 0.
    pub takes: Vec<Take>,
    /// What the film shows of them, in order.
    pub plays: Vec<Play>,
}

/// Pictures that are drawn and encoded in one go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Take {
    /// Frame of the scene that is drawn first.
    pub first: u64,
    /// Number of pictures.
    pub frames: u64,
    /// Whether all pictures are that first frame; else each is the scene's next one.
    pub still: bool,
    /// Pictures, from the take's start, where decoding can begin: rising, the first is 0.
    pub keys: Vec<u64>,
}

/// Encoded pictures that are copied into the film.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Play {
    /// The first picture, by its number in the clip.
    pub first: u64,
    /// Number of pictures.
    pub frames: u64,
    /// How often they are shown in a row, at least once.
    pub times: u64,
}

impl Takes {
    /// The takes of a scene, with at most about `gop` pictures between two where decoding can begin.
    pub fn of(scene: &ScenePlan, gop: u32) -> Self {
        let gop = u64::from(gop).max(LEAST_FRAMES);
        let mut takes = Self::default();
        // Spans that are encoded frame by frame go on in one take.
        let mut plain: Option<(u64, u64)> = None;
        for span in &scene.spans {
            let repeated = match span.motion {
                Motion::Still => still_row(span.frames, gop).map(|row| (row, true)),
                Motion::Loop { period, .. } => loop_row(span.frames, period).map(|row| (row, false)),
                Motion::Full => None,
            };
            let Some((row, still)) = repeated else {
                plain = Some(
                    plain.map_or((span.start, span.frames), |(first, frames)| (first, frames + span.frames)),
                );
                continue;
            };
            takes.once(plain.take(), gop);
            if still { takes.still(span, row) } else { takes.repeat(span, row, gop) }
        }
        takes.once(plain, gop);
        takes
    }

    /// Number of pictures that are encoded.
    pub fn encoded(&self) -> u64 {
        self.takes.iter().map(|take| take.frames).sum()
    }

    /// Number of pictures that the film shows.
    pub fn played(&self) -> u64 {
        self.plays.iter().map(|play| play.frames * play.times).sum()
    }

    /// Frames of the scene in the order in which they are drawn.
    pub fn drawn(&self) -> impl Iterator<Item = u64> + '_ {
        self.takes.iter().flat_map(|take| {
            (0..take.frames).map(|picture| take.first + if take.still { 0 } else { picture })
        })
    }

    /// Numbers of the pictures where decoding can begin.
    pub fn keys(&self) -> impl Iterator<Item = u64> + '_ {
        let starts = self.takes.iter().scan(0, |next, take| {
            let start = *next;
            *next += take.frames;
            Some(start)
        });
        self.takes.iter().zip(starts).flat_map(|(take, start)| take.keys.iter().map(move |key| start + key))
    }

    /// The number of the encoded picture that a frame of the scene shows.
    pub fn picture_of(&self, frame: u64) -> Option<u64> {
        let mut start = 0;
        for play in &self.plays {
            let length = play.frames * play.times;
            if frame < start + length {
                return Some(play.first + (frame - start) % play.frames);
            }
            start += length;
        }
        None
    }

    fn once(&mut self, stretch: Option<(u64, u64)>, gop: u64) {
        let Some((first, frames)) = stretch else { return };
        let number = self.take(first, frames, false, keys(&[0, frames], gop));
        self.play(number, frames, 1);
    }

    fn still(&mut self, span: &Span, row: u64) {
        let number = self.take(span.start, row, true, vec![0]);
        self.play(number, row, span.frames / row);
        let rest = span.frames % row;
        if rest > 0 {
            let number = self.take(span.start, rest, true, vec![0]);
            self.play(number, rest, 1);
        }
    }

    /// A row of pictures, then as much of it again as the span has room for. The second part is a copy too, which
    /// can only be cut before an IDR picture; where that would leave one picture alone, or an IDR picture at the end,
    /// the last few frames are a take of their own.
    fn repeat(&mut self, span: &Span, row: u64, gop: u64) {
        let (rounds, tail) = (span.frames / row, span.frames % row);
        // Whole rounds, pictures of the last round to copy, frames of a take of their own.
        let (rounds, cut, rest) = match tail {
            0 => (rounds, 0, 0),
            1 => (rounds - 1, row - 2, 3),
            tail if tail + 1 == row => (rounds, row - 3, 2),
            tail => (rounds, tail, 0),
        };
        let number = self.take(span.start, row, false, keys(&[0, cut, row], gop));
        self.play(number, row, rounds);
        self.play(number, cut, 1);
        if rest > 0 {
            let number = self.take(span.start + span.frames - rest, rest, false, vec![0]);
            self.play(number, rest, 1);
        }
    }

    /// Adds a take; answers with the number of its first picture.
    fn take(&mut self, first: u64, frames: u64, still: bool, keys: Vec<u64>) -> u64 {
        let number = self.encoded();
        self.takes.push(Take { first, frames, still, keys });
        number
    }

    fn play(&mut self, first: u64, frames: u64, times: u64) {
        if frames > 0 && times > 0 {
            self.plays.push(Play { first, frames, times });
        }
    }
}

/// How many pictures of a still are encoded to be repeated; `None` where that would save nothing. Rows that come out
/// even are preferred, then such that leave at least two pictures.
fn still_row(frames: u64, gop: u64) -> Option<u64> {
    let least = gop.max(LEAST_REPEATED);
    let mut rows = (least..least * 2).filter(|row| row * 2 <= frames);
    rows.clone()
        .find(|row| frames.is_multiple_of(*row))
        .or_else(|| rows.find(|row| frames % row >= LEAST_FRAMES))
}

/// How many pictures of a loop are encoded to be repeated: whole periods; `None` where that would save nothing.
fn loop_row(frames: u64, period: u64) -> Option<u64> {
    let row = period * LEAST_REPEATED.div_ceil(period.max(1));
    (row > 0 && row < frames).then_some(row)
}

/// Key pictures at every bound but the last, and every `gop` pictures between bounds, never as the last before one.
fn keys(bounds: &[u64], gop: u64) -> Vec<u64> {
    let mut keys = Vec::new();
    for bound in bounds.windows(2) {
        let (mut key, end) = (bound[0], bound[1]);
        if key == end {
            continue; // no such part
        }
        while key + 1 < end {
            keys.push(key);
            key += gop;
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::background::Behind;
    use crate::model::{BackgroundPlan, Cut};
    use crate::spans::spans;
    use proptest::prelude::*;
    use storyboard::{Fit, Rgba};

    fn scene(frames: u64, pages: &[u64], period: u64, looped: bool, offset: u64) -> ScenePlan {
        let behind = match period {
            0 => Behind::Colour(Rgba::new(0, 0, 0, 255)),
            _ => {
                let cuts = vec![Cut { start_us: 0, frames: period }];
                Behind::Video { source: 0, fit: Fit::Cover, cuts, looped, audible: false }
            }
        };
        let spans = spans(frames, pages, &behind, offset);
        // The background itself is not looked at.
        let background = BackgroundPlan::Colour(Rgba::new(0, 0, 0, 255));
        ScenePlan { start: 7, frames, item: 0, background, pages: Vec::new(), spans }
    }

    /// What a frame shows: its page, and the frame of the background.
    fn shown(scene: &ScenePlan, frame: u64, period: u64, looped: bool, offset: u64) -> (Option<usize>, u64) {
        let span =
            scene.spans.iter().find(|span| (span.start..span.start + span.frames).contains(&frame)).unwrap();
        let behind = match period {
            0 => 0,
            _ if looped => (offset + frame) % period,
            _ => (offset + frame).min(period - 1),
        };
        (span.page, behind)
    }

    fn check(frames: u64, pages: &[u64], period: u64, looped: bool, offset: u64, gop: u32) -> Takes {
        let scene = scene(frames, pages, period, looped, offset);
        let takes = Takes::of(&scene, gop);
        assert_eq!(takes.played(), frames, "{takes:?}");
        let drawn: Vec<u64> = takes.drawn().collect();
        assert_eq!(drawn.len() as u64, takes.encoded());
        for frame in 0..frames {
            let picture = takes.picture_of(frame).unwrap();
            let drawn = drawn[usize::try_from(picture).unwrap()];
            assert_eq!(
                shown(&scene, frame, period, looped, offset),
                shown(&scene, drawn, period, looped, offset),
                "frame {frame} shows picture {picture}, which is frame {drawn}: {takes:?}"
            );
        }
        assert_eq!(takes.picture_of(frames), None);
        let keys: Vec<u64> = takes.keys().collect();
        assert!(keys.windows(2).all(|pair| pair[0] + 1 < pair[1]), "two in a row: {takes:?}");
        let mut start = 0;
        for take in &takes.takes {
            assert!(take.frames >= LEAST_FRAMES && take.keys.first() == Some(&0), "{takes:?}");
            assert!(take.keys.last().unwrap() + 1 < take.frames, "ends on a key: {takes:?}");
            start += take.frames;
        }
        assert_eq!(start, takes.encoded());
        for play in &takes.plays {
            assert!(play.frames >= LEAST_FRAMES && play.times >= 1, "{takes:?}");
            assert!(play.times == 1 || play.frames >= LEAST_REPEATED, "{takes:?}");
            assert!(keys.contains(&play.first), "{takes:?}");
            assert!(!keys.contains(&(play.first + play.frames - 1)), "{takes:?}");
            // A copy can only be cut where the next picture does not need what was cut off.
            let end = play.first + play.frames;
            assert!(end == takes.encoded() || keys.contains(&end), "{takes:?}");
        }
        takes
    }

    #[test]
    fn every_tail_of_a_loop() {
        for period in [60, 61, 64, 120] {
            for tail in 0..period {
                let takes = check(3 * period + tail, &[], period, true, 0, 60);
                assert!(takes.encoded() <= period + 3, "{takes:?}");
            }
        }
    }

    #[test]
    fn short_periods_are_encoded_several_times_over() {
        for period in 2..60 {
            for frames in [period + 1, 61, 100, 121, 150, 600, 601, 659] {
                let takes = check(frames, &[], period, true, period / 2, 60);
                assert!(takes.encoded() < 125, "{takes:?}");
            }
        }
    }

    #[test]
    fn every_length_of_a_still() {
        for frames in 2..700 {
            let takes = check(frames, &[], 0, false, 0, 60);
            assert!(takes.encoded() <= 121 || takes.encoded() < 240 && frames > takes.encoded(), "{takes:?}");
        }
        assert_eq!(check(1800, &[], 0, false, 0, 60).encoded(), 60);
    }

    #[test]
    fn what_does_not_repeat_is_one_take() {
        let takes = check(300, &[40, 100, 160], 400, false, 0, 60);
        assert_eq!(takes.takes.len(), 1);
        assert_eq!(takes.takes[0].keys, [0, 60, 120, 180, 240]);
        // A row of short stills is one take too.
        assert_eq!(check(90, &[30, 30, 30], 0, false, 0, 60).takes.len(), 1);
    }

    #[test]
    fn the_demands_of_a_long_film() {
        // The bench's L: 30 s of a 4 s and of a 10 s loop.
        assert_eq!(check(900, &[900], 120, true, 0, 60).encoded(), 120);
        assert_eq!(check(900, &[900], 300, true, 0, 60).encoded(), 300);
    }

    proptest! {
        #[test]
        fn every_scene_keeps_the_rules(
            pages in prop::collection::vec(2_u64..400, 0..5),
            more in 2_u64..1000,
            period in 0_u64..400,
            looped: bool,
            offset in 0_u64..400,
            gop in 2_u32..130,
        ) {
            let frames = if pages.is_empty() { more } else { pages.iter().sum() };
            let offset = if looped { offset % period.max(1) } else { offset.min(period.saturating_sub(1)) };
            check(frames, &pages, period, looped, offset, gop);
        }
    }
}
