//! The sound track of a source as a stream of interleaved stereo at 48 kHz.
//!
//! Invariants: moments are kept by timestamps, so that a gap in a source is silence and not a shift; a source whose
//! sound ends early is followed by silence.

mod kept;

use audio::{RATE, Stream};
use ffmpeg::format::context::Input;
use ffmpeg::media::Type;
use ffmpeg_next as ffmpeg;
use plan::{Cut, SoundPlan, cut_at};
use worker::TaskError;
use worker::child::Link;

use crate::errors::{some, unreadable};
use crate::input;

pub(crate) use kept::{Kept, hear};

/// Seek this much earlier than asked: codecs need a few packets to settle.
const RUN_UP_US: i64 = 200_000;

/// Left and right, as the resampler gives them.
type Sample = (f32, f32);

/// Decodes one source's sound from a moment on.
struct Listener {
    input: Input,
    source: usize,
    stream: usize,
    decoder: ffmpeg::decoder::Audio,
    graph: Option<(Format, ffmpeg::filter::Graph)>,
    start_us: i64,
    /// Samples decoded.
    ready: Vec<Sample>,
    /// How many of them have been read.
    given: usize,
    /// The sample, from the source's start, that is to be read next.
    wanted: i64,
    /// The sample that the next decoded one is, once known.
    position: Option<i64>,
    drained: bool,
}

/// What the resampler was built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Format {
    rate: u32,
    sample: ffmpeg::format::Sample,
    channels: u16,
    layout: u64,
}

impl Listener {
    fn open(link: &Link, source: usize) -> Result<Self, TaskError> {
        let input = input::open(link, source)?;
        let silent = || TaskError::source(source, "MEDIA_NO_SOUND", "There is no sound in it.");
        let stream = input.streams().best(Type::Audio).ok_or_else(silent)?;
        let fail = |error| unreadable(source, "Opening its sound decoder", error);
        let index = stream.index();
        let mut context = ffmpeg::codec::Context::from_parameters(stream.parameters()).map_err(fail)?;
        context.set_threading(ffmpeg::threading::Config::count(1));
        let mut decoder = context.decoder();
        decoder.set_packet_time_base(stream.time_base());
        let decoder = decoder.audio().map_err(fail)?;
        let start_us = input::start_us(&input);
        Ok(Self {
            input,
            source,
            stream: index,
            decoder,
            graph: None,
            start_us,
            ready: Vec::new(),
            given: 0,
            wanted: 0,
            position: None,
            drained: false,
        })
    }

    /// Goes to a sample.
    fn seek(&mut self, sample: i64) -> Result<(), TaskError> {
        let us = sample * 1_000_000 / i64::from(RATE);
        let target = self.start_us + (us - RUN_UP_US).max(0);
        let sought = self.input.seek(target, ..target).or_else(|_| self.input.seek(target, ..));
        sought.map_err(|error| unreadable(self.source, "Seeking in it", error))?;
        self.decoder.flush();
        self.graph = None;
        self.ready.clear();
        self.given = 0;
        self.wanted = sample;
        self.position = None;
        self.drained = false;
        Ok(())
    }

    /// Reads what comes next; 0 at the end.
    fn read(&mut self, out: &mut [f32]) -> Result<usize, TaskError> {
        let samples = self.read_samples(out.len() / 2)?;
        for (to, (left, right)) in out.chunks_exact_mut(2).zip(samples) {
            to.copy_from_slice(&[*left, *right]);
        }
        Ok(samples.len() * 2)
    }

    /// The samples that come next, at most so many; none at the end.
    fn read_samples(&mut self, most: usize) -> Result<&[Sample], TaskError> {
        while self.given == self.ready.len() && !self.drained {
            self.ready.clear();
            self.given = 0;
            self.decode()?;
        }
        let first = self.given;
        self.given += most.min(self.ready.len() - first);
        self.wanted += (self.given - first) as i64;
        Ok(&self.ready[first..self.given])
    }

