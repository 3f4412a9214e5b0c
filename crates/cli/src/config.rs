//! Settings: flags over environment over a TOML file over defaults that work.

use std::path::PathBuf;

use anyhow::Context;
use media::UrlPolicy;
use pipeline::StudioSettings;
use serde::Deserialize;
use storyboard::{Limits, Options};
use worker::EncoderSettings;

use crate::arguments::CommonArguments;

/// Everything that an operator may set. Every member has a default; unknown members are errors.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// Data directory.
    pub(crate) data: Option<PathBuf>,
    /// Rendering.
    pub(crate) render: RenderConfig,
    /// Addresses that clients name.
    pub(crate) media: MediaConfig,
    /// What a request may ask for.
    pub(crate) limits: LimitsConfig,
}

/// Rendering.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RenderConfig {
    /// Children at work at once; default: the number of processors.
    pub(crate) parallel: Option<usize>,
    /// x264 preset; default veryfast.
    pub(crate) preset: Option<String>,
    /// x264 constant rate factor; default 20.
    pub(crate) crf: Option<u8>,
    /// Directories with fonts beside the built-in ones; default: Debian's.
    pub(crate) fonts: Option<Vec<PathBuf>>,
    /// A folder of music for storyboards that leave the choice to the server.
    pub(crate) music: Option<PathBuf>,
}

/// Addresses that clients name.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MediaConfig {
    /// Plain http:// too; default false.
    pub(crate) allow_http: bool,
    /// Private and loopback addresses, any port; default false.
    pub(crate) allow_private: bool,
}

/// What a request may ask for; see `storyboard::Limits` for the defaults.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LimitsConfig {
    /// Scenes after splitting.
    pub(crate) scenes: Option<usize>,
    /// Characters of all texts.
    pub(crate) characters: Option<usize>,
    /// Longest side of the picture.
    pub(crate) greatest_side: Option<u32>,
    /// Longest scene in seconds.
    pub(crate) scene_seconds: Option<f64>,
    /// Longest film in seconds.
    pub(crate) film_seconds: Option<f64>,
}

impl Config {
    /// Reads the file, if one is named, and lays the flags over it.
    pub(crate) fn load(arguments: &CommonArguments) -> anyhow::Result<Self> {
        let mut config = match &arguments.config {
            None => Self::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
                toml::from_str(&text).with_context(|| format!("reading {}", path.display()))?
            }
        };
        if let Some(data) = &arguments.data {
            config.data = Some(data.clone());
        }
        Ok(config)
    }

    /// What parsers accept.
    pub(crate) fn parse_options(&self) -> Options {
        let mut limits = Limits::default();
        let own = &self.limits;
        limits.scenes = own.scenes.unwrap_or(limits.scenes);
        limits.characters = own.characters.unwrap_or(limits.characters);
        if let Some(side) = own.greatest_side {
            limits.greatest_side = side;
            limits.pixels = limits.pixels.max(u64::from(side) * u64::from(side));
        }
        limits.scene_seconds = own.scene_seconds.unwrap_or(limits.scene_seconds);
        limits.film_seconds = own.film_seconds.unwrap_or(limits.film_seconds);
        Options { allow_files: false, allow_http: self.media.allow_http, limits }
    }

    /// The URL guard.
    pub(crate) fn url_policy(&self) -> UrlPolicy {
        UrlPolicy {
            allow_http: self.media.allow_http,
            allow_private: self.media.allow_private,
            ..UrlPolicy::default()
        }
    }

    /// The studio's settings.
    pub(crate) fn studio_settings(&self) -> StudioSettings {
        let defaults = StudioSettings::default();
        let encoder = EncoderSettings::default();
        StudioSettings {
            parallel: self.render.parallel.unwrap_or(defaults.parallel).max(1),
            encoder: EncoderSettings {
                preset: self.render.preset.clone().unwrap_or(encoder.preset),
                crf: self.render.crf.unwrap_or(encoder.crf),
                gop: encoder.gop,
            },
            limits: self.parse_options().limits,
            music: self.render.music.clone(),
            ..defaults
        }
    }
}
