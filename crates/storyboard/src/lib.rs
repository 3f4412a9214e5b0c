//! What a client asks for: wire formats, validation, defaults, text splitting, warnings.
//!
//! This crate knows no I/O: it turns JSON text into a [`Storyboard`] in which every default is filled in,
//! or into the full list of [`Problem`]s. Everything after it works on the model, never on the JSON.

pub mod address;
mod inventory;
mod markup;
mod media_address;
pub mod model;
pub mod options;
pub mod problem;
pub mod render_params;
pub mod script;
mod split;
mod wire;

pub use inventory::MediaRole;
pub use model::*;
pub use options::{Limits, Options};
pub use problem::*;
pub use render_params::{PageView, SceneView, parse_render_params, render_params};
pub use wire::json::read_json;
pub use wire::pointer::json_path;
pub use wire::v1::{parse, parse_value};
