//! The studio of this process: fonts, supervisor, settings.

use anyhow::Context;
use captions::{Fonts, Typesetter};
use pipeline::Studio;
use worker::Supervisor;

use crate::config::Config;

/// Opens the studio; its children are this very binary.
pub(crate) fn open(config: &Config) -> anyhow::Result<Studio> {
    // The running file itself, whatever has been put in its place since.
    let executable = std::env::current_exe().context("finding this program's own file")?;
    let fonts = match &config.render.fonts {
        Some(directories) => directories.iter().fold(Fonts::builder().embedded(), |fonts, path| fonts.directory(path)).build(),
        None => Fonts::standard(),
    };
    let typesetter = Typesetter::new(fonts.context("loading fonts")?);
    Ok(Studio::new(Supervisor::new(executable), typesetter, config.studio_settings()))
}
