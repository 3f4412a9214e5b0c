//! Clips and sound to the film: packets are copied, timestamps are made anew from the film's grid.
//!
//! Invariants, checked for every film: clips have byte-equal parameter sets; neighbouring IDR pictures differ in
//! `idr_pic_id` (H.264, 7.4.3), or the film is refused; every run of packets shows whole, evenly spaced frames. The DTS
//! of a picture is its decoding index over the whole film less one fixed delay, so that joints never disturb it. The
//! index (`moov`) stands before the media, in room reserved for it: players start at once.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};

use audio::RATE;
use ffmpeg::ffi;
use ffmpeg::format::context::{Output, StreamIo};
use ffmpeg_next as ffmpeg;
use worker::child::{Files, Link};
use worker::{AssembleTask, TaskError, Written};

use crate::container::{Packet, Player, Reader};
use crate::errors::{file, ours};
use crate::nal::Sequence;

/// Code of the error that asks for all clips to be encoded again.
const CLIPS_DIFFER: &str = "CLIPS_DIFFER";
/// The parent hears of every so many pictures.
const PROGRESS_EVERY: u64 = 300;

/// Joins the files of a task.
pub(crate) fn assemble(task: &AssembleTask, link: &Link, files: &mut Files) -> Result<Written, TaskError> {
    let reading = file("reading a clip");
    let mut clips = Vec::new();
    for _ in 0..task.clips {
        clips.push(Reader::new(files.take().map_err(&reading)?).map_err(&reading)?);
    }
    let sound_file = files.take().map_err(&reading)?;
    let film = files.take().map_err(file("opening the film"))?;
    let audio = files.take().map_err(file("opening the sound file"))?;
    let pictures = Pictures::new(clips, task)?;
    let sound = || Reader::new(sound_file.try_clone().map_err(&reading)?).map_err(&reading);
    write_audio(sound()?, audio, &task.title)?;
    write_film(pictures, sound()?, film, task, link)?;
    Ok(Written { frames: task.frames, ..Written::default() })
}

/// All that the clips play as one row of pictures in decoding order.
struct Pictures<'a> {
    /// The distinct clips.
    clips: Vec<Reader>,
    order: std::slice::Iter<'a, usize>,
    current: Option<(usize, Player)>,
    extradata: Vec<u8>,
    sequence: Sequence,
    /// The picture before, where it was an IDR picture: its `idr_pic_id`.
    last_idr: Option<u32>,
    /// First frame of the current clip.
    start: i64,
    /// Decoding index of the next picture.
    index: i64,
    delay: i64,
}

impl<'a> Pictures<'a> {
    fn new(clips: Vec<Reader>, task: &'a AssembleTask) -> Result<Self, TaskError> {
        let first = clips.first().ok_or_else(|| TaskError::internal("a film without scenes"))?;
        let extradata = first.extradata().map_err(file("reading a clip"))?;
        let total = task.order.iter().map(|clip| clips.get(*clip).map(Reader::length)).sum::<Option<u64>>();
        if total != Some(task.frames) {
            let message = format!("the clips have {total:?} pictures, the plan {}", task.frames);
            return Err(TaskError::internal(message));
        }
        if clips.iter().any(|clip| clip.head.extradata != first.head.extradata || clip.head.rate != task.fps)
        {
            let message = "clips with different parameter sets".to_owned();
            return Err(TaskError { source: None, code: CLIPS_DIFFER.to_owned(), message });
        }
        let delay = clips.iter().map(|clip| clip.head.delay).max().unwrap_or(0).cast_signed();
        let unknown = || TaskError::internal("parameter sets that cannot be read");
        let sequence = Sequence::of(&extradata).ok_or_else(unknown)?;
        let order = task.order.iter();
        Ok(Self {
            clips,
            order,
            current: None,
            extradata,
            sequence,
            last_idr: None,
            start: 0,
            index: 0,
            delay,
        })
    }

    /// The next picture with its DTS, both on the film's grid.
    fn next(&mut self) -> Result<Option<(Packet, i64)>, TaskError> {
        let reading = file("reading a clip");
        loop {
            if let Some((clip, player)) = &mut self.current {
                if let Some(mut packet) = player.next().map_err(&reading)? {
                    self.check_joint(&packet)?;
                    packet.pts += self.start;
                    let dts = self.index - self.delay;
                    self.index += 1;
                    return Ok(Some((packet, dts)));
                }
                self.start += self.clips[*clip].length().cast_signed();
            }
            let Some(clip) = self.order.next() else { return Ok(None) };
            let again = self.clips[*clip].again().map_err(&reading)?;
            self.current = Some((*clip, Player::new(again)));
        }
    }

