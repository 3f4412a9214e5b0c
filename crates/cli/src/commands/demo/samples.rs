//! The customer's sample media: two short films that the program draws itself.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::bail;
use plan::{AudioPlan, MusicPlan, MusicPlanSource};
use storyboard::Canvas;
use tokio_util::sync::CancellationToken;
use worker::{AssembleTask, EncoderSettings, Reply, Run, SampleTask, SoundTask, Supervisor, Task};

/// One sample.
pub(super) struct Sample {
    /// Its key in the bucket.
    pub(super) key: &'static str,
    /// Length in seconds.
    seconds: u64,
    /// Chooses colours, shapes and sound.
    seed: u64,
}

/// What the seed's storyboard names. The first is shorter than its scene, so that it is looped.
pub(super) const SAMPLES: [Sample; 2] = [
    Sample { key: "hello_world.mp4", seconds: 4, seed: 5 },
    Sample { key: "welcome_everyone.mp4", seconds: 8, seed: 20 },
];

const CANVAS: Canvas = Canvas { width: 1280, height: 720 };
const FPS: u32 = 30;
const RATE: u64 = 48_000;

impl Sample {
    /// Length in frames.
    pub(super) fn frames(&self) -> u64 {
        self.seconds * u64::from(FPS)
    }

    /// Makes it in `directory` under its key, with a sound of its own, which the storyboard mutes. `drawn` is called
    /// with the number of frames done.
    pub(super) async fn make(
        &self,
        supervisor: &Supervisor,
        directory: &Path,
        drawn: &(dyn Fn(u64) + Sync),
    ) -> anyhow::Result<()> {
        let frames = self.frames();
        let (clip, sound, aside) = (tempfile::tempfile()?, tempfile::tempfile()?, tempfile::tempfile()?);
        let film = File::options().read(true).write(true).create_new(true).open(directory.join(self.key))?;
        let picture = Task::Sample(SampleTask {
            canvas: CANVAS,
            fps: FPS,
            frames,
            seed: self.seed,
            encoder: EncoderSettings::default(),
        });
        let bed =
            MusicPlan { source: MusicPlanSource::Bed { seed: self.seed }, volume: 1.0, fade_out: RATE / 2 };
        let audio = AudioPlan { samples: self.seconds * RATE, music: Some(bed), backgrounds: Vec::new() };
        let heard = Task::Sound(SoundTask { audio, fps: FPS, bit_rate: 128_000 });
        tokio::try_join!(
            run(supervisor, &picture, vec![clip.try_clone()?.into()], drawn),
            run(supervisor, &heard, vec![sound.try_clone()?.into()], &|_| {}),
        )?;
        let joined = Task::Assemble(AssembleTask {
            canvas: CANVAS,
            fps: FPS,
            frames,
            clips: 1,
            order: vec![0],
            title: self.key.to_owned(),
        });
        run(supervisor, &joined, vec![clip.into(), sound.into(), film.into(), aside.into()], &|_| {}).await
    }
}

async fn run(
    supervisor: &Supervisor,
    task: &Task,
    files: Vec<OwnedFd>,
    done: &(dyn Fn(u64) + Sync),
) -> anyhow::Result<()> {
    let cancel = CancellationToken::new();
    let run = Run { sources: BTreeMap::new(), files, progress: &|count, _| done(count), cancel: &cancel };
    match supervisor.run(task, run).await? {
        Reply::Written(_) => Ok(()),
        other => bail!("unexpected reply {other:?}"),
    }
}
