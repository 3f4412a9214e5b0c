//! Tests of the parsers as a whole.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod hostile;
mod random;
mod round_trip;
mod seed;
mod v1;
