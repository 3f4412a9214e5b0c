//! The film's H.264 as it lies in the file: samples, NAL units, as much of slice headers as tells IDR pictures apart.

use std::path::Path;

use crate::films::{FPS, probe};

const SLICE: u8 = 1;
const IDR_SLICE: u8 = 5;
const SEQUENCE_SET: u8 = 7;
const PICTURE_SET: u8 = 8;

/// A NAL unit without start code or length.
pub(crate) type Unit = Vec<u8>;

/// One sample: a picture.
#[derive(Clone)]
pub(crate) struct Sample {
    pub(crate) pts: i64,
    pub(crate) dts: i64,
    pub(crate) units: Vec<Unit>,
}

/// The picture track.
#[derive(Clone)]
pub(crate) struct Stream {
    /// Parameter sets from the sample description.
    pub(crate) sets: Vec<Unit>,
    pub(crate) samples: Vec<Sample>,
}

impl Stream {
    /// Reads a film: where samples are is ffprobe's word, what they hold is read here.
    pub(crate) fn of(film: &Path) -> Self {
        let bytes = std::fs::read(film).unwrap();
        let (length_size, sets) = sample_description(&bytes);
        let samples = packets(film, &[])
            .into_iter()
            .map(|packet| {
                let mut rest = &bytes[packet.place..][..packet.size];
                let mut units = Vec::new();
                while !rest.is_empty() {
                    let (length, after) = rest.split_at(length_size);
                    let length = length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
                    let (unit, after) = after.split_at(length);
                    units.push(unit.to_vec());
                    rest = after;
                }
                Sample { pts: packet.pts, dts: packet.dts, units }
            })
            .collect();
        Self { sets, samples }
    }

    /// Exactly so many samples, shown at even times from 0, decoded in rising order and before they are shown; the
    /// edit list does no more than take away the delay of the first picture.
    pub(crate) fn is_even(&self, film: &Path, frames: usize) {
        assert_eq!(self.samples.len(), frames, "samples");
        let stream =
            probe(film, &["-show_entries", "stream=time_base,duration_ts,r_frame_rate,avg_frame_rate"]);
        let fact = |name: &str| stream[0].iter().find(|(other, _)| other == name).unwrap().1.as_str();
        let base: i64 = fact("time_base").strip_prefix("1/").unwrap().parse().unwrap();
        let tick = base / FPS as i64;
        assert_eq!(tick * FPS as i64, base, "a frame is a whole number of ticks");
        assert_eq!(fact("duration_ts"), (tick * frames as i64).to_string(), "length of the track");
        let rate = format!("{FPS}/1");
        assert_eq!((fact("r_frame_rate"), fact("avg_frame_rate")), (rate.as_str(), rate.as_str()));
        let mut shown: Vec<i64> = self.samples.iter().map(|sample| sample.pts).collect();
        shown.sort_unstable();
        for (frame, pts) in shown.into_iter().enumerate() {
            assert_eq!(pts, tick * frame as i64, "time of frame {frame}");
        }
        for (index, pair) in self.samples.windows(2).enumerate() {
            assert_eq!(
                pair[1].dts - pair[0].dts,
                tick,
                "decoding times of samples {index} and {}",
                index + 1
            );
        }
        for (index, sample) in self.samples.iter().enumerate() {
            assert!(sample.pts >= sample.dts, "sample {index} is shown before it is decoded");
        }
        let bare = packets(film, &["-ignore_editlist", "1"]);
        assert_eq!(bare.len(), frames, "samples without the edit list");
        let delay = bare[0].pts - self.samples[0].pts;
        for (index, (bare, sample)) in bare.iter().zip(&self.samples).enumerate() {
            assert_eq!(bare.pts - sample.pts, delay, "the edit list moves sample {index} by another delay");
        }
    }

    /// One slice a picture; the parameter sets are those of the sample description; neighbouring IDR pictures have
    /// different numbers; the first picture is an IDR picture and the last is none.
    pub(crate) fn joints(&self) -> Result<(), String> {
        let header =
            self.sets.iter().find(|set| kind(set) == SEQUENCE_SET).expect("a sequence parameter set");
        let frame_number_bits = frame_number_bits(header);
        let mut before: Option<u32> = None;
        for (index, sample) in self.samples.iter().enumerate() {
            let slices: Vec<&Unit> = sample.units.iter().filter(|unit| is_slice(unit)).collect();
            let [slice] = slices[..] else {
                return Err(format!("sample {index} has {} slices", slices.len()));
            };
            for unit in &sample.units {
                if matches!(kind(unit), SEQUENCE_SET | PICTURE_SET) && !self.sets.contains(unit) {
                    return Err(format!("sample {index} has a parameter set of its own"));
                }
                if matches!(kind(unit), 2..=4) {
                    return Err(format!("sample {index} has data partitions"));
                }
            }
            let number = (kind(slice) == IDR_SLICE).then(|| idr_number(slice, frame_number_bits));
            if index == 0 && number.is_none() {
                return Err("the film does not begin with an IDR picture".to_owned());
            }
            if let (Some(before), Some(number)) = (before, number)
                && before == number
            {
                return Err(format!("samples {} and {index} are IDR pictures of number {number}", index - 1));
            }
            before = number;
        }
        match before {
            Some(_) => Err("the film ends with an IDR picture".to_owned()),
            None => Ok(()),
        }
    }

