//! Settings: flags over environment over a TOML file over defaults that work.

mod sections;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use artefacts::Artefacts;
use aws::AwsSettings;
use media::UrlPolicy;
use pipeline::StudioSettings;
use serde::Deserialize;
use server::Settings;
use storyboard::{Limits, Options};
use url::Url;
use worker::EncoderSettings;

use crate::arguments::{CommonArguments, ServeArguments};

pub(crate) use sections::{
    AccessConfig, CacheConfig, CageConfig, HttpConfig, JobsConfig, LimitsConfig, LogConfig, MediaConfig,
    RenderConfig,
};

/// Megabytes of the cache where nothing is said.
const DEFAULT_CACHE_MB: u64 = 20_480;

/// Everything that an operator may set. Every member has a default; unknown members are errors.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// Data directory.
    pub(crate) data: Option<PathBuf>,
    /// Address to listen on; default 127.0.0.1:8080.
    pub(crate) listen: Option<SocketAddr>,
    /// Where clients reach this server; default `http://` and the listen address.
    pub(crate) public_url: Option<Url>,
    /// Days after which a film is deleted, 0 for never; default 30.
    pub(crate) keep_films: Option<u32>,
    /// Megabytes of the data directory above which the oldest are deleted; default no limit.
    pub(crate) max_data_mb: Option<u64>,
    /// Days for which an ended job can be asked about once its files are gone, 0 for ever; default 90.
    pub(crate) keep_jobs: Option<u32>,
    /// Megabytes that must stay free on the data directory's disk; default 268.
    pub(crate) min_free_mb: Option<u64>,
    /// The log.
    pub(crate) log: LogConfig,
    /// Rendering.
    pub(crate) render: RenderConfig,
    /// Jobs.
    pub(crate) jobs: JobsConfig,
    /// Requests and answers.
    pub(crate) http: HttpConfig,
    /// Addresses that clients name.
    pub(crate) media: MediaConfig,
    /// AWS.
    pub(crate) access: AccessConfig,
    /// The cage of the processes that decode media.
    pub(crate) cage: CageConfig,
    /// What a request may ask for.
    pub(crate) limits: LimitsConfig,
    /// What is kept of earlier films.
    pub(crate) cache: CacheConfig,
}

impl Config {
    /// Reads the file, if one is named, and lays the flags over it.
    pub(crate) fn load(arguments: &CommonArguments) -> anyhow::Result<Self> {
        let mut config = match &arguments.config {
            None => Self::default(),
            Some(path) => {
                let text =
                    std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
                toml::from_str(&text).with_context(|| format!("reading {}", path.display()))?
            }
        };
        if let Some(data) = &arguments.data {
            config.data = Some(data.clone());
        }
        config.cache.limit_mb = arguments.cache_mb.or(config.cache.limit_mb);
        Ok(config)
    }

    /// The same for a server, with its own flags.
    pub(crate) fn load_for_server(arguments: &ServeArguments) -> anyhow::Result<Self> {
        let mut config = Self::load(&arguments.common)?;
        config.listen = arguments.listen.or(config.listen);
        config.public_url = arguments.public_url.clone().or(config.public_url);
        config.keep_films = arguments.keep_films.or(config.keep_films);
        config.max_data_mb = arguments.max_data_mb.or(config.max_data_mb);
        config.log.json |= arguments.log_json;
        Ok(config)
    }

    /// Where to listen.
    pub(crate) fn listen(&self) -> SocketAddr {
        self.listen.unwrap_or_else(|| ([127, 0, 0, 1], 8080).into())
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

    /// Most bytes that are kept of earlier films; 0 for nothing.
    pub(crate) fn cache_limit(&self) -> u64 {
        self.cache.limit_mb.unwrap_or(DEFAULT_CACHE_MB).saturating_mul(1_000_000)
    }

    /// Where they are kept.
    pub(crate) fn cache_directory(&self) -> anyhow::Result<PathBuf> {
        Ok(crate::data::directory(self)?.join("cache"))
    }

    /// The cache of what earlier films were made of; `None` where it is turned off. That it cannot be used is to be
    /// said: it costs time, and nothing else.
    pub(crate) fn artefacts(&self) -> anyhow::Result<Option<Artefacts>> {
        let limit = self.cache_limit();
        if limit == 0 {
            return Ok(None);
        }
        let directory = self.cache_directory()?;
        let artefacts = Artefacts::open(&directory, limit);
        artefacts.map(Some).with_context(|| format!("opening the cache {}", directory.display()))
    }

    /// The server's settings.
    pub(crate) fn server_settings(&self, data_dir: PathBuf) -> Settings {
        let defaults = Settings::new(data_dir);
        let megabytes = |count: u64| count.saturating_mul(1_000_000);
        let (jobs, http) = (&self.jobs, &self.http);
        let seconds = |own: Option<u64>, default: Duration| own.map_or(default, Duration::from_secs);
        Settings {
            public_url: self.public_url.clone(),
            keep_films: self.keep_films.unwrap_or(defaults.keep_films),
            max_data_bytes: self.max_data_mb.map(megabytes),
            cache_dir: self.cache_directory().ok(),
            keep_jobs: self.keep_jobs.unwrap_or(defaults.keep_jobs),
            min_free_bytes: self.min_free_mb.map_or(defaults.min_free_bytes, megabytes),
            token_life: seconds(http.token_seconds, defaults.token_life),
            url_life: seconds(http.url_seconds, defaults.url_life),
            parse: self.parse_options(),
            role_name: self.access.role_name.clone().unwrap_or(defaults.role_name),
            films_at_once: jobs.films_at_once.unwrap_or(defaults.films_at_once).max(1),
            previews_at_once: jobs.previews_at_once.unwrap_or(defaults.previews_at_once).max(1),
            waiting_at_most: jobs.waiting_at_most.unwrap_or(defaults.waiting_at_most),
            connections: http.connections.unwrap_or(defaults.connections).max(1),
            max_body: http.max_body_bytes.unwrap_or(defaults.max_body),
            ..defaults
        }
    }

    /// How AWS is reached; the rest is the SDK's own chain and variables.
    pub(crate) fn aws_settings(&self) -> AwsSettings {
        AwsSettings {
            path_style: self.access.path_style,
            region: self.access.region.clone(),
            ..AwsSettings::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("storyreel.toml");
        std::fs::write(
            &file,
            "data = \"/from/file\"\nkeep_films = 7\nmax_data_mb = 3\n[access]\npath_style = true\n",
        )
        .unwrap();
        let arguments = ServeArguments {
            listen: None,
            public_url: None,
            keep_films: Some(2),
            max_data_mb: None,
            log_json: true,
            common: CommonArguments {
                data: Some("/from/flag".into()),
                config: Some(file.clone()),
                cache_mb: None,
            },
        };
        let config = Config::load_for_server(&arguments).unwrap();
        assert_eq!(config.data, Some("/from/flag".into()));
        let settings = config.server_settings("/data".into());
        assert_eq!((settings.keep_films, settings.max_data_bytes), (2, Some(3_000_000)));
        assert!(config.log.json && config.aws_settings().path_style);
        assert_eq!(config.listen().to_string(), "127.0.0.1:8080");
        std::fs::write(&file, "lisen = \"127.0.0.1:1\"\n").unwrap();
        let error = Config::load(&arguments.common).unwrap_err();
        assert!(format!("{error:#}").contains("lisen"), "{error:#}");
    }
}