    fn decode(&mut self) -> Result<(), TaskError> {
        let mut frame = ffmpeg::frame::Audio::empty();
        match self.decoder.receive_frame(&mut frame) {
            Ok(()) => self.take(frame),
            Err(ffmpeg::Error::Eof) => {
                self.drained = true;
                self.drain()
            }
            Err(ffmpeg::Error::Other { errno: libc::EAGAIN }) => self.feed(),
            Err(ffmpeg::Error::InvalidData) => Ok(()),
            Err(error) => Err(unreadable(self.source, "Decoding its sound", error)),
        }
    }

    fn feed(&mut self) -> Result<(), TaskError> {
        let mut packet = ffmpeg::Packet::empty();
        loop {
            let sent = match packet.read(&mut self.input) {
                Ok(()) if packet.stream() == self.stream => self.decoder.send_packet(&packet),
                Ok(()) => continue,
                Err(ffmpeg::Error::Eof) => self.decoder.send_eof(),
                Err(error) => return Err(unreadable(self.source, "Reading it", error)),
            };
            return match sent {
                // A damaged packet is left out.
                Ok(()) | Err(ffmpeg::Error::InvalidData | ffmpeg::Error::Eof) => Ok(()),
                Err(error) => Err(unreadable(self.source, "Decoding its sound", error)),
            };
        }
    }

    fn take(&mut self, mut frame: ffmpeg::frame::Audio) -> Result<(), TaskError> {
        let fail = |error| unreadable(self.source, "Resampling its sound", error);
        let channels = frame.channels().max(1);
        let layout = match frame.channel_layout().bits() {
            0 => ffmpeg::ChannelLayout::default(i32::from(channels)).bits(),
            bits => bits,
        };
        let format = Format { rate: frame.rate(), sample: frame.format(), channels, layout };
        if self.graph.as_ref().is_none_or(|(built, _)| *built != format) {
            self.graph = Some((format, resampler(&format).map_err(fail)?));
        }
        if self.position.is_none() {
            self.position = Some(self.sample_of(&frame).unwrap_or(self.wanted));
        }
        frame.set_channel_layout(ffmpeg::ChannelLayout::from_bits_truncate(layout));
        frame.set_pts(None);
        let (_, graph) = self.graph.as_mut().expect("just built");
        let added =
            graph.get("in").ok_or(ffmpeg::Error::FilterNotFound).and_then(|mut c| c.source().add(&frame));
        added.map_err(fail)?;
        self.collect()
    }

    fn drain(&mut self) -> Result<(), TaskError> {
        if let Some((_, graph)) = &mut self.graph {
            let flushed =
                graph.get("in").ok_or(ffmpeg::Error::FilterNotFound).and_then(|mut c| c.source().close(0));
            flushed.map_err(|error| unreadable(self.source, "Resampling its sound", error))?;
        }
        self.collect()
    }

    /// Takes what the resampler has ready; what lies before the sample wanted is left out, a gap is silence.
    fn collect(&mut self) -> Result<(), TaskError> {
        let mut out = ffmpeg::frame::Audio::empty();
        loop {
            let Some((_, graph)) = &mut self.graph else { return Ok(()) };
            let Some(mut sink) = graph.get("out") else { return Ok(()) };
            let fail = |error| unreadable(self.source, "Resampling its sound", error);
            if !some(sink.sink().frame(&mut out)).map_err(fail)? {
                return Ok(());
            }
            let samples: &[Sample] = out.plane(0);
            let position = self.position.unwrap_or(self.wanted);
            let next = self.wanted + (self.ready.len() - self.given) as i64;
            // Silence for a late start, at most ten seconds of it: beyond that timestamps are wrong.
            let gap = (position - next).clamp(0, i64::from(RATE) * 10);
            self.ready.extend(std::iter::repeat_n((0.0, 0.0), gap as usize));
            let early = usize::try_from(next - position).unwrap_or(0).min(samples.len());
            self.ready.extend_from_slice(&samples[early..]);
            self.position = Some(position + samples.len() as i64);
        }
    }

    fn sample_of(&self, frame: &ffmpeg::frame::Audio) -> Option<i64> {
        let base = self.input.stream(self.stream)?.time_base();
        let us = i128::from(frame.timestamp()?) * 1_000_000 * i128::from(base.numerator())
            / i128::from(base.denominator().max(1));
        let us = i64::try_from(us).ok()? - self.start_us;
        i64::try_from(i128::from(us) * i128::from(RATE) / 1_000_000).ok()
    }
}