    /// Two IDR pictures side by side must differ in `idr_pic_id`, or decoders take them for one picture.
    fn check_joint(&mut self, packet: &Packet) -> Result<(), TaskError> {
        let unreadable = || TaskError::internal("an IDR picture without a readable id");
        let id =
            packet.key.then(|| self.sequence.idr_pic_id(&packet.data).ok_or_else(unreadable)).transpose()?;
        if id.is_some() && id == self.last_idr {
            let message = format!("two neighbouring IDR pictures share an id at picture {}", self.index);
            return Err(TaskError::internal(message));
        }
        self.last_idr = id;
        Ok(())
    }
}

fn write_film(
    mut pictures: Pictures<'_>,
    sound: Reader,
    film: File,
    task: &AssembleTask,
    link: &Link,
) -> Result<(), TaskError> {
    let fail = ours("writing the film");
    let reading = file("reading a clip");
    let room = index_room(task.frames, sound.played());
    let mut output = open(film, "mp4")?;
    let video = add_stream(&mut output, (1, task.fps), |parameters| {
        set_extradata(parameters, &pictures.extradata);
        describe_video(parameters, task);
    })?;
    let audio = add_sound(&mut output, &sound)?;
    begin(&mut output, &task.title, room)?;
    let mut next_picture = pictures.next()?;
    let mut sound = Player::new(sound);
    let mut next_sound = sound.next().map_err(&reading)?;
    let mut written = 0u64;
    loop {
        // Whatever is due first, so that a player finds sound and picture beside one another.
        let picture_due = next_picture.as_ref().map(|(_, dts)| dts * i64::from(RATE / task.fps.max(1)));
        let sound_due = next_sound.as_ref().map(|packet| packet.pts);
        match (picture_due, sound_due) {
            (Some(picture), due) if due.is_none_or(|due| picture <= due) => {
                let (packet, dts) = next_picture.take().expect("it is due");
                write(&mut output, video, (1, task.fps), &packet, dts).map_err(&fail)?;
                written += 1;
                if written.is_multiple_of(PROGRESS_EVERY) {
                    link.progress(written, task.frames);
                }
                next_picture = pictures.next()?;
            }
            (_, Some(_)) => {
                let packet = next_sound.take().expect("it is due");
                write(&mut output, audio, (1, RATE), &packet, packet.pts).map_err(&fail)?;
                next_sound = sound.next().map_err(&reading)?;
            }
            (Some(_), None) | (None, None) => break,
        }
    }
    output.write_trailer().map_err(&fail)
}

fn write_audio(sound: Reader, audio: File, title: &str) -> Result<(), TaskError> {
    let fail = ours("writing the sound file");
    let mut output = open(audio, "mp4")?;
    let room = index_room(0, sound.played());
    let stream = add_sound(&mut output, &sound)?;
    begin(&mut output, title, room)?;
    let mut sound = Player::new(sound);
    while let Some(packet) = sound.next().map_err(file("reading the sound"))? {
        write(&mut output, stream, (1, RATE), &packet, packet.pts).map_err(&fail)?;
    }
    output.write_trailer().map_err(&fail)
}

/// Room for the index in bytes: each entry at its largest, and the fixed boxes.
fn index_room(pictures: u64, sounds: u64) -> u64 {
    16 * 1024 + pictures * (4 + 8 + 4 + 8 + 12 + 8) + sounds * (4 + 8 + 8 + 12)
}

fn open(target: File, format: &str) -> Result<Output, TaskError> {
    let fail = ours("opening the muxer");
    let io = StreamIo::from_write_seek_with_capacity(Target(target), 1 << 18).map_err(&fail)?;
    ffmpeg::format::output_to_stream(io, None, Some(format)).map_err(&fail)
}

