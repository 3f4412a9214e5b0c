//! From a plan to a film: clips and sound side by side, then joined.
//!
//! Invariants: nothing is looked up any more, the plan says all; the first failure ends the others; files are
//! complete and synced to disk before they are named in the answer.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Mutex;

use artefacts::Kind;
use plan::{MusicPlanSource, subtitles};
use storyboard::Warning;
use tokio_util::sync::CancellationToken;
use worker::{AssembleTask, PictureFormat, Run, SoundTask, Task, Written};

use crate::clips::{Clips, Orders, Workplace, clips};
use crate::drawing::{Shot, frame_into, place};
use crate::job::{Failure, Film, JobContext, Stage};
use crate::ledger::Account;
use crate::meter::Meter;
use crate::planned::Planned;
use crate::problems::{disk, failure, warning};
use crate::report::Report;
use crate::shared::Shared;
use crate::staff::written;

/// How many of a film's frames the sound counts as, in the progress.
const SOUND_SHARE: u64 = 10;
/// What the assembler says where clips of different times do not fit together.
const CLIPS_DIFFER: &str = "CLIPS_DIFFER";

/// Renders the film.
pub(crate) async fn film(
    shared: &Shared,
    planned: &Planned,
    context: &JobContext,
    directory: &Path,
) -> Result<Film, Failure> {
    let plan = &planned.plan;
    let meter = Meter::new(context);
    let work = tempfile::Builder::new().prefix(".work-").tempdir_in(directory).map_err(disk)?;
    // Ends the other children once one has failed.
    let stop = context.cancel.child_token();
    let _stop_at_the_end = stop.clone().drop_guard();
    let orders = Orders::of(shared, planned, context);
    let total = orders.pictures() + SOUND_SHARE;
    let done = Mutex::new((0, 0));
    let advance = |pictures: u64, scenes: usize| {
        let mut done = done.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *done = (done.0 + pictures, done.1 + scenes);
        meter.report(Stage::Rendering, done.0, total, Some((done.1, plan.scenes.len())));
    };
    advance(0, 0);
    let workplace = Workplace { shared, planned, context, directory: work.path(), look: true, stop: &stop };
    let pictures = |look| clips(Workplace { look, ..workplace }, &orders, &advance);
    let sound = async {
        let sound = sound(shared, planned, context, work.path(), &stop).await?;
        advance(SOUND_SHARE, 0);
        Ok::<Sound, Failure>(sound)
    };
    let (mut made, sound) = futures::try_join!(pictures(true), sound)?;
    let names = Names::of(&plan.name);
    let into = |name: &str| directory.join(name);
    let targets = (into(&names.video), into(&names.audio));
    let joined = join(shared, planned, &made, &sound, (&targets.0, &targets.1), &meter, &stop).await;
    if let Err(Failure::Problems(problems)) = &joined
        && problems.iter().any(|problem| problem.code == CLIPS_DIFFER)
    {
        // Clips of the cache that do not fit together, against all expectation: the film is what matters.
        tracing::warn!("cached clips do not fit together; all are encoded again");
        made = pictures(false).await?;
        for target in [&targets.0, &targets.1] {
            std::fs::remove_file(target).map_err(disk)?;
        }
        join(shared, planned, &made, &sound, (&targets.0, &targets.1), &meter, &stop).await?;
    } else {
        joined?;
    }
    let first = plan.scenes.first().ok_or(Failure::Cancelled)?;
    let shot = Shot { scene: first, frame: 0, format: PictureFormat::Jpeg };
    frame_into(shared, planned, context, shot, &into(&names.thumbnail), &stop).await?;
    planned.staff.end().await;
    std::fs::write(into(&names.srt), subtitles::srt(plan)).map_err(disk)?;
    std::fs::write(into(&names.vtt), subtitles::vtt(plan)).map_err(disk)?;
    std::fs::write(into(&names.txt), subtitles::txt(plan)).map_err(disk)?;
    work.close().map_err(disk)?;
    let bytes = names.sync(directory).map_err(disk)?;
    meter.report(Stage::Delivering, 1, 1, None);
    let warnings = std::mem::take(&mut made.warnings).into_iter().chain(sound.warnings).collect();
    Ok(Film {
        video: names.video,
        audio: names.audio,
        thumbnail: names.thumbnail,
        srt: names.srt,
        vtt: names.vtt,
        txt: names.txt,
        frames: plan.frames,
        fps: plan.fps,
        bytes,
        bytes_read: planned.usage.bytes(),
        requests: planned.usage.requests(),
        warnings,
        report: report(planned, &orders, made, sound.cached),
    })
}

