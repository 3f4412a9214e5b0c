//! Passages: whole GOPs of a source that go into the film as they are, where nothing is drawn over them.
//!
//! This is right only where a decoder cannot tell them from the film's own GOPs. So the source's parameter sets must be
//! byte-equal to the encoder's, which says size, rate, colour, profile and reference structure at once; its pictures
//! must lie on the film's frames, one for one, unturned and in square pixels; a GOP must begin with an IDR picture, hold
//! one slice a picture, and be shown whole. Whatever is not so is encoded, and the report says why.

use std::collections::BTreeSet;

use ffmpeg::format::context::Input;
use ffmpeg_next as ffmpeg;
use plan::{BackgroundPlan, Cut, ScenePlan, Takes};
use worker::child::Link;
use worker::{ClipTask, TaskError};

use crate::container::Packet;
use crate::errors::unreadable;
use crate::input::{self, video_stream};
use crate::nal;
use crate::track::{TOLERANCE_US, is_upright};

/// Fewest pictures between joints: two IDR pictures must not be neighbours.
const LEAST: u64 = 2;

/// A whole GOP of the source in place of as many pictures of the clip.
pub(crate) struct Passage {
    /// The first picture that it replaces.
    pub(crate) first: u64,
    /// Its packets in decoding order, on the clip's clock, as a byte stream.
    pub(crate) packets: Vec<Packet>,
}

impl Passage {
    fn end(&self) -> u64 {
        self.first + self.packets.len() as u64
    }

    /// Whether it replaces a picture.
    pub(crate) fn covers(&self, picture: u64) -> bool {
        (self.first..self.end()).contains(&picture)
    }
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
    let own = takes.keys().filter(|key| !passages.iter().any(|passage| passage.covers(*key)));
    let joints = passages.iter().flat_map(|passage| [passage.first, passage.end()]);
    own.chain(joints).filter(|key| *key < takes.encoded()).collect()
}

