//! What a plan shows in words: subtitle cues, and the view of scenes that `renderParams` needs.

use storyboard::{PageView, SceneView};

use crate::model::Plan;

/// One caption page on the film's frame grid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cue {
    /// First frame that shows it.
    pub start_frame: u64,
    /// First frame that no longer shows it.
    pub end_frame: u64,
    /// The text; lines are parted by line feeds.
    pub text: String,
}

impl Plan {
    /// Every caption page in order of time; pages without letters are left out.
    pub fn cues(&self) -> Vec<Cue> {
        let mut cues: Vec<Cue> = Vec::new();
        for scene in &self.scenes {
            let mut last_page = None;
            for span in &scene.spans {
                let end_frame = scene.start + span.start + span.frames;
                match (span.page, cues.last_mut()) {
                    (Some(page), Some(cue)) if last_page == Some(page) => cue.end_frame = end_frame,
                    (Some(page), _) => {
                        let text = scene.pages.get(page).map(captions::Page::text).unwrap_or_default();
                        cues.push(Cue { start_frame: scene.start + span.start, end_frame, text });
                    }
                    (None, _) => {}
                }
                last_page = span.page;
            }
        }
        cues.retain(|cue| !cue.text.trim().is_empty());
        cues
    }
}

/// The scenes of a plan as `renderParams` shows them.
pub fn views(plan: &Plan) -> Vec<SceneView> {
    let seconds = |frames: u64| frames as f64 / f64::from(plan.fps.max(1));
    let scenes = plan.scenes.iter().map(|scene| {
        let pages = scene.pages.iter().enumerate().map(|(index, page)| {
            let frames =
                scene.spans.iter().filter(|span| span.page == Some(index)).map(|span| span.frames).sum();
            PageView { lines: page.text().split('\n').map(str::to_owned).collect(), seconds: seconds(frames) }
        });
        SceneView { seconds: seconds(scene.frames), pages: pages.collect() }
    });
    scenes.collect()
}
