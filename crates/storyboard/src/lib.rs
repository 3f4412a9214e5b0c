//! What a client asks for: wire formats, validation, defaults, text splitting, warnings.
//!
//! This crate knows no I/O: it turns JSON text into a [`Storyboard`] in which every default is filled in,
//! or into the full list of [`Problem`]s. Everything after it works on the model, never on the JSON.

pub mod address;
pub mod model;
pub mod problem;

pub use model::*;
pub use problem::*;
