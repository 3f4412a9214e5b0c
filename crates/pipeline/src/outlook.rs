//! The plan as an answer: how long a film would be, what of it differs, what is there already, and what would be
//! rendered again and why. Nothing is rendered for it.

use serde::{Deserialize, Serialize};

use crate::clips::Orders;
use crate::job::JobContext;
use crate::planned::Planned;
use crate::report::{ClipOrigin, Report, SceneReport};
use crate::shared::Shared;

/// What rendering a storyboard would come to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outlook {
    /// Hash of the plan.
    pub plan_hash: String,
    /// Length in seconds.
    pub seconds: f64,
    /// Frames per second.
    pub fps: u32,
    /// Frames of the film.
    pub frames: u64,
    /// Frames that differ from one another, over all scenes.
    pub distinct_frames: u64,
    /// Pictures that would be encoded.
    pub frames_to_encode: u64,
    /// Whether the sound is in the cache.
    pub sound_cached: bool,
    /// Each scene.
    pub scenes: Vec<SceneOutlook>,
}

/// What one scene would come to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SceneOutlook {
    /// Length in seconds.
    pub seconds: f64,
    /// Where in the film it begins, in frames.
    pub start: u64,
    /// The scene as a report has it; `clip` says where its clip would come from.
    #[serde(flatten)]
    pub scene: SceneReport,
    /// Against an earlier film: what changed, in words; empty where the scene was there as it is now. `None` where no
    /// earlier film was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<Vec<String>>,
}

/// Looks at what a film would come to, against the report of an earlier one where that is given.
pub(crate) async fn outlook(
    shared: &Shared,
    planned: &Planned,
    context: &JobContext,
    earlier: Option<&Report>,
) -> Outlook {
    let plan = &planned.plan;
    let orders = Orders::of(shared, planned, context);
    let sound = planned.kitchen(shared, context).sound(shared.settings.audio_bit_rate);
    let sound_cached = planned.larder.has(artefacts::Kind::Sound, &sound, &[]).await;
    let scenes = orders.outlook(planned).await;
    planned.staff.end().await;
    let to_encode =
        scenes.iter().filter(|scene| scene.clip == ClipOrigin::Encoded).map(|scene| scene.clip_frames);
    let seconds = |frames: u64| frames as f64 / f64::from(plan.fps);
    Outlook {
        plan_hash: plan.hash(),
        seconds: seconds(plan.frames),
        fps: plan.fps,
        frames: plan.frames,
        distinct_frames: orders.distinct_frames(),
        frames_to_encode: to_encode.sum(),
        sound_cached,
        scenes: scenes
            .into_iter()
            .zip(&plan.scenes)
            .enumerate()
            .map(|(index, (scene, planned))| SceneOutlook {
                seconds: seconds(scene.frames),
                start: planned.start,
                changed: earlier.map(|earlier| changed(index, &scene, earlier)),
                scene,
            })
            .collect(),
    }
}

/// What changed against the scene of the earlier film that is most like this one: the same clip anywhere, else the
/// scene at the same place.
fn changed(index: usize, scene: &SceneReport, earlier: &Report) -> Vec<String> {
    let same = |other: &&SceneReport| other.fingerprint.clip == scene.fingerprint.clip;
    if earlier.scenes.iter().any(|other| same(&other)) {
        return Vec::new();
    }
    match earlier.scenes.get(index) {
        Some(other) => {
            scene.fingerprint.differences(&other.fingerprint).into_iter().map(str::to_owned).collect()
        }
        None => vec!["the scene is new".to_owned()],
    }
}
