//! The film's sound: music and backgrounds mixed as streams, limited, encoded once as one AAC track.
//!
//! Memory is bounded: no track is ever held whole. Music is heard twice, first to measure its loudness; only a short
//! one is kept from then on, a long one is decoded anew.

use std::fs::File;
use std::io::Seek;

use audio::{Bed, MapError, Meter, Mixer, RATE, Stream, Track, TruePeakLimiter, gain_to};
use ffmpeg_next as ffmpeg;
use plan::{MusicPlan, MusicPlanSource, SoundPlan};
use worker::child::{Files, Link};
use worker::{SoundTask, TaskError, Written};

use crate::container::{Packet, Reader, Writer};
use crate::encode::extradata;
use crate::errors::{file, ours, some};
use crate::listener::{Cuts, Kept, Looped, hear};

/// Loudness that music is brought to before its volume is applied, in LUFS.
const MUSIC_LUFS: f64 = -20.0;
/// What the film's true peak is at most, in dBTP.
const CEILING: f64 = audio::limiter::CEILING;
/// Below this amplitude no encoder reaches the ceiling: about -8 dB.
const QUIET: f32 = 0.4;
/// How often a loud mix is encoded at most.
const ATTEMPTS: usize = 4;
/// Values of a bed that are measured at a time.
const BLOCK: usize = 2 * 4096;

/// Mixes and encodes the sound of a task.
///
/// AAC does not keep peaks: what was limited exactly can decode higher. A loud mix is therefore decoded again, and
/// mixed anew under a lower ceiling until the film itself keeps it.
pub(crate) fn encode(task: &SoundTask, link: &Link, files: &mut Files) -> Result<Written, TaskError> {
    let mut out = files.take().map_err(file("opening the sound"))?;
    let total = task.audio.samples;
    let music = task.audio.music.as_ref().map(|music| Music::hear(music, total, link)).transpose()?;
    let mut ceiling = CEILING;
    for _ in 0..ATTEMPTS {
        let writing = file("writing the sound");
        out.set_len(0).and_then(|()| out.rewind()).map_err(&writing)?;
        let loud = encode_under(ceiling, task, music.as_ref(), link, out.try_clone().map_err(&writing)?)?;
        if !loud {
            break;
        }
        let over = decoded_peak(out.try_clone().map_err(&writing)?)? - CEILING;
        if over <= 0.0 {
            break;
        }
        ceiling -= over + 0.1;
    }
    Ok(Written::default())
}

/// Mixes and encodes once; answers whether the mix is anywhere as loud as [`QUIET`].
fn encode_under(
    ceiling: f64,
    task: &SoundTask,
    music: Option<&Music<'_>>,
    link: &Link,
    out: File,
) -> Result<bool, TaskError> {
    let total = task.audio.samples;
    let mut mixer = Mixer::new(total);
    if let Some(music) = music {
        mixer.add(music.track(total, link)?);
    }
    for sound in &task.audio.backgrounds {
        mixer.add(background_track(sound, task.fps, link)?);
    }
    let mut mix = TruePeakLimiter::with_ceiling(mixer, ceiling);
    let mut encoder = SoundEncoder::open(task.bit_rate)?;
    let mut writer = Writer::new(out, &encoder.extradata(), RATE).map_err(file("writing the sound"))?;
    let mut keep = |packet: &_| writer.write(packet).map_err(file("writing the sound"));
    let mut block = vec![0.0; encoder.frame_size() * 2];
    let (mut done, mut loud) = (0u64, false);
    loop {
        let read = mix.read_full(&mut block)?;
        if read == 0 {
            break;
        }
        loud = block[..read].iter().fold(loud, |loud, value| loud | (value.abs() >= QUIET));
        encoder.send(&block[..read], &mut keep)?;
        done += read as u64 / 2;
        if done % (u64::from(RATE) * 10) < block.len() as u64 {
            link.progress(done, total);
        }
    }
    encoder.finish(&mut keep)?;
    if done != total {
        return Err(TaskError::internal(format!("{done} samples of {total} were mixed")));
    }
    writer.finish().map_err(file("writing the sound"))?;
    Ok(loud)
}

/// The true peak of encoded sound as a player decodes it, in dBTP.
fn decoded_peak(sound: File) -> Result<f64, TaskError> {
    let fail = ours("decoding the sound");
    let mut sound = Reader::new(sound).map_err(file("reading the sound"))?;
    let extradata = sound.extradata().map_err(file("reading the sound"))?;
    let mut parameters = ffmpeg::codec::Parameters::new();
    #[expect(unsafe_code, reason = "codec parameters have no safe setters; these are ours alone")]
    unsafe {
        crate::assemble::set_extradata(&mut *parameters.as_mut_ptr(), &extradata);
        crate::assemble::describe_sound(&mut *parameters.as_mut_ptr());
    }
    let context = ffmpeg::codec::Context::from_parameters(parameters).map_err(&fail)?;
    let mut decoder = context.decoder().audio().map_err(&fail)?;
    let mut meter = Meter::of_true_peak();
    let mut frame = ffmpeg::frame::Audio::empty();
    let mut values = Vec::new();
    loop {
        let packet = sound.next().map_err(file("reading the sound"))?;
        match &packet {
            Some(packet) => decoder.send_packet(&ffmpeg::Packet::copy(&packet.data)).map_err(&fail)?,
            None => decoder.send_eof().map_err(&fail)?,
        }
        while some(decoder.receive_frame(&mut frame)).map_err(&fail)? {
            let (left, right): (&[f32], &[f32]) = (frame.plane(0), frame.plane(1));
            values.clear();
            values.extend(left.iter().zip(right).flat_map(|(left, right)| [*left, *right]));
            meter.feed(&values);
        }
        if packet.is_none() {
            return Ok(meter.true_peak());
        }
    }
}

