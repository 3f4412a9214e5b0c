//! NAL units of H.264 as far as joints need them: where a slice begins, and the id that tells neighbouring IDR pictures
//! apart. Bit syntax: ITU-T H.264, 7.3.2.1 (sequence parameter set) and 7.3.3 (slice header).

use std::ops::Range;

/// Type of a coded slice of an IDR picture.
const IDR: u8 = 5;
/// Types of a sequence and of a picture parameter set.
const SEQUENCE: u8 = 7;
const PICTURE: u8 = 8;

/// The NAL units of a byte stream (Annex B), without start codes and trailing zeros.
pub(crate) fn units(stream: &[u8]) -> Vec<&[u8]> {
    let mut starts: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while at + 3 <= stream.len() {
        if stream[at..at + 3] == [0, 0, 1] {
            starts.push(at..at + 3);
            at += 3;
        } else {
            at += 1;
        }
    }
    let ends = starts.iter().skip(1).map(|next| next.start).chain([stream.len()]);
    let bodies = starts.iter().zip(ends).map(|(start, end)| {
        let body = &stream[start.end..end];
        &body[..body.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)]
    });
    bodies.filter(|unit| !unit.is_empty()).collect()
}

/// The type of a unit.
pub(crate) fn kind(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |byte| byte & 0x1f)
}

/// Whether a unit is a slice of a picture.
pub(crate) fn is_slice(unit: &[u8]) -> bool {
    (1..=IDR).contains(&kind(unit))
}

/// Whether a unit is a sequence or picture parameter set.
pub(crate) fn is_parameter_set(unit: &[u8]) -> bool {
    matches!(kind(unit), SEQUENCE | PICTURE)
}

/// Whether a picture's bytes are an IDR picture.
pub(crate) fn is_idr(picture: &[u8]) -> bool {
    // Parameter sets and messages are short, so the first slice is near.
    units(picture).iter().find(|unit| is_slice(unit)).is_some_and(|unit| kind(unit) == IDR)
}

/// What of a sequence parameter set a slice header depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sequence {
    frame_num_bits: u32,
    separate_planes: bool,
    frames_only: bool,
}

impl Sequence {
    /// From parameter sets as a byte stream; `None` where there is none, or none that can be read.
    pub(crate) fn of(parameter_sets: &[u8]) -> Option<Self> {
        let unit = units(parameter_sets).into_iter().find(|unit| kind(unit) == SEQUENCE)?;
        let mut bits = Bits::of(unit);
        let profile = bits.number(8)?;
        bits.number(16)?; // constraints and level
        bits.unsigned()?; // its id
        let mut separate_planes = false;
        if matches!(profile, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135) {
            let chroma = bits.unsigned()?;
            if chroma == 3 {
                separate_planes = bits.number(1)? == 1;
            }
            bits.unsigned()?; // luma depth
            bits.unsigned()?; // chroma depth
            bits.number(1)?; // transform bypass
            if bits.number(1)? == 1 {
                return None; // scaling lists: no encoder of ours writes them
            }
        }
        let frame_num_bits = bits.unsigned()?.checked_add(4).filter(|count| *count <= 16)?;
        match bits.unsigned()? {
            0 => {
                bits.unsigned()?;
            }
            1 => return None, // a cycle of picture order counts: as above
            _ => {}
        }
        bits.unsigned()?; // reference frames
        bits.number(1)?; // gaps
        bits.unsigned()?; // width
        bits.unsigned()?; // height
        let frames_only = bits.number(1)? == 1;
        Some(Self { frame_num_bits, separate_planes, frames_only })
    }

    /// The `idr_pic_id` of an IDR picture; `None` where the picture is no IDR picture or cannot be read.
    pub(crate) fn idr_pic_id(&self, picture: &[u8]) -> Option<u32> {
        let slice =
            units(picture).into_iter().find(|unit| is_slice(unit)).filter(|unit| kind(unit) == IDR)?;
        let mut bits = Bits::of(slice);
        bits.unsigned()?; // first macroblock
        bits.unsigned()?; // slice type
        bits.unsigned()?; // picture parameter set
        if self.separate_planes {
            bits.number(2)?;
        }
        bits.number(self.frame_num_bits)?;
        if !self.frames_only && bits.number(1)? == 1 {
            bits.number(1)?; // bottom field
        }
        bits.unsigned()
    }
}

/// Bits of a unit behind its first byte, without emulation prevention (7.3.1).
struct Bits {
    bytes: Vec<u8>,
    at: usize,
}

impl Bits {
    fn of(unit: &[u8]) -> Self {
        // No header that is read here is longer.
        let mut bytes = Vec::with_capacity(64);
        let mut zeros = 0;
        for byte in unit.iter().skip(1).take(64) {
            if zeros >= 2 && *byte == 3 {
                zeros = 0;
                continue;
            }
            zeros = if *byte == 0 { zeros + 1 } else { 0 };
            bytes.push(*byte);
        }
        Self { bytes, at: 0 }
    }

    fn bit(&mut self) -> Option<u32> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(u32::from(bit))
    }

    fn number(&mut self, bits: u32) -> Option<u32> {
        (0..bits).try_fold(0, |number, _| Some(number << 1 | self.bit()?))
    }

    /// An Exp-Golomb code, `ue(v)`.
    fn unsigned(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.bit()? == 0 {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        Some((1u32 << zeros) - 1 + self.number(zeros)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_falls_into_units() {
        let stream = [0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 2, 0, 0, 0, 1, 0x65, 3];
        let units = units(&stream);
        assert_eq!(units, [&[0x67, 1][..], &[0x68, 2], &[0x65, 3]]);
        assert!(is_idr(&stream));
        assert!(!is_idr(&stream[..10]));
        assert!(super::units(&[0, 0]).is_empty());
    }

    #[test]
    fn codes_are_read_across_emulation_prevention() {
        // 1 | 010 | 011 | 00100 ...
        let mut bits = Bits::of(&[0, 0b1010_0110, 0b0100_0000]);
        assert_eq!(
            [bits.unsigned(), bits.unsigned(), bits.unsigned(), bits.unsigned()],
            [Some(0), Some(1), Some(2), Some(3)]
        );
        let mut bits = Bits::of(&[0, 0, 0, 3, 1]);
        assert_eq!(bits.number(24), Some(1));
        assert_eq!(bits.number(1), None);
        assert_eq!(Bits::of(&[0, 0, 0, 0, 0, 0]).unsigned(), None);
    }
}
