//! The studio: makes films for all jobs of a process.

use std::path::Path;
use std::sync::Arc;

use captions::Typesetter;
use media::BlockCache;
use storyboard::Storyboard;
use tokio::sync::Semaphore;
use worker::{CageReport, Supervisor, WorkerError};

use crate::job::{Failure, Film, JobContext, PreviewScene};
use crate::planning::Planned;
use crate::shared::{Shared, StudioSettings};

/// The studio: fonts, the supervisor of the caged children, the block cache, settings. Cheap to clone.
#[derive(Clone)]
pub struct Studio {
    pub(crate) shared: Arc<Shared>,
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
