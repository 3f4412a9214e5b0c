//! The real binary from outside: commands and their exit codes, a server that is killed and stopped, the demo.

#![allow(clippy::unwrap_used)] // helpers of tests, outside of #[test] functions

mod commands;
mod demo;
mod files;
mod http;
mod keys;
mod kit;
mod private_media;
mod server;
mod serving;
mod stopping;