/// The film's music, measured once however often it is mixed.
struct Music<'a> {
    plan: &'a MusicPlan,
    /// Level and volume, as a linear amplitude.
    gain: f32,
    /// What was heard of a source, where it is short.
    kept: Option<Kept>,
}

impl<'a> Music<'a> {
    /// Measures one round of it, or what a shorter film has of that: what is not heard does not count.
    fn hear(plan: &'a MusicPlan, total: u64, link: &Link) -> Result<Self, TaskError> {
        let mut meter = Meter::of_loudness();
        let kept = match plan.source {
            MusicPlanSource::Source(source) => hear(link, source, total, |values| meter.feed(values))?,
            MusicPlanSource::Bed { seed } => {
                let (mut bed, mut block) = (Bed::new(seed, total), vec![0.0; BLOCK]);
                loop {
                    match bed.read(&mut block) {
                        Ok(0) => break None,
                        Ok(read) => meter.feed(&block[..read]),
                        Err(never) => match never {},
                    }
                }
            }
        };
        let gain = gain_to(MUSIC_LUFS, meter.integrated()) * plan.volume as f32;
        Ok(Self { plan, gain, kept })
    }

    fn track(&self, total: u64, link: &Link) -> Result<Track<'static, TaskError>, TaskError> {
        let stream: Box<dyn Stream<Error = TaskError>> = match (&self.plan.source, &self.kept) {
            (_, Some(kept)) => Box::new(kept.clone()),
            (MusicPlanSource::Source(source), None) => Box::new(Looped::open(link, *source)?),
            (MusicPlanSource::Bed { seed }, None) => {
                Box::new(MapError::new(Bed::new(*seed, total), |never| match never {}))
            }
        };
        Ok(Track { stream, start: 0, length: total, gain: self.gain, fade_out: self.plan.fade_out })
    }
}

fn background_track(
    sound: &SoundPlan,
    fps: u32,
    link: &Link,
) -> Result<Track<'static, TaskError>, TaskError> {
    let stream = Box::new(Cuts::open(link, sound, fps)?);
    // A hard cut inside a sound clicks; 10 ms of fade do not.
    let fade_out = u64::from(RATE / 100);
    Ok(Track { stream, start: sound.start, length: sound.samples, gain: sound.volume as f32, fade_out })
}

/// Encodes interleaved stereo as AAC-LC.
struct SoundEncoder {
    encoder: ffmpeg::encoder::audio::Encoder,
    sent: i64,
}

impl SoundEncoder {
    fn open(bit_rate: u32) -> Result<Self, TaskError> {
        let fail = ours("opening the AAC encoder");
        let codec = ffmpeg::encoder::find(ffmpeg::codec::Id::AAC).ok_or(ffmpeg::Error::EncoderNotFound);
        let codec = codec.map_err(&fail)?;
        let mut context = ffmpeg::codec::Context::new_with_codec(codec);
        context.set_flags(ffmpeg::codec::Flags::GLOBAL_HEADER | ffmpeg::codec::Flags::BITEXACT);
        context.set_threading(ffmpeg::threading::Config::count(1));
        let mut audio = context.encoder().audio().map_err(&fail)?;
        audio.set_rate(RATE as i32);
        audio.set_format(ffmpeg::format::Sample::F32(ffmpeg::format::sample::Type::Planar));
        audio.set_channel_layout(ffmpeg::ChannelLayout::STEREO);
        audio.set_bit_rate(bit_rate as usize);
        audio.set_time_base((1, RATE as i32));
        let encoder = audio.open_as(codec).map_err(&fail)?;
        Ok(Self { encoder, sent: 0 })
    }

    /// Samples that the encoder takes at a time; only the last may be fewer.
    fn frame_size(&self) -> usize {
        self.encoder.frame_size() as usize
    }

    fn extradata(&self) -> Vec<u8> {
        extradata(&self.encoder)
    }

    fn send(
        &mut self,
        values: &[f32],
        ready: &mut impl FnMut(&Packet) -> Result<(), TaskError>,
    ) -> Result<(), TaskError> {
        let samples = values.len() / 2;
        let mut frame = ffmpeg::frame::Audio::new(
            ffmpeg::format::Sample::F32(ffmpeg::format::sample::Type::Planar),
            samples,
            ffmpeg::ChannelLayout::STEREO,
        );
        frame.set_rate(RATE);
        frame.set_pts(Some(self.sent));
        for channel in 0..2 {
            let plane = frame.plane_mut::<f32>(channel);
            for (to, pair) in plane.iter_mut().zip(values.chunks_exact(2)) {
                *to = pair[channel];
            }
        }
        self.sent += samples as i64;
        self.encoder.send_frame(&frame).map_err(ours("encoding sound"))?;
        self.receive(ready)
    }

    fn finish(&mut self, ready: &mut impl FnMut(&Packet) -> Result<(), TaskError>) -> Result<(), TaskError> {
        self.encoder.send_eof().map_err(ours("encoding sound"))?;
        self.receive(ready)
    }

    fn receive(&mut self, ready: &mut impl FnMut(&Packet) -> Result<(), TaskError>) -> Result<(), TaskError> {
        let mut packet = ffmpeg::Packet::empty();
        while some(self.encoder.receive_packet(&mut packet)).map_err(ours("encoding sound"))? {
            let pts = packet.pts().ok_or_else(|| TaskError::internal("encoded sound has no timestamp"))?;
            let duration = u32::try_from(packet.duration()).unwrap_or(0);
            let data = packet.data().unwrap_or_default().to_vec();
            ready(&Packet { pts, duration, key: true, data })?;
        }
        Ok(())
    }
}
