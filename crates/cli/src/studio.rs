//! The studio of this process: fonts, supervisor, settings.

use std::path::PathBuf;

use anyhow::Context;
use artefacts::Artefacts;
use captions::{Fonts, Typesetter};
use pipeline::{Studio, StudioSettings};
use worker::Supervisor;

use crate::config::Config;

/// This program's own file: its children run it. Not its path, which an upgrade gives to another program.
pub(crate) fn executable() -> anyhow::Result<PathBuf> {
    let running = PathBuf::from("/proc/self/exe");
    if running.exists() {
        return Ok(running);
    }
    std::env::current_exe().context("finding this program's own file")
}

/// Opens the studio; its children are this very binary.
pub(crate) fn open(config: &Config, artefacts: Option<Artefacts>) -> anyhow::Result<Studio> {
    let fonts = match &config.render.fonts {
        Some(directories) => {
            directories.iter().fold(Fonts::builder().embedded(), |fonts, path| fonts.directory(path)).build()
        }
        None => Fonts::standard(),
    };
    let typesetter = Typesetter::new(fonts.context("loading fonts")?);
    let settings = StudioSettings { artefacts, ..config.studio_settings() };
    Ok(Studio::new(Supervisor::new(executable()?), typesetter, settings))
}
