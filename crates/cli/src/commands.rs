//! One file for each subcommand.

pub(crate) mod cache;
#[cfg(feature = "demo")]
pub(crate) mod demo;
pub(crate) mod frame;
pub(crate) mod key;
pub(crate) mod plan;
pub(crate) mod render;
pub(crate) mod serve;
