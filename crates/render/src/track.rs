//! The picture track of a source: the frame that is visible at a moment.
//!
//! Invariants: moments are asked in rising order between seeks; a frame is visible from its own timestamp until the
//! next one's, the first also before it, the last for ever. This defines variable frame rates.

use ffmpeg::ffi;
use ffmpeg::format::context::Input;
use ffmpeg_next as ffmpeg;
use worker::TaskError;

use crate::errors::unreadable;
use crate::input::{self, MAX_PIXELS, video_stream};

/// Timestamps within this many microseconds of a moment count as reached: containers round to their time base.
pub(crate) const TOLERANCE_US: i64 = 1_500;

/// A decoded picture with what its container says about it.
pub(crate) struct Decoded {
    /// The picture as decoded; the decoder may hold it too, so it is never drawn on.
    pub(crate) frame: ffmpeg::frame::Video,
    /// What the container says about showing it.
    pub(crate) shape: Shape,
    /// Counts decoded pictures, so that equal numbers mean the same picture.
    pub(crate) serial: u64,
}

/// How a picture is to be turned and stretched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Quarter turns clockwise, 0 to 3.
    pub(crate) turns: u8,
    /// Mirrored left to right before turning.
    pub(crate) mirrored: bool,
    /// Width of a pixel over its height.
    pub(crate) aspect: (u32, u32),
}

impl Decoded {
    /// Width and height in square pixels as shown.
    pub(crate) fn shown_size(&self) -> (u32, u32) {
        let (num, den) = self.shape.aspect;
        let width = u64::from(self.frame.width()) * u64::from(num) / u64::from(den);
        let (width, height) = (u32::try_from(width).unwrap_or(u32::MAX).max(1), self.frame.height());
        if self.shape.turns % 2 == 1 { (height, width) } else { (width, height) }
    }
}

/// Reads the picture track of one source.
pub(crate) struct VideoTrack {
    input: Input,
    source: usize,
    stream: usize,
    decoder: ffmpeg::decoder::Video,
    /// Microseconds of the container that count as 0.
    start_us: i64,
    container_shape: (u8, bool, (u32, u32)),
    current: Option<(i64, Decoded)>,
    upcoming: Option<(i64, Decoded)>,
    drained: bool,
    serial: u64,
}

impl VideoTrack {
    /// Opens the track of an opened source.
    pub(crate) fn open(input: Input, source: usize) -> Result<Self, TaskError> {
        let no_picture = || TaskError::source(source, "MEDIA_NO_PICTURE", "There is no picture in it.");
        let index = video_stream(&input).ok_or_else(no_picture)?;
        let stream = input.stream(index).ok_or_else(no_picture)?;
        check_size(&stream, source)?;
        let fail = |error| unreadable(source, "Opening its picture decoder", error);
        let mut context = ffmpeg::codec::Context::from_parameters(stream.parameters()).map_err(fail)?;
        context.set_threading(ffmpeg::threading::Config::count(1));
        let mut options = ffmpeg::Dictionary::new();
        options.set("max_pixels", &MAX_PIXELS.to_string());
        let mut decoder = context.decoder();
        decoder.set_packet_time_base(stream.time_base());
        let codec = ffmpeg::decoder::find(stream.parameters().id())
            .ok_or_else(|| fail(ffmpeg::Error::DecoderNotFound))?;
        let decoder =
            decoder.open_as_with(codec, options).and_then(ffmpeg::decoder::Opened::video).map_err(fail)?;
        let container_shape = container_shape(&stream);
        let start_us = input::start_us(&input);
        Ok(Self {
            input,
            source,
            stream: index,
            decoder,
            start_us,
            container_shape,
            current: None,
            upcoming: None,
            drained: false,
            serial: 0,
        })
    }

    /// The first picture.
    pub(crate) fn first(&mut self) -> Result<&Decoded, TaskError> {
        self.at(i64::MIN / 4).map(|(decoded, _)| decoded)
    }