fn begin(output: &mut Output, title: &str, room: u64) -> Result<(), TaskError> {
    let mut metadata = ffmpeg::Dictionary::new();
    metadata.set("title", title);
    output.set_metadata(metadata);
    let mut options = ffmpeg::Dictionary::new();
    options.set("fflags", "+bitexact");
    options.set("moov_size", &room.to_string());
    options.set("movie_timescale", "48000");
    output.write_header_with(options).map(drop).map_err(ours("writing the film's head"))
}

fn add_sound(output: &mut Output, sound: &Reader) -> Result<usize, TaskError> {
    let extradata = sound.extradata().map_err(file("reading the sound"))?;
    add_stream(output, (1, RATE), |parameters| {
        set_extradata(parameters, &extradata);
        describe_sound(parameters);
    })
}

fn add_stream(
    output: &mut Output,
    time_base: (u32, u32),
    describe: impl FnOnce(&mut ffi::AVCodecParameters),
) -> Result<usize, TaskError> {
    let mut stream = output.add_stream(None::<ffmpeg::Codec>).map_err(ours("adding a stream"))?;
    stream.set_time_base((time_base.0 as i32, time_base.1 as i32));
    #[expect(unsafe_code, reason = "codec parameters have no safe setters; the stream was just made")]
    unsafe {
        describe(&mut *(*stream.as_mut_ptr()).codecpar);
    }
    Ok(stream.index())
}

fn describe_video(parameters: &mut ffi::AVCodecParameters, task: &AssembleTask) {
    parameters.codec_type = ffi::AVMediaType::AVMEDIA_TYPE_VIDEO;
    parameters.codec_id = ffi::AVCodecID::AV_CODEC_ID_H264;
    parameters.width = task.canvas.width as i32;
    parameters.height = task.canvas.height as i32;
    parameters.format = ffi::AVPixelFormat::AV_PIX_FMT_YUV420P as i32;
    parameters.sample_aspect_ratio = ffi::AVRational { num: 1, den: 1 };
    parameters.color_range = ffi::AVColorRange::AVCOL_RANGE_MPEG;
    parameters.color_primaries = ffi::AVColorPrimaries::AVCOL_PRI_BT709;
    parameters.color_trc = ffi::AVColorTransferCharacteristic::AVCOL_TRC_BT709;
    parameters.color_space = ffi::AVColorSpace::AVCOL_SPC_BT709;
}

/// The film's sound track.
#[expect(unsafe_code, reason = "libav fills in the layout that it is given")]
pub(crate) fn describe_sound(parameters: &mut ffi::AVCodecParameters) {
    parameters.codec_type = ffi::AVMediaType::AVMEDIA_TYPE_AUDIO;
    parameters.codec_id = ffi::AVCodecID::AV_CODEC_ID_AAC;
    parameters.sample_rate = RATE as i32;
    parameters.frame_size = 1024;
    parameters.initial_padding = 1024;
    parameters.format = ffi::AVSampleFormat::AV_SAMPLE_FMT_FLTP as i32;
    unsafe { ffi::av_channel_layout_default(&raw mut parameters.ch_layout, 2) };
}

/// Parameter sets out of band.
#[expect(
    unsafe_code,
    reason = "libav owns and frees extradata, so it must come from its allocator, with padding"
)]
pub(crate) fn set_extradata(parameters: &mut ffi::AVCodecParameters, bytes: &[u8]) {
    unsafe {
        let room = ffi::av_mallocz(bytes.len() + ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize).cast::<u8>();
        if room.is_null() {
            return; // the muxer refuses a stream without parameter sets
        }
        room.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        parameters.extradata = room;
        parameters.extradata_size = bytes.len() as i32;
    }
}

fn write(
    output: &mut Output,
    stream: usize,
    time_base: (u32, u32),
    packet: &Packet,
    dts: i64,
) -> Result<(), ffmpeg::Error> {
    let mut out = ffmpeg::Packet::copy(&packet.data);
    out.set_stream(stream);
    out.set_pts(Some(packet.pts));
    out.set_dts(Some(dts));
    out.set_duration(i64::from(packet.duration));
    if packet.key {
        out.set_flags(ffmpeg::packet::Flags::KEY);
    }
    let target = output.stream(stream).expect("the stream was added").time_base();
    out.rescale_ts((time_base.0 as i32, time_base.1 as i32), target);
    out.write_interleaved(output)
}

/// The film's file; a full disk must not look like a muxer's error.
struct Target(File);

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

impl Seek for Target {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}