    /// Indices of the samples that are IDR pictures.
    pub(crate) fn idr_samples(&self) -> impl Iterator<Item = usize> + '_ {
        let is_idr = |sample: &Sample| sample.units.iter().any(|unit| kind(unit) == IDR_SLICE);
        self.samples.iter().enumerate().filter(move |(_, sample)| is_idr(sample)).map(|(index, _)| index)
    }

    /// Which frame of the film a sample is.
    pub(crate) fn frame_of(&self, sample: usize) -> usize {
        self.samples.iter().filter(|other| other.pts < self.samples[sample].pts).count()
    }

    /// Parameter sets once, then slices and nothing else: what reaches a decoder behind a bad player.
    pub(crate) fn bare_units(&self) -> impl Iterator<Item = &Unit> {
        let slices = self.samples.iter().flat_map(|sample| &sample.units).filter(|unit| is_slice(unit));
        self.sets.iter().chain(slices)
    }
}

fn kind(unit: &[u8]) -> u8 {
    unit.first().expect("a NAL unit has a header") & 31
}

fn is_slice(unit: &[u8]) -> bool {
    matches!(kind(unit), SLICE | IDR_SLICE)
}

struct Packet {
    pts: i64,
    dts: i64,
    place: usize,
    size: usize,
}

fn packets(film: &Path, arguments: &[&str]) -> Vec<Packet> {
    let entries = ["-show_entries", "packet=pts,dts,pos,size"];
    probe(film, &[arguments, &entries].concat())
        .iter()
        .map(|packet| {
            let number = |name: &str| {
                let (_, value) =
                    packet.iter().find(|(other, _)| other == name).expect("the entry was asked for");
                value.parse::<i64>().unwrap_or_else(|_| panic!("{name} of a packet is {value}"))
            };
            let whole = |name: &str| usize::try_from(number(name)).unwrap();
            Packet { pts: number("pts"), dts: number("dts"), place: whole("pos"), size: whole("size") }
        })
        .collect()
}

/// Size of the lengths before units, and the parameter sets, out of the only `avcC` box.
fn sample_description(file: &[u8]) -> (usize, Vec<Unit>) {
    let places: Vec<usize> =
        file.windows(4).enumerate().filter(|(_, name)| name == b"avcC").map(|(place, _)| place).collect();
    // The index comes first, so a chance match in the media comes later.
    let mut rest = &file[*places.first().expect("an avcC box") + 4..];
    let mut take = |count: usize| {
        let (taken, after) = rest.split_at(count);
        rest = after;
        taken
    };
    let head = take(6);
    let (length_size, mut count) = (usize::from(head[4] & 3) + 1, head[5] & 31);
    let mut sets = Vec::new();
    for _ in 0..2 {
        for _ in 0..count {
            let length = take(2);
            let length = usize::from(length[0]) << 8 | usize::from(length[1]);
            sets.push(take(length).to_vec());
        }
        if kind(sets.last().expect("a parameter set")) == SEQUENCE_SET {
            count = take(1)[0];
        }
    }
    (length_size, sets)
}

/// Bits of a unit's payload, without the bytes that keep start codes out.
struct Bits {
    bytes: Vec<u8>,
    place: usize,
}

impl Bits {
    fn of(unit: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(unit.len().min(64));
        let mut zeros = 0;
        // Headers are short.
        for byte in unit.iter().skip(1).take(64) {
            if zeros >= 2 && *byte == 3 {
                zeros = 0;
                continue;
            }
            zeros = if *byte == 0 { zeros + 1 } else { 0 };
            bytes.push(*byte);
        }
        Self { bytes, place: 0 }
    }

    fn bits(&mut self, count: usize) -> u32 {
        (0..count).fold(0, |value, _| {
            let bit = self.bytes[self.place / 8] >> (7 - self.place % 8) & 1;
            self.place += 1;
            value << 1 | u32::from(bit)
        })
    }

    /// Unsigned Exp-Golomb code.
    fn number(&mut self) -> u32 {
        let mut zeros = 0;
        while self.bits(1) == 0 {
            zeros += 1;
        }
        (1 << zeros) - 1 + self.bits(zeros)
    }
}

/// Length of `frame_num` in slice headers, from a sequence parameter set of the High profile or below.
fn frame_number_bits(set: &[u8]) -> usize {
    let mut bits = Bits::of(set);
    let profile = bits.bits(8);
    bits.bits(16);
    bits.number();
    if profile == 100 {
        assert_eq!(bits.number(), 1, "4:2:0");
        assert_eq!((bits.number(), bits.number()), (0, 0), "8 bits");
        assert_eq!(bits.bits(2), 0, "no lossless pictures, no scaling matrices");
    }
    bits.number() as usize + 4
}

/// `idr_pic_id` of an IDR slice of a progressive stream.
fn idr_number(slice: &[u8], frame_number_bits: usize) -> u32 {
    let mut bits = Bits::of(slice);
    assert_eq!(bits.number(), 0, "the slice is the whole picture's");
    bits.number();
    bits.number();
    assert_eq!(bits.bits(frame_number_bits), 0, "frame_num of an IDR picture");
    bits.number()
}
