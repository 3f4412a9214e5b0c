//! Digests: the plan's hash, and the seeds of what the program makes itself.

use serde::Serialize;
use sha2::{Digest, Sha256};
use storyboard::{Address, Background, Scene, Storyboard};

use crate::model::Plan;

impl Plan {
    /// SHA-256, in hexadecimal, of everything that the film's pictures and sound depend on: the plan without the
    /// film's name and the sources' names, which are for messages only.
    pub fn hash(&self) -> String {
        let mut plan = self.clone();
        plan.name.clear();
        for source in &mut plan.sources {
            source.name.clear();
        }
        hex::encode(Sha256::digest(canonical(&plan)))
    }
}

/// JSON text with members in the order of their declaration and numbers in their shortest form: the same on every
/// machine.
fn canonical<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("a plan has text keys only, so it is always JSON")
}

/// The seed of an item's generated background: from its words, so that it stays when other scenes change.
pub(crate) fn background_seed(parts: &[Scene]) -> u64 {
    let words: Vec<&str> = parts.iter().map(|scene| scene.text.as_str()).collect();
    seed("background", &words)
}

/// The seed of the generated music. A changed caption or length must not change the music, nor make the film's sound
/// be encoded again, so it depends on what the film begins with: its first background, or its first words where the
/// program makes that too.
pub(crate) fn music_seed(storyboard: &Storyboard) -> u64 {
    let first: Option<(Option<&Address>, &str)> =
        storyboard.scenes.first().map(|scene| match &scene.background {
            Background::Media(background) => (Some(&background.media.address), ""),
            Background::Colour(_) | Background::Generated => (None, scene.text.as_str()),
        });
    seed("music", &first)
}

fn seed<T: Serialize>(purpose: &str, value: &T) -> u64 {
    let digest = Sha256::digest(canonical(&(purpose, value)));
    // 53 bits, so that no JSON reader rounds it.
    digest.iter().take(8).fold(0_u64, |seed, byte| seed << 8 | u64::from(*byte)) >> 11
}
