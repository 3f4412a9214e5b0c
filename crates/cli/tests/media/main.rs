//! Films of every kind of media, checked by measurement: the real binary, real media made by the ffmpeg command.

#![allow(clippy::unwrap_used)] // helpers of tests, outside of #[test] functions

mod backgrounds;
mod bad_media;
mod cache;
mod cage;
mod captions;
mod film;
mod full_disk;
mod kit;
mod passing;
mod preview_equals_film;
mod shapes;
mod sound;
