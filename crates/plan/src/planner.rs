//! The planner: a storyboard, its probed media and laid-out captions become a [`Plan`].

use captions::Page;
use storyboard::{Canvas, Caption, Class, Limits, Problem, Scene, Storyboard, TextStyle, Warning};

use crate::background::{Behind, Findings, find, same, settle};
use crate::digest::background_seed;
use crate::model::{AudioPlan, BackgroundPlan, Cut, LogoPlan, Plan, ScenePlan, SoundPlan};
use crate::reading::reading_time_us;
use crate::sound;
use crate::sources::Sources;
use crate::spans::{share, spans};
use crate::timeline::{Place, item_length, lengths, places};

/// Version of the planner's rules; raise it when the same input gives another plan.
pub const VERSION: u32 = 1;

/// Least weight of a caption page among the pages of a scene, in microseconds.
const LEAST_PAGE_US: u64 = 400_000;

/// Breaks captions into pages; implemented over the typesetter of `captions`.
pub trait Paginate {
    /// The pages of a caption on a canvas, and what the author should know, such as a substituted font.
    fn paginate(&self, caption: &Caption, style: &TextStyle, canvas: Canvas) -> (Vec<Page>, Vec<Warning>);
    /// Digest of the fonts and rules that the pages depend on.
    fn digest(&self) -> String;
}

/// A plan with what its author should know.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// What the author should know.
    pub warnings: Vec<Warning>,
}

/// Plans a film of at most the default length; see [`plan_within`].
pub fn plan(
    storyboard: &Storyboard,
    sources: &Sources,
    typesetter: &dyn Paginate,
) -> Result<Planned, Vec<Problem>> {
    plan_within(storyboard, sources, typesetter, Limits::default().film_seconds)
}

/// Plans a film of at most `film_seconds`. `sources` must hold every reference of [`Storyboard::media`].
///
/// Errors: every problem of every scene at once: media without the picture or sound that they are used for,
/// segments outside their video, a film that is too long.
pub fn plan_within(
    storyboard: &Storyboard,
    sources: &Sources,
    typesetter: &dyn Paginate,
    film_seconds: f64,
) -> Result<Planned, Vec<Problem>> {
    let mut findings = Findings::default();
    let fps = storyboard.fps.max(1);
    let behind: Vec<Option<Behind>> = storyboard
        .scenes
        .iter()
        .map(|scene| settle(&scene.background, sources, fps, &mut findings))
        .collect();
    let places = place_scenes(&storyboard.scenes, &behind, fps, &mut findings);
    let frames = places.last().map_or(0, |place| place.start + place.frames);
    if frames as f64 / f64::from(fps) > film_seconds {
        let seconds = frames / u64::from(fps);
        let message = format!("The film would be {seconds} seconds long; {film_seconds:.0} are allowed.");
        let problem = Problem::author("/scenes", "FILM_TOO_LONG", message);
        findings.problems.push(problem.fix("Make several films of it."));
    }
    let film_samples = sound::samples(frames, fps);
    let music = sound::music(storyboard, film_samples, sources, &mut findings);
    let logo = plan_logo(storyboard, sources, &mut findings);
    if !findings.problems.is_empty() {
        return Err(findings.problems);
    }
    let mut scenes = Vec::with_capacity(storyboard.scenes.len());
    let mut sounds: Vec<SoundPlan> = Vec::new();
    let mut index = 0;
    while index < storyboard.scenes.len() {
        let parts = &storyboard.scenes[index..index + item_length(&storyboard.scenes[index..])];
        let seed = background_seed(parts);
        // Frames of the shared background that earlier parts have played.
        let mut played = 0;
        for (part, scene) in parts.iter().enumerate() {
            let (place, behind) = (places[index], behind[index].as_ref());
            if part > 0 && !same(&parts[part - 1].background, &scene.background) {
                played = 0;
            }
            if let Some(behind) = behind {
                let (planned, sound) =
                    plan_scene(scene, behind, seed, place, played, storyboard, typesetter, &mut findings);
                scenes.push(planned);
                sounds.extend(sound);
            }
            played += place.frames;
            index += 1;
        }
    }
    let plan = Plan {
        version: VERSION,
        name: storyboard.name.clone(),
        canvas: storyboard.canvas,
        fps,
        frames,
        sources: sources.list().to_vec(),
        scenes,
        logo,
        audio: AudioPlan { samples: film_samples, music, backgrounds: sounds },
        fonts: typesetter.digest(),
    };
    Ok(Planned { plan, warnings: findings.warnings })
}

