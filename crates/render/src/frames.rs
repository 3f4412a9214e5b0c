//! Pictures by reference: libav's frames share their planes until somebody draws on them.

use ffmpeg::ffi;
use ffmpeg_next as ffmpeg;
use worker::{Digest, TaskError};

use crate::errors::ours;

/// Another reference to the same planes, with properties of its own. (`clone` copies the planes.)
pub(crate) fn share(frame: &ffmpeg::frame::Video) -> Result<ffmpeg::frame::Video, ffmpeg::Error> {
    let mut shared = ffmpeg::frame::Video::empty();
    #[expect(unsafe_code, reason = "takes a reference on planes that live; both frames are valid")]
    match unsafe { ffi::av_frame_ref(shared.as_mut_ptr(), frame.as_ptr()) } {
        0 => Ok(shared),
        error => Err(ffmpeg::Error::from(error)),
    }
}

/// Makes the planes this frame's own, by copying them where somebody else holds them too.
pub(crate) fn make_own(frame: &mut ffmpeg::frame::Video) -> Result<(), TaskError> {
    #[expect(unsafe_code, reason = "copies the planes where they are shared; the frame is valid and ours")]
    match unsafe { ffi::av_frame_make_writable(frame.as_mut_ptr()) } {
        0 => Ok(()),
        error => Err(ours("copying a picture")(ffmpeg::Error::from(error))),
    }
}

/// The digest of a canvas picture: its three planes, row by row, without padding.
pub(crate) fn digest(frame: &ffmpeg::frame::Video) -> Digest {
    use std::hash::Hasher;
    let mut digest = twox_hash::XxHash3_64::new();
    for plane in 0..3 {
        let shift = u32::from(plane > 0);
        let (width, height) = ((frame.width() >> shift) as usize, (frame.height() >> shift) as usize);
        let stride = frame.stride(plane);
        for row in frame.data(plane).chunks(stride).take(height) {
            digest.write(&row[..width]);
        }
    }
    Digest(digest.finish())
}
