//! The studio: what all jobs of a process share, and what one job brings along.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use captions::Typesetter;
use media::{BlockCache, CacheSettings, Opener};
use serde::{Deserialize, Serialize};
use storyboard::{Limits, Problem, Storyboard, Warning};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use worker::{CageReport, EncoderSettings, Supervisor, WorkerError};

use crate::planning::Planned;

/// What one job brings along.
#[derive(Clone)]
pub struct JobContext {
    /// Opens this job's media, and only what this job may read.
    pub opener: Arc<dyn Opener>,
    /// Called with honest progress: only ever forward.
    pub progress: Arc<dyn Fn(Progress) + Send + Sync>,
    /// Ends the job within a second.
    pub cancel: CancellationToken,
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
}

impl Film {
    /// Length in seconds.
    pub fn seconds(&self) -> f64 {
        self.frames as f64 / f64::from(self.fps)
    }
}

/// What an operator may set.
#[derive(Debug, Clone)]
pub struct StudioSettings {
    /// How many children work at once.
    pub parallel: usize,
    /// How pictures are encoded.
    pub encoder: EncoderSettings,
    /// AAC bit rate of the sound in bits per second.
    pub audio_bit_rate: u32,
    /// What a storyboard may ask for.
    pub limits: Limits,
    /// A folder of music for storyboards that leave the choice to the server.
    pub music: Option<PathBuf>,
    /// How media is cached in memory.
    pub cache: CacheSettings,
}

impl Default for StudioSettings {
    fn default() -> Self {
        Self {
            parallel: std::thread::available_parallelism().map_or(2, usize::from),
            encoder: EncoderSettings::default(),
            audio_bit_rate: 192_000,
            limits: Limits::default(),
            music: None,
            cache: CacheSettings::default(),
        }
    }
}

/// The studio: fonts, the supervisor of the caged children, the block cache, settings. Cheap to clone.
#[derive(Clone)]
pub struct Studio {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) supervisor: Supervisor,
    pub(crate) typesetter: Arc<Typesetter>,
    pub(crate) cache: Arc<BlockCache>,
    pub(crate) settings: StudioSettings,
    /// One for each child that may work at once, over all jobs.
    pub(crate) slots: Semaphore,
}

impl Studio {
    /// A studio that runs its children through `supervisor`.
    pub fn new(supervisor: Supervisor, typesetter: Typesetter, settings: StudioSettings) -> Self {
        let cache = BlockCache::new(settings.cache);
        let slots = Semaphore::new(settings.parallel.max(1));
        let typesetter = Arc::new(typesetter);
        Self { shared: Arc::new(Shared { supervisor, typesetter, cache, settings, slots }) }
    }

    /// Pins and probes the media of a storyboard and plans the film. Reports every problem of all scenes at once.
    pub async fn plan(&self, storyboard: &Storyboard, context: &JobContext) -> Result<Planned, Failure> {
        crate::planning::plan(&self.shared, storyboard, context).await
    }

    /// Writes the first frame of each scene into `directory`.
    pub async fn preview(
        &self,
        planned: &Planned,
        context: &JobContext,
        directory: &Path,
    ) -> Result<Vec<PreviewScene>, Failure> {
        crate::filming::preview(&self.shared, planned, context, directory).await
    }

    /// Renders the film into `directory`. On failure what was written stays behind for the caller to remove.
    pub async fn film(
        &self,
        planned: &Planned,
        context: &JobContext,
        directory: &Path,
    ) -> Result<Film, Failure> {
        crate::filming::film(&self.shared, planned, context, directory).await
    }

    /// Asks a child to break out of its cage, and says what held.
    pub async fn check_cage(&self) -> Result<CageReport, WorkerError> {
        self.shared.supervisor.check_cage().await
    }
}
