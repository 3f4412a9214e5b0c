//! Single frames of a plan as picture files, by the painter that draws the film; and what any task needs that draws.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use artefacts::{Artefact, Kind};
use media::ObjectReader;
use plan::{BackgroundPlan, ScenePlan, Takes};
use tokio_util::sync::CancellationToken;
use worker::{ClipTask, FrameTask, PictureFormat, Run, Task, Written};

use crate::job::{Failure, JobContext};
use crate::larder::Ingredient;
use crate::ledger::Account;
use crate::overlays;
use crate::planning::Planned;
use crate::problems::{Place, disk, failure};
use crate::shared::Shared;
use crate::staff::written;

/// Draws one frame of a scene, or finds its picture in the cache. Answers with the picture's file and what is known
/// of it.
pub(crate) async fn frame(
    shared: &Shared,
    planned: &Planned,
    context: &JobContext,
    scene: &ScenePlan,
    frame: u64,
    format: PictureFormat,
    stop: &CancellationToken,
) -> Result<(Artefact, Written), Failure> {
    let key = planned.kitchen(shared, context).picture(scene, frame, format);
    let sources = scene_ingredients(planned, scene);
    let at = |source| place(planned, Some(scene), source);
    if planned.larder.is_on() {
        let found = planned.larder.find(Kind::Picture, &key, &sources).await;
        if let Some(picture) = found.map_err(|error| failure(error, at))?
            && let Some(written) = planned.larder.notes(&key).await
        {
            return Ok((picture, written));
        }
    }
    let (overlays, clip) = clip_task(shared, planned, scene).await?;
    let slot = planned.larder.slot(Kind::Picture, &sources, &std::env::temp_dir()).map_err(disk)?;
    let files = vec![overlays.into(), slot.descriptor().map_err(disk)?];
    let run = Run { sources: scene_readers(planned, scene), files, progress: &|_, _| {}, cancel: stop };
    let task = Task::Frame(FrameTask { clip, frame, format });
    let written = written(shared, planned, Account::Pictures, &task, run, at).await?;
    let picture = slot.keep(&key).await.map_err(disk)?;
    planned.larder.keep_notes(&key, &written).await;
    Ok((picture, written))
}

/// Draws one frame of a scene into a new file.
pub(crate) async fn frame_into(
    shared: &Shared,
    planned: &Planned,
    context: &JobContext,
    scene: &ScenePlan,
    number: u64,
    path: &Path,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let (picture, _) = frame(shared, planned, context, scene, number, PictureFormat::Jpeg, stop).await?;
    let bytes = picture.read().map_err(disk)?;
    let file = File::options().write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(&bytes)).map_err(disk)
}

/// The task that draws a scene, and the file with its captions.
pub(crate) async fn clip_task(
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
        takes: Takes::default(),
        logo: planned.plan.logo.clone(),
        overlays,
        encoder: shared.settings.encoder.clone(),
        digests: false,
    };
    Ok((file, task))
}

/// Readers of the sources that a scene shows, by their number in the plan.
pub(crate) fn scene_readers(planned: &Planned, scene: &ScenePlan) -> BTreeMap<usize, Arc<dyn ObjectReader>> {
    scene_ingredients(planned, scene)
        .into_iter()
        .map(|(source, reader)| (source, Arc::clone(reader)))
        .collect()
}

/// The sources that a scene shows.
pub(crate) fn scene_ingredients<'a>(planned: &'a Planned, scene: &ScenePlan) -> Vec<Ingredient<'a>> {
    let behind = match &scene.background {
        BackgroundPlan::Image { source, .. } | BackgroundPlan::Video { source, .. } => Some(*source),
        BackgroundPlan::Colour(_) | BackgroundPlan::Generated { .. } => None,
    };
    planned.ingredients(behind.into_iter().chain(planned.plan.logo.as_ref().map(|logo| logo.source)))
}

/// Where a source is named: by the scene that was being drawn, else where it was named first.
pub(crate) fn place(planned: &Planned, scene: Option<&ScenePlan>, source: Option<usize>) -> Place {
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
