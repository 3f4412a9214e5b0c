//! From a plan to a preview: the first frame of each scene.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt};
use worker::PictureFormat;

use crate::drawing::{Shot, frame_into};
use crate::job::{Failure, JobContext, PreviewScene, Stage};
use crate::meter::Meter;
use crate::planned::Planned;
use crate::shared::Shared;

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
            let path = directory.join(&name);
            let shot = Shot { scene, frame: 0, format: PictureFormat::Jpeg };
            frame_into(shared, planned, context, shot, &path, &context.cancel).await?;
            let finished = done.fetch_add(1, Ordering::Relaxed) + 1;
            meter.report(Stage::Rendering, finished as u64, total as u64, Some((finished, total)));
            let caption = scene.pages.first().map(captions::Page::text).unwrap_or_default();
            Ok(PreviewScene { file: name, caption, frames: scene.frames })
        }
        .boxed()
    });
    // Boxed and listed first: the compiler cannot see that a lazy row of borrowing futures may change threads.
    let shots: Vec<BoxFuture<'_, Result<PreviewScene, Failure>>> = shots.collect();
    let shots = futures::stream::iter(shots).buffered(shared.settings.parallel.max(1)).try_collect().await;
    planned.staff.end().await;
    shots
}
