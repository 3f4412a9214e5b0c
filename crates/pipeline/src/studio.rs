//! The studio: makes films for all jobs of a process.

use std::path::Path;
use std::sync::Arc;

use captions::Typesetter;
use media::BlockCache;
use storyboard::{Class, Problem, Storyboard};
use tokio::sync::{OnceCell, Semaphore};
use worker::{CageReport, Digest, PictureFormat, Supervisor, WorkerError};

use crate::job::{Failure, Film, JobContext, PreviewScene};
use crate::outlook::Outlook;
use crate::planning::Planned;
use crate::report::Report;
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
        Self {
            shared: Arc::new(Shared {
                supervisor,
                typesetter,
                cache,
                settings,
                slots,
                versions: OnceCell::new(),
            }),
        }
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
        crate::preview::preview(&self.shared, planned, context, directory).await
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

    /// What rendering would come to, against the report of an earlier film where that is given. Nothing is rendered.
    pub async fn outlook(
        &self,
        planned: &Planned,
        context: &JobContext,
        earlier: Option<&Report>,
    ) -> Outlook {
        crate::outlook::outlook(&self.shared, planned, context, earlier).await
    }

    /// Draws one frame of the film, counted from its start, by the painter that draws the film.
    pub async fn frame(
        &self,
        planned: &Planned,
        context: &JobContext,
        frame: u64,
        format: PictureFormat,
    ) -> Result<Drawn, Failure> {
        let (scene, within) = planned.plan.scene_at(frame).ok_or_else(|| {
            let message = format!("The film has {} frames; there is no frame {frame}.", planned.plan.frames);
            Failure::Problems(vec![Problem::new(Class::Author, "FRAME_OUTSIDE", message)])
        })?;
        let (picture, written) =
            crate::drawing::frame(&self.shared, planned, context, scene, within, format, &context.cancel)
                .await?;
        let bytes = picture.read().map_err(crate::problems::disk)?;
        Ok(Drawn { bytes, digest: written.digests.first().copied() })
    }

    /// Asks a child to break out of its cage, and says what held.
    pub async fn check_cage(&self) -> Result<CageReport, WorkerError> {
        self.shared.supervisor.check_cage().await
    }
}

/// One frame as a picture file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// Digest of the picture as the film hands it to the encoder.
    pub digest: Option<Digest>,
}
