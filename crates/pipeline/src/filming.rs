//! From a plan to pictures: previews and films. Scenes and sound are encoded side by side, then joined.
//!
//! Invariants: nothing is looked up any more, the plan says all; the first failure ends the others; files are
//! complete and synced to disk before they are named in the answer.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt};
use media::ObjectReader;
use plan::{BackgroundPlan, MusicPlanSource, ScenePlan, subtitles};
use storyboard::{Class, Problem, Warning};
use tokio_util::sync::CancellationToken;
use worker::{
    AssembleTask, ClipTask, FrameTask, Reply, Run, SoundTask, Task, TaskError, WorkerError, Written,
};

use crate::job::{Failure, Film, JobContext, PreviewScene, Stage};
use crate::meter::Meter;
use crate::overlays;
use crate::planning::Planned;
use crate::problems::{Place, failure, warning};
use crate::shared::Shared;

/// How many of a film's frames the sound counts as, in the progress.
const SOUND_SHARE: u64 = 10;

/// Writes the first frame of each scene.
pub(crate) async fn preview(
    shared: &Shared,
    planned: &Planned,
    context: &JobContext,
    directory: &Path,
) -> Result<Vec<PreviewScene>, Failure> {
    let meter = Meter::new(context);
    let total = planned.plan.scenes.len();
    let done = AtomicUsize::new(0);
    let shots = planned.plan.scenes.iter().enumerate().map(|(index, scene)| {
        let (meter, done) = (&meter, &done);
        async move {
            let name = format!("scene-{index:04}.jpg");
            draw(shared, planned, scene, 0, &directory.join(&name), &context.cancel).await?;
            let finished = done.fetch_add(1, Ordering::Relaxed) + 1;
            meter.report(Stage::Rendering, finished as u64, total as u64, Some((finished, total)));
            let caption = scene.pages.first().map(captions::Page::text).unwrap_or_default();
            Ok(PreviewScene { file: name, caption, frames: scene.frames })
        }
        .boxed()
    });
    // Boxed and listed first: the compiler cannot see that a lazy row of borrowing futures may change threads.
    let shots: Vec<BoxFuture<'_, Result<PreviewScene, Failure>>> = shots.collect();
    futures::stream::iter(shots).buffered(shared.settings.parallel.max(1)).try_collect().await
}

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
    let frames_done = AtomicU64::new(0);
    let scenes_done = AtomicUsize::new(0);
    let total = plan.frames + SOUND_SHARE;
    let report = || {
        let scenes = (scenes_done.load(Ordering::Relaxed), plan.scenes.len());
        meter.report(Stage::Rendering, frames_done.load(Ordering::Relaxed), total, Some(scenes));
    };
    report();
    let clip_path = |index: usize| work.path().join(format!("clip-{index}"));
    let clips = plan.scenes.iter().enumerate().map(|(index, scene)| {
        let (frames_done, scenes_done, report, stop) = (&frames_done, &scenes_done, &report, &stop);
        let path = clip_path(index);
        async move {
            let counted = AtomicU64::new(0);
            let count = |done: u64, _: u64| {
                let before = counted.fetch_max(done, Ordering::Relaxed);
                frames_done.fetch_add(done.saturating_sub(before), Ordering::Relaxed);
                report();
            };
            let written = encode_scene(shared, planned, scene, &path, &count, stop).await?;
            scenes_done.fetch_add(1, Ordering::Relaxed);
            report();
            let pointer = format!("/scenes/{}/backgroundUri", scene.item);
            let notes = written.notes.iter().map(|note| warning(note, plan, Some(pointer.clone())));
            Ok::<Vec<Warning>, Failure>(notes.collect())
        }
        .boxed()
    });
    let clips: Vec<BoxFuture<'_, Result<Vec<Warning>, Failure>>> = clips.collect();
    let clips =
        futures::stream::iter(clips).buffered(shared.settings.parallel.max(1)).try_collect::<Vec<_>>();
    let sound_path = work.path().join("sound");
    let sound = async {
        let written = encode_sound(shared, planned, &sound_path, &stop).await?;
        frames_done.fetch_add(SOUND_SHARE, Ordering::Relaxed);
        report();
        Ok::<Vec<Warning>, Failure>(written.notes.iter().map(|note| warning(note, plan, None)).collect())
    };
    let (scene_notes, sound_notes) = futures::try_join!(clips, sound)?;
    meter.report(Stage::Assembling, 0, plan.frames, None);
    let names = Names::of(&plan.name);
    let clip_paths: Vec<PathBuf> = (0..plan.scenes.len()).map(clip_path).collect();
    let into = |name: &str| directory.join(name);
    join(
        shared,
        planned,
        &clip_paths,
        &sound_path,
        (&into(&names.video), &into(&names.audio)),
        &meter,
        &stop,
    )
    .await?;
    let first = plan.scenes.first().ok_or(Failure::Cancelled)?;
    draw(shared, planned, first, 0, &into(&names.thumbnail), &stop).await?;
    std::fs::write(into(&names.srt), subtitles::srt(plan)).map_err(disk)?;
    std::fs::write(into(&names.vtt), subtitles::vtt(plan)).map_err(disk)?;
    std::fs::write(into(&names.txt), subtitles::txt(plan)).map_err(disk)?;
    work.close().map_err(disk)?;
    let bytes = names.sync(directory).map_err(disk)?;
    meter.report(Stage::Delivering, 1, 1, None);
    let warnings = scene_notes.into_iter().flatten().chain(sound_notes).collect();
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
    })
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

