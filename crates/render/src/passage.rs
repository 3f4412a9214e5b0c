//! Passages: whole GOPs of a source that go into the film as they are, where nothing is drawn over them.
//!
//! This is right only where a decoder cannot tell them from the film's own GOPs. So the source's parameter sets must be
//! byte-equal to the encoder's, which says size, rate, colour, profile and reference structure at once; its pictures
//! must lie on the film's frames, one for one, unturned and in square pixels; a GOP must begin with an IDR picture, hold
//! one slice a picture, and be shown whole. Whatever is not so is encoded, and the report says why.

mod source;

use std::collections::BTreeSet;

use plan::{BackgroundPlan, Cut, LEAST_FRAMES, ScenePlan, Takes, cut_at};
use worker::child::Link;
use worker::{ClipTask, TaskError};

use crate::container::{Packet, Stored, Writer};
use crate::errors::file;
use crate::input::{self, video_stream};
use crate::track::TOLERANCE_US;
use source::{Format, Gop, Next, gops};

/// A whole GOP of the source in place of as many pictures of the clip.
pub(crate) struct Passage {
    /// The first picture that it replaces.
    pub(crate) first: u64,
    /// Its packets in decoding order, on the clip's clock, already in the clip's file.
    pub(crate) packets: Vec<Stored>,
}

impl Passage {
    fn end(&self) -> u64 {
        self.first + self.packets.len() as u64
    }
}

/// Whether one of some passages, in order, replaces a picture.
pub(crate) fn covers(passages: &[Passage], picture: u64) -> bool {
    let behind = passages.partition_point(|passage| passage.first <= picture);
    behind > 0 && picture < passages[behind - 1].end()
}

/// What was found, or in words why nothing was.
pub(crate) type Found = Result<Vec<Passage>, Option<String>>;

/// Consecutive pictures of the clip that show consecutive frames of one cut and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bare {
    first: u64,
    frames: u64,
    cut: usize,
    within: u64,
}

/// The key pictures of a clip with passages: where passages begin and end, decoding must be able to begin.
pub(crate) fn keys(takes: &Takes, passages: &[Passage]) -> BTreeSet<u64> {
    let own = takes.keys().filter(|key| !covers(passages, *key));
    let joints = passages.iter().flat_map(|passage| [passage.first, passage.end()]);
    own.chain(joints).filter(|key| *key < takes.encoded()).collect()
}

/// Looks for passages of a task's source and puts their packets into the clip's file; `parameter_sets` are the
/// encoder's. Memory is bounded by one GOP.
pub(crate) fn find(
    task: &ClipTask,
    link: &Link,
    parameter_sets: &[u8],
    writer: &mut Writer,
) -> Result<Found, TaskError> {
    let BackgroundPlan::Video { source, cuts, offset, looped, .. } = &task.scene.background else {
        return Ok(Err(None));
    };
    if task.logo.is_some() || task.digests {
        return Ok(Err(None));
    }
    let blank = |page: usize| task.overlays.get(page).is_none_or(Option::is_none);
    let bare = bare(&task.scene, &task.takes, cuts, *offset, *looped, blank);
    if bare.is_empty() {
        return Ok(Err(None));
    }
    let mut input = input::open(link, *source)?;
    let Some(stream) = video_stream(&input) else { return Ok(Err(None)) };
    let format = match Format::of(&input, *source, stream, parameter_sets) {
        Ok(format) => format,
        Err(why) => return Ok(Err(why)),
    };
    let mut passages: Vec<Passage> = Vec::new();
    for stretch in bare {
        let cut = &cuts[stretch.cut];
        let from_us = cut.start_us + stretch.within * 1_000_000 / u64::from(task.fps.max(1));
        let judge = |gop: &Gop| place(gop, &stretch, cut, task.fps).unwrap_or(Next::Skip);
        let keep = |first: u64, gop: Gop| {
            let stored = on_clock(first, gop).map(|packet| writer.store(&packet));
            let packets = stored.collect::<Result<_, _>>().map_err(file("writing the clip"))?;
            passages.push(Passage { first, packets });
            Ok(())
        };
        gops(&mut input, &format, from_us.cast_signed(), judge, keep)?;
    }
    let passages = fitting(passages, &task.takes);
    Ok(if passages.is_empty() {
        Err(Some("no whole GOP of the source is shown bare and frame by frame".to_owned()))
    } else {
        Ok(passages)
    })
}

