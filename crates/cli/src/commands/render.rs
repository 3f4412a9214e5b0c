//! `storyreel render`: a storyboard in a file becomes a film in a file.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use media::{HttpsOpener, LocalOpener, Openers};
use pipeline::{Failure, Film, JobContext, Planned};
use serde_json::{Value, json};
use storyboard::{Options, Problem, Warning};
use tokio_util::sync::CancellationToken;

use crate::arguments::RenderArguments;
use crate::config::Config;
use crate::{exit, progress, studio};

/// Runs the subcommand.
pub(crate) async fn run(arguments: RenderArguments) -> ExitCode {
    match render(&arguments).await {
        Ok(Outcome::Film) => ExitCode::SUCCESS,
        Ok(Outcome::Problems(problems)) => {
            let code = exit::problems(&problems);
            if let Err(error) = report(&arguments, &json!({ "problems": problems })) {
                return exit::internal(&error);
            }
            code
        }
        Ok(Outcome::Cancelled) => {
            eprintln!("storyreel: cancelled; no film was written");
            ExitCode::from(130)
        }
        Err(error) => exit::internal(&error),
    }
}

enum Outcome {
    Film,
    Problems(Vec<Problem>),
    Cancelled,
}

async fn render(arguments: &RenderArguments) -> anyhow::Result<Outcome> {
    let config = Config::load(&arguments.common)?;
    let json = read(&arguments.storyboard)?;
    let options = Options { allow_files: true, ..config.parse_options() };
    let (storyboard, mut warnings) = match storyboard::parse(&json, &options) {
        Ok(parsed) => parsed,
        Err(problems) => return Ok(Outcome::Problems(problems)),
    };
    let studio = studio::open(&config)?;
    let cancel = CancellationToken::new();
    let interrupted = cancel.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            interrupted.cancel();
        }
    });
    let (bar, show) = progress::bar();
    let opener = opener(arguments, &config, &storyboard).await?;
    let opener = match opener {
        Ok(opener) => Arc::new(opener),
        Err(problems) => return Ok(Outcome::Problems(problems)),
    };
    let context = JobContext { opener, progress: show, cancel };
    let directory = parent(&arguments.output);
    std::fs::create_dir_all(&directory).with_context(|| format!("creating {}", directory.display()))?;
    // Beside the film, so that publishing is a rename; removed whatever happens.
    let work = tempfile::Builder::new().prefix(".storyreel-").tempdir_in(&directory);
    let work = work.with_context(|| format!("writing in {}", directory.display()))?;
    let made = async {
        let planned = studio.plan(&storyboard, &context).await?;
        let film = studio.film(&planned, &context, work.path()).await?;
        Ok::<_, Failure>((planned, film))
    };
    let made = made.await;
    bar.finish_and_clear();
    let (planned, film) = match made {
        Ok(made) => made,
        Err(Failure::Problems(problems)) => return Ok(Outcome::Problems(problems)),
        Err(Failure::Cancelled) => return Ok(Outcome::Cancelled),
    };
    publish(&film, work.path(), &arguments.output)?;
    warnings.extend(planned.warnings.iter().chain(&film.warnings).cloned());
    exit::warnings(&warnings);
    report(arguments, &film_report(&planned, &film, &warnings))?;
    println!(
        "{}: {:.3} s, {} frames, {} bytes; {} bytes of media read in {} requests",
        arguments.output.display(),
        film.seconds(),
        film.frames,
        film.bytes,
        film.bytes_read,
        film.requests
    );
    Ok(Outcome::Film)
}

async fn opener(
    arguments: &RenderArguments,
    config: &Config,
    _storyboard: &storyboard::Storyboard,
) -> anyhow::Result<Result<Openers, Vec<Problem>>> {
    let https = HttpsOpener::new(config.url_policy())?;
    let local = arguments.media.clone().map(|root| Arc::new(LocalOpener::new(root)) as Arc<dyn media::Opener>);
    Ok(Ok(Openers { s3: None, https: Some(Arc::new(https)), local }))
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    if path == Path::new("-") {
        let mut json = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin(), &mut json).context("reading standard input")?;
        return Ok(json);
    }
    std::fs::read(path).with_context(|| format!("reading {}", path.display()))
}

fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Moves the film and what goes with it to their names; the film last, so that a film means all is there.
fn publish(film: &Film, work: &Path, output: &Path) -> anyhow::Result<()> {
    let files = [
        (&film.audio, output.with_extension("m4a")),
        (&film.thumbnail, output.with_extension("jpg")),
        (&film.srt, output.with_extension("srt")),
        (&film.vtt, output.with_extension("vtt")),
        (&film.txt, output.with_extension("txt")),
        (&film.video, output.to_owned()),
    ];
    for (name, target) in files {
        std::fs::rename(work.join(name), &target).with_context(|| format!("writing {}", target.display()))?;
    }
    Ok(())
}

fn film_report(planned: &Planned, film: &Film, warnings: &[Warning]) -> Value {
    json!({
        "film": film,
        "planHash": planned.plan.hash(),
        "plan": planned.plan,
        "warnings": warnings,
        "problems": [],
    })
}

fn report(arguments: &RenderArguments, report: &Value) -> anyhow::Result<()> {
    let Some(path) = &arguments.report else { return Ok(()) };
    let text = serde_json::to_string_pretty(report)?;
    std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}
