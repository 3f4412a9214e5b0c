//! Single frames of a plan as picture files, by the painter that draws the film; and what any task needs that draws.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use artefacts::{Key, Kind};
use media::ObjectReader;
use plan::{BackgroundPlan, ScenePlan, Takes};
use rustix::fs::{MemfdFlags, memfd_create};
use tokio_util::sync::CancellationToken;
use worker::{ClipTask, FrameTask, PictureFormat, Run, Task, Written};

use crate::job::{Failure, JobContext};
use crate::larder::Ingredient;
use crate::ledger::Account;
use crate::overlays;
use crate::planned::Planned;
use crate::problems::{Place, disk, failure};
use crate::shared::Shared;
use crate::staff::written;

/// One frame of a scene as a picture file.
#[derive(Clone, Copy)]
pub(crate) struct Shot<'a> {
    pub(crate) scene: &'a ScenePlan,
    /// From the scene's start.
    pub(crate) frame: u64,
    pub(crate) format: PictureFormat,
}

/// Draws one frame of a scene into a new file, or finds its picture in the cache.
pub(crate) async fn frame_into(
    shared: &Shared,
    planned: &Planned,
    context: &JobContext,
    shot: Shot<'_>,
    path: &Path,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let key = planned.kitchen(shared, context).picture(shot.scene, shot.frame, shot.format);
    let sources = scene_ingredients(planned, shot.scene);
    let found = planned.larder.find(Kind::Picture, &key, &sources).await;
    let found = found.map_err(|error| failure(error, |source| place(planned, Some(shot.scene), source)))?;
    let picture = match found {
        Some((picture, _)) => picture,
        None => {
            let slot = planned.larder.slot(Kind::Picture, &sources, None).map_err(disk)?;
            let file = slot.descriptor().map_err(disk)?;
            let written = draw(shared, planned, context, shot, file, stop).await?;
            planned.larder.keep(slot, &key, &written).await.map_err(disk)?
        }
    };
    let bytes = picture.read().map_err(disk)?;
    let file = File::options().write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(&bytes)).map_err(disk)
}

/// Draws one frame of a scene for somebody who waits. The cache is not asked and not filled: whoever edits looks at
/// many pictures once.
pub(crate) async fn frame_at_once(
    shared: &Shared,
    planned: &Planned,
    context: &JobContext,
    shot: Shot<'_>,
) -> Result<(Vec<u8>, Written), Failure> {
    let memory = memfd_create("picture", MemfdFlags::CLOEXEC).map_err(io::Error::from);
    let mut file = memory.map(File::from).map_err(disk)?;
    let copy = file.try_clone().map_err(disk)?;
    let written = draw(shared, planned, context, shot, copy.into(), &context.cancel).await?;
    let mut bytes = Vec::new();
    file.rewind().and_then(|()| file.read_to_end(&mut bytes)).map_err(disk)?;
    Ok((bytes, written))
}

async fn draw(
    shared: &Shared,
    planned: &Planned,
    context: &JobContext,
    Shot { scene, frame, format }: Shot<'_>,
    file: OwnedFd,
    stop: &CancellationToken,
) -> Result<Written, Failure> {
    let at = |source| place(planned, Some(scene), source);
    if planned.staff.are_lent() {
        // The child may hold pictures of an earlier request.
        let proven = crate::larder::prove(&scene_ingredients(planned, scene)).await;
        proven.map_err(|error| failure(error, at))?;
    }
    let page = scene.span_at(frame).and_then(|span| span.page);
    let (overlays, clip) = clip_task(shared, planned, scene, move |number| page == Some(number)).await?;
    let keep_as = keep_as(planned, context, scene);
    let task = Task::Frame(FrameTask { clip, frame, format, keep_as });
    let files = vec![overlays.into(), file];
    let run = Run { sources: scene_readers(planned, scene), files, progress: &|_, _| {}, cancel: stop };
    written(shared, &planned.staff, Account::Pictures, &task, run, at).await
}

/// The name of all that a child may go on with at another frame of the scene, or of one like it: owner, canvas, rate,
/// sources with their numbers. `None` where a source's identity may come to mean other bytes.
fn keep_as(planned: &Planned, context: &JobContext, scene: &ScenePlan) -> Option<String> {
    let plan = &planned.plan;
    let sources = scene_ingredients(planned, scene);
    if !sources.iter().all(|(_, source)| source.durable()) {
        return None;
    }
    let sources: Vec<(usize, &str)> =
        sources.iter().map(|(number, source)| (*number, source.identity())).collect();
    let mut background = scene.background.clone();
    // Where in the source the scene is, changes from frame to frame.
    if let BackgroundPlan::Video { cuts, offset, looped, .. } = &mut background {
        (*cuts, *offset, *looped) = (Vec::new(), 0, false);
    }
    let name =
        Key::of(&("easel", &context.owner, plan.canvas, plan.fps, background, &plan.logo, sources)).ok()?;
    Some(name.to_string())
}

/// The task that draws a scene, and the file with those of its captions that are wanted.
pub(crate) async fn clip_task(
    shared: &Shared,
    planned: &Planned,
    scene: &ScenePlan,
    pages: impl Fn(usize) -> bool + Send + 'static,
) -> Result<(File, ClipTask), Failure> {
    let canvas = planned.plan.canvas;
    let (typesetter, copy) = (Arc::clone(&shared.typesetter), scene.clone());
    let rastered =
        tokio::task::spawn_blocking(move || overlays::raster(&typesetter, &copy, canvas, pages)).await;
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
