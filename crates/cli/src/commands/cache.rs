//! `storyreel cache`: what is kept of earlier films, and making room.

use std::path::Path;
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::Context;
use artefacts::{Artefacts, Holding, Survey};
use serde_json::{Value, json};

use crate::arguments::{CacheArguments, CacheCommand, CachePruneArguments};
use crate::config::Config;
use crate::exit;

const MEGABYTE: u64 = 1_000_000;

/// Runs the subcommand. It works on a disk and on nothing else.
pub(crate) fn run(arguments: &CacheArguments) -> ExitCode {
    let result = match &arguments.command {
        None => show(arguments),
        Some(CacheCommand::Prune(arguments)) => prune(arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::internal(&error),
    }
}

fn show(arguments: &CacheArguments) -> anyhow::Result<()> {
    let config = Config::load(&arguments.common)?;
    let (directory, limit) = (config.cache_directory()?, config.cache_limit());
    let survey = open(&directory, limit)?.survey();
    let survey = survey.with_context(|| format!("reading {}", directory.display()))?;
    if arguments.json {
        say!("{:#}", described(&directory, limit, &survey));
        return Ok(());
    }
    let limit = match limit {
        0 => "0, which turns the cache off".to_owned(),
        bytes => format!("{} MB", bytes / MEGABYTE),
    };
    say!("directory  {}", directory.display());
    say!("limit      {limit}");
    say!("{:<8} {:>9} {:>14}  {:<20}  {:<20}", "kind", "entries", "MB", "oldest use", "newest use");
    for (kind, holding) in &survey.kinds {
        row(kind.name(), holding);
    }
    row("all", &survey.total());
    Ok(())
}

fn row(name: &str, holding: &Holding) {
    let use_of = |time| date(time).unwrap_or_else(|| "-".to_owned());
    let (entries, size) = (holding.entries, megabytes(holding.bytes));
    let (oldest, newest) = (use_of(holding.oldest), use_of(holding.newest));
    say!("{name:<8} {entries:>9} {size:>14}  {oldest:<20}  {newest:<20}");
}

fn prune(arguments: &CachePruneArguments) -> anyhow::Result<()> {
    let config = Config::load(&arguments.common)?;
    let directory = config.cache_directory()?;
    let cache = open(&directory, config.cache_limit())?;
    let pruned = cache.prune(arguments.to.saturating_mul(MEGABYTE));
    let pruned = pruned.with_context(|| format!("making room in {}", directory.display()))?;
    if arguments.json {
        say!("{:#}", json!({ "removedEntries": pruned.entries, "removedBytes": pruned.bytes }));
    } else {
        say!("removed {} entries, {} MB", pruned.entries, megabytes(pruned.bytes));
    }
    Ok(())
}

fn open(directory: &Path, limit: u64) -> anyhow::Result<Artefacts> {
    Artefacts::open(directory, limit)
        .with_context(|| format!("opening the cache {}; choose another with --data", directory.display()))
}

fn described(directory: &Path, limit: u64, survey: &Survey) -> Value {
    let kinds: serde_json::Map<String, Value> =
        survey.kinds.iter().map(|(kind, holding)| (kind.name().to_owned(), held(holding))).collect();
    json!({ "directory": directory.display().to_string(), "limitBytes": limit, "kinds": kinds, "total": held(&survey.total()) })
}

fn held(holding: &Holding) -> Value {
    json!({
        "entries": holding.entries,
        "bytes": holding.bytes,
        "oldestUse": date(holding.oldest),
        "newestUse": date(holding.newest),
    })
}

/// To the second.
fn date(time: Option<SystemTime>) -> Option<String> {
    let time = jiff::Timestamp::try_from(time?).ok()?;
    Some(jiff::Timestamp::from_second(time.as_second()).ok()?.to_string())
}

fn megabytes(bytes: u64) -> String {
    format!("{}.{:03}", bytes / MEGABYTE, bytes % MEGABYTE / 1_000)
}