fn place_scenes(
    scenes: &[Scene],
    behind: &[Option<Behind>],
    fps: u32,
    findings: &mut Findings,
) -> Vec<Place> {
    let mut exact = Vec::with_capacity(scenes.len());
    let mut index = 0;
    while index < scenes.len() {
        let end = index + item_length(&scenes[index..]);
        exact.extend(lengths(&scenes[index..end], &behind[index..end], fps, findings));
        index = end;
    }
    places(&exact, fps)
}

#[expect(clippy::too_many_arguments, reason = "what a scene depends on; a struct would only rename it")]
fn plan_scene(
    scene: &Scene,
    behind: &Behind,
    seed: u64,
    place: Place,
    played: u64,
    storyboard: &Storyboard,
    typesetter: &dyn Paginate,
    findings: &mut Findings,
) -> (ScenePlan, Option<SoundPlan>) {
    let (background, offset) = plan_background(behind, seed, played, place.frames);
    let mut pages = plan_pages(scene, storyboard.canvas, typesetter, findings);
    let weights: Vec<u64> =
        pages.iter().map(|page| reading_time_us(&page.text()).max(LEAST_PAGE_US)).collect();
    let shares = share(place.frames, &weights);
    if shares.len() < pages.len() {
        let message = format!(
            "Scene {} is too short for its caption; only its first {} of {} pages are shown.",
            scene.item + 1,
            shares.len(),
            pages.len()
        );
        findings.warnings.push(Warning::at(format!("/scenes/{}", scene.item), "CAPTION_CUT", message));
        pages.truncate(shares.len());
    }
    let cuts: &[Cut] = if let BackgroundPlan::Video { cuts, .. } = &background { cuts } else { &[] };
    let sound = sound::background(behind, cuts, played, place, storyboard.fps.max(1));
    let spans = spans(place.frames, &shares, behind, offset);
    let planned =
        ScenePlan { start: place.start, frames: place.frames, item: scene.item, background, pages, spans };
    (planned, sound)
}

/// The background in its scene, and the frame of its joined cuts that the scene begins with.
fn plan_background(behind: &Behind, seed: u64, played: u64, frames: u64) -> (BackgroundPlan, u64) {
    match behind {
        Behind::Colour(colour) => (BackgroundPlan::Colour(*colour), 0),
        Behind::Generated => (BackgroundPlan::Generated { seed }, 0),
        Behind::Image { source, fit } => (BackgroundPlan::Image { source: *source, fit: *fit }, 0),
        Behind::Video { source, fit, cuts, looped, .. } => {
            let cuts = match cuts.as_slice() {
                [] => vec![Cut { start_us: 0, frames: played + frames }],
                cuts => cuts.to_vec(),
            };
            let period: u64 = cuts.iter().map(|cut| cut.frames).sum();
            let offset = if *looped { played % period.max(1) } else { played.min(period.saturating_sub(1)) };
            (BackgroundPlan::Video { source: *source, fit: *fit, cuts, offset, looped: *looped }, offset)
        }
    }
}

fn plan_pages(
    scene: &Scene,
    canvas: Canvas,
    typesetter: &dyn Paginate,
    findings: &mut Findings,
) -> Vec<Page> {
    let Some(caption) = &scene.caption else { return Vec::new() };
    let (pages, warnings) = typesetter.paginate(caption, &scene.style, canvas);
    for mut warning in warnings {
        warning.pointer = warning.pointer.or_else(|| Some(format!("/scenes/{}", scene.item)));
        findings.warn_once(warning);
    }
    pages
}

fn plan_logo(storyboard: &Storyboard, sources: &Sources, findings: &mut Findings) -> Option<LogoPlan> {
    let logo = storyboard.logo.as_ref()?;
    let (source, facts) = find(&logo.media, sources, findings)?;
    if facts.media.picture.is_none() {
        let problem = Problem::new(
            Class::Source,
            "NO_PICTURE",
            format!("It holds no picture. ({})", facts.media.format),
        );
        let problem = problem.at(logo.media.pointer.clone()).file(logo.media.address.to_string());
        findings.problems.push(problem.fix("Name an image as the logo."));
        return None;
    }
    Some(LogoPlan { source, vertical: logo.vertical, horizontal: logo.horizontal })
}
