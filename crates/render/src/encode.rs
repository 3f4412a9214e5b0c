//! The H.264 encoder: the same parameter sets for every clip of a film, and rules for the joints.
//!
//! IDR pictures stand where the caller says and where x264 sees a cut, but never where the caller says that a row of
//! pictures ends: rows are copied and joined, and two IDR pictures in a row may share an id, which is an error that
//! players hide (H.264, 7.4.3 on `idr_pic_id`).

use ffmpeg::picture::Type;
use ffmpeg::util::color;
use ffmpeg_next as ffmpeg;
use storyboard::Canvas;
use worker::{EncoderSettings, TaskError};

use crate::container::Packet;
use crate::errors::{ours, some};
use crate::frames::share;
use crate::nal::is_idr;

/// Encodes the pictures of one clip.
pub(crate) struct PictureEncoder {
    encoder: ffmpeg::encoder::video::Encoder,
}

/// What a picture is to its neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Decoding can begin here: an IDR picture.
    Key,
    /// The last one of a row that may be copied: no IDR picture.
    Last,
    /// Whatever the encoder makes of it.
    Free,
}

/// The role of each of `total` pictures, where `keys` are the numbers of the key pictures, rising.
pub(crate) fn roles(total: u64, keys: impl IntoIterator<Item = u64>) -> impl Iterator<Item = Role> {
    let mut keys = keys.into_iter().peekable();
    (0..total).map(move |number| {
        if keys.next_if_eq(&number).is_some() {
            Role::Key
        } else if number + 1 == total || keys.peek() == Some(&(number + 1)) {
            Role::Last
        } else {
            Role::Free
        }
    })
}

impl PictureEncoder {
    /// An encoder for the pictures of one clip.
    pub(crate) fn open(canvas: Canvas, fps: u32, settings: &EncoderSettings) -> Result<Self, TaskError> {
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
        let _zeros = Zeros::begin();
        let encoder = video.open_as_with(codec, options).map_err(&fail)?;
        Ok(Self { encoder })
    }

    /// SPS and PPS.
    pub(crate) fn extradata(&self) -> Vec<u8> {
        extradata(&self.encoder)
    }

    /// Takes the picture with this number, which rises from call to call; hands on what is ready.
    pub(crate) fn send(
        &mut self,
        number: u64,
        picture: &ffmpeg::frame::Video,
        role: Role,
        ready: &mut impl FnMut(&Packet) -> Result<(), TaskError>,
    ) -> Result<(), TaskError> {
        let mut picture = share(picture).map_err(ours("encoding a picture"))?;
        picture.set_kind(match role {
            Role::Key => Type::I,
            Role::Last => Type::P,
            Role::Free => Type::None,
        });
        picture.set_pts(Some(number.cast_signed()));
        let zeros = Zeros::begin();
        self.encoder.send_frame(&picture).map_err(ours("encoding a picture"))?;
        drop(zeros);
        self.receive(ready)
    }

    /// Hands on the rest.
    pub(crate) fn finish(
        &mut self,
        ready: &mut impl FnMut(&Packet) -> Result<(), TaskError>,
    ) -> Result<(), TaskError> {
        let zeros = Zeros::begin();
        self.encoder.send_eof().map_err(ours("encoding a picture"))?;
        drop(zeros);
        self.receive(ready)
    }

    fn receive(&mut self, ready: &mut impl FnMut(&Packet) -> Result<(), TaskError>) -> Result<(), TaskError> {
        let mut packet = ffmpeg::Packet::empty();
        loop {
            let zeros = Zeros::begin();
            let is_there =
                some(self.encoder.receive_packet(&mut packet)).map_err(ours("encoding a picture"))?;
            drop(zeros);
            if !is_there {
                return Ok(());
            }
            let pts =
                packet.pts().ok_or_else(|| TaskError::internal("an encoded picture has no timestamp"))?;
            let data = packet.data().unwrap_or_default().to_vec();
            let key = packet.is_key() && is_idr(&data);
            ready(&Packet { pts, duration: 1, key, data })?;
        }
    }
}

/// While this lives, every allocation begins as zeros. x264 lets memory that it never wrote decide at some sizes (seen
/// at widths of 160 and 240), so that what an earlier task left there would change the film's bytes. For x264 alone:
/// elsewhere it would only make memory real that is never used.
struct Zeros;

impl Zeros {
    fn begin() -> Self {
        // Allocated memory is filled with the complement of this byte.
        perturb(0xff);
        Self
    }
}

impl Drop for Zeros {
    fn drop(&mut self) {
        perturb(0);
    }
}

fn perturb(byte: i32) {
    #[cfg(target_env = "gnu")]
    #[expect(unsafe_code, reason = "sets a number of the allocator, under its own lock")]
    unsafe {
        libc::mallopt(libc::M_PERTURB, byte);
    }
    #[cfg(not(target_env = "gnu"))]
    let _ = byte;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_begin_with_a_key_and_never_end_with_one() {
        use Role::{Free, Key, Last};
        let roles: Vec<Role> = roles(7, [0, 4]).collect();
        assert_eq!(roles, [Key, Free, Free, Last, Key, Free, Last]);
    }
}