/// Where in a clip nothing but a video's own frames is shown.
fn bare(
    scene: &ScenePlan,
    takes: &Takes,
    cuts: &[Cut],
    offset: u64,
    looped: bool,
    blank: impl Fn(usize) -> bool,
) -> Vec<Bare> {
    let total: u64 = cuts.iter().map(|cut| cut.frames).sum();
    let mut found: Vec<Bare> = Vec::new();
    let mut picture = 0;
    for take in &takes.takes {
        for number in 0..take.frames {
            let frame = take.first + number;
            let shows_page = scene.span_at(frame).and_then(|span| span.page).is_some_and(|page| !blank(page));
            let behind = offset + frame;
            let behind = if looped && total > 0 { behind % total } else { behind };
            if !take.still
                && !shows_page
                && let Some((cut, within)) = cut_at(cuts, behind)
            {
                match found.last_mut() {
                    Some(last)
                        if number > 0
                            && last.cut == cut
                            && last.first + last.frames == picture
                            && last.within + last.frames == within =>
                    {
                        last.frames += 1;
                    }
                    _ => found.push(Bare { first: picture, frames: 1, cut, within }),
                }
            }
            picture += 1;
        }
    }
    found.retain(|stretch| stretch.frames >= LEAST_FRAMES);
    found
}

/// What becomes of a GOP in a bare stretch; `None` where its pictures are not the film's frames.
fn place(gop: &Gop, stretch: &Bare, cut: &Cut, fps: u32) -> Option<Next> {
    let fps = i64::from(fps.max(1));
    let start = cut.start_us.cast_signed();
    let (first_us, _) = gop.first()?;
    let frame = |us: i64| ((us - start) * fps + 500_000).div_euclid(1_000_000);
    let first = frame(*first_us);
    let (from, until) = (stretch.within.cast_signed(), (stretch.within + stretch.frames).cast_signed());
    if first >= until {
        return Some(Next::Stop);
    }
    if first < from || first + gop.len() as i64 > until {
        return Some(Next::Skip);
    }
    let mut moments: Vec<i64> = gop.iter().map(|(us, _)| *us).collect();
    moments.sort_unstable();
    let on_grid = moments.iter().zip(first..).all(|(us, frame)| {
        let moment = start + frame * 1_000_000 / fps;
        (us - moment).abs() <= TOLERANCE_US
    });
    let closed = moments.first() == Some(first_us) && gop.len() as u64 >= LEAST_FRAMES;
    (on_grid && closed).then(|| Next::Keep(stretch.first + (first - from).cast_unsigned()))
}

/// A GOP's packets on the clip's clock.
fn on_clock(first: u64, gop: Gop) -> impl Iterator<Item = Packet> {
    let mut moments: Vec<i64> = gop.iter().map(|(us, _)| *us).collect();
    moments.sort_unstable();
    gop.into_iter().enumerate().map(move |(index, (us, data))| {
        let order = moments.partition_point(|moment| *moment < us) as u64;
        Packet { pts: (first + order).cast_signed(), duration: 1, key: index == 0, data }
    })
}