/// Looks for passages of a task's source; `parameter_sets` are the encoder's.
pub(crate) fn find(task: &ClipTask, link: &Link, parameter_sets: &[u8]) -> Result<Found, TaskError> {
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
    let format = match Format::of(&input, stream, parameter_sets) {
        Ok(format) => format,
        Err(why) => return Ok(Err(why)),
    };
    let mut passages = Vec::new();
    for stretch in bare {
        let cut = &cuts[stretch.cut];
        gops(
            &mut input,
            stream,
            &format,
            *source,
            |gop| {
                place(&gop, &stretch, cut, task.fps).map_or(Next::Skip, |place| match place {
                    Place::Before => Next::Skip,
                    Place::At(first) => Next::Keep(first),
                    Place::Behind => Next::Stop,
                })
            },
            (cut.start_us + stretch.within * 1_000_000 / u64::from(task.fps.max(1))).cast_signed(),
            &mut passages,
        )?;
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
            let span =
                scene.spans.iter().find(|span| (span.start..span.start + span.frames).contains(&frame));
            let shows_page = span.and_then(|span| span.page).is_some_and(|page| !blank(page));
            let behind = offset + frame;
            let behind = if looped && total > 0 { behind % total } else { behind };
            if !take.still && !shows_page && behind < total {
                let (mut cut, mut within) = (0, behind);
                while within >= cuts[cut].frames {
                    within -= cuts[cut].frames;
                    cut += 1;
                }
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
    found.retain(|stretch| stretch.frames >= LEAST);
    found
}

/// How the source keeps its packets.
struct Format {
    /// Bytes of the length before each unit.
    length_size: usize,
    start_us: i64,
    time_base: (i64, i64),
    parameter_sets: Vec<Vec<u8>>,
}

impl Format {
    fn of(input: &Input, stream: usize, parameter_sets: &[u8]) -> Result<Self, Option<String>> {
        let stream = input.stream(stream).ok_or(None)?;
        if stream.parameters().id() != ffmpeg::codec::Id::H264 {
            return Err(None);
        }
        let extradata = extradata(&stream);
        let Some((length_size, theirs)) = sets_of_avcc(&extradata) else {
            return Err(Some("the source keeps its parameter sets in band".to_owned()));
        };
        let ours: Vec<&[u8]> =
            nal::units(parameter_sets).into_iter().filter(|unit| nal::is_parameter_set(unit)).collect();
        if theirs != ours {
            let why = "the source's H.264 parameter sets differ from the film's, and two kinds in one film are not safe";
            return Err(Some(why.to_owned()));
        }
        if !is_upright(&stream) {
            return Err(Some("the source is turned, mirrored or not in square pixels".to_owned()));
        }
        let base = stream.time_base();
        Ok(Self {
            length_size,
            start_us: input::start_us(input),
            time_base: (i64::from(base.numerator()), i64::from(base.denominator().max(1))),
            parameter_sets: theirs,
        })
    }

    /// A sample as a byte stream; `None` where it is not one picture in one slice under these parameter sets.
    fn byte_stream(&self, sample: &[u8]) -> Option<Vec<u8>> {
        let (mut rest, mut out, mut slices) = (sample, Vec::with_capacity(sample.len() + 16), 0);
        while !rest.is_empty() {
            let (length, after) = rest.split_at_checked(self.length_size)?;
            let length = length.iter().fold(0usize, |length, byte| length << 8 | usize::from(*byte));
            let (unit, after) = after.split_at_checked(length)?;
            rest = after;
            slices += usize::from(nal::is_slice(unit));
            if nal::is_parameter_set(unit) && !self.parameter_sets.iter().any(|own| own == unit) {
                return None;
            }
            out.extend_from_slice(&[0, 0, 0, 1]);
            out.extend_from_slice(unit);
        }
        (slices == 1).then_some(out)
    }
}

#[expect(unsafe_code, reason = "extradata has no safe accessor; the stream belongs to the open context")]
fn extradata(stream: &ffmpeg::Stream<'_>) -> Vec<u8> {
    unsafe {
        let parameters = (*stream.as_ptr()).codecpar;
        if (*parameters).extradata.is_null() {
            return Vec::new();
        }
        std::slice::from_raw_parts((*parameters).extradata, (*parameters).extradata_size.max(0) as usize)
            .to_vec()
    }
}

/// Length size and parameter sets of an AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1).
fn sets_of_avcc(record: &[u8]) -> Option<(usize, Vec<Vec<u8>>)> {
    let [1, _, _, _, sizes, ..] = record else { return None };
    let mut sets = Vec::new();
    let mut at = 5;
    for mask in [0x1f, 0xff] {
        let count = record.get(at)? & mask;
        at += 1;
        for _ in 0..count {
            let length = usize::from(u16::from_be_bytes(record.get(at..at + 2)?.try_into().ok()?));
            sets.push(record.get(at + 2..at + 2 + length)?.to_vec());
            at += 2 + length;
        }
    }
    Some((usize::from(sizes & 3) + 1, sets))
}

/// A GOP: packets in decoding order with their moments in microseconds.
type Gop = Vec<(i64, Vec<u8>)>;

enum Next {
    Skip,
    Keep(u64),
    Stop,
}

enum Place {
    Before,
    At(u64),
    Behind,
}

/// Reads GOP by GOP from a moment on.
fn gops(
    input: &mut Input,
    stream: usize,
    format: &Format,
    source: usize,
    mut judge: impl FnMut(&Gop) -> Next,
    from_us: i64,
    passages: &mut Vec<Passage>,
) -> Result<(), TaskError> {
    let target = format.start_us + from_us;
    if input.seek(target, ..target).is_err() {
        return Ok(()); // what cannot be sought is encoded
    }
    let mut gop: Option<Gop> = None;
    let mut packet = ffmpeg::Packet::empty();
    loop {
        let read = match packet.read(input) {
            Ok(()) if packet.stream() != stream => continue,
            Ok(()) => true,
            Err(ffmpeg::Error::Eof) => false,
            Err(error) => return Err(unreadable(source, "Reading it", error)),
        };
        let sample = read.then(|| format.byte_stream(packet.data().unwrap_or_default())).flatten();
        let begins = sample.as_ref().is_some_and(|sample| packet.is_key() && nal::is_idr(sample));
        if !read || begins {
            match gop.take().map(|gop| (judge(&gop), gop)) {
                Some((Next::Keep(first), gop)) => passages.push(passage(first, gop)),
                Some((Next::Stop, _)) => return Ok(()),
                Some((Next::Skip, _)) | None => {}
            }
        }
        if !read {
            return Ok(());
        }
        // A sample that is not plain spoils its GOP.
        match (sample, packet.pts()) {
            (Some(sample), Some(pts)) => {
                let (num, den) = format.time_base;
                let us = i128::from(pts) * 1_000_000 * i128::from(num) / i128::from(den);
                let us = i64::try_from(us).unwrap_or(i64::MAX / 4) - format.start_us;
                if begins {
                    gop = Some(Vec::new());
                }
                if let Some(gop) = &mut gop {
                    gop.push((us, sample));
                }
            }
            _ => gop = None,
        }
    }
}

/// Where a GOP lies in a bare stretch; `None` where its pictures are not the film's frames.
fn place(gop: &Gop, stretch: &Bare, cut: &Cut, fps: u32) -> Option<Place> {
    let fps = i64::from(fps.max(1));
    let start = cut.start_us.cast_signed();
    let (first_us, _) = gop.first()?;
    let frame = |us: i64| ((us - start) * fps + 500_000).div_euclid(1_000_000);
    let first = frame(*first_us);
    let (from, until) = (stretch.within.cast_signed(), (stretch.within + stretch.frames).cast_signed());
    if first >= until {
        return Some(Place::Behind);
    }
    if first < from || first + gop.len() as i64 > until {
        return Some(Place::Before);
    }
    let mut moments: Vec<i64> = gop.iter().map(|(us, _)| *us).collect();
    moments.sort_unstable();
    let on_grid = moments.iter().zip(first..).all(|(us, frame)| {
        let moment = start + frame * 1_000_000 / fps;
        (us - moment).abs() <= TOLERANCE_US
    });
    let closed = moments.first() == Some(first_us) && gop.len() as u64 >= LEAST;
    (on_grid && closed).then(|| Place::At(stretch.first + (first - from).cast_unsigned()))
}

/// A GOP on the clip's clock.
fn passage(first: u64, gop: Gop) -> Passage {
    let mut moments: Vec<i64> = gop.iter().map(|(us, _)| *us).collect();
    moments.sort_unstable();
    let packets = gop.into_iter().enumerate().map(|(index, (us, data))| {
        let order = moments.partition_point(|moment| *moment < us) as u64;
        Packet { pts: (first + order).cast_signed(), duration: 1, key: index == 0, data }
    });
    Passage { first, packets: packets.collect() }
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
            [passage.first - before, after - passage.end()].iter().any(|gap| (1..LEAST).contains(gap))
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
        let packet =
            |pts: u64| Packet { pts: pts.cast_signed(), duration: 1, key: pts == first, data: Vec::new() };
        Passage { first, packets: (first..first + frames).map(packet).collect() }
    }

    fn firsts(passages: &[Passage]) -> Vec<u64> {
        passages.iter().map(|passage| passage.first).collect()
    }

    #[test]
    fn no_picture_is_left_alone_between_joints() {
        assert_eq!(firsts(&fitting(vec![row(0, 30), row(30, 30)], &takes(90))), [0, 30]);
        assert_eq!(firsts(&fitting(vec![row(1, 30)], &takes(90))), []);
        assert_eq!(firsts(&fitting(vec![row(2, 30), row(33, 30)], &takes(90))), [33]);
        assert_eq!(firsts(&fitting(vec![row(59, 30)], &takes(90))), []);
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
            Some(Place::At(first)) => Some(first),
            _ => None,
        };
        assert_eq!(at(&gop(1_000_000, 33_333)), Some(5));
        assert_eq!(at(&gop(1_333_333, 33_333)), Some(15));
        assert_eq!(at(&gop(1_000_000, 40_000)), None);
        assert_eq!(at(&gop(966_667, 33_333)), None);
        assert!(matches!(place(&gop(3_000_000, 33_333), &stretch, &cut, 30), Some(Place::Behind)));
        let passage = passage(15, gop(1_333_333, 33_333));
        let pts: Vec<i64> = passage.packets.iter().map(|packet| packet.pts).collect();
        assert_eq!(pts, [15, 17, 16, 18]);
    }

    #[test]
    fn a_configuration_record_is_read_with_care() {
        let record = [1, 100, 0, 31, 0xff, 0xe1, 0, 2, 0x67, 9, 1, 0, 1, 0x68];
        assert_eq!(sets_of_avcc(&record), Some((4, vec![vec![0x67, 9], vec![0x68]])));
        for length in 0..record.len() {
            assert_eq!(sets_of_avcc(&record[..length]), None);
        }
    }
}
