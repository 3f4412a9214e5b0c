//! `storyreel render`: a storyboard in a file becomes a film in a file.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use pipeline::{Failure, Film, JobContext, Planned, Studio};
use serde_json::{Value, json};
use storyboard::{Problem, Storyboard, Warning};

use crate::arguments::RenderArguments;
use crate::config::Config;
use crate::job::{self, Job};
use crate::{exit, logs};

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
    let config = Config::load(&arguments.job.common)?;
    logs::start(&config.log, "error")?;
    if arguments.output.is_dir() {
        let message = format!("{} is a directory; name the film's file.", arguments.output.display());
        return Ok(Outcome::Problems(job::wrong("OUTPUT_IS_DIRECTORY", message)));
    }
    let job = match Job::open(&config, &arguments.job, arguments.frame_digests).await? {
        Ok(job) => job,
        Err(problems) => return Ok(Outcome::Problems(problems)),
    };
    let Job { studio, storyboard, context, bar, mut warnings } = job;
    let directory = parent(&arguments.output);
    std::fs::create_dir_all(&directory).with_context(|| format!("creating {}", directory.display()))?;
    // Beside the film, so that publishing is a rename; removed whatever happens.
    let work = tempfile::Builder::new().prefix(".storyreel-").tempdir_in(&directory);
    let work = work.with_context(|| format!("writing in {}", directory.display()))?;
    let made = make(&studio, &storyboard, &context, work.path()).await;
    bar.clear();
    let (planned, film) = match made {
        Ok(made) => made,
        Err(Failure::Problems(problems)) => return Ok(Outcome::Problems(problems)),
        Err(Failure::Cancelled) => return Ok(Outcome::Cancelled),
    };
    publish(&film, work.path(), &arguments.output)?;
    for warning in planned.warnings.iter().chain(&film.warnings) {
        if !warnings.contains(warning) {
            warnings.push(warning.clone());
        }
    }
    exit::warnings(&warnings);
    report(arguments, &film_report(&planned, &film, &warnings))?;
    say!(
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

async fn make(
    studio: &Studio,
    storyboard: &Storyboard,
    context: &JobContext,
    work: &Path,
) -> Result<(Planned, Film), Failure> {
    let planned = studio.plan(storyboard, context).await?;
    let film = studio.film(&planned, context, work).await?;
    Ok((planned, film))
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
        "film": without_report(film),
        "took": film.report,
        "planHash": planned.plan.hash(),
        "plan": planned.plan,
        "warnings": warnings,
        "problems": [],
    })
}

/// The film without its report, which stands beside it.
fn without_report(film: &Film) -> Value {
    let mut film = json!(film);
    if let Some(members) = film.as_object_mut() {
        members.remove("report");
    }
    film
}

fn report(arguments: &RenderArguments, report: &Value) -> anyhow::Result<()> {
    let Some(path) = &arguments.report else { return Ok(()) };
    let text = serde_json::to_string_pretty(report)?;
    std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}
