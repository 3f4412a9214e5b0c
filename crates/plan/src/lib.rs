//! Storyboard and probed media to the film in whole output frames, on one global frame grid. Pure.
//!
//! No I/O, no clock, no randomness: the same storyboard, media and fonts give the same plan, byte for byte.

mod background;
mod cues;
mod digest;
pub mod model;
mod planner;
mod reading;
mod sound;
mod sources;
mod spans;
pub mod subtitles;
mod takes;
mod timeline;

pub use cues::{Cue, views};
pub use model::*;
pub use planner::{Paginate, Planned, VERSION, plan, plan_within};
pub use reading::reading_time_us;
pub use sources::Sources;
pub use takes::{LEAST_REPEATED, Play, Take, Takes};
pub use timeline::LEAST_FRAMES;
