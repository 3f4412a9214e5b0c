//! Tests of the planner as a whole.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod contracts;
mod kit;
mod properties;
mod round_trip;
mod seed;
