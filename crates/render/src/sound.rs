//! The film's sound: music and backgrounds mixed as streams, limited, encoded once as one AAC track.
//!
//! Memory is bounded: no track is ever held whole. Music is read twice, first to measure its loudness.

use std::fs::File;
use std::io::Seek;

use audio::{Bed, Limit, MapError, Meter, Mixer, RATE, Stream, Track, TruePeakLimiter, gain_to};
use ffmpeg_next as ffmpeg;
use plan::{MusicPlan, MusicPlanSource, SoundPlan};
use worker::child::{Files, Link};
use worker::{SoundTask, TaskError, Written};

use crate::container::{Packet, Reader, Writer};
use crate::encode::extradata;
use crate::errors::{file, ours, some};
use crate::listener::{Cuts, Looped};

/// Loudness that music is brought to before its volume is applied, in LUFS.
const MUSIC_LUFS: f64 = -20.0;
/// What the film's true peak is at most, in dBTP.
const CEILING: f64 = audio::limiter::CEILING;
/// Below this amplitude no encoder reaches the ceiling: about -8 dB.
const QUIET: f32 = 0.4;
/// How often a loud mix is encoded at most.
const ATTEMPTS: usize = 4;
/// Values read at a time.
const BLOCK: usize = 2 * 4096;

/// Mixes and encodes the sound of a task.
///
/// AAC does not keep peaks: what was limited exactly can decode higher. A loud mix is therefore decoded again, and
/// mixed anew under a lower ceiling until the film itself keeps it.
pub(crate) fn encode(task: &SoundTask, link: &Link, files: &mut Files) -> Result<Written, TaskError> {
    let mut out = files.take().map_err(file("opening the sound"))?;
    let mut ceiling = CEILING;
    for _ in 0..ATTEMPTS {
        let writing = file("writing the sound");
        out.set_len(0).and_then(|()| out.rewind()).map_err(&writing)?;
        let loudest = encode_under(ceiling, task, link, out.try_clone().map_err(&writing)?)?;
        if loudest < QUIET {
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

/// Mixes and encodes once; answers with the largest value of the mix.
fn encode_under(ceiling: f64, task: &SoundTask, link: &Link, out: File) -> Result<f32, TaskError> {
    let total = task.audio.samples;
    let mut mixer = Mixer::new(total);
    if let Some(music) = &task.audio.music {
        mixer.add(music_track(music, total, link)?);
    }
    for sound in &task.audio.backgrounds {
        mixer.add(background_track(sound, task.fps, link)?);
    }
    let mut mix = TruePeakLimiter::with_ceiling(mixer, ceiling);
    let mut encoder = SoundEncoder::open(task.bit_rate)?;
    let mut writer = Writer::new(out, &encoder.extradata(), RATE).map_err(file("writing the sound"))?;
    let mut keep = |packet: &_| writer.write(packet).map_err(file("writing the sound"));
    let mut block = vec![0.0; encoder.frame_size() * 2];
    let (mut done, mut loudest) = (0u64, 0f32);
    loop {
        let read = mix.read_full(&mut block)?;
        if read == 0 {
            break;
        }
        loudest = block[..read].iter().fold(loudest, |loudest, value| loudest.max(value.abs()));
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
    Ok(loudest)
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
    let mut meter = Meter::new();
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

fn music_track(music: &MusicPlan, total: u64, link: &Link) -> Result<Track<'static, TaskError>, TaskError> {
    let level = |measured: Option<f64>| gain_to(MUSIC_LUFS, measured) * music.volume as f32;
    let (stream, gain): (Box<dyn Stream<Error = TaskError>>, f32) = match music.source {
        MusicPlanSource::Source(source) => {
            // What is heard is measured, not what is not.
            let measured = loudness(&mut Limit::new(Looped::once(link, source)?, total))?;
            (Box::new(Looped::forever(link, source)?), level(measured))
        }
        MusicPlanSource::Bed { seed } => {
            let bed = || MapError::new(Bed::new(seed, total), |never| match never {});
            (Box::new(bed()), level(loudness::<TaskError>(&mut bed())?))
        }
    };
    Ok(Track { stream, start: 0, length: total, gain, fade_out: music.fade_out })
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

fn loudness<E>(stream: &mut dyn Stream<Error = E>) -> Result<Option<f64>, E> {
    let mut meter = Meter::new();
    let mut block = vec![0.0; BLOCK];
    loop {
        match stream.read(&mut block)? {
            0 => return Ok(meter.integrated()),
            read => meter.feed(&block[..read]),
        }
    }
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
