//! The packets of a source that may pass: GOP by GOP, as a byte stream, under the encoder's own parameter sets.

use ffmpeg::format::context::Input;
use ffmpeg_next as ffmpeg;
use worker::TaskError;

use crate::errors::unreadable;
use crate::input;
use crate::nal;
use crate::track::is_upright;

/// Largest GOP that is held: longer ones are encoded.
const GOP_PACKETS: usize = 1000;
const GOP_BYTES: usize = 64 << 20;

/// How the source keeps its packets.
pub(super) struct Format {
    source: usize,
    stream: usize,
    /// Bytes of the length before each unit.
    length_size: usize,
    start_us: i64,
    time_base: (i64, i64),
    parameter_sets: Vec<Vec<u8>>,
}

impl Format {
    /// The format of a source's stream; where none of it may pass, in words why.
    pub(super) fn of(
        input: &Input,
        source: usize,
        number: usize,
        parameter_sets: &[u8],
    ) -> Result<Self, Option<String>> {
        let stream = input.stream(number).ok_or(None)?;
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
            source,
            stream: number,
            length_size,
            start_us: input::start_us(input),
            time_base: (i64::from(base.numerator()), i64::from(base.denominator().max(1))),
            parameter_sets: theirs,
        })
    }

    /// A timestamp as microseconds from the source's start.
    fn moment(&self, pts: i64) -> i64 {
        let (num, den) = self.time_base;
        let us = i128::from(pts) * 1_000_000 * i128::from(num) / i128::from(den);
        i64::try_from(us).unwrap_or(i64::MAX / 4) - self.start_us
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
pub(super) type Gop = Vec<(i64, Vec<u8>)>;

/// What becomes of a GOP.
pub(super) enum Next {
    Skip,
    Keep(u64),
    Stop,
}

/// Reads GOP by GOP from a moment on, until the end or [`Next::Stop`]; `keep` gets those that are kept.
pub(super) fn gops(
    input: &mut Input,
    format: &Format,
    from_us: i64,
    judge: impl Fn(&Gop) -> Next,
    mut keep: impl FnMut(u64, Gop) -> Result<(), TaskError>,
) -> Result<(), TaskError> {
    let target = format.start_us + from_us;
    if input.seek(target, ..target).is_err() {
        return Ok(()); // what cannot be sought is encoded
    }
    let mut gop: Option<Gop> = None;
    let mut bytes = 0;
    let mut packet = ffmpeg::Packet::empty();
    loop {
        let read = match packet.read(input) {
            Ok(()) if packet.stream() != format.stream => continue,
            Ok(()) => true,
            Err(ffmpeg::Error::Eof) => false,
            Err(error) => return Err(unreadable(format.source, "Reading it", error)),
        };
        let sample = read.then(|| format.byte_stream(packet.data().unwrap_or_default())).flatten();
        let begins = sample.as_ref().is_some_and(|sample| packet.is_key() && nal::is_idr(sample));
        if !read || begins {
            match gop.take().map(|gop| (judge(&gop), gop)) {
                Some((Next::Keep(first), gop)) => keep(first, gop)?,
                Some((Next::Stop, _)) => return Ok(()),
                Some((Next::Skip, _)) | None => {}
            }
            bytes = 0;
        }
        if !read {
            return Ok(());
        }
        // A sample that is not plain spoils its GOP, and so does one too many.
        match (sample, packet.pts()) {
            (Some(sample), Some(pts)) => {
                if begins {
                    gop = Some(Vec::new());
                }
                bytes += sample.len();
                if let Some(held) = &mut gop {
                    held.push((format.moment(pts), sample));
                    if held.len() > GOP_PACKETS || bytes > GOP_BYTES {
                        gop = None;
                    }
                }
            }
            _ => gop = None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_record_is_read_with_care() {
        let record = [1, 100, 0, 31, 0xff, 0xe1, 0, 2, 0x67, 9, 1, 0, 1, 0x68];
        assert_eq!(sets_of_avcc(&record), Some((4, vec![vec![0x67, 9], vec![0x68]])));
        for length in 0..record.len() {
            assert_eq!(sets_of_avcc(&record[..length]), None);
        }
    }
}
