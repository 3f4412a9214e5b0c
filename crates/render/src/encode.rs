//! The H.264 encoder: the same parameter sets for every clip of a film, and rules for the joints.
//!
//! IDR pictures stand at multiples of the GOP and where x264 sees a cut, but never at a clip's last picture: two
//! IDR pictures in a row may share an id, which is an error that players hide (H.264, 7.4.3 on `idr_pic_id`).

use ffmpeg::picture::Type;
use ffmpeg::util::color;
use ffmpeg_next as ffmpeg;
use storyboard::Canvas;
use worker::{EncoderSettings, TaskError};

use crate::container::Packet;
use crate::errors::{ours, some};

/// Encodes the pictures of one clip.
pub(crate) struct PictureEncoder {
    encoder: ffmpeg::encoder::video::Encoder,
    gop: u64,
    total: u64,
    sent: u64,
}

impl PictureEncoder {
    /// An encoder for `total` pictures.
    pub(crate) fn open(
        canvas: Canvas,
        fps: u32,
        settings: &EncoderSettings,
        total: u64,
    ) -> Result<Self, TaskError> {
        let fail = ours("opening the H.264 encoder");
        let codec = ffmpeg::encoder::find_by_name("libx264").ok_or_else(|| {
            TaskError::internal("this libavcodec has no libx264; install a build of FFmpeg with it")
        })?;
        let mut context = ffmpeg::codec::Context::new_with_codec(codec);
        context.set_flags(ffmpeg::codec::Flags::GLOBAL_HEADER | ffmpeg::codec::Flags::BITEXACT);
        // One thread: x264's output depends on their number, and clips are encoded beside one another.
        context.set_threading(ffmpeg::threading::Config::count(1));
        let mut video = context.encoder().video().map_err(&fail)?;
        video.set_width(canvas.width);
        video.set_height(canvas.height);
        video.set_format(ffmpeg::format::Pixel::YUV420P);
        video.set_time_base((1, fps as i32));
        video.set_frame_rate(Some((fps as i32, 1)));
        video.set_aspect_ratio((1, 1));
        video.set_colorspace(color::Space::BT709);
        video.set_color_range(color::Range::MPEG);
        video.set_color_primaries(color::Primaries::BT709);
        video.set_color_transfer_characteristic(color::TransferCharacteristic::BT709);
        let mut options = ffmpeg::Dictionary::new();
        options.set("preset", &settings.preset);
        options.set("crf", &settings.crf.to_string());
        options.set("profile", "high");
        options.set("forced-idr", "1");
        options.set("x264-params", "stitchable=1:sliced-threads=0:keyint=infinite:min-keyint=25");
        let encoder = video.open_as_with(codec, options).map_err(&fail)?;
        Ok(Self { encoder, gop: u64::from(settings.gop.max(2)), total, sent: 0 })
    }

    /// SPS and PPS.
    pub(crate) fn extradata(&self) -> Vec<u8> {
        extradata(&self.encoder)
    }

    /// Takes the next picture; hands on what is ready.
    pub(crate) fn send(
        &mut self,
        picture: &ffmpeg::frame::Video,
        ready: &mut impl FnMut(&Packet) -> Result<(), TaskError>,
    ) -> Result<(), TaskError> {
        let mut picture = picture.clone();
        let last = self.sent + 1 == self.total;
        picture.set_kind(match self.sent {
            _ if last && self.sent > 0 => Type::P,
            sent if sent % self.gop == 0 => Type::I,
            _ => Type::None,
        });
        picture.set_pts(Some(self.sent as i64));
        self.sent += 1;
        self.encoder.send_frame(&picture).map_err(ours("encoding a picture"))?;
        self.receive(ready)
    }

    /// Hands on the rest.
    pub(crate) fn finish(
        &mut self,
        ready: &mut impl FnMut(&Packet) -> Result<(), TaskError>,
    ) -> Result<(), TaskError> {
        self.encoder.send_eof().map_err(ours("encoding a picture"))?;
        self.receive(ready)
    }

    fn receive(&mut self, ready: &mut impl FnMut(&Packet) -> Result<(), TaskError>) -> Result<(), TaskError> {
        let mut packet = ffmpeg::Packet::empty();
        while some(self.encoder.receive_packet(&mut packet)).map_err(ours("encoding a picture"))? {
            let pts =
                packet.pts().ok_or_else(|| TaskError::internal("an encoded picture has no timestamp"))?;
            let data = packet.data().unwrap_or_default().to_vec();
            ready(&Packet { pts, duration: 1, key: packet.is_key(), data })?;
        }
        Ok(())
    }
}

/// An open encoder's parameter sets out of band.
#[expect(unsafe_code, reason = "extradata has no safe accessor; the context is open and owns it")]
pub(crate) fn extradata(context: &ffmpeg::codec::Context) -> Vec<u8> {
    unsafe {
        let context = context.as_ptr();
        if (*context).extradata.is_null() {
            return Vec::new();
        }
        std::slice::from_raw_parts((*context).extradata, (*context).extradata_size as usize).to_vec()
    }
}
