//! One frame of a scene as JPEG, drawn by the same painter as the film.

use std::io::Write;

use ffmpeg_next as ffmpeg;
use worker::child::{Files, Link};
use worker::{FrameTask, TaskError, Written};

use crate::errors::{file, ours};
use crate::filter::to_jpeg_range;
use crate::painter::Painter;

/// Quantiser scale of the JPEG: 2 is best, 31 worst.
const QUALITY: i32 = 3;

/// Draws the frame of a task.
pub(crate) fn draw(task: &FrameTask, link: &Link, files: &mut Files) -> Result<Written, TaskError> {
    let overlays = files.take().map_err(file("opening captions"))?;
    let mut out = files.take().map_err(file("opening the picture"))?;
    let mut painter = Painter::open(&task.clip, link, &overlays)?;
    let picture = painter.frame(task.frame)?;
    let jpeg = jpeg(&picture).map_err(ours("encoding a JPEG"))?;
    out.write_all(&jpeg).and_then(|()| out.flush()).map_err(file("writing the picture"))?;
    Ok(Written { frames: 1, notes: painter.notes() })
}

fn jpeg(picture: &ffmpeg::frame::Video) -> Result<Vec<u8>, ffmpeg::Error> {
    let mut picture = to_jpeg_range(picture)?;
    let codec = ffmpeg::encoder::find(ffmpeg::codec::Id::MJPEG).ok_or(ffmpeg::Error::EncoderNotFound)?;
    let mut context = ffmpeg::codec::Context::new_with_codec(codec);
    context.set_flags(ffmpeg::codec::Flags::QSCALE | ffmpeg::codec::Flags::BITEXACT);
    context.set_threading(ffmpeg::threading::Config::count(1));
    let mut video = context.encoder().video()?;
    video.set_width(picture.width());
    video.set_height(picture.height());
    video.set_format(ffmpeg::format::Pixel::YUVJ420P);
    video.set_color_range(ffmpeg::util::color::Range::JPEG);
    video.set_time_base((1, 25));
    video.set_global_quality(QUALITY * ffmpeg::ffi::FF_QP2LAMBDA);
    let mut encoder = video.open_as(codec)?;
    picture.set_pts(Some(0));
    #[expect(unsafe_code, reason = "a picture's own quality has no safe setter; the frame is ours")]
    unsafe {
        (*picture.as_mut_ptr()).quality = QUALITY * ffmpeg::ffi::FF_QP2LAMBDA;
    }
    encoder.send_frame(&picture)?;
    encoder.send_eof()?;
    let mut packet = ffmpeg::Packet::empty();
    encoder.receive_packet(&mut packet)?;
    Ok(packet.data().unwrap_or_default().to_vec())
}
