//! Recipes: everything that a piece of a film depends on. Its digest is the piece's key in the cache.
//!
//! Invariants: a recipe names the owner, the bytes of its sources and the versions of what encodes, and no place in
//! the film: the same scene elsewhere in a film, or in another film of the same owner, has the same key.

use std::collections::BTreeMap;

use artefacts::Key;
use captions::Page;
use plan::{AudioPlan, BackgroundPlan, LogoPlan, MusicPlanSource, Plan, ScenePlan, Span, Takes};
use serde::{Deserialize, Serialize};
use storyboard::Canvas;
use worker::{EncoderSettings, PictureFormat, Versions};

/// Version of how pictures and sound are made from a plan; raise it when the same plan gives other pictures or sound.
pub(crate) const RULES: u32 = 3;

/// Everything that a clip depends on.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ClipRecipe<'a> {
    what: &'static str,
    rules: u32,
    owner: &'a str,
    picture: PictureRecipe<'a>,
    captions: CaptionRecipe<'a>,
    logo: Option<LogoRecipe<'a>>,
    takes: &'a Takes,
    spans: &'a [Span],
    encoder: EncoderRecipe<'a>,
}

#[derive(Debug, Clone, Serialize)]
struct PictureRecipe<'a> {
    source: Option<&'a str>,
    background: BackgroundPlan,
}

#[derive(Debug, Clone, Serialize)]
struct CaptionRecipe<'a> {
    pages: &'a [Page],
    fonts: &'a str,
}

#[derive(Debug, Clone, Serialize)]
struct LogoRecipe<'a> {
    source: &'a str,
    logo: LogoPlan,
}

#[derive(Debug, Clone, Serialize)]
struct EncoderRecipe<'a> {
    canvas: Canvas,
    fps: u32,
    settings: &'a EncoderSettings,
    versions: &'a Versions,
}

/// What stays the same for all recipes of a job.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kitchen<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) owner: &'a str,
    pub(crate) settings: &'a EncoderSettings,
    pub(crate) versions: &'a Versions,
}

/// Digests of a scene's parts, to say which of them changed between two films.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// All of it: the clip's key in the cache.
    pub clip: String,
    /// The background: source, fit, cuts.
    pub picture: String,
    /// The caption pages and the fonts.
    pub captions: String,
    /// The logo.
    pub logo: String,
    /// Length, and when pages change.
    pub timing: String,
    /// Size, frame rate, encoder settings, versions of the libraries.
    pub encoder: String,
}

impl Fingerprint {
    /// In words, what differs from another one; empty where nothing does.
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        let parts = [
            (&self.picture, &other.picture, "the background"),
            (&self.captions, &other.captions, "the caption"),
            (&self.logo, &other.logo, "the logo"),
            (&self.timing, &other.timing, "the timing"),
            (&self.encoder, &other.encoder, "size, frame rate, encoder settings or library versions"),
        ];
        let mut found: Vec<_> =
            parts.into_iter().filter(|(left, right, _)| left != right).map(|(.., name)| name).collect();
        if found.is_empty() && self.clip != other.clip {
            found.push("the owner or the rules of rendering");
        }
        found
    }
}

impl<'a> Kitchen<'a> {
    /// The recipe of a scene's clip.
    pub(crate) fn clip(&self, scene: &'a ScenePlan, takes: &'a Takes) -> ClipRecipe<'a> {
        let mut background = scene.background.clone();
        let source = source_of(&mut background).map(|source| self.identity(std::mem::take(source)));
        let logo = self.plan.logo.as_ref().map(|logo| {
            let source = self.identity(logo.source);
            LogoRecipe { source, logo: LogoPlan { source: 0, ..logo.clone() } }
        });
        ClipRecipe {
            what: "clip",
            rules: RULES,
            owner: self.owner,
            picture: PictureRecipe { source, background },
            captions: CaptionRecipe { pages: &scene.pages, fonts: &self.plan.fonts },
            logo,
            takes,
            spans: &scene.spans,
            encoder: EncoderRecipe {
                canvas: self.plan.canvas,
                fps: self.plan.fps,
                settings: self.settings,
                versions: self.versions,
            },
        }
    }

    /// The key of one frame of a scene as a picture file.
    pub(crate) fn picture(&self, scene: &ScenePlan, frame: u64, format: PictureFormat) -> Key {
        let takes = Takes::default();
        key(&("picture", self.clip(scene, &takes), frame, format))
    }

    /// The key of the film's sound. Sources count by their bytes, in the order in which they are heard.
    pub(crate) fn sound(&self, bit_rate: u32) -> Key {
        let mut audio = self.plan.audio.clone();
        let mut heard: Vec<&str> = Vec::new();
        let mut numbers: BTreeMap<usize, usize> = BTreeMap::new();
        for source in sound_sources(&mut audio) {
            *source = *numbers.entry(*source).or_insert_with(|| {
                heard.push(self.identity(*source));
                heard.len() - 1
            });
        }
        key(&("sound", RULES, self.owner, audio, heard, self.plan.fps, bit_rate, self.versions))
    }

    fn identity(&self, source: usize) -> &'a str {
        self.plan.sources.get(source).map_or("", |source| source.identity.as_str())
    }
}

impl ClipRecipe<'_> {
    /// The clip's key.
    pub(crate) fn key(&self) -> Key {
        key(self)
    }

    /// Digests of its parts.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint {
            clip: self.key().to_string(),
            picture: short(&self.picture),
            captions: short(&self.captions),
            logo: short(&self.logo),
            timing: short(&(self.takes, self.spans)),
            encoder: short(&self.encoder),
        }
    }
}

/// The key of what is known of an object of this identity.
pub(crate) fn facts(owner: &str, identity: &str, versions: &Versions) -> Key {
    key(&("facts", RULES, owner, identity, versions))
}

/// The key of what was noted while an artefact was made.
pub(crate) fn notes(of: &Key) -> Key {
    key(&("notes", of.to_string()))
}

fn source_of(background: &mut BackgroundPlan) -> Option<&mut usize> {
    match background {
        BackgroundPlan::Image { source, .. } | BackgroundPlan::Video { source, .. } => Some(source),
        BackgroundPlan::Colour(_) | BackgroundPlan::Generated { .. } => None,
    }
}

fn sound_sources(audio: &mut AudioPlan) -> impl Iterator<Item = &mut usize> {
    let music = audio.music.as_mut().and_then(|music| match &mut music.source {
        MusicPlanSource::Source(source) => Some(source),
        MusicPlanSource::Bed { .. } => None,
    });
    music.into_iter().chain(audio.backgrounds.iter_mut().map(|sound| &mut sound.source))
}

fn key(value: &impl Serialize) -> Key {
    Key::of(value).expect("recipes have text keys only, so they are always JSON")
}

fn short(value: &impl Serialize) -> String {
    let mut digest = key(value).to_string();
    digest.truncate(16);
    digest
}
