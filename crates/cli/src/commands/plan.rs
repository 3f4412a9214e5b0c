//! `storyreel plan`: what rendering a storyboard would come to.

use std::path::Path;
use std::process::ExitCode;

use pipeline::{ClipOrigin, Failure, Outlook, Report, SceneOutlook};
use serde_json::{Value, json};
use storyboard::{Problem, Warning};

use crate::arguments::PlanArguments;
use crate::config::Config;
use crate::job::{self, Job};
use crate::{exit, logs};

/// Runs the subcommand.
pub(crate) async fn run(arguments: PlanArguments) -> ExitCode {
    match plan(&arguments).await {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(Failure::Problems(problems))) => exit::problems(&problems),
        Ok(Err(Failure::Cancelled)) => {
            eprintln!("storyreel: cancelled");
            ExitCode::from(130)
        }
        Err(error) => exit::internal(&error),
    }
}

async fn plan(arguments: &PlanArguments) -> anyhow::Result<Result<(), Failure>> {
    let config = Config::load(&arguments.job.common)?;
    logs::start(&config.log, "error")?;
    let earlier = match arguments.against.as_deref().map(earlier).transpose() {
        Ok(earlier) => earlier,
        Err(problems) => return Ok(Err(Failure::Problems(problems))),
    };
    let job = match Job::open(&config, &arguments.job, false).await? {
        Ok(job) => job,
        Err(problems) => return Ok(Err(Failure::Problems(problems))),
    };
    let planned = job.studio.plan(&job.storyboard, &job.context).await;
    job.bar.clear();
    let planned = match planned {
        Ok(planned) => planned,
        Err(failure) => return Ok(Err(failure)),
    };
    let outlook = job.studio.outlook(&planned, &job.context, earlier.as_ref()).await;
    let mut warnings = job.warnings;
    warnings.extend(planned.warnings);
    if arguments.json {
        say!("{}", serde_json::to_string_pretty(&with_warnings(&outlook, &warnings))?);
    } else {
        exit::warnings(&warnings);
        say!("{}", table(&outlook));
    }
    Ok(Ok(()))
}

fn with_warnings(outlook: &Outlook, warnings: &[Warning]) -> Value {
    let mut shown = json!(outlook);
    shown["warnings"] = json!(warnings);
    shown
}

/// The report of an earlier film.
fn earlier(path: &Path) -> Result<Report, Vec<Problem>> {
    let unreadable = |why: String| {
        let message = format!("{} is not a report that render --report wrote: {why}.", path.display());
        job::wrong("REPORT_UNREADABLE", message)
    };
    let json = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    let mut report: Value = serde_json::from_slice(&json).map_err(|error| unreadable(error.to_string()))?;
    serde_json::from_value(report["took"].take()).map_err(|error| unreadable(error.to_string()))
}

/// For people: one line for each scene, then what it comes to.
fn table(outlook: &Outlook) -> String {
    let mut lines = vec![format!(
        "{:>5} {:>9} {:>8} {:>8} {:>9}  clip",
        "scene", "seconds", "frames", "differ", "pictures"
    )];
    for scene in &outlook.scenes {
        let shown = &scene.scene;
        lines.push(format!(
            "{:>5} {:>9.3} {:>8} {:>8} {:>9}  {}",
            shown.item + 1,
            scene.seconds,
            shown.frames,
            shown.distinct_frames,
            shown.clip_frames,
            clip(scene)
        ));
    }
    let sound = if outlook.sound_cached { "in the cache" } else { "to be made" };
    lines.push(String::new());
    lines.push(format!(
        "{:.3} s at {} frames a second: {} frames, {} of them differ, {} pictures to encode; the sound is {sound}.",
        outlook.seconds, outlook.fps, outlook.frames, outlook.distinct_frames, outlook.frames_to_encode
    ));
    lines.push(format!("plan {}", outlook.plan_hash));
    lines.join("\n")
}

/// Where a scene's clip comes from, and what changed.
fn clip(scene: &SceneOutlook) -> String {
    let origin = match scene.scene.clip {
        ClipOrigin::Cached => "in the cache",
        ClipOrigin::Shared => "an earlier scene's",
        ClipOrigin::Encoded => "to be encoded",
    };
    match &scene.changed {
        None => origin.to_owned(),
        Some(changed) if !changed.is_empty() => format!("{origin}; changed: {}", changed.join(", ")),
        Some(_) if scene.scene.clip == ClipOrigin::Encoded => {
            format!("{origin}; unchanged, but no longer in the cache")
        }
        Some(_) => format!("{origin}; unchanged"),
    }
}
