//! One job as its caller sees it: what it brings along, how far it is, how it ends.

use std::sync::Arc;

use media::Opener;
use serde::{Deserialize, Serialize};
use storyboard::{Problem, Warning};
use tokio_util::sync::CancellationToken;

use crate::report::Report;

/// What one job brings along.
#[derive(Clone)]
pub struct JobContext {
    /// Whose job it is: what it makes is kept for this owner only.
    pub owner: String,
    /// Opens this job's media, and only what this job may read.
    pub opener: Arc<dyn Opener>,
    /// Called with honest progress: only ever forward.
    pub progress: Arc<dyn Fn(Progress) + Send + Sync>,
    /// Ends the job within a second.
    pub cancel: CancellationToken,
    /// Whether to report the digest of every frame as it is handed to the encoder. All pictures are drawn then.
    pub digests: bool,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// Scenes finished and scenes in all, where the stage counts scenes.
    pub scenes: Option<(usize, usize)>,
    /// Of the whole job, 0 to 100.
    pub percent: u8,
}

/// What a job is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Pinning and probing media, laying out captions.
    Planning,
    /// Encoding scenes.
    Rendering,
    /// Joining scenes and sound.
    Assembling,
    /// Publishing.
    Delivering,
}

/// Why there is no film.
#[derive(Debug)]
pub enum Failure {
    /// All that is wrong.
    Problems(Vec<Problem>),
    /// Someone cancelled.
    Cancelled,
}

/// One scene of a preview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewScene {
    /// File name of the first frame, JPEG, in the directory given.
    pub file: String,
    /// The first caption page's text.
    pub caption: String,
    /// Length in frames.
    pub frames: u64,
}

/// A finished film. All names are of files in the directory given; they are complete and synced to disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Film {
    /// The MP4.
    pub video: String,
    /// The sound alone, AAC in MP4.
    pub audio: String,
    /// First frame, JPEG.
    pub thumbnail: String,
    /// Subtitles, SubRip.
    pub srt: String,
    /// Subtitles, WebVTT.
    pub vtt: String,
    /// The spoken or shown text.
    pub txt: String,
    /// Length in frames.
    pub frames: u64,
    /// Frames per second.
    pub fps: u32,
    /// Size of the MP4 in bytes.
    pub bytes: u64,
    /// Bytes of client media that were read from outside.
    pub bytes_read: u64,
    /// Requests that read them.
    pub requests: u64,
    /// What turned out only while rendering, such as a video that is shorter than it says.
    #[serde(default)]
    pub warnings: Vec<Warning>,
    /// What was drawn, copied, found and read, and what it took.
    #[serde(default)]
    pub report: Report,
}

impl Film {
    /// Length in seconds.
    pub fn seconds(&self) -> f64 {
        self.frames as f64 / f64::from(self.fps)
    }
}
