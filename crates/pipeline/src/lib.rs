//! The use case: storyboard in, film out, with progress and cancel. Both the command line and the job bodies of the
//! server call it. It knows no HTTP and no SQL.
//!
//! The order of a job: pin and probe media, lay out captions, plan ([`Studio::plan`]); then, with nothing left open,
//! encode scenes and sound, join them, and write what goes with the film ([`Studio::film`]).

mod clips;
mod drawing;
mod easels;
mod filming;
mod job;
mod larder;
mod ledger;
mod meter;
mod moment;
mod outlook;
mod overlays;
mod planned;
mod planning;
mod preview;
mod probing;
mod problems;
mod recipe;
mod report;
mod shared;
mod staff;
mod studio;
mod typesetting;

pub use job::{Failure, Film, JobContext, PreviewScene, Progress, Stage};
pub use ledger::{Account, CacheUse, Spent};
pub use moment::Moment;
pub use outlook::{Outlook, SceneOutlook};
pub use planned::Planned;
pub use recipe::Fingerprint;
pub use report::{ClipOrigin, Report, SceneReport, SourceReport};
pub use shared::StudioSettings;
pub use studio::{Drawn, Spot, Studio};
pub use worker::PictureFormat;
