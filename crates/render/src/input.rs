//! Opening a source: bytes from the parent, demuxed by libav.
//!
//! Only demuxers of plain media files are allowed: a playlist or a script of other addresses is not media here.

use std::io::{self, Read, Seek, SeekFrom};

use ffmpeg::format::context::{Input, StreamIo};
use ffmpeg::media::Type;
use ffmpeg_next as ffmpeg;
use worker::TaskError;
use worker::child::Link;

use crate::errors::unreadable;

/// Demuxers by libav's names; a name from a list `a,b` matches each of its members.
const FORMATS: &str = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,wav,mp3,aac,flac,aiff,w64,\
jpeg_pipe,png_pipe,webp_pipe,bmp_pipe,tiff_pipe,gif,jpegls_pipe,image2,h264,hevc,ac3,eac3,amr,caf,mxf";

/// How much is asked of the parent at once: small while an index is read, the parent's cache does the rest.
const BUFFER: usize = 64 * 1024;

/// Most pixels of a picture that is decoded: 8192 x 8192.
pub(crate) const MAX_PIXELS: u64 = 8192 * 8192;

/// A source's bytes as a seekable stream.
struct Bytes {
    link: Link,
    source: usize,
    position: u64,
    size: Option<u64>,
}

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.link.read(self.source, self.position, buffer)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for Bytes {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.size()?.checked_add_signed(by),
        };
        self.position = position.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}

impl Bytes {
    fn size(&mut self) -> io::Result<u64> {
        if let Some(size) = self.size {
            return Ok(size);
        }
        let size = self.link.size(self.source)?;
        self.size = Some(size);
        Ok(size)
    }
}

/// Opens a source for demuxing.
pub(crate) fn open(link: &Link, source: usize) -> Result<Input, TaskError> {
    let bytes = Bytes { link: link.clone(), source, position: 0, size: None };
    let not_media = |error| match error {
        ffmpeg::Error::InvalidData | ffmpeg::Error::DemuxerNotFound => TaskError::source(
            source,
            "MEDIA_UNREADABLE",
            format!(
                "It is not a media file that can be read, or it was cut off before its index (libav: {error})."
            ),
        ),
        error => unreadable(source, "Opening it", error),
    };
    let io = StreamIo::from_read_seek_with_capacity(bytes, BUFFER).map_err(not_media)?;
    let mut options = ffmpeg::Dictionary::new();
    options.set("format_whitelist", FORMATS);
    options.set("protocol_whitelist", "none");
    ffmpeg::format::input_from_stream(io, None, Some(options)).map_err(not_media)
}

/// The moment that counts as 0 in this source, in microseconds.
pub(crate) fn start_us(input: &Input) -> i64 {
    #[expect(unsafe_code, reason = "the container's start time has no safe accessor; the context is open")]
    let start = unsafe { (*input.as_ptr()).start_time };
    if start == ffmpeg::ffi::AV_NOPTS_VALUE { 0 } else { start }
}

/// The index of the stream that is shown: the best video stream that is not a cover picture.
pub(crate) fn video_stream(input: &Input) -> Option<usize> {
    let shown = |stream: &ffmpeg::Stream<'_>| {
        !stream.disposition().contains(ffmpeg::format::stream::Disposition::ATTACHED_PIC)
    };
    let best = input.streams().best(Type::Video).filter(shown);
    let any = || input.streams().find(|stream| stream.parameters().medium() == Type::Video && shown(stream));
    best.or_else(any).map(|stream| stream.index())
}
