//! What encodes: other versions may make other bytes of the same pictures, so they are part of every clip's key.

use std::ffi::CStr;

use ffmpeg::ffi;
use ffmpeg_next as ffmpeg;
use storyboard::Canvas;
use worker::{EncoderSettings, TaskError, Versions};

use crate::backdrop;
use crate::encode::{PictureEncoder, Role};

/// What precedes the version in the message that x264 writes into its streams.
const MARK: &[u8] = b"x264 - ";

/// The versions of this program and its libraries.
pub(crate) fn versions() -> Result<Versions, TaskError> {
    #[expect(unsafe_code, reason = "version functions of libav have no state; its text is static")]
    let (ffmpeg, numbers) = unsafe {
        let ffmpeg = CStr::from_ptr(ffi::av_version_info()).to_string_lossy().into_owned();
        let numbers = [
            ffi::avcodec_version(),
            ffi::avformat_version(),
            ffi::avfilter_version(),
            ffi::swscale_version(),
        ];
        (ffmpeg, numbers)
    };
    let libraries =
        numbers.map(|number| format!("{}.{}.{}", number >> 16, number >> 8 & 0xff, number & 0xff));
    let storyreel = env!("CARGO_PKG_VERSION").to_owned();
    Ok(Versions { storyreel, ffmpeg, libraries: libraries.join(" "), x264: x264()? })
}

/// x264 says its version only in what it encodes: one small picture.
fn x264() -> Result<String, TaskError> {
    let canvas = Canvas { width: 64, height: 64 };
    let black = storyboard::Rgba::new(0, 0, 0, 255);
    let mut stream = Vec::new();
    let mut keep = |packet: &crate::container::Packet| {
        stream.extend_from_slice(&packet.data);
        Ok(())
    };
    let mut encoder = PictureEncoder::open(canvas, 30, &EncoderSettings::default())?;
    encoder.send(0, &backdrop::colour(canvas, black), Role::Key, &mut keep)?;
    encoder.finish(&mut keep)?;
    let text =
        stream.windows(MARK.len()).position(|window| window == MARK).map(|at| &stream[at + MARK.len()..]);
    let text = text.unwrap_or_default();
    // "core 164 r3095 baee400 - H.264/MPEG-4 AVC codec - ..."
    let end = text.windows(3).position(|window| window == b" - ").unwrap_or(0);
    Ok(String::from_utf8_lossy(&text[..end]).into_owned())
}