async fn encode_scene(
    shared: &Shared,
    planned: &Planned,
    scene: &ScenePlan,
    path: &Path,
    progress: &(dyn Fn(u64, u64) + Sync),
    stop: &CancellationToken,
) -> Result<Written, Failure> {
    let (overlays, task) = clip_task(shared, planned, scene).await?;
    let files = vec![overlays.into(), create(path)?];
    let sources = scene_sources(planned, scene);
    let run = Run { sources, files, progress, cancel: stop };
    written(shared, &Task::Clip(task), run, |source| place(planned, Some(scene), source)).await
}

async fn draw(
    shared: &Shared,
    planned: &Planned,
    scene: &ScenePlan,
    frame: u64,
    path: &Path,
    stop: &CancellationToken,
) -> Result<Written, Failure> {
    let (overlays, clip) = clip_task(shared, planned, scene).await?;
    let files = vec![overlays.into(), create(path)?];
    let sources = scene_sources(planned, scene);
    let run = Run { sources, files, progress: &|_, _| {}, cancel: stop };
    let task = Task::Frame(FrameTask { clip, frame });
    written(shared, &task, run, |source| place(planned, Some(scene), source)).await
}

async fn encode_sound(
    shared: &Shared,
    planned: &Planned,
    path: &Path,
    stop: &CancellationToken,
) -> Result<Written, Failure> {
    let plan = &planned.plan;
    let music = plan.audio.music.as_ref().and_then(|music| match music.source {
        MusicPlanSource::Source(source) => Some(source),
        MusicPlanSource::Bed { .. } => None,
    });
    let heard = music.into_iter().chain(plan.audio.backgrounds.iter().map(|sound| sound.source));
    let task = Task::Sound(SoundTask {
        audio: plan.audio.clone(),
        fps: plan.fps,
        bit_rate: shared.settings.audio_bit_rate,
    });
    let run = Run {
        sources: readers(planned, heard),
        files: vec![create(path)?],
        progress: &|_, _| {},
        cancel: stop,
    };
    written(shared, &task, run, |source| place(planned, None, source)).await
}

async fn join(
    shared: &Shared,
    planned: &Planned,
    clips: &[PathBuf],
    sound: &Path,
    (video, audio): (&Path, &Path),
    meter: &Meter<'_>,
    stop: &CancellationToken,
) -> Result<Written, Failure> {
    let plan = &planned.plan;
    let open = |path: &Path| File::open(path).map(OwnedFd::from).map_err(disk);
    let mut files = clips.iter().map(|path| open(path)).collect::<Result<Vec<_>, _>>()?;
    files.extend([open(sound)?, create(video)?, create(audio)?]);
    let task = Task::Assemble(AssembleTask {
        canvas: plan.canvas,
        fps: plan.fps,
        frames: plan.frames,
        clips: clips.len(),
        title: plan.name.clone(),
    });
    let progress = |done: u64, total: u64| meter.report(Stage::Assembling, done, total, None);
    let run = Run { sources: BTreeMap::new(), files, progress: &progress, cancel: stop };
    written(shared, &task, run, |source| place(planned, None, source)).await
}

