//! A studio that writes small files at once, or does what a test tells it: wait, fail, panic.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use captions::Page;
use futures::future::BoxFuture;
use pipeline::{
    Drawn, Failure, Film, JobContext, Moment, Outlook, PreviewScene, Progress, Report, Spot, Stage,
};
use plan::{MediaInfo, Paginate, PictureInfo, PlannedSource, Sources};
use server::{Draft, Filmmaker, Look, Shot};
use storyboard::{BackgroundKind, Canvas, Caption, Problem, Storyboard, TextStyle, Warning};
use tokio::sync::watch;

/// What a run does instead of a film.
pub(crate) enum Turn {
    Fail(Vec<Problem>),
    Panic,
}

pub(crate) struct TestStudio {
    turns: Mutex<VecDeque<Turn>>,
    /// Runs wait half way until it is open.
    pub(crate) gate: watch::Sender<bool>,
    /// How many runs have come to the gate.
    pub(crate) waiting: watch::Sender<usize>,
    pub(crate) films: AtomicUsize,
}

impl TestStudio {
    pub(crate) fn new() -> Self {
        Self {
            turns: Mutex::default(),
            gate: watch::channel(true).0,
            waiting: watch::channel(0).0,
            films: AtomicUsize::new(0),
        }
    }

    pub(crate) fn next(&self, turn: Turn) {
        self.turns.lock().unwrap().push_back(turn);
    }

    /// Until a run stands at the gate.
    pub(crate) async fn at_gate(&self) {
        self.waiting.subscribe().wait_for(|count| *count > 0).await.unwrap();
    }

    async fn begin(&self, storyboard: &Storyboard, context: &JobContext) -> Result<plan::Planned, Failure> {
        let scenes = storyboard.scenes.len();
        (context.progress)(Progress { stage: Stage::Planning, scenes: None, percent: 5 });
        let turn = self.turns.lock().unwrap().pop_front();
        match turn {
            Some(Turn::Fail(problems)) => return Err(Failure::Problems(problems)),
            Some(Turn::Panic) => panic!("by design of this test"),
            None => {}
        }
        let planned = plan::plan(storyboard, &sources(storyboard), &OnePage).map_err(Failure::Problems)?;
        (context.progress)(Progress { stage: Stage::Rendering, scenes: Some((1, scenes)), percent: 40 });
        self.waiting.send_modify(|count| *count += 1);
        let _at_gate = AtGate(&self.waiting);
        let mut gate = self.gate.subscribe();
        let open = tokio::select! {
            open = gate.wait_for(|open| *open) => open.is_ok(),
            () = context.cancel.cancelled() => false,
        };
        if open { Ok(planned) } else { Err(Failure::Cancelled) }
    }
}

