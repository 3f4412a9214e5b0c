//! Subtitle files of a plan. Times are those of the frames, to the nearest millisecond.

use std::fmt::Write as _;

use storyboard::script::joint;

use crate::model::Plan;

/// SubRip.
pub fn srt(plan: &Plan) -> String {
    let mut out = String::new();
    for (index, cue) in plan.cues().iter().enumerate() {
        let (start, end) = (time(cue.start_frame, plan.fps, ','), time(cue.end_frame, plan.fps, ','));
        // SubRip has no escapes; only an arrow could be taken for the next cue's times.
        let text = lines(&cue.text).replace("-->", "->");
        let _ = write!(out, "{}\n{start} --> {end}\n{text}\n\n", index + 1);
    }
    out
}

/// WebVTT; `&`, `<` and `>` of the text are escaped.
pub fn vtt(plan: &Plan) -> String {
    let mut out = String::from("WEBVTT\n\n");
    for cue in plan.cues() {
        let (start, end) = (time(cue.start_frame, plan.fps, '.'), time(cue.end_frame, plan.fps, '.'));
        let text = lines(&cue.text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let _ = write!(out, "{start} --> {end}\n{text}\n\n");
    }
    out
}

/// The words alone, a line for each scene that has any.
pub fn txt(plan: &Plan) -> String {
    let mut out = String::new();
    for scene in &plan.scenes {
        let mut text = String::new();
        for line in
            scene.pages.iter().flat_map(|page| page.text().lines().map(str::to_owned).collect::<Vec<_>>())
        {
            let line = line.trim();
            text.push_str(joint(&text, line));
            text.push_str(line);
        }
        if !text.is_empty() {
            out.push_str(&text);
            out.push('\n');
        }
    }
    out
}

/// The text without empty lines, which would end a cue.
fn lines(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

fn time(frame: u64, fps: u32, point: char) -> String {
    let fps = u128::from(fps.max(1));
    let ms = (u128::from(frame) * 1000 * 2 + fps) / (fps * 2);
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}{point}{:03}", ms % 1000)
}