/// The task that draws a scene, and the file with its captions.
async fn clip_task(
    shared: &Shared,
    planned: &Planned,
    scene: &ScenePlan,
) -> Result<(File, ClipTask), Failure> {
    let canvas = planned.plan.canvas;
    let (typesetter, copy) = (Arc::clone(&shared.typesetter), scene.clone());
    let rastered = tokio::task::spawn_blocking(move || overlays::raster(&typesetter, &copy, canvas)).await;
    let (file, overlays) = rastered.map_err(io::Error::other).and_then(|result| result).map_err(disk)?;
    let task = ClipTask {
        canvas,
        fps: planned.plan.fps,
        scene: scene.clone(),
        logo: planned.plan.logo.clone(),
        overlays,
        encoder: shared.settings.encoder.clone(),
    };
    Ok((file, task))
}

fn scene_sources(planned: &Planned, scene: &ScenePlan) -> BTreeMap<usize, Arc<dyn ObjectReader>> {
    let behind = match &scene.background {
        BackgroundPlan::Image { source, .. } | BackgroundPlan::Video { source, .. } => Some(*source),
        BackgroundPlan::Colour(_) | BackgroundPlan::Generated { .. } => None,
    };
    readers(planned, behind.into_iter().chain(planned.plan.logo.as_ref().map(|logo| logo.source)))
}

fn readers(
    planned: &Planned,
    sources: impl Iterator<Item = usize>,
) -> BTreeMap<usize, Arc<dyn ObjectReader>> {
    sources.filter_map(|source| Some((source, Arc::clone(planned.readers.get(source)?)))).collect()
}

/// Runs a task that writes files, once a child may work.
async fn written(
    shared: &Shared,
    task: &Task,
    run: Run<'_>,
    place: impl Fn(Option<usize>) -> Place,
) -> Result<Written, Failure> {
    let slot = shared.slots.acquire();
    let _slot = tokio::select! {
        slot = slot => slot.expect("the slots are never closed"),
        () = run.cancel.cancelled() => return Err(Failure::Cancelled),
    };
    let answer = match shared.supervisor.run(task, run).await {
        Ok(Reply::Written(written)) => Ok(written),
        Ok(other) => Err(WorkerError::from(TaskError::internal(format!("unexpected reply {other:?}")))),
        Err(error) => Err(error),
    };
    answer.map_err(|error| failure(error, place))
}

/// Where a source is named: by the scene that was being drawn, else where it was named first.
fn place(planned: &Planned, scene: Option<&ScenePlan>, source: Option<usize>) -> Place {
    let named = source.and_then(|source| planned.pointers.get(source)).cloned();
    let of_scene = scene.map(|scene| format!("/scenes/{}/backgroundUri", scene.item));
    let is_background = source.is_some_and(|source| {
        scene.is_some_and(|scene| match &scene.background {
            BackgroundPlan::Image { source: own, .. } | BackgroundPlan::Video { source: own, .. } => {
                *own == source
            }
            BackgroundPlan::Colour(_) | BackgroundPlan::Generated { .. } => false,
        })
    });
    Place {
        pointer: if is_background { of_scene } else { named },
        file: source.and_then(|source| planned.plan.sources.get(source)).map(|source| source.name.clone()),
    }
}

fn create(path: &Path) -> Result<OwnedFd, Failure> {
    let file = File::options().read(true).write(true).create_new(true).open(path);
    file.map(OwnedFd::from).map_err(disk)
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` hands errors over")]
fn disk(error: io::Error) -> Failure {
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    tracing::error!(%error, "a working file cannot be written");
    let problem = if full {
        Problem::new(Class::Internal, "DISK_FULL", "There is no space left on the server's disk.")
            .fix("The operator frees space, or lets the server keep fewer films.")
    } else {
        Problem::new(Class::Internal, "INTERNAL", "A working file could not be written.")
    };
    Failure::Problems(vec![problem])
}
