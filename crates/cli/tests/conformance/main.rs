//! Proofs about finished films, from outside: the real binary, then decoders and parsers that are not its own.
//!
//! Every source carries the number of each frame in its picture, so that a film tells which frame it shows where.
//! Small films are in `make test`; long ones are ignored there and run by `make check-long`.

#![allow(clippy::unwrap_used)] // helpers of tests, outside of #[test] functions

mod bitstream;
mod browser;
mod films;
mod gstreamer;
mod joints;
mod loops;
mod memory;
mod numbers;
mod openh264;
mod same_bytes;
mod sync;