/// Leaves out what would put a joint where none may be: across the end of a play, or one picture from another joint.
fn fitting(mut passages: Vec<Passage>, takes: &Takes) -> Vec<Passage> {
    let ends = takes.plays.iter().flat_map(|play| [play.first, play.first + play.frames]);
    let mut bounds: BTreeSet<u64> = ends.collect();
    let mut number = 0;
    for take in &takes.takes {
        bounds.insert(number);
        number += take.frames;
    }
    bounds.insert(number);
    passages.sort_by_key(|passage| passage.first);
    passages.dedup_by_key(|passage| passage.first);
    passages.retain(|passage| bounds.range(passage.first + 1..passage.end()).next().is_none());
    loop {
        // Encoded pictures between a passage and the joint before or behind it.
        let alone = passages.iter().position(|passage| {
            let before = passages.iter().map(Passage::end).filter(|end| *end <= passage.first).max();
            let before = before.max(bounds.range(..=passage.first).next_back().copied()).unwrap_or(0);
            let after =
                passages.iter().map(|other| other.first).filter(|first| *first >= passage.end()).min();
            let bound = bounds.range(passage.end()..).next().copied().unwrap_or(number);
            let after = after.map_or(bound, |first| first.min(bound));
            [passage.first - before, after - passage.end()].iter().any(|gap| (1..LEAST_FRAMES).contains(gap))
        });
        match alone {
            Some(index) => drop(passages.remove(index)),
            None => return passages,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plan::{Play, Take};

    fn takes(frames: u64) -> Takes {
        Takes {
            takes: vec![Take { first: 0, frames, still: false, keys: vec![0] }],
            plays: vec![Play { first: 0, frames, times: 1 }],
        }
    }

    fn row(first: u64, frames: u64) -> Passage {
        let mut writer = Writer::new(tempfile::tempfile().unwrap(), &[], 30).unwrap();
        let packet =
            |pts: u64| Packet { pts: pts.cast_signed(), duration: 1, key: pts == first, data: Vec::new() };
        Passage {
            first,
            packets: (first..first + frames).map(|pts| writer.store(&packet(pts)).unwrap()).collect(),
        }
    }

    fn firsts(passages: &[Passage]) -> Vec<u64> {
        passages.iter().map(|passage| passage.first).collect()
    }

    #[test]
    fn no_picture_is_left_alone_between_joints() {
        assert_eq!(firsts(&fitting(vec![row(0, 30), row(30, 30)], &takes(90))), [0, 30]);
        assert_eq!(firsts(&fitting(vec![row(1, 30)], &takes(90))), [0u64; 0]);
        assert_eq!(firsts(&fitting(vec![row(2, 30), row(33, 30)], &takes(90))), [33]);
        assert_eq!(firsts(&fitting(vec![row(59, 30)], &takes(90))), [0u64; 0]);
        let mut played = takes(90);
        played.plays = vec![Play { first: 0, frames: 90, times: 2 }, Play { first: 0, frames: 40, times: 1 }];
        assert_eq!(firsts(&fitting(vec![row(0, 30), row(30, 30), row(60, 30)], &played)), [0, 60]);
    }

    #[test]
    fn keys_stand_at_joints() {
        let takes = Takes {
            takes: vec![Take { first: 0, frames: 90, still: false, keys: vec![0, 30, 60] }],
            plays: vec![Play { first: 0, frames: 90, times: 1 }],
        };
        let keys: Vec<u64> = keys(&takes, &[row(10, 25)]).into_iter().collect();
        assert_eq!(keys, [0, 10, 35, 60]);
    }

    #[test]
    fn a_gop_has_its_place_on_the_films_frames() {
        let stretch = Bare { first: 5, frames: 60, cut: 0, within: 30 };
        let cut = Cut { start_us: 0, frames: 200 };
        let gop = |from: i64, step: i64| -> Gop {
            [0, 2, 1, 3].iter().map(|number| (from + number * step, Vec::new())).collect()
        };
        let at = |gop: &Gop| match place(gop, &stretch, &cut, 30) {
            Some(Next::Keep(first)) => Some(first),
            _ => None,
        };
        assert_eq!(at(&gop(1_000_000, 33_333)), Some(5));
        assert_eq!(at(&gop(1_333_333, 33_333)), Some(15));
        assert_eq!(at(&gop(1_000_000, 40_000)), None);
        assert_eq!(at(&gop(966_667, 33_333)), None);
        assert!(matches!(place(&gop(3_000_000, 33_333), &stretch, &cut, 30), Some(Next::Stop)));
        let pts: Vec<i64> = on_clock(15, gop(1_333_333, 33_333)).map(|packet| packet.pts).collect();
        assert_eq!(pts, [15, 17, 16, 18]);
    }
}
