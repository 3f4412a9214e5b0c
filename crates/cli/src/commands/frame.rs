//! `storyreel frame`: one frame of a storyboard's film as a picture file.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use pipeline::{Drawn, Failure, Moment, PictureFormat, Planned, Spot};
use storyboard::Problem;

use crate::arguments::FrameArguments;
use crate::config::Config;
use crate::job::{self, Job};
use crate::{exit, logs};

/// Runs the subcommand.
pub(crate) async fn run(arguments: FrameArguments) -> ExitCode {
    match frame(&arguments).await {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(Failure::Problems(problems))) => exit::problems(&problems),
        Ok(Err(Failure::Cancelled)) => {
            eprintln!("storyreel: cancelled; no picture was written");
            ExitCode::from(130)
        }
        Err(error) => exit::internal(&error),
    }
}

async fn frame(arguments: &FrameArguments) -> anyhow::Result<Result<(), Failure>> {
    let config = Config::load(&arguments.job.common)?;
    logs::start(&config.log, "error")?;
    let format = match format_of(&arguments.output) {
        Ok(format) => format,
        Err(problems) => return Ok(Err(Failure::Problems(problems))),
    };
    let moment = match (arguments.at, arguments.scene) {
        (Some(second), _) => Moment::Second(second),
        (None, scene) => Moment::Scene(scene.unwrap_or(1)),
    };
    let job = match Job::open(&config, &arguments.job, false).await? {
        Ok(job) => job,
        Err(problems) => return Ok(Err(Failure::Problems(problems))),
    };
    let drawn = draw(&job, moment, format).await;
    job.bar.clear();
    let (planned, spot, drawn) = match drawn {
        Ok(drawn) => drawn,
        Err(failure) => return Ok(Err(failure)),
    };
    write(&arguments.output, &drawn.bytes)?;
    let mut warnings = job.warnings;
    warnings.extend(planned.warnings);
    exit::warnings(&warnings);
    let digest = drawn.digest.map(|digest| digest.to_string()).unwrap_or_default();
    let (path, Spot { frame, scene, plan_hash, .. }) = (arguments.output.display(), spot);
    say!("{path}: scene {scene}, frame {frame}, digest {digest}, plan {plan_hash}");
    Ok(Ok(()))
}

async fn draw(job: &Job, moment: Moment, format: PictureFormat) -> Result<(Planned, Spot, Drawn), Failure> {
    let planned = job.studio.plan(&job.storyboard, &job.context).await?;
    let spot = job.studio.spot(&planned, moment)?;
    let drawn = job.studio.frame(&planned, &job.context, &spot, format).await?;
    Ok((planned, spot, drawn))
}

/// By the name's ending.
fn format_of(output: &Path) -> Result<PictureFormat, Vec<Problem>> {
    if output.is_dir() {
        let message = format!("{} is a directory; name the picture's file.", output.display());
        return Err(job::wrong("OUTPUT_IS_DIRECTORY", message));
    }
    let ending = output.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    match ending.to_ascii_lowercase().as_str() {
        "png" => Ok(PictureFormat::Png),
        "webp" => Ok(PictureFormat::Webp),
        "jpg" | "jpeg" => Ok(PictureFormat::Jpeg),
        _ => {
            let message =
                format!("{} says no format; let its name end in .png, .webp or .jpg.", output.display());
            Err(job::wrong("OUTPUT_FORMAT", message))
        }
    }
}

/// Beside the target first, so that a picture that is there is whole.
fn write(output: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let writing = || format!("writing {}", output.display());
    let directory = output.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory).with_context(writing)?;
    // Like any file that a command writes: the umask says who may read it.
    let all = PermissionsExt::from_mode(0o666);
    let file = tempfile::Builder::new().prefix(".storyreel-").permissions(all).tempfile_in(directory);
    let mut file = file.with_context(writing)?;
    std::io::Write::write_all(&mut file, bytes).with_context(writing)?;
    file.persist(output).with_context(writing)?;
    Ok(())
}
