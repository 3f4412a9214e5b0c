//! Scenes to clips: each distinct clip is found in the cache or encoded, once, however many scenes show it.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use artefacts::{Key, Kind};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt};
use plan::{ScenePlan, Takes};
use storyboard::Warning;
use tokio_util::sync::CancellationToken;
use worker::{Run, Task, Written};

use crate::drawing::{clip_task, place, scene_ingredients, scene_readers};
use crate::job::{Failure, JobContext};
use crate::ledger::Account;
use crate::planned::Planned;
use crate::problems::{disk, failure, warning};
use crate::recipe::Fingerprint;
use crate::report::{ClipOrigin, SceneReport};
use crate::shared::Shared;
use crate::staff::written;

/// All clips of a film.
pub(crate) struct Clips {
    /// The distinct clips.
    pub(crate) files: Vec<File>,
    /// The clip of each scene, by its number in `files`.
    pub(crate) order: Vec<usize>,
    /// How each scene came about.
    pub(crate) scenes: Vec<SceneReport>,
    /// What the client should know.
    pub(crate) warnings: Vec<Warning>,
    /// Pictures that were encoded now, and such that passed through.
    pub(crate) encoded: u64,
    pub(crate) passed_through: u64,
}

/// A distinct clip before it is there.
struct Order<'a> {
    scene: &'a ScenePlan,
    takes: Takes,
    key: Key,
    fingerprint: Fingerprint,
    /// How many scenes show it.
    scenes: usize,
}

/// A clip that is there.
struct Made {
    file: File,
    written: Written,
    cached: bool,
}

/// How far the clips are; called with pictures done now and scenes done now.
pub(crate) type Advance<'a> = &'a (dyn Fn(u64, usize) + Sync);

/// What is to be made.
pub(crate) struct Orders<'a> {
    distinct: Vec<Order<'a>>,
    order: Vec<usize>,
}

impl<'a> Orders<'a> {
    /// The distinct clips of a film.
    pub(crate) fn of(shared: &'a Shared, planned: &'a Planned, context: &'a JobContext) -> Self {
        let kitchen = planned.kitchen(shared, context);
        let mut distinct: Vec<Order<'a>> = Vec::new();
        let mut numbers: HashMap<Key, usize> = HashMap::new();
        let mut order = Vec::new();
        for scene in &planned.plan.scenes {
            let takes = Takes::of(scene, shared.settings.encoder.gop);
            let recipe = kitchen.clip(scene, &takes);
            let (key, fingerprint) = (recipe.key(), recipe.fingerprint());
            let number = *numbers.entry(key).or_insert_with(|| {
                distinct.push(Order { scene, takes, key, fingerprint, scenes: 0 });
                distinct.len() - 1
            });
            distinct[number].scenes += 1;
            order.push(number);
        }
        Self { distinct, order }
    }

    /// Pictures of all distinct clips.
    pub(crate) fn pictures(&self) -> u64 {
        self.distinct.iter().map(|order| order.takes.encoded()).sum()
    }

    /// Frames of the film that differ from one another; what several scenes show counts once.
    pub(crate) fn distinct_frames(&self) -> u64 {
        self.distinct.iter().map(|order| order.scene.distinct_frames()).sum()
    }

    /// How each scene would come about now, without making anything.
    pub(crate) async fn outlook(&self, planned: &Planned) -> Vec<SceneReport> {
        let mut origins = Vec::with_capacity(self.distinct.len());
        for order in &self.distinct {
            let sources = scene_ingredients(planned, order.scene);
            let cached = planned.larder.has(Kind::Clip, &order.key, &sources).await;
            origins.push(if cached { ClipOrigin::Cached } else { ClipOrigin::Encoded });
        }
        self.report(planned, |number| (origins[number], None, Vec::new()))
    }

    fn report(
        &self,
        planned: &Planned,
        mut of: impl FnMut(usize) -> (ClipOrigin, Option<String>, Vec<worker::Digest>),
    ) -> Vec<SceneReport> {
        let mut seen = vec![false; self.distinct.len()];
        let scenes = planned.plan.scenes.iter().zip(&self.order).map(|(scene, number)| {
            let order = &self.distinct[*number];
            let (origin, not_passed_through, pictures) = of(*number);
            let shared = std::mem::replace(&mut seen[*number], true);
            let digests = (0..scene.frames).filter_map(|frame| {
                pictures.get(usize::try_from(order.takes.picture_of(frame)?).ok()?).copied()
            });
            SceneReport {
                item: scene.item,
                frames: scene.frames,
                distinct_frames: scene.distinct_frames(),
                clip_frames: order.takes.encoded(),
                clip: if shared { ClipOrigin::Shared } else { origin },
                not_passed_through,
                fingerprint: order.fingerprint.clone(),
                frame_digests: if pictures.is_empty() { Vec::new() } else { digests.collect() },
            }
        });
        scenes.collect()
    }
}

