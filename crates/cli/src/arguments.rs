//! The command line. Scripts rely on names, defaults and exit codes.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use url::Url;

/// Turns storyboards into films, out of media that stays private in its owner's S3 buckets.
///
/// Start with `storyreel demo`: it makes a film from a private bucket in process. For a server, `storyreel serve`
/// and `storyreel key create`. Settings come from flags, then the environment, then the --config file.
#[derive(Debug, Parser)]
#[command(name = "storyreel", version, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(ServeArguments),
    Key(KeyArguments),
    Render(RenderArguments),
    Frame(FrameArguments),
    Plan(PlanArguments),
    Cache(CacheArguments),
    #[cfg(feature = "demo")]
    Demo(DemoArguments),
}

/// Serve the HTTP API.
///
/// Without any setting it listens on the loopback, keeps everything in one directory (see --data) and says how to
/// make a key. The identity that assumes clients' roles comes from the AWS SDK's default chain (AWS_PROFILE,
/// AWS_ACCESS_KEY_ID, the machine's role ...) and its standard variables work (AWS_REGION, AWS_ENDPOINT_URL,
/// AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL_STS); a server without one still serves public https media.
///
/// SIGTERM and ctrl-c stop it gracefully: running jobs are put back and go on at the next start. A second signal
/// ends it at once; nothing is lost then either.
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// Address to listen on; port 0 takes a free one. The first line on standard output says which [default:
    /// 127.0.0.1:8080].
    #[arg(long, value_name = "ADDRESS", env = "STORYREEL_LISTEN")]
    pub(crate) listen: Option<SocketAddr>,
    /// Where clients reach this server; every address handed out begins so [default: http:// and the listen address].
    #[arg(long, value_name = "URL", env = "STORYREEL_PUBLIC_URL")]
    pub(crate) public_url: Option<Url>,
    /// Days after which a film is deleted; 0 keeps films for ever [default: 30].
    #[arg(long, value_name = "DAYS", env = "STORYREEL_KEEP_FILMS")]
    pub(crate) keep_films: Option<u32>,
    /// Megabytes of the data directory above which the oldest films are deleted [default: no limit].
    #[arg(long, value_name = "MB", env = "STORYREEL_MAX_DATA_MB")]
    pub(crate) max_data_mb: Option<u64>,
    /// Write the log as one JSON object a line, to standard error; RUST_LOG chooses what is written.
    #[arg(long, env = "STORYREEL_LOG_JSON")]
    pub(crate) log_json: bool,
    #[command(flatten)]
    pub(crate) common: CommonArguments,
}

/// Make, list and revoke the keys that clients call the server with.
///
/// Only hashes are kept, so a key's secrets are shown once. Works beside a running server, at once.
#[derive(Debug, Args)]
pub(crate) struct KeyArguments {
    #[command(subcommand)]
    pub(crate) command: KeyCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key and print its client id, client secret, API key and webhook secret; they are shown this once.
    ///
    /// Client id and secret buy tokens at POST /v1/oauth2/token; the API key is good in place of a token. The webhook
    /// secret checks the webhook-signature header of what the server reports.
    Create(KeyCreateArguments),
    /// List all keys, the newest first, without their secrets.
    List(KeyListArguments),
    /// Revoke a key and end its tokens.
    Revoke(KeyRevokeArguments),
}

#[derive(Debug, Args)]
pub(crate) struct KeyCreateArguments {
    /// Whose key it is: keys of one owner see the same connections and jobs, and no others.
    #[arg(long, value_name = "OWNER", default_value = DEFAULT_OWNER)]
    pub(crate) owner: String,
    /// What the owner calls it.
    #[arg(long, value_name = "NAME", default_value = "key")]
    pub(crate) name: String,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) common: CommonArguments,
}

#[derive(Debug, Args)]
pub(crate) struct KeyListArguments {
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) common: CommonArguments,
}

#[derive(Debug, Args)]
pub(crate) struct KeyRevokeArguments {
    /// The key's id or its client id.
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) common: CommonArguments,
}

/// Render a storyboard to a film without a server.
///
/// The same pipeline as the server's. Media may lie in S3 through a connection that is registered in the data
/// directory, behind a public https URL, or, only here, at a relative path under --media.
///
/// Exit code: 0 a film was written; 1 our own failure; 2 the storyboard or the command line is wrong; 3 access was
/// refused; 4 a media file is unusable or cannot be reached. On failure no film is left behind, and a film that was
/// there before stays.
#[derive(Debug, Args)]
pub(crate) struct RenderArguments {
    #[command(flatten)]
    pub(crate) job: JobArguments,
    /// Where the film is written, MP4. Subtitles (.srt, .vtt, .txt), sound (.m4a) and thumbnail (.jpg) go beside it.
    #[arg(short, long, value_name = "FILM.mp4")]
    pub(crate) output: PathBuf,
    /// Write a report: plan, warnings, problems, what was drawn, copied, found in the cache and read, what it took.
    #[arg(long, value_name = "FILE.json")]
    pub(crate) report: Option<PathBuf>,
    /// Add to the report a digest of every frame as it is handed to the encoder; draws all pictures anew.
    #[arg(long)]
    pub(crate) frame_digests: bool,
}

