//! Progress from a run to its row: only forward, at most once a second.

use std::sync::Arc;
use std::time::Duration;

use pipeline::{Progress, Stage};
use store::{JobState, ProgressNote};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(1);

/// Takes progress from a run.
pub(crate) type Sink = Arc<dyn Fn(Progress) + Send + Sync>;

/// A sink, and what notes its progress until the sink is dropped. `write` answers whether the job's owner wants it
/// ended, perhaps through another process; the run is cancelled then.
pub(crate) fn channel<W, F>(
    write: W,
    cancel: &CancellationToken,
) -> (Sink, impl Future<Output = ()> + use<W, F>)
where
    W: Fn(ProgressNote) -> F,
    F: Future<Output = Result<bool, store::Error>>,
{
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
    let cancel = cancel.clone();
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
            match write(note).await {
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_chatty_run_is_noted_once_a_second_and_only_forward() {
        let notes = Arc::new(Mutex::new(Vec::new()));
        let cancel = CancellationToken::new();
        let seen = Arc::clone(&notes);
        let write = move |note: ProgressNote| {
            seen.lock().unwrap().push((Instant::now(), note));
            std::future::ready(Ok(false))
        };
        let (sink, writer) = channel(write, &cancel);
        let run = async move {
            for step in 0..1000_usize {
                let percent = u8::try_from(step / 10).unwrap();
                sink(Progress { stage: Stage::Rendering, scenes: Some((step, 1000)), percent });
                sink(Progress { stage: Stage::Rendering, scenes: Some((0, 1000)), percent: percent / 2 });
                sink(Progress { stage: Stage::Planning, scenes: None, percent: 100 });
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::join!(run, writer);
        let notes = notes.lock().unwrap();
        assert!((9..=11).contains(&notes.len()), "{} notes in ten seconds", notes.len());
        for pair in notes.windows(2) {
            assert!(pair[1].0 - pair[0].0 >= EVERY);
            assert!(pair[1].1.percent >= pair[0].1.percent);
            assert_eq!(pair[1].1.state, JobState::Rendering);
        }
        assert!(!cancel.is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_run_hears_within_a_second_that_it_is_unwanted() {
        let cancel = CancellationToken::new();
        let (sink, writer) = channel(|_| std::future::ready(Ok(true)), &cancel);
        let start = Instant::now();
        let (heard, ()) = tokio::join!(
            async {
                cancel.cancelled().await;
                drop(sink);
                Instant::now()
            },
            writer
        );
        assert!(heard - start <= EVERY);
    }
}
