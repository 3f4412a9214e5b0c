//! The log of a process: to standard error, for people or as JSON.
//!
//! Invariant: libraries that see credentials or signed requests (the AWS SDK, the demo's S3, HTTP clients) never write
//! below a warning, whatever `RUST_LOG` asks for.

use anyhow::Context;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

use crate::config::LogConfig;

/// Beginnings of the targets that are kept at warnings.
const QUIET: [&str; 8] = ["aws_", "s3s", "hyper", "reqwest", "rustls", "h2", "tower", "sqlx"];

/// Starts the log. `RUST_LOG` wins over the configuration, which wins over `default`.
pub(crate) fn start(config: &LogConfig, default: &str) -> anyhow::Result<()> {
    let asked = std::env::var("RUST_LOG").ok().filter(|text| !text.trim().is_empty());
    let text = asked.as_deref().or(config.filter.as_deref()).unwrap_or(default);
    let filter =
        EnvFilter::builder().parse(text).with_context(|| format!("reading the log filter {text:?}"))?;
    let lines = if config.json {
        fmt::layer().json().flatten_event(true).with_writer(std::io::stderr).boxed()
    } else {
        fmt::layer().with_writer(std::io::stderr).with_target(false).boxed()
    };
    tracing_subscriber::registry()
        .with(lines)
        .with(filter)
        .with(filter_fn(may_be_written))
        .try_init()
        .context("starting the log")
}

fn may_be_written(metadata: &Metadata<'_>) -> bool {
    // Looking for credentials where there are none is no news: the server says itself what it found.
    if metadata.target().starts_with("aws_config") {
        return *metadata.level() <= Level::ERROR;
    }
    *metadata.level() <= Level::WARN || !is_quiet(metadata.target())
}

fn is_quiet(target: &str) -> bool {
    QUIET.iter().any(|start| target.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_that_see_secrets_are_quiet() {
        for target in
            ["aws_sigv4::http_request", "aws_config::imds", "s3s::ops", "hyper_util::client", "sqlx::query"]
        {
            assert!(is_quiet(target), "{target}");
        }
        for target in ["server::runner", "aws::grant", "pipeline", "storyreel"] {
            assert!(!is_quiet(target), "{target}");
        }
    }
}
