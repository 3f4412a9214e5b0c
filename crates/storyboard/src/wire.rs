//! Reading clients' JSON: one reader for all wire formats, which collects every problem and every warning.
//!
//! Invariants: `null` counts as absent; numbers and booleans may be strings; a member that nobody took is a
//! warning, never silence; no input makes it panic.

pub(crate) mod colour;
pub(crate) mod fields;
pub(crate) mod json;
pub(crate) mod members;
pub(crate) mod nearest;
pub(crate) mod pointer;
pub(crate) mod report;
pub(crate) mod style;
pub(crate) mod v1;
pub(crate) mod v1_scene;
