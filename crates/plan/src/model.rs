//! The plan: everything about a film that a renderer needs, in whole frames.
//!
//! Invariants: `frames` is the sum of the scenes' frames; a scene's spans cover it without gap or overlap;
//! `source` numbers index [`Plan::sources`]; nothing here depends on where the plan was made.

use captions::Page;
use serde::{Deserialize, Serialize};
use storyboard::{BackgroundKind, Canvas, Fit, Horizontal, Rgba, Vertical};

/// What the probe found out about a source, after rotation and sample aspect were applied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MediaInfo {
    /// The picture, where there is one.
    pub picture: Option<PictureInfo>,
    /// Whether there is sound that can be decoded.
    pub has_audio: bool,
    /// Length in microseconds; `None` for a still.
    pub duration_us: Option<u64>,
    /// Container and codecs as libav names them, for messages: `mov,mp4 h264 aac`.
    pub format: String,
}

/// What the probe found out about a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PictureInfo {
    /// A moving picture or a still.
    pub kind: BackgroundKind,
    /// Width in square pixels as shown.
    pub width: u32,
    /// Height in square pixels as shown.
    pub height: u32,
    /// Length of the picture track in microseconds; 0 for a still.
    pub duration_us: u64,
}

/// A source with its pinned identity and what the probe found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedSource {
    /// Identity of the bytes, such as bucket, key, ETag and size; never a credential.
    pub identity: String,
    /// The source as the client named it, for messages.
    pub name: String,
    /// What the probe found.
    pub media: MediaInfo,
}

/// A film in whole frames.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Version of the planner's rules; part of every hash.
    pub version: u32,
    /// The film's name, usable as a file name.
    pub name: String,
    /// Size of the picture.
    pub canvas: Canvas,
    /// Frames per second.
    pub fps: u32,
    /// Length of the film.
    pub frames: u64,
    /// All media, numbered.
    pub sources: Vec<PlannedSource>,
    /// The scenes in order.
    pub scenes: Vec<ScenePlan>,
    /// A logo over every scene.
    pub logo: Option<LogoPlan>,
    /// The one continuous sound track.
    pub audio: AudioPlan,
    /// Digest of the fonts that the captions were laid out with.
    pub fonts: String,
}

impl Plan {
    /// Frames that differ from one another, scene by scene, as far as a plan can tell.
    pub fn distinct_frames(&self) -> u64 {
        self.scenes.iter().map(ScenePlan::distinct_frames).sum()
    }

    /// The scene that shows a frame of the film, and the frame within it.
    pub fn scene_at(&self, frame: u64) -> Option<(&ScenePlan, u64)> {
        let scene =
            self.scenes.iter().find(|scene| (scene.start..scene.start + scene.frames).contains(&frame))?;
        Some((scene, frame - scene.start))
    }
}

/// One scene in whole frames.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScenePlan {
    /// First frame, on the film's grid.
    pub start: u64,
    /// Number of frames, at least 2.
    pub frames: u64,
    /// Index of the client's item, from 0.
    pub item: usize,
    /// What is behind the caption.
    pub background: BackgroundPlan,
    /// The caption pages that the spans show.
    pub pages: Vec<Page>,
    /// What is on screen when; covers the scene.
    pub spans: Vec<Span>,
}

impl ScenePlan {
    /// Frames that differ from one another, as far as a plan can tell.
    pub fn distinct_frames(&self) -> u64 {
        let distinct = self.spans.iter().map(|span| match span.motion {
            Motion::Still => 1,
            Motion::Loop { period, .. } => period.min(span.frames),
            Motion::Full => span.frames,
        });
        distinct.sum()
    }

    /// The span that shows a frame of the scene.
    pub fn span_at(&self, frame: u64) -> Option<&Span> {
        self.spans.iter().find(|span| (span.start..span.start + span.frames).contains(&frame))
    }
}