impl Filmmaker for TestStudio {
    fn draft<'a>(
        &'a self,
        storyboard: &'a Storyboard,
        context: &'a JobContext,
        directory: &'a Path,
    ) -> BoxFuture<'a, Result<Draft, Failure>> {
        Box::pin(async move {
            let planned = self.begin(storyboard, context).await?;
            let mut scenes = Vec::new();
            for (index, scene) in planned.plan.scenes.iter().enumerate() {
                let file = format!("scene-{index}.jpg");
                std::fs::write(directory.join(&file), b"a picture").unwrap();
                let caption = scene.pages.first().map(Page::text).unwrap_or_default();
                scenes.push(PreviewScene { file, caption, frames: scene.frames });
            }
            Ok(Draft {
                plan: planned.plan,
                warnings: vec![Warning::new("STUDIO", "From the studio.")],
                scenes,
            })
        })
    }

    fn shoot<'a>(
        &'a self,
        storyboard: &'a Storyboard,
        context: &'a JobContext,
        directory: &'a Path,
    ) -> BoxFuture<'a, Result<Shot, Failure>> {
        Box::pin(async move {
            let planned = self.begin(storyboard, context).await?;
            for (file, content) in [
                ("film.mp4", "0123456789"),
                ("film.m4a", "sound"),
                ("thumbnail.jpg", "picture"),
                ("film.srt", "1"),
                ("film.vtt", "WEBVTT"),
                ("film.txt", "text"),
            ] {
                std::fs::write(directory.join(file), content).unwrap();
            }
            self.films.fetch_add(1, Ordering::SeqCst);
            let film = Film {
                video: "film.mp4".to_owned(),
                audio: "film.m4a".to_owned(),
                thumbnail: "thumbnail.jpg".to_owned(),
                srt: "film.srt".to_owned(),
                vtt: "film.vtt".to_owned(),
                txt: "film.txt".to_owned(),
                frames: planned.plan.frames,
                fps: planned.plan.fps,
                bytes: 10,
                bytes_read: 7,
                requests: 2,
                warnings: vec![Warning::new("FILMING", "From the filming.")],
                report: Report { output_frames: planned.plan.frames, ..Report::default() },
            };
            Ok(Shot { plan: planned.plan, warnings: planned.warnings, film })
        })
    }

    fn look<'a>(
        &'a self,
        storyboard: &'a Storyboard,
        context: &'a JobContext,
        look: &'a Look<'a>,
    ) -> BoxFuture<'a, Result<(Spot, Option<Drawn>), Failure>> {
        Box::pin(async move {
            let plan = self.begin(storyboard, context).await?.plan;
            let frame = match look.moment {
                Moment::Second(second) => (second * f64::from(plan.fps)) as u64,
                Moment::Scene(number) => plan.scenes[number - 1].start,
            };
            let plan_hash = plan.hash();
            let tag = format!("{plan_hash}-{frame}");
            let spot = Spot { frame, scene: 1, plan_hash, tag };
            if (look.known)(&spot) {
                return Ok((spot, None));
            }
            let bytes = format!("a picture of {} as {:?}", context.owner, look.format).into_bytes();
            Ok((spot, Some(Drawn { bytes, digest: Some(worker::Digest(1)) })))
        })
    }

    fn outlook<'a>(
        &'a self,
        storyboard: &'a Storyboard,
        context: &'a JobContext,
        earlier: Option<&'a Report>,
    ) -> BoxFuture<'a, Result<(Outlook, Vec<Warning>), Failure>> {
        Box::pin(async move {
            let planned = self.begin(storyboard, context).await?;
            let outlook = Outlook {
                plan_hash: planned.plan.hash(),
                seconds: 1.0,
                fps: planned.plan.fps,
                frames: planned.plan.frames,
                distinct_frames: 2,
                frames_to_encode: earlier.map_or(2, |earlier| earlier.output_frames),
                sound_cached: false,
                scenes: Vec::new(),
            };
            Ok((outlook, vec![Warning::new("STUDIO", "From the studio.")]))
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

/// Leaves the gate however its run ends.
struct AtGate<'a>(&'a watch::Sender<usize>);

impl Drop for AtGate<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

struct OnePage;

impl Paginate for OnePage {
    fn paginate(&self, caption: &Caption, style: &TextStyle, _canvas: Canvas) -> (Vec<Page>, Vec<Warning>) {
        let page = Page {
            lines: vec![caption.runs.clone()],
            style: style.clone(),
            language: caption.language.clone(),
        };
        (vec![page], Vec::new())
    }

    fn digest(&self) -> String {
        "test".to_owned()
    }
}

/// Every media object is a video of four seconds.
fn sources(storyboard: &Storyboard) -> Sources {
    let mut sources = Sources::default();
    for (media, _) in storyboard.media() {
        let picture =
            PictureInfo { kind: BackgroundKind::Video, width: 1280, height: 720, duration_us: 4_000_000 };
        let info = MediaInfo {
            picture: Some(picture),
            has_audio: true,
            duration_us: Some(4_000_000),
            format: "test".to_owned(),
        };
        let name = media.address.to_string();
        sources.insert(media, PlannedSource { identity: name.clone(), name, media: info });
    }
    sources
}
