//! What a source is: kind, size as shown, length, sound; and whether its bytes are all there.

use ffmpeg::ffi;
use ffmpeg::format::context::Input;
use ffmpeg::media::Type;
use ffmpeg_next as ffmpeg;
use plan::{MediaInfo, PictureInfo};
use storyboard::BackgroundKind;
use worker::TaskError;
use worker::child::Link;

use crate::input::{self, video_stream};
use crate::track::VideoTrack;

/// Probes a source.
pub(crate) fn probe(link: &Link, source: usize) -> Result<MediaInfo, TaskError> {
    if link.size(source).map_err(|error| TaskError::internal(error.to_string()))? == 0 {
        return Err(TaskError::source(source, "MEDIA_EMPTY", "The file is empty (0 bytes)."));
    }
    let input = input::open(link, source)?;
    let container_us = u64::try_from(input.duration()).ok();
    let has_audio = has_audio(&input);
    let format = describe(&input);
    let still = is_still(&input);
    let video = video_stream(&input);
    if video.is_none() && !has_audio {
        let message = "There is neither a picture nor sound in it that can be decoded.";
        return Err(TaskError::source(source, "MEDIA_UNREADABLE", message));
    }
    if let Some(end) = bytes_promised(&input)
        && end > link.size(source).unwrap_or(u64::MAX)
    {
        let message = "The file is cut off: its index names bytes beyond its end.";
        return Err(TaskError::source(source, "MEDIA_TRUNCATED", message));
    }
    let stream_us = video.and_then(|index| stream_us(&input, index));
    let picture = match video {
        None => None,
        Some(_) => {
            let mut track = VideoTrack::open(input, source)?;
            let frame = track.first()?;
            let (width, height) = frame.shown_size();
            let kind = if still { BackgroundKind::Image } else { BackgroundKind::Video };
            let duration_us = if still { 0 } else { stream_us.or(container_us).unwrap_or(0) };
            Some(PictureInfo { kind, width, height, duration_us })
        }
    };
    let duration_us = if still { None } else { container_us.or(stream_us) };
    Ok(MediaInfo { picture, has_audio, duration_us, format })
}

fn has_audio(input: &Input) -> bool {
    let best = input.streams().best(Type::Audio);
    best.is_some_and(|stream| ffmpeg::decoder::find(stream.parameters().id()).is_some())
}

/// Whether the container holds one picture by its nature.
fn is_still(input: &Input) -> bool {
    let format = input.format();
    let name = format.name();
    name.ends_with("_pipe") || name == "image2" || (name == "gif" && input.streams().all(|s| s.frames() == 1))
}

fn stream_us(input: &Input, index: usize) -> Option<u64> {
    let stream = input.stream(index)?;
    let base = stream.time_base();
    let ticks = u64::try_from(stream.duration()).ok().filter(|ticks| *ticks > 0)?;
    let us = u128::from(ticks) * 1_000_000 * base.numerator() as u128 / (base.denominator().max(1) as u128);
    u64::try_from(us).ok()
}

fn describe(input: &Input) -> String {
    let codecs = input.streams().map(|stream| stream.parameters().id().name().to_owned());
    let mut words = vec![input.format().name().to_owned()];
    words.extend(codecs);
    words.join(" ")
}

/// The end of the last sample that the container's index names.
fn bytes_promised(input: &Input) -> Option<u64> {
    let ends = input.streams().filter_map(|stream| {
        #[expect(
            unsafe_code,
            reason = "the index has no safe accessor; the stream belongs to the open context"
        )]
        unsafe {
            let stream = stream.as_ptr().cast_mut();
            let count = ffi::avformat_index_get_entries_count(stream);
            let ends = (0..count).filter_map(|index| {
                let entry = ffi::avformat_index_get_entry(stream, index);
                if entry.is_null() {
                    return None;
                }
                u64::try_from((*entry).pos).ok().map(|pos| pos + u64::try_from((*entry).size()).unwrap_or(0))
            });
            ends.max()
        }
    });
    // Only containers whose index gives sizes can promise anything.
    let sized = matches!(input.format().name(), name if name.contains("mp4") || name == "avi");
    ends.max().filter(|_| sized)
}
