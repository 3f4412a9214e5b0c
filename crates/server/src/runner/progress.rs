//! Progress from a run to its row: only forward, at most once a second.

use std::sync::Arc;
use std::time::Duration;

use pipeline::{Progress, Stage};
use store::{JobId, JobState, ProgressNote};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::state::{App, now};

const EVERY: Duration = Duration::from_secs(1);

/// Takes progress from a run.
pub(crate) type Sink = Arc<dyn Fn(Progress) + Send + Sync>;

/// A sink, and what writes to the row until the sink is dropped. The writer also looks whether another process
/// cancelled the job, and ends the run then.
pub(crate) fn channel(
    app: &Arc<App>,
    id: &JobId,
    cancel: &CancellationToken,
) -> (Sink, impl Future<Output = ()> + use<>) {
    let (sender, mut receiver) = watch::channel(None::<Progress>);
    let over = CancellationToken::new();
    let guard = over.clone().drop_guard();
    let sink: Sink = Arc::new(move |progress: Progress| {
        let _goes_with_the_sink = &guard;
        sender.send_if_modified(|last| {
            let forward =
                last.is_none_or(|last| (progress.stage, progress.percent) >= (last.stage, last.percent));
            let changed = *last != Some(progress);
            if forward && changed {
                *last = Some(progress);
            }
            forward && changed
        });
    });
    let (app, id, cancel) = (Arc::clone(app), id.clone(), cancel.clone());
    let writer = async move {
        while !over.is_cancelled() {
            let changed = tokio::select! {
                changed = receiver.changed() => changed.is_ok(),
                () = tokio::time::sleep(EVERY) => false,
                () = over.cancelled() => return,
            };
            let progress = *receiver.borrow_and_update();
            let note =
                progress.map_or(ProgressNote { state: JobState::Planning, percent: 0, scenes: None }, note);
            match app.store.note_progress(&id, &app.instance, note, now()).await {
                Ok(true) => cancel.cancel(),
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "progress was not written");
                }
            }
            if changed {
                tokio::select! {
                    () = tokio::time::sleep(EVERY) => {}
                    () = over.cancelled() => return,
                }
            }
        }
    };
    (sink, writer)
}

fn note(progress: Progress) -> ProgressNote {
    let state = match progress.stage {
        Stage::Planning => JobState::Planning,
        Stage::Rendering => JobState::Rendering,
        Stage::Assembling => JobState::Assembling,
        Stage::Delivering => JobState::Delivering,
    };
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    // 100 is for a job whose end is written.
    ProgressNote {
        state,
        percent: progress.percent.min(99),
        scenes: progress.scenes.map(|(done, total)| (count(done), count(total))),
    }
}