fn resampler(format: &Format) -> Result<ffmpeg::filter::Graph, ffmpeg::Error> {
    let mut graph = ffmpeg::filter::Graph::new();
    let find = |name: &str| ffmpeg::filter::find(name).ok_or(ffmpeg::Error::FilterNotFound);
    let source = format!(
        "time_base=1/{rate}:sample_rate={rate}:sample_fmt={sample}:channel_layout=0x{layout:x}",
        rate = format.rate,
        sample = format.sample.name(),
        layout = format.layout
    );
    graph.add(&find("abuffer")?, "in", &source)?;
    graph.add(&find("abuffersink")?, "out", "")?;
    let chain =
        format!("aresample={RATE},aformat=sample_fmts=flt:sample_rates={RATE}:channel_layouts=stereo");
    graph.output("in", 0)?.input("out", 0)?.parse(&chain)?;
    graph.validate()?;
    Ok(graph)
}

/// A source's whole sound, decoded again and again.
pub(crate) struct Looped {
    listener: Listener,
    /// Whether this round gave anything: an empty source must not be asked for ever.
    heard: bool,
}

impl Looped {
    /// From start to end, and again.
    pub(crate) fn open(link: &Link, source: usize) -> Result<Self, TaskError> {
        Ok(Self { listener: Listener::open(link, source)?, heard: false })
    }
}

impl Stream for Looped {
    type Error = TaskError;

    fn read(&mut self, out: &mut [f32]) -> Result<usize, TaskError> {
        loop {
            let read = self.listener.read(out)?;
            if read > 0 {
                self.heard = true;
                return Ok(read);
            }
            if !std::mem::take(&mut self.heard) || out.len() < 2 {
                return Ok(0);
            }
            self.listener.seek(0)?;
        }
    }
}

/// The sound of a background: its cuts joined, from an offset on, again and again where it loops.
pub(crate) struct Cuts {
    listener: Listener,
    cuts: Vec<Cut>,
    looped: bool,
    fps: u32,
    /// The current cut and the samples of it that are left; `None` before the first and after the last.
    current: Option<(usize, u64)>,
    /// Where the next cut begins reading, in frames of it.
    next: Option<(usize, u64)>,
    ended: bool,
}

impl Cuts {
    /// Opens the sound of a plan.
    pub(crate) fn open(link: &Link, sound: &SoundPlan, fps: u32) -> Result<Self, TaskError> {
        let total = sound.cuts.iter().map(|cut| cut.frames).sum::<u64>().max(1);
        let begin = if sound.looped { sound.offset % total } else { sound.offset };
        let next = cut_at(&sound.cuts, begin);
        let listener = Listener::open(link, sound.source)?;
        Ok(Self {
            listener,
            cuts: sound.cuts.clone(),
            looped: sound.looped,
            fps,
            current: None,
            next,
            ended: false,
        })
    }

    fn samples(&self, frames: u64) -> u64 {
        frames * u64::from(RATE) / u64::from(self.fps)
    }
}

impl Stream for Cuts {
    type Error = TaskError;

    fn read(&mut self, out: &mut [f32]) -> Result<usize, TaskError> {
        loop {
            let Some((index, left)) = self.current else {
                let Some((index, frame)) = self.next.take() else { return Ok(0) };
                let cut = self.cuts[index].clone();
                let start = cut.start_us as i64 * i64::from(RATE) / 1_000_000 + self.samples(frame) as i64;
                self.listener.seek(start)?;
                self.ended = false;
                self.current = Some((index, self.samples(cut.frames) - self.samples(frame)));
                continue;
            };
            if left == 0 {
                self.current = None;
                let following = index + 1;
                self.next = if following < self.cuts.len() {
                    Some((following, 0))
                } else {
                    self.looped.then_some((0, 0))
                };
                continue;
            }
            let room = out.len().min(usize::try_from(left * 2).unwrap_or(usize::MAX)) & !1;
            if room == 0 {
                return Ok(0);
            }
            let mut read = if self.ended { 0 } else { self.listener.read(&mut out[..room])? };
            if read == 0 {
                self.ended = true;
                out[..room].fill(0.0);
                read = room;
            }
            self.current = Some((index, left - read as u64 / 2));
            return Ok(read);
        }
    }
}
