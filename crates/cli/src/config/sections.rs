//! The sections of the configuration file.

use std::path::PathBuf;

use serde::Deserialize;

/// The log.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LogConfig {
    /// One JSON object a line; default false.
    pub(crate) json: bool,
    /// What is written, in the form of `RUST_LOG`, which wins over it; default `info`.
    pub(crate) filter: Option<String>,
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

/// What is kept of earlier films.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CacheConfig {
    /// Megabytes of the cache, 0 turns it off; default 20480.
    pub(crate) limit_mb: Option<u64>,
}

/// Jobs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct JobsConfig {
    /// Films rendered at a time; default 1, since one film uses all processors.
    pub(crate) films_at_once: Option<usize>,
    /// Previews made at a time, beside the films; default 1.
    pub(crate) previews_at_once: Option<usize>,
    /// Jobs of one owner that may wait for their turn; default 1000.
    pub(crate) waiting_at_most: Option<u32>,
}

/// Requests and answers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct HttpConfig {
    /// Connections open at a time; default 512.
    pub(crate) connections: Option<usize>,
    /// Largest request body in bytes; default 2 MiB.
    pub(crate) max_body_bytes: Option<usize>,
    /// Life of an access token; default one hour.
    pub(crate) token_seconds: Option<u64>,
    /// Life of a signed address; default one day.
    pub(crate) url_seconds: Option<u64>,
}

/// Addresses that clients name: media and webhooks.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MediaConfig {
    /// Plain http:// too; default false.
    pub(crate) allow_http: bool,
    /// Private and loopback addresses, any port; default false.
    pub(crate) allow_private: bool,
}

/// AWS.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AccessConfig {
    /// The principal that trust policies name; default: the server's own, as AWS says it.
    pub(crate) principal_arn: Option<String>,
    /// Name of the role in clients' accounts; default PictoryCloudIntegrationRole.
    pub(crate) role_name: Option<String>,
    /// Path style, for S3-compatible stores; default false.
    pub(crate) path_style: bool,
    /// Region of the server where the SDK's chain names none; default us-east-1.
    pub(crate) region: Option<String>,
}

/// The cage of the processes that decode media.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CageConfig {
    /// Serve although the cage does not hold; default false. Only for media that is trusted.
    pub(crate) allow_broken: bool,
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
