//! What all jobs of a process share, and what an operator may set of it.

use std::path::PathBuf;
use std::sync::Arc;

use artefacts::Artefacts;
use captions::Typesetter;
use media::{BlockCache, CacheSettings};
use storyboard::Limits;
use tokio::sync::{OnceCell, Semaphore};
use worker::{EncoderSettings, Supervisor, Versions};

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
    /// Where clips, sound, facts and pictures are kept for later jobs; `None` renders everything anew.
    pub artefacts: Option<Artefacts>,
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
            artefacts: None,
        }
    }
}

/// Tools of every job.
pub(crate) struct Shared {
    pub(crate) supervisor: Supervisor,
    pub(crate) typesetter: Arc<Typesetter>,
    pub(crate) cache: Arc<BlockCache>,
    pub(crate) settings: StudioSettings,
    /// One for each child that may work at once, over all jobs, in the order in which they ask.
    pub(crate) slots: Semaphore,
    /// What encodes here, once a child was asked.
    pub(crate) versions: OnceCell<Versions>,
}