/// What making clips takes, beside what is to be made.
#[derive(Clone, Copy)]
pub(crate) struct Workplace<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) planned: &'a Planned,
    pub(crate) context: &'a JobContext,
    /// A directory for what is not kept.
    pub(crate) directory: &'a Path,
    /// Whether to look into the cache; not where what it holds did not fit together.
    pub(crate) look: bool,
    /// Ends the work.
    pub(crate) stop: &'a CancellationToken,
}

/// Finds or encodes every clip of the film.
pub(crate) async fn clips(
    at: Workplace<'_>,
    orders: &Orders<'_>,
    advance: Advance<'_>,
) -> Result<Clips, Failure> {
    let Workplace { shared, planned, .. } = at;
    let (encoded, passed_through) = (AtomicU64::new(0), AtomicU64::new(0));
    // The longest first, so that no processor is left with it at the end.
    let mut row: Vec<usize> = (0..orders.distinct.len()).collect();
    row.sort_by_key(|number| std::cmp::Reverse(orders.distinct[*number].takes.encoded()));
    let making = row.iter().map(|number| {
        let (order, encoded, passed_through) = (&orders.distinct[*number], &encoded, &passed_through);
        async move {
            let counted = AtomicU64::new(0);
            let count = |done: u64, _: u64| {
                let before = counted.fetch_max(done, Ordering::Relaxed);
                advance(done.saturating_sub(before), 0);
            };
            let made = one(at, order, &count).await?;
            if !made.cached {
                encoded.fetch_add(made.written.frames - made.written.copied, Ordering::Relaxed);
            }
            passed_through.fetch_add(made.written.copied, Ordering::Relaxed);
            count(order.takes.encoded(), 0);
            advance(0, order.scenes);
            Ok::<_, Failure>((*number, made))
        }
        .boxed()
    });
    // Boxed and listed first: the compiler cannot see that a lazy row of borrowing futures may change threads.
    let making: Vec<BoxFuture<'_, Result<(usize, Made), Failure>>> = making.collect();
    let parallel = shared.settings.parallel.max(1);
    let mut made: Vec<(usize, Made)> =
        futures::stream::iter(making).buffer_unordered(parallel).try_collect().await?;
    made.sort_by_key(|(number, _)| *number);
    let warnings = made.iter().flat_map(|(number, made)| {
        let pointer = format!("/scenes/{}/backgroundUri", orders.distinct[*number].scene.item);
        made.written.notes.iter().map(move |note| warning(note, &planned.plan, Some(pointer.clone())))
    });
    let warnings = warnings.collect();
    let scenes = orders.report(planned, |number| {
        let made = &made[number].1;
        let origin = if made.cached { ClipOrigin::Cached } else { ClipOrigin::Encoded };
        (origin, made.written.not_copied.clone(), made.written.digests.clone())
    });
    Ok(Clips {
        files: made.into_iter().map(|(_, made)| made.file).collect(),
        order: orders.order.clone(),
        scenes,
        warnings,
        encoded: encoded.into_inner(),
        passed_through: passed_through.into_inner(),
    })
}

async fn one(
    workplace: Workplace<'_>,
    order: &Order<'_>,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Made, Failure> {
    let Workplace { shared, planned, context, directory, look, stop } = workplace;
    let scene = order.scene;
    let sources = scene_ingredients(planned, scene);
    let at = |source| place(planned, Some(scene), source);
    // Digests are of pictures that are drawn, so they are drawn.
    if look && !context.digests {
        let found = planned.larder.find(Kind::Clip, &order.key, &sources).await;
        if let Some((clip, written)) = found.map_err(|error| failure(error, at))? {
            return Ok(Made { file: clip.file, written, cached: true });
        }
    }
    let (overlays, mut task) = clip_task(shared, planned, scene, |_| true).await?;
    task.takes = order.takes.clone();
    task.digests = context.digests;
    let slot = planned.larder.slot(Kind::Clip, &sources, Some(directory)).map_err(disk)?;
    let files = vec![overlays.into(), slot.descriptor().map_err(disk)?];
    let run = Run { sources: scene_readers(planned, scene), files, progress, cancel: stop };
    let written = written(shared, &planned.staff, Account::Scenes, &Task::Clip(task), run, at).await?;
    let clip = planned.larder.keep(slot, &order.key, &written).await.map_err(disk)?;
    Ok(Made { file: clip.file, written, cached: false })
}