fn report(planned: &Planned, orders: &Orders<'_>, made: Clips, sound_cached: bool) -> Report {
    let plan = &planned.plan;
    Report {
        output_frames: plan.frames,
        distinct_frames: orders.distinct_frames(),
        encoded_frames: made.encoded,
        copied_packets: plan.frames.saturating_sub(made.encoded),
        passed_through: made.passed_through,
        scenes: made.scenes,
        sound_cached,
        ..planned.report()
    }
}

/// The names of a film's files.
struct Names {
    video: String,
    audio: String,
    thumbnail: String,
    srt: String,
    vtt: String,
    txt: String,
}

impl Names {
    fn of(film: &str) -> Self {
        let stem = film.strip_suffix(".mp4").unwrap_or(film);
        let name = |ending: &str| format!("{stem}.{ending}");
        Self {
            video: name("mp4"),
            audio: name("m4a"),
            thumbnail: name("jpg"),
            srt: name("srt"),
            vtt: name("vtt"),
            txt: name("txt"),
        }
    }

    /// Syncs every file, then the directory; answers with the film's size.
    fn sync(&self, directory: &Path) -> io::Result<u64> {
        for name in [&self.video, &self.audio, &self.thumbnail, &self.srt, &self.vtt, &self.txt] {
            File::open(directory.join(name))?.sync_all()?;
        }
        File::open(directory)?.sync_all()?;
        Ok(std::fs::metadata(directory.join(&self.video))?.len())
    }
}

/// The film's sound.
struct Sound {
    file: File,
    cached: bool,
    warnings: Vec<Warning>,
}

/// Finds or makes the film's sound.
async fn sound(
    shared: &Shared,
    planned: &Planned,
    context: &JobContext,
    work: &Path,
    stop: &CancellationToken,
) -> Result<Sound, Failure> {
    let plan = &planned.plan;
    let bit_rate = shared.settings.audio_bit_rate;
    let key = planned.kitchen(shared, context).sound(bit_rate);
    let music = plan.audio.music.as_ref().and_then(|music| match music.source {
        MusicPlanSource::Source(source) => Some(source),
        MusicPlanSource::Bed { .. } => None,
    });
    let heard = music.into_iter().chain(plan.audio.backgrounds.iter().map(|sound| sound.source));
    let sources = planned.ingredients(heard);
    let at = |source| place(planned, None, source);
    let warnings =
        |written: &Written| written.notes.iter().map(|note| warning(note, plan, None)).collect::<Vec<_>>();
    let found = planned.larder.find(Kind::Sound, &key, &sources).await;
    if let Some((sound, written)) = found.map_err(|error| failure(error, at))? {
        return Ok(Sound { file: sound.file, cached: true, warnings: warnings(&written) });
    }
    let slot = planned.larder.slot(Kind::Sound, &sources, Some(work)).map_err(disk)?;
    let files = vec![slot.descriptor().map_err(disk)?];
    let readers = sources.iter().map(|(source, reader)| (*source, std::sync::Arc::clone(reader))).collect();
    let run = Run { sources: readers, files, progress: &|_, _| {}, cancel: stop };
    let task = Task::Sound(SoundTask { audio: plan.audio.clone(), fps: plan.fps, bit_rate });
    let written = written(shared, &planned.staff, Account::Sound, &task, run, at).await?;
    let file = planned.larder.keep(slot, &key, &written).await.map_err(disk)?.file;
    Ok(Sound { file, cached: false, warnings: warnings(&written) })
}

async fn join(
    shared: &Shared,
    planned: &Planned,
    clips: &Clips,
    sound: &Sound,
    (video, audio): (&Path, &Path),
    meter: &Meter<'_>,
    stop: &CancellationToken,
) -> Result<Written, Failure> {
    let plan = &planned.plan;
    meter.report(Stage::Assembling, 0, plan.frames, None);
    let copy = |file: &File| file.try_clone().map(OwnedFd::from).map_err(disk);
    let mut files = clips.files.iter().map(copy).collect::<Result<Vec<_>, _>>()?;
    files.extend([copy(&sound.file)?, create(video)?, create(audio)?]);
    let task = Task::Assemble(AssembleTask {
        canvas: plan.canvas,
        fps: plan.fps,
        frames: plan.frames,
        clips: clips.files.len(),
        order: clips.order.clone(),
        title: plan.name.clone(),
    });
    let progress = |done: u64, total: u64| meter.report(Stage::Assembling, done, total, None);
    let run = Run { sources: std::collections::BTreeMap::new(), files, progress: &progress, cancel: stop };
    written(shared, &planned.staff, Account::Assembling, &task, run, |source| place(planned, None, source))
        .await
}

fn create(path: &Path) -> Result<OwnedFd, Failure> {
    let file = File::options().read(true).write(true).create_new(true).open(path);
    file.map(OwnedFd::from).map_err(disk)
}
