//! Films of every kind of media, checked by measurement: the real binary, real media made by the ffmpeg command.

mod bad_media;
mod backgrounds;
mod cage;
mod captions;
mod film;
mod kit;
mod shapes;
mod sound;
