//! What is behind a scene: the storyboard's wish and the probe's facts, on the frame grid.

use storyboard::{
    Background, BackgroundKind, Class, Fit, MediaBackground, MediaRef, Problem, Rgba, Segment, Warning,
};

use crate::model::{Cut, PlannedSource};
use crate::sources::Sources;

/// A background before its scene has a place in the film.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Behind {
    Colour(Rgba),
    Generated,
    Image {
        source: usize,
        fit: Fit,
    },
    /// `cuts` is empty where the video's length is unknown: it then plays on for as long as the scene lasts.
    Video {
        source: usize,
        fit: Fit,
        cuts: Vec<Cut>,
        looped: bool,
        audible: bool,
    },
}

impl Behind {
    /// Frames after which a video ends or begins again; 0 for everything else.
    pub(crate) fn frames(&self) -> u64 {
        match self {
            Self::Video { cuts, .. } => cuts.iter().map(|cut| cut.frames).sum(),
            _ => 0,
        }
    }
}

/// What collects problems and warnings while a film is planned.
#[derive(Default)]
pub(crate) struct Findings {
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Warning>,
}

impl Findings {
    /// Adds a warning unless the same was said already, wherever that was.
    pub(crate) fn warn_once(&mut self, warning: Warning) {
        if !self.warnings.iter().any(|said| said.code == warning.code && said.message == warning.message) {
            self.warnings.push(warning);
        }
    }
}

/// The source of a reference with its number. Asking for one that nobody probed is the caller's mistake, not the
/// author's.
pub(crate) fn find<'a>(
    media: &MediaRef,
    sources: &'a Sources,
    findings: &mut Findings,
) -> Option<(usize, &'a PlannedSource)> {
    let found = sources.index(media).and_then(|index| sources.get(index).map(|source| (index, source)));
    if found.is_none() {
        let problem = Problem::new(
            Class::Internal,
            "MEDIA_NOT_PROBED",
            "The media object was not looked at before planning.",
        );
        findings.problems.push(problem.at(media.pointer.clone()).file(media.address.to_string()));
    }
    found
}

/// Settles a scene's background.
pub(crate) fn settle(
    background: &Background,
    sources: &Sources,
    fps: u32,
    findings: &mut Findings,
) -> Option<Behind> {
    match background {
        Background::Colour(colour) => Some(Behind::Colour(*colour)),
        Background::Generated => Some(Behind::Generated),
        Background::Media(wish) => settle_media(wish, sources, fps, findings),
    }
}

fn settle_media(
    wish: &MediaBackground,
    sources: &Sources,
    fps: u32,
    findings: &mut Findings,
) -> Option<Behind> {
    let media = &wish.media;
    let (source, facts) = find(media, sources, findings)?;
    let Some(picture) = &facts.media.picture else {
        let what =
            if facts.media.has_audio { "It holds sound only, no picture." } else { "It holds no picture." };
        let problem = Problem::new(Class::Source, "NO_PICTURE", format!("{what} ({})", facts.media.format));
        let problem = problem.at(media.pointer.clone()).file(media.address.to_string());
        findings.problems.push(problem.fix("Name a video or an image as the scene's background."));
        return None;
    };
    if let Some(kind) = wish.kind
        && kind != picture.kind
    {
        let (is, said) = match picture.kind {
            BackgroundKind::Video => ("a video", "image"),
            BackgroundKind::Image => ("an image", "video"),
        };
        let message = format!(
            "{} is {is}, though `backgroundType` says \"{said}\"; it is shown as {is}.",
            media.address
        );
        findings.warnings.push(Warning::at(media.pointer.clone(), "BACKGROUND_TYPE_DIFFERS", message));
    }
    if picture.kind == BackgroundKind::Image {
        if !wish.segments.is_empty() {
            let message = format!("{} is an image; its segments have no effect.", media.address);
            findings.warnings.push(Warning::at(media.pointer.clone(), "SEGMENTS_IGNORED", message));
        }
        return Some(Behind::Image { source, fit: wish.fit });
    }
    let length =
        if picture.duration_us > 0 { picture.duration_us } else { facts.media.duration_us.unwrap_or(0) };
    let cuts = if wish.segments.is_empty() {
        if length == 0 {
            let message = format!("{} does not say how long it is; it plays once.", media.address);
            findings.warn_once(Warning::at(media.pointer.clone(), "LENGTH_UNKNOWN", message));
            Vec::new()
        } else {
            vec![Cut { start_us: 0, frames: frames_of(length, fps) }]
        }
    } else {
        cuts_of(wish, length, fps, findings)?
    };
    let audible = !wish.mute && facts.media.has_audio;
    if !wish.mute && !facts.media.has_audio {
        let message = format!("{} has no sound, so none is mixed in.", media.address);
        findings.warn_once(Warning::at(media.pointer.clone(), "BACKGROUND_SILENT", message));
    }
    Some(Behind::Video { source, fit: wish.fit, looped: wish.looped && !cuts.is_empty(), cuts, audible })
}

/// The segments on the frame grid, each clamped to the video.
fn cuts_of(wish: &MediaBackground, length: u64, fps: u32, findings: &mut Findings) -> Option<Vec<Cut>> {
    let frame_us = 1_000_000 / u64::from(fps);
    let mut cuts = Vec::with_capacity(wish.segments.len());
    let mut outside = false;
    for (index, Segment { start, end }) in wish.segments.iter().enumerate() {
        let (start, mut end) = (micros(*start), micros(*end));
        let file = &wish.media.address;
        if length > 0 && start >= length {
            let message = format!(
                "Segment {} begins at {} s; the video is {} s long.",
                index + 1,
                seconds(start),
                seconds(length)
            );
            let problem =
                Problem::new(Class::Source, "SEGMENT_OUTSIDE", message).at(wish.media.pointer.clone());
            findings.problems.push(problem.file(file.to_string()).fix("Choose a segment within the video."));
            outside = true;
            continue;
        }
        if length > 0 && end > length {
            if end > length + frame_us {
                let message = format!(
                    "Segment {} ends at {} s; {file} is {} s long, so the segment ends there.",
                    index + 1,
                    seconds(end),
                    seconds(length)
                );
                findings.warnings.push(Warning::at(wish.media.pointer.clone(), "SEGMENT_CLAMPED", message));
            }
            end = length;
        }
        cuts.push(Cut { start_us: start, frames: frames_of(end.saturating_sub(start), fps) });
    }
    (!outside).then_some(cuts)
}

/// Whole frames of a stretch of time: rounded, so that the last one still lies within it; at least one.
fn frames_of(length_us: u64, fps: u32) -> u64 {
    let frames = (u128::from(length_us) * u128::from(fps) + 500_000) / 1_000_000;
    u64::try_from(frames).unwrap_or(u64::MAX / 1_000_000).max(1)
}

/// Seconds to whole microseconds; nonsense becomes 0, so that no arithmetic can overflow later.
pub(crate) fn micros(seconds: f64) -> u64 {
    let us = (seconds * 1e6).round();
    if us.is_finite() && us > 0.0 { us.min(1e15) as u64 } else { 0 }
}

fn seconds(us: u64) -> f64 {
    (us as f64 / 1e4).round() / 100.0
}

/// Whether two scenes show the same background, wherever the client wrote it.
pub(crate) fn same(left: &Background, right: &Background) -> bool {
    match (left, right) {
        (Background::Media(left), Background::Media(right)) => {
            let mut left = left.clone();
            left.media.pointer.clone_from(&right.media.pointer);
            left == *right
        }
        _ => left == right,
    }
}
