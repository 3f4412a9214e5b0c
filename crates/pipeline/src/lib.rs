//! The use case: storyboard in, film out, with progress and cancel. Both the command line and the job bodies of the
//! server call it. It knows no HTTP and no SQL.
//!
//! The order of a job: pin and probe media, lay out captions, plan ([`Studio::plan`]); then, with nothing left open,
//! encode scenes and sound, join them, and write what goes with the film ([`Studio::film`]).

mod filming;
mod job;
mod meter;
mod overlays;
mod planning;
mod problems;
mod shared;
mod studio;
mod typesetting;

pub use job::{Failure, Film, JobContext, PreviewScene, Progress, Stage};
pub use planning::Planned;
pub use shared::StudioSettings;
pub use studio::Studio;