/// A storyboard without a server, and what it may use.
#[derive(Debug, Args)]
pub(crate) struct JobArguments {
    /// The storyboard, JSON as posted to /v1/video/storyboard; - reads standard input.
    pub(crate) storyboard: PathBuf,
    /// Directory that relative media paths are under.
    #[arg(long, value_name = "DIR")]
    pub(crate) media: Option<PathBuf>,
    /// Use nothing that was made earlier, and keep nothing.
    #[arg(long)]
    pub(crate) no_cache: bool,
    /// Whose connections the storyboard may name.
    #[arg(long, value_name = "OWNER", default_value = DEFAULT_OWNER)]
    pub(crate) owner: String,
    #[command(flatten)]
    pub(crate) common: CommonArguments,
}

/// Draw one frame of a storyboard's film.
///
/// By the same painter as the film: the picture is what `storyreel render` hands to its encoder for that frame, and
/// the digest that is printed is the one that `render --frame-digests` reports. Exit codes are those of render.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("moment").required(true).args(["at", "scene"])))]
pub(crate) struct FrameArguments {
    #[command(flatten)]
    pub(crate) job: JobArguments,
    /// The frame that is visible so many seconds after the start.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) at: Option<f64>,
    /// The first frame of a scene, counted from 1.
    #[arg(long, value_name = "N")]
    pub(crate) scene: Option<usize>,
    /// Where the picture is written: PNG, WebP or JPEG by the name's ending (.png, .webp, .jpg).
    #[arg(short, long, value_name = "FRAME.png")]
    pub(crate) output: PathBuf,
}

/// Show what rendering a storyboard would come to, without rendering anything.
///
/// For each scene: its length, how many of its frames differ, and whether its clip is in the cache. Media is looked
/// at, as for a film. Exit codes are those of render.
#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) job: JobArguments,
    /// Say also what changed since a film, by the report that `render --report` wrote of it.
    #[arg(long, value_name = "REPORT.json")]
    pub(crate) against: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show what is kept of earlier films, so that only what changed is rendered again.
///
/// Clips, sound, facts of media and pictures lie in the data directory under cache, up to a limit; what was not used
/// for longest goes first. Works beside a running server. Nothing is lost by making room but time.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct CacheArguments {
    #[command(subcommand)]
    pub(crate) command: Option<CacheCommand>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) common: CommonArguments,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Remove what was not used for longest, or everything.
    Prune(CachePruneArguments),
}

#[derive(Debug, Args)]
pub(crate) struct CachePruneArguments {
    /// Megabytes that may stay; 0 removes everything.
    #[arg(long, value_name = "MB", default_value_t = 0)]
    pub(crate) to: u64,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) common: CommonArguments,
}

/// Make a film from a private S3 bucket, in process: nothing to sign up for.
///
/// Starts S3 and STS on the loopback with two accounts, the server's and a customer's, and a private bucket with
/// sample media; starts the server; then calls it over HTTP as a client does: token, AWS connection, the customer's
/// role made from the policies that the server answered with, storyboard, preview, film, download.
#[cfg(feature = "demo")]
#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// Where the film is written, with subtitles, sound and thumbnail.
    #[arg(long, value_name = "DIR", default_value = "storyreel-demo")]
    pub(crate) out: PathBuf,
    /// Leave the server running until ctrl-c, and print a key to try it with.
    #[arg(long)]
    pub(crate) keep: bool,
}

/// The owner where none is named.
pub(crate) const DEFAULT_OWNER: &str = "default";

/// What every subcommand understands.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct CommonArguments {
    /// Data directory: database, films, signing key [default: /var/lib/storyreel for root, else
    /// $XDG_DATA_HOME/storyreel or ~/.local/share/storyreel].
    #[arg(long, value_name = "DIR", env = "STORYREEL_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Megabytes that are kept of earlier films, in the data directory; 0 keeps nothing [default: 20480].
    #[arg(long, value_name = "MB", env = "STORYREEL_CACHE_MB")]
    pub(crate) cache_mb: Option<u64>,
    /// Configuration, TOML. Flags and environment win over it.
    #[arg(long, value_name = "FILE", env = "STORYREEL_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}
