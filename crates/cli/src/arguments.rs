//! The command line. Scripts rely on names, defaults and exit codes.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Turns storyboards into films, out of media that stays private in its owner's S3 buckets.
#[derive(Debug, Parser)]
#[command(name = "storyreel", version, about, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Render(RenderArguments),
}

/// Render a storyboard to a film without a server.
///
/// The same pipeline as the server's. Media may lie in S3 through a connection that is registered in the data
/// directory, behind a public https URL, or, only here, at a relative path under --media.
///
/// Exit code: 0 a film was written; 1 our own failure; 2 the storyboard is wrong; 3 access was refused; 4 a media
/// file is unusable. On failure no film is left behind.
#[derive(Debug, Args)]
pub(crate) struct RenderArguments {
    /// The storyboard, JSON as posted to /v1/video/storyboard; - reads standard input.
    pub(crate) storyboard: PathBuf,
    /// Where the film is written, MP4. Subtitles (.srt, .vtt, .txt), sound (.m4a) and thumbnail (.jpg) go beside it.
    #[arg(short, long, value_name = "FILM.mp4")]
    pub(crate) output: PathBuf,
    /// Directory that relative media paths are under.
    #[arg(long, value_name = "DIR")]
    pub(crate) media: Option<PathBuf>,
    /// Write a report of plan, warnings, problems and what was read.
    #[arg(long, value_name = "FILE.json")]
    pub(crate) report: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) common: CommonArguments,
}

/// What every subcommand understands.
#[derive(Debug, Clone, Args)]
pub(crate) struct CommonArguments {
    /// Data directory: database, films, signing key.
    #[arg(long, value_name = "DIR", env = "STORYREEL_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Configuration, TOML. Flags and environment win over it.
    #[arg(long, value_name = "FILE", env = "STORYREEL_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}