/// A run of frames of one scene that share one caption state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// First frame, within the scene.
    pub start: u64,
    /// Number of frames.
    pub frames: u64,
    /// Index into [`ScenePlan::pages`], if a caption shows.
    pub page: Option<usize>,
    /// How the picture behind repeats.
    pub motion: Motion,
}

/// How a span's picture repeats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Motion {
    /// One picture throughout.
    Still,
    /// `period` frames repeat; the span begins at `phase` within them and ends with `tail` frames of an unfinished
    /// round (`tail = frames % period`).
    Loop {
        /// Frame of the period that the span begins with.
        phase: u64,
        /// Frames after which the picture repeats.
        period: u64,
        /// Frames of the last, unfinished round.
        tail: u64,
    },
    /// Every frame differs.
    Full,
}

/// What is behind a scene's caption.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum BackgroundPlan {
    /// A plain colour; alpha is ignored.
    Colour(Rgba),
    /// A calm still made by the program from a seed.
    Generated {
        /// Chooses colours and shape.
        seed: u64,
    },
    /// A still picture.
    Image {
        /// Index into [`Plan::sources`].
        source: usize,
        /// How it fills the canvas.
        fit: Fit,
    },
    /// A moving picture.
    Video {
        /// Index into [`Plan::sources`].
        source: usize,
        /// How it fills the canvas.
        fit: Fit,
        /// The parts shown, joined; at least one.
        cuts: Vec<Cut>,
        /// Frame of the joined parts that the scene begins with.
        offset: u64,
        /// Whether the joined parts repeat; else the last frame holds.
        looped: bool,
    },
}

/// A part of a source on the frame grid: output frame `n` of it shows the source at `start_us + n / fps`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Where it begins in the source, in microseconds.
    pub start_us: u64,
    /// Number of output frames.
    pub frames: u64,
}

/// Which of some joined cuts a frame lies in, by its index, and the frame within that cut; `None` behind the last.
pub fn cut_at(cuts: &[Cut], frame: u64) -> Option<(usize, u64)> {
    let mut rest = frame;
    for (index, cut) in cuts.iter().enumerate() {
        if rest < cut.frames {
            return Some((index, rest));
        }
        rest -= cut.frames;
    }
    None
}

/// A logo over the whole film.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogoPlan {
    /// Index into [`Plan::sources`].
    pub source: usize,
    /// Where it stands.
    pub vertical: Vertical,
    /// Where it stands.
    pub horizontal: Horizontal,
}

/// The film's sound: one continuous 48 kHz stereo track as long as the film.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AudioPlan {
    /// Length in samples a channel: `frames * 48000 / fps`, rounded up.
    pub samples: u64,
    /// Music under the film.
    pub music: Option<MusicPlan>,
    /// Sound of backgrounds that are not muted.
    pub backgrounds: Vec<SoundPlan>,
}

/// Music under the film, levelled to -20 LUFS, looped, faded out at the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MusicPlan {
    /// Where it comes from.
    pub source: MusicPlanSource,
    /// Linear amplitude after levelling.
    pub volume: f64,
    /// Length of the fade at the film's end, in samples.
    pub fade_out: u64,
}

/// Where the music comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum MusicPlanSource {
    /// Index into [`Plan::sources`].
    Source(usize),
    /// A bed made by the program from a seed.
    Bed {
        /// Chooses key, tempo and progression.
        seed: u64,
    },
}

/// The sound of one scene's background; it follows the picture's cuts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SoundPlan {
    /// Index into [`Plan::sources`].
    pub source: usize,
    /// First sample on the film's track.
    pub start: u64,
    /// Number of samples.
    pub samples: u64,
    /// The parts heard, joined; in frames of the film's grid like the picture's.
    pub cuts: Vec<Cut>,
    /// Frame of the joined parts that the scene begins with.
    pub offset: u64,
    /// Whether the joined parts repeat; else silence follows.
    pub looped: bool,
    /// Linear amplitude.
    pub volume: f64,
}