    /// The picture visible at a moment in microseconds, and whether the track has not ended before it.
    pub(crate) fn at(&mut self, moment_us: i64) -> Result<(&Decoded, bool), TaskError> {
        loop {
            match &self.upcoming {
                Some((from, _)) if *from > moment_us + TOLERANCE_US && self.current.is_some() => break,
                None if self.drained => break,
                _ => {}
            }
            if let Some(next) = self.upcoming.take() {
                self.current = Some(next);
            }
            self.upcoming = self.decode()?;
            if self.upcoming.is_none() {
                self.drained = true;
            } else if self.current.is_none() {
                self.current = self.upcoming.take();
            }
        }
        let ended = self.upcoming.is_none();
        match &self.current {
            Some((_, decoded)) => Ok((decoded, !ended)),
            None => Err(TaskError::source(
                self.source,
                "MEDIA_UNREADABLE",
                format!(
                    "No picture of it could be decoded: the file is damaged, or larger than {} million pixels.",
                    MAX_PIXELS / 1_000_000
                ),
            )),
        }
    }

    /// The picture that was answered last.
    pub(crate) fn current(&self) -> Option<&Decoded> {
        self.current.as_ref().map(|(_, decoded)| decoded)
    }

    /// From which moment on the picture that was answered last is visible, in microseconds.
    pub(crate) fn visible_from(&self) -> Option<i64> {
        self.current.as_ref().map(|(from, _)| *from)
    }

    /// Goes to a moment in microseconds; the next moment asked must not be earlier.
    pub(crate) fn seek(&mut self, moment_us: i64) -> Result<(), TaskError> {
        let target = self.start_us + moment_us;
        // At most the target, else whatever the format can do.
        let sought = self.input.seek(target, ..target).or_else(|_| self.input.seek(target, ..));
        sought.map_err(|error| unreadable(self.source, "Seeking in it", error))?;
        self.decoder.flush();
        self.current = None;
        self.upcoming = None;
        self.drained = false;
        Ok(())
    }

    fn decode(&mut self) -> Result<Option<(i64, Decoded)>, TaskError> {
        let mut frame = ffmpeg::frame::Video::empty();
        loop {
            match self.decoder.receive_frame(&mut frame) {
                Ok(()) => {
                    self.serial += 1;
                    let moment = self.moment(&frame);
                    let shape = self.shape(&frame);
                    return Ok(Some((moment, Decoded { frame, shape, serial: self.serial })));
                }
                Err(ffmpeg::Error::Eof) => return Ok(None),
                Err(ffmpeg::Error::Other { errno: libc::EAGAIN }) => self.feed()?,
                // A damaged picture is left out; the one before it stays visible.
                Err(ffmpeg::Error::InvalidData) => {}
                Err(error) => return Err(unreadable(self.source, "Decoding its picture", error)),
            }
        }
    }

    fn feed(&mut self) -> Result<(), TaskError> {
        let mut packet = ffmpeg::Packet::empty();
        loop {
            match packet.read(&mut self.input) {
                Ok(()) if packet.stream() == self.stream => {
                    return match self.decoder.send_packet(&packet) {
                        Ok(()) | Err(ffmpeg::Error::InvalidData) => Ok(()),
                        Err(error) => Err(unreadable(self.source, "Decoding its picture", error)),
                    };
                }
                Ok(()) => {}
                Err(ffmpeg::Error::Eof) => {
                    return match self.decoder.send_eof() {
                        Ok(()) | Err(ffmpeg::Error::Eof) => Ok(()),
                        Err(error) => Err(unreadable(self.source, "Decoding its picture", error)),
                    };
                }
                Err(error) => return Err(unreadable(self.source, "Reading it", error)),
            }
        }
    }

    /// The frame's moment in microseconds from the source's start.
    fn moment(&self, frame: &ffmpeg::frame::Video) -> i64 {
        let Some(ticks) = frame.timestamp() else {
            // Without timestamps every picture follows the one before it at 25 a second.
            return self.current.as_ref().map_or(0, |(us, _)| us + 40_000);
        };
        let Some(stream) = self.input.stream(self.stream) else { return 0 };
        let base = stream.time_base();
        let us = i128::from(ticks) * 1_000_000 * i128::from(base.numerator())
            / i128::from(base.denominator().max(1));
        i64::try_from(us).unwrap_or(i64::MAX / 4) - self.start_us
    }

