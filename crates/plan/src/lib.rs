//! Storyboard and probed media to the film in whole output frames, on one global frame grid. Pure.
//!
//! No I/O, no clock, no randomness: the same storyboard, media and fonts give the same plan, byte for byte.

pub mod model;

pub use model::*;
