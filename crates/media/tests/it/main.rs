//! Tests of the media crate over loopback and temporary directories.
#![allow(clippy::unwrap_used)] // helpers of tests, outside of #[test] functions

mod cache;
mod compose;
mod https;
mod local;
mod memory;
mod web;
