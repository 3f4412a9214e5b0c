//! One frame of a scene as a picture file, drawn by the same painter as the film.
//!
//! Invariant: what is kept from one frame to the next are decoded pictures and a decoder's place; it is used again only
//! under the same name, and never after a failure.

use std::io::Write;

use ffmpeg_next as ffmpeg;
use worker::child::{Files, Link};
use worker::{FrameTask, PictureFormat, TaskError, Written};

use crate::errors::{file, ours};
use crate::filter::{to_jpeg_range, to_rgb, to_webp_range};
use crate::frames::digest;
use crate::painter::Painter;

/// Quantiser scale of the JPEG: 2 is best, 31 worst.
const QUALITY: i32 = 3;

/// The scene that a frame was drawn of last, ready for its next frame.
#[derive(Default)]
pub(crate) struct Easel {
    kept: Option<(String, Painter)>,
}

impl Easel {
    /// Draws the frame of a task; answers with its digest.
    pub(crate) fn draw(
        &mut self,
        task: &FrameTask,
        link: &Link,
        files: &mut Files,
    ) -> Result<Written, TaskError> {
        let overlays = files.take().map_err(file("opening captions"))?;
        let mut out = files.take().map_err(file("opening the picture"))?;
        let kept = self.kept.take().filter(|(name, _)| task.keep_as.as_ref() == Some(name));
        let mut painter = match kept {
            Some((_, mut painter)) => {
                painter.turn_to(&task.clip, &overlays)?;
                painter
            }
            None => Painter::open(&task.clip, link, &overlays)?,
        };
        let picture = painter.frame(task.frame)?;
        let digests = vec![digest(picture)];
        let bytes = match task.format {
            PictureFormat::Jpeg => jpeg(picture).map_err(ours("encoding a JPEG"))?,
            PictureFormat::Png => png(picture).map_err(ours("encoding a PNG"))?,
            PictureFormat::Webp => webp(picture).map_err(ours("encoding a WebP"))?,
        };
        out.write_all(&bytes).and_then(|()| out.flush()).map_err(file("writing the picture"))?;
        let notes = painter.notes();
        self.kept = task.keep_as.clone().map(|name| (name, painter));
        Ok(Written { frames: 1, notes, digests, ..Written::default() })
    }

    /// Forgets the scene.
    pub(crate) fn clear(&mut self) {
        self.kept = None;
    }
}

/// Fast rather than small: a preview is looked at once.
fn png(picture: &ffmpeg::frame::Video) -> Result<Vec<u8>, ffmpeg::Error> {
    let mut picture = to_rgb(picture)?;
    let codec = ffmpeg::encoder::find(ffmpeg::codec::Id::PNG).ok_or(ffmpeg::Error::EncoderNotFound)?;
    let mut video = still_encoder(codec, &picture)?;
    video.set_format(ffmpeg::format::Pixel::RGB24);
    let mut options = ffmpeg::Dictionary::new();
    options.set("compression_level", "1");
    options.set("pred", "up");
    one_packet(video.open_as_with(codec, options)?, &mut picture)
}

fn webp(picture: &ffmpeg::frame::Video) -> Result<Vec<u8>, ffmpeg::Error> {
    // WebP is BT.601, limited range.
    let mut picture = to_webp_range(picture)?;
    let codec = ffmpeg::encoder::find_by_name("libwebp").ok_or(ffmpeg::Error::EncoderNotFound)?;
    let mut video = still_encoder(codec, &picture)?;
    video.set_format(ffmpeg::format::Pixel::YUV420P);
    let mut options = ffmpeg::Dictionary::new();
    options.set("quality", "90");
    options.set("compression_level", "0");
    one_packet(video.open_as_with(codec, options)?, &mut picture)
}

fn still_encoder(
    codec: ffmpeg::Codec,
    picture: &ffmpeg::frame::Video,
) -> Result<ffmpeg::encoder::video::Video, ffmpeg::Error> {
    let mut context = ffmpeg::codec::Context::new_with_codec(codec);
    context.set_flags(ffmpeg::codec::Flags::BITEXACT);
    context.set_threading(ffmpeg::threading::Config::count(1));
    let mut video = context.encoder().video()?;
    video.set_width(picture.width());
    video.set_height(picture.height());
    video.set_time_base((1, 25));
    Ok(video)
}

fn one_packet(
    mut encoder: ffmpeg::encoder::video::Encoder,
    picture: &mut ffmpeg::frame::Video,
) -> Result<Vec<u8>, ffmpeg::Error> {
    picture.set_pts(Some(0));
    encoder.send_frame(picture)?;
    encoder.send_eof()?;
    let mut packet = ffmpeg::Packet::empty();
    encoder.receive_packet(&mut packet)?;
    Ok(packet.data().unwrap_or_default().to_vec())
}

fn jpeg(picture: &ffmpeg::frame::Video) -> Result<Vec<u8>, ffmpeg::Error> {
    let mut picture = to_jpeg_range(picture)?;
    let codec = ffmpeg::encoder::find(ffmpeg::codec::Id::MJPEG).ok_or(ffmpeg::Error::EncoderNotFound)?;
    let mut video = still_encoder(codec, &picture)?;
    video.set_flags(ffmpeg::codec::Flags::QSCALE | ffmpeg::codec::Flags::BITEXACT);
    video.set_format(ffmpeg::format::Pixel::YUVJ420P);
    video.set_color_range(ffmpeg::util::color::Range::JPEG);
    video.set_global_quality(QUALITY * ffmpeg::ffi::FF_QP2LAMBDA);
    #[expect(unsafe_code, reason = "a picture's own quality has no safe setter; the frame is ours")]
    unsafe {
        (*picture.as_mut_ptr()).quality = QUALITY * ffmpeg::ffi::FF_QP2LAMBDA;
    }
    one_packet(video.open_as(codec)?, &mut picture)
}