    fn shape(&self, frame: &ffmpeg::frame::Video) -> Shape {
        let (turns, mirrored, stream_aspect) = self.container_shape;
        let (turns, mirrored) = frame_turn(frame).unwrap_or((turns, mirrored));
        let own = frame.aspect_ratio();
        let own = (own.numerator(), own.denominator());
        let aspect =
            [own, (stream_aspect.0 as i32, stream_aspect.1 as i32)].into_iter().find_map(|(num, den)| {
                // Beyond 1:20 it is damage, not a format.
                (num > 0 && den > 0 && num / 20 <= den && den / 20 <= num).then_some((num as u32, den as u32))
            });
        Shape { turns, mirrored, aspect: aspect.unwrap_or((1, 1)) }
    }
}

/// Refuses a picture that would take too much memory, before it is decoded.
fn check_size(stream: &ffmpeg::Stream<'_>, source: usize) -> Result<(), TaskError> {
    let parameters = stream.parameters();
    #[expect(unsafe_code, reason = "the stated size has no safe accessor; the parameters live")]
    let (width, height) = unsafe { ((*parameters.as_ptr()).width, (*parameters.as_ptr()).height) };
    let pixels = u64::from(width.max(0).unsigned_abs()) * u64::from(height.max(0).unsigned_abs());
    if pixels <= MAX_PIXELS {
        return Ok(());
    }
    let most = MAX_PIXELS / 1_000_000;
    let message =
        format!("Its picture is {width} x {height} pixels; at most {most} million pixels are read.");
    Err(TaskError::source(source, "MEDIA_TOO_LARGE", message))
}

#[expect(
    unsafe_code,
    reason = "side data and parameters are read through libav's own structures while they live"
)]
fn container_shape(stream: &ffmpeg::Stream<'_>) -> (u8, bool, (u32, u32)) {
    let matrix =
        stream.side_data().find(|data| data.kind() == ffmpeg::packet::side_data::Type::DisplayMatrix);
    let (turns, mirrored) = matrix.and_then(|data| turn_of(data.data())).unwrap_or((0, false));
    let aspect = unsafe { (*stream.as_ptr()).sample_aspect_ratio };
    (turns, mirrored, (aspect.num.max(0) as u32, aspect.den.max(0) as u32))
}

/// Whether a stream is shown as it is stored, in square pixels.
pub(crate) fn is_upright(stream: &ffmpeg::Stream<'_>) -> bool {
    let (turns, mirrored, (num, den)) = container_shape(stream);
    turns == 0 && !mirrored && (num == den || num == 0 || den == 0)
}

/// The turn that the frame itself carries: a display matrix, or EXIF orientation.
fn frame_turn(frame: &ffmpeg::frame::Video) -> Option<(u8, bool)> {
    if let Some(data) = frame.side_data(ffmpeg::frame::side_data::Type::DisplayMatrix) {
        return turn_of(data.data());
    }
    let orientation = frame.metadata().get("Orientation")?.trim().parse::<u8>().ok()?;
    // EXIF 2.3, tag 0x0112: what must be done to the stored picture, mirroring first.
    match orientation {
        1 => Some((0, false)),
        2 => Some((0, true)),
        3 => Some((2, false)),
        4 => Some((2, true)),
        5 => Some((3, true)),
        6 => Some((1, false)),
        7 => Some((1, true)),
        8 => Some((3, false)),
        _ => None,
    }
}

/// Quarter turns clockwise and mirroring of a display matrix (nine 32-bit numbers, 16.16 fixed point).
fn turn_of(matrix: &[u8]) -> Option<(u8, bool)> {
    if matrix.len() < 36 {
        return None;
    }
    let number =
        |index: usize| i32::from_ne_bytes(matrix[index * 4..index * 4 + 4].try_into().expect("4 bytes"));
    let (a, b, c, d) = (number(0), number(1), number(3), number(4));
    let mirrored = i64::from(a) * i64::from(d) - i64::from(b) * i64::from(c) < 0;
    let mut numbers: [i32; 9] = std::array::from_fn(number);
    if mirrored {
        // Undo the mirroring of the first axis, so that a pure turn is left.
        for index in [0, 1] {
            numbers[index] = numbers[index].checked_neg()?;
        }
    }
    #[expect(unsafe_code, reason = "reads nine numbers that are there")]
    let counterclockwise = unsafe { ffi::av_display_rotation_get(numbers.as_ptr()) };
    if !counterclockwise.is_finite() {
        return None;
    }
    let turns = (-counterclockwise / 90.0).round().rem_euclid(4.0) as u8;
    Some((turns, mirrored))
}
