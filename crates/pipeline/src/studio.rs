//! The studio: makes films for all jobs of a process.

use std::path::Path;
use std::sync::Arc;

use captions::Typesetter;
use media::BlockCache;
use storyboard::{Class, Problem, Storyboard};
use tokio::sync::{OnceCell, Semaphore};
use worker::{CageReport, Crew, Digest, PictureFormat, Supervisor, WorkerError};

use crate::drawing::Shot;
use crate::easels::Easels;
use crate::job::{Failure, Film, JobContext, PreviewScene};
use crate::moment::Moment;
use crate::outlook::Outlook;
use crate::planned::Planned;
use crate::report::Report;
use crate::shared::{Shared, StudioSettings};
use crate::staff::Hands;

/// The studio: fonts, the supervisor of the caged children, the block cache, settings. Cheap to clone.
#[derive(Clone)]
pub struct Studio {
    pub(crate) shared: Arc<Shared>,
    easels: Arc<Easels>,
}

impl Studio {
    /// A studio that runs its children through `supervisor`.
    pub fn new(supervisor: Supervisor, typesetter: Typesetter, settings: StudioSettings) -> Self {
        let cache = BlockCache::new(settings.cache);
        let slots = Semaphore::new(settings.parallel.max(1));
        let typesetter = Arc::new(typesetter);
        let easels = Easels::new(supervisor.clone(), settings.parallel);
        let shared = Shared { supervisor, typesetter, cache, settings, slots, versions: OnceCell::new() };
        Self { shared: Arc::new(shared), easels }
    }

    /// Pins and probes the media of a storyboard and plans the film. Reports every problem of all scenes at once.
    pub async fn plan(&self, storyboard: &Storyboard, context: &JobContext) -> Result<Planned, Failure> {
        let crew = Crew::new(self.shared.supervisor.clone());
        crate::planning::plan(&self.shared, storyboard, context, Hands::Own(crew)).await
    }

    /// Plans like [`Studio::plan`] for somebody who waits: what is done with the plan waits for no film, and is done by
    /// children that are kept for its owner.
    pub async fn plan_at_once(
        &self,
        storyboard: &Storyboard,
        context: &JobContext,
    ) -> Result<Planned, Failure> {
        let lease = self.easels.lend(&context.owner);
        if let Err(error) = lease.crew().ready() {
            // Whoever needs it will say so.
            tracing::warn!(%error, "a child could not be started");
        }
        crate::planning::plan(&self.shared, storyboard, context, Hands::Lent(lease)).await
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

    /// Which frame of a planned film a moment means; a moment outside it is the author's problem.
    pub fn spot(&self, planned: &Planned, moment: Moment) -> Result<Spot, Failure> {
        let frame = moment.frame(&planned.plan)?;
        let scene = planned.plan.scene_at(frame).map_or(0, |(scene, _)| scene.item + 1);
        let plan_hash = planned.plan.hash();
        let tag = format!("{plan_hash}-{frame}-{}", crate::recipe::RULES);
        Ok(Spot { frame, scene, plan_hash, tag })
    }

    /// Draws one frame of the film by the painter that draws the film.
    pub async fn frame(
        &self,
        planned: &Planned,
        context: &JobContext,
        spot: &Spot,
        format: PictureFormat,
    ) -> Result<Drawn, Failure> {
        let (scene, within) = planned.plan.scene_at(spot.frame).ok_or_else(|| {
            let message = format!("There is no frame {}.", spot.frame);
            Failure::Problems(vec![Problem::new(Class::Internal, "INTERNAL", message)])
        })?;
        let shot = Shot { scene, frame: within, format };
        let drawn = crate::drawing::frame_at_once(&self.shared, planned, context, shot).await;
        planned.staff.end().await;
        let (bytes, written) = drawn?;
        Ok(Drawn { bytes, digest: written.digests.first().copied() })
    }

    /// Ends the children that are kept for somebody who waits, once nobody is to come any more.
    pub async fn close(&self) {
        self.easels.clear().await;
    }

    /// Asks a child to break out of its cage, and says what held.
    pub async fn check_cage(&self) -> Result<CageReport, WorkerError> {
        self.shared.supervisor.check_cage().await
    }
}

/// One frame of a film.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// Its number, from the film's start.
    pub frame: u64,
    /// The scene of the storyboard that it belongs to, counted from 1.
    pub scene: usize,
    /// Hash of the plan.
    pub plan_hash: String,
    /// Names the picture: of the same owner, equal tags are equal pictures.
    pub tag: String,
}

/// One frame as a picture file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// Digest of the picture as the film hands it to the encoder.
    pub digest: Option<Digest>,
}
