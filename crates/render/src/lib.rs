//! All that touches libav: probe, decode, compose, encode, assemble. It lives only in the caged child.
//!
//! Bytes come through the child's [`worker::child::Link`]; results go into files that the parent opened. Nothing here
//! opens a file or a socket, and the cage would refuse it.

mod assemble;
mod backdrop;
mod clip;
mod container;
mod encode;
mod errors;
mod filter;
mod frames;
#[doc(hidden)]
pub mod hot_loops;
mod input;
mod listener;
mod nal;
mod overlay;
mod painter;
mod passage;
mod picture;
mod probe;
mod sample;
mod sound;
mod track;
mod versions;

use worker::child::{Files, Link};
use worker::{Reply, Task, TaskError};

/// The whole life of a child process; returns its exit code.
pub fn child_main() -> i32 {
    let mut easel = picture::Easel::default();
    worker::child::run(|task, link, files| work(task, &mut easel, link, files))
}

fn work(task: Task, easel: &mut picture::Easel, link: &Link, files: &mut Files) -> Result<Reply, TaskError> {
    ffmpeg_next::init().map_err(|error| TaskError::internal(format!("libav: {error}")))?;
    ffmpeg_next::log::set_level(ffmpeg_next::log::Level::Fatal);
    if matches!(task, Task::Clip(_) | Task::Sound(_) | Task::Assemble(_) | Task::Sample(_)) {
        // These need the memory.
        easel.clear();
    }
    match task {
        Task::Cage => Err(TaskError::internal("the cage answers for itself")),
        Task::Versions => versions::versions().map(Reply::Versions),
        Task::Probe => probe::probe(link, 0).map(Reply::Probe),
        Task::Clip(task) => clip::encode(&task, link, files).map(Reply::Written),
        Task::Frame(task) => easel.draw(&task, link, files).map(Reply::Written),
        Task::Sound(task) => sound::encode(&task, link, files).map(Reply::Written),
        Task::Assemble(task) => assemble::assemble(&task, link, files).map(Reply::Written),
        Task::Sample(task) => sample::encode(&task, link, files).map(Reply::Written),
    }
}
