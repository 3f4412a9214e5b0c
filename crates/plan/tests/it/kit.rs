//! What the tests plan with: made-up media, and a typesetter without fonts.

use captions::Page;
use plan::{MediaInfo, Paginate, PictureInfo, Plan, Planned, PlannedSource, Sources, plan};
use serde_json::Value;
use storyboard::{
    BackgroundKind, Canvas, Caption, MediaRole, Options, Problem, Run, Storyboard, TextStyle, Warning,
    parse_value,
};

/// Five words a line, two lines a page.
pub(crate) struct Words;

impl Paginate for Words {
    fn paginate(&self, caption: &Caption, style: &TextStyle, _: Canvas) -> (Vec<Page>, Vec<Warning>) {
        let text: String = caption.runs.iter().map(|run| run.text.as_str()).collect();
        let words: Vec<&str> = text.split_whitespace().collect();
        let lines: Vec<Vec<Run>> =
            words.chunks(5).map(|line| vec![Run { text: line.join(" "), keyword: false }]).collect();
        let page = |lines: &[Vec<Run>]| Page {
            lines: lines.to_vec(),
            style: style.clone(),
            language: caption.language.clone(),
        };
        (lines.chunks(2).map(page).collect(), vec![Warning::new("FONT_SUBSTITUTED", "Inter stands in.")])
    }

    fn digest(&self) -> String {
        "words".to_owned()
    }
}

pub(crate) fn video(seconds: f64, audio: bool) -> MediaInfo {
    let duration_us = (seconds * 1e6) as u64;
    let picture = PictureInfo { kind: BackgroundKind::Video, width: 1280, height: 720, duration_us };
    let format = "mov,mp4 h264 aac".to_owned();
    MediaInfo { picture: Some(picture), has_audio: audio, duration_us: Some(duration_us), format }
}

pub(crate) fn image() -> MediaInfo {
    let picture = PictureInfo { kind: BackgroundKind::Image, width: 800, height: 600, duration_us: 0 };
    MediaInfo { picture: Some(picture), has_audio: false, duration_us: None, format: "png".to_owned() }
}

pub(crate) fn sound() -> MediaInfo {
    MediaInfo { picture: None, has_audio: true, duration_us: Some(60_000_000), format: "mp3".to_owned() }
}

pub(crate) fn storyboard(value: &Value) -> Storyboard {
    parse_value(value, &Options::default()).unwrap_or_else(|problems| panic!("{problems:#?}")).0
}

/// Sources for a storyboard: the file name's first letter says what it is (`image...`, `sound...`, `mute...`), and
/// `-N` in it how many hundredths of a second it lasts (2 s without).
pub(crate) fn sources(storyboard: &Storyboard) -> Sources {
    let mut sources = Sources::default();
    for (media, role) in storyboard.media() {
        let name = media.address.to_string();
        let file = name.rsplit('/').next().unwrap();
        let number = file.split(['-', '.']).nth(1).and_then(|number| number.parse::<u32>().ok());
        let seconds = number.map_or(2.0, |number| f64::from(number) / 100.0);
        let facts = match file.as_bytes()[0] {
            b'i' => image(),
            b's' => sound(),
            b'm' => video(seconds, false),
            _ if role == MediaRole::Logo => image(),
            _ => video(seconds, true),
        };
        sources
            .insert(media, PlannedSource { identity: format!("{name}#1"), name: name.clone(), media: facts });
    }
    sources
}

pub(crate) fn planned(value: &Value) -> Planned {
    let storyboard = storyboard(value);
    let planned =
        plan(&storyboard, &sources(&storyboard), &Words).unwrap_or_else(|problems| panic!("{problems:#?}"));
    check(&planned.plan);
    planned
}

pub(crate) fn refused(value: &Value) -> Vec<Problem> {
    let storyboard = storyboard(value);
    plan(&storyboard, &sources(&storyboard), &Words).expect_err("planned")
}

/// The invariants that every plan upholds.
pub(crate) fn check(plan: &Plan) {
    let mut start = 0;
    for scene in &plan.scenes {
        assert_eq!(scene.start, start);
        assert!(scene.frames >= 2);
        let mut at = 0;
        for span in &scene.spans {
            assert_eq!(span.start, at);
            assert!(span.frames >= 2, "{span:?}");
            assert!(span.page.is_none_or(|page| page < scene.pages.len()));
            if let plan::Motion::Loop { phase, period, tail } = span.motion {
                assert!(
                    span.frames > period && phase < period && tail == span.frames % period && period >= 2
                );
            }
            at += span.frames;
        }
        assert_eq!(at, scene.frames);
        start += scene.frames;
    }
    assert_eq!(plan.frames, start);
    assert_eq!(plan.audio.samples, (start * 48_000).div_ceil(u64::from(plan.fps)));
    for sound in &plan.audio.backgrounds {
        assert!(sound.start + sound.samples <= plan.audio.samples && sound.source < plan.sources.len());
    }
}
