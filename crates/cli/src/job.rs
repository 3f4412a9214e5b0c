//! A storyboard without a server, ready to be planned: read, with its connections, a studio, and an opener for its media.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use media::{HttpsOpener, LocalOpener, Openers};
use pipeline::{JobContext, Studio};
use store::Connection;
use storyboard::{Class, Options, Problem, Storyboard, Warning};

use crate::access::{LazyAws, s3_opener};
use crate::arguments::JobArguments;
use crate::config::Config;
use crate::progress::{self, Bar};
use crate::{signals, studio};

mod connections;

/// What the commands that work on a storyboard begin with.
pub(crate) struct Job {
    pub(crate) studio: Studio,
    pub(crate) storyboard: Storyboard,
    pub(crate) context: JobContext,
    /// Moved by the context's progress.
    pub(crate) bar: Bar,
    /// What of the storyboard was ignored.
    pub(crate) warnings: Vec<Warning>,
}

impl Job {
    /// Reads the storyboard and opens what it needs; or all that is wrong with it.
    pub(crate) async fn open(
        config: &Config,
        arguments: &JobArguments,
        digests: bool,
    ) -> anyhow::Result<Result<Self, Vec<Problem>>> {
        let json = match read(&arguments.storyboard) {
            Ok(json) => json,
            Err(error) => {
                let message = format!("{} cannot be read: {error}.", arguments.storyboard.display());
                return Ok(Err(wrong("STORYBOARD_UNREADABLE", message)));
            }
        };
        let options = Options { allow_files: true, ..config.parse_options() };
        let (storyboard, mut warnings) = match storyboard::parse(&json, &options) {
            Ok(parsed) => parsed,
            Err(problems) => return Ok(Err(problems)),
        };
        let connections = match connections::find(config, arguments, &storyboard, &json).await? {
            Ok(connections) => connections,
            Err(problems) => return Ok(Err(problems)),
        };
        let artefacts = if arguments.no_cache { Ok(None) } else { config.artefacts() };
        let artefacts = artefacts.unwrap_or_else(|error| {
            let message = format!("Nothing is found in the cache, and nothing is kept: {error:#}.");
            warnings.push(Warning::new("CACHE_UNUSABLE", message));
            None
        });
        let studio = studio::open(config, artefacts)?;
        let cancel = signals::stop_token().context("listening for signals")?;
        let (bar, progress) = progress::bar();
        let opener = Arc::new(opener(arguments, config, &connections)?);
        let context = JobContext { owner: arguments.owner.clone(), opener, progress, cancel, digests };
        Ok(Ok(Self { studio, storyboard, context, bar, warnings }))
    }
}

/// What is wrong with the command line itself.
pub(crate) fn wrong(code: &str, message: String) -> Vec<Problem> {
    vec![Problem::new(Class::Author, code, message)]
}

fn opener(arguments: &JobArguments, config: &Config, connections: &[Connection]) -> anyhow::Result<Openers> {
    let https = HttpsOpener::new(config.url_policy())?;
    let local =
        arguments.media.clone().map(|root| Arc::new(LocalOpener::new(root)) as Arc<dyn media::Opener>);
    let job = format!("render-{}", store::JobId::create());
    let s3 = s3_opener(&LazyAws::new(config.aws_settings()), &job, connections);
    Ok(Openers { s3: Some(s3), https: Some(Arc::new(https)), local })
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    if path == Path::new("-") {
        let mut json = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin(), &mut json)?;
        return Ok(json);
    }
    std::fs::read(path)
}
