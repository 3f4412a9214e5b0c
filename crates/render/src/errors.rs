//! libav's errors as [`TaskError`]s that name the source.

use ffmpeg_next as ffmpeg;
use worker::TaskError;

/// A source that libav cannot make sense of.
pub(crate) fn unreadable(source: usize, doing: &str, error: ffmpeg::Error) -> TaskError {
    TaskError::source(source, "MEDIA_UNREADABLE", format!("{doing} failed (libav: {error})."))
}

/// Our own use of libav went wrong.
pub(crate) fn ours(doing: &str) -> impl Fn(ffmpeg::Error) -> TaskError + '_ {
    move |error| match error {
        ffmpeg::Error::Other { errno: libc::ENOSPC | libc::EDQUOT } => disk_full(doing),
        error => TaskError::internal(format!("{doing}: libav: {error}")),
    }
}

/// Whether a codec or filter gave something: "not yet" and "no more" are answers, all else is an error.
pub(crate) fn some(answer: Result<(), ffmpeg::Error>) -> Result<bool, ffmpeg::Error> {
    match answer {
        Ok(()) => Ok(true),
        Err(ffmpeg::Error::Eof | ffmpeg::Error::Other { errno: libc::EAGAIN }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A file that the parent gave us cannot be read or written.
pub(crate) fn file(doing: &str) -> impl Fn(std::io::Error) -> TaskError + '_ {
    move |error| match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => disk_full(doing),
        _ => TaskError::internal(format!("{doing}: {error}")),
    }
}

fn disk_full(doing: &str) -> TaskError {
    let message = format!("{doing}: there is no space left on the server's disk.");
    TaskError { source: None, code: "DISK_FULL".to_owned(), message }
}
