//! What a storyboard refers to: its media in order, and the connections that it needs.

use std::collections::BTreeMap;

use crate::model::{Background, MediaRef, MusicSource, Storyboard};

/// What a media object is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaRole {
    /// Behind the scene with this index in [`Storyboard::scenes`].
    Background(usize),
    /// Music under the film.
    Music,
    /// The logo.
    Logo,
}

impl Storyboard {
    /// Every media reference with its role: backgrounds in scene order, music, logo. A source that is used
    /// several times comes several times.
    pub fn media(&self) -> Vec<(&MediaRef, MediaRole)> {
        let mut media = Vec::new();
        for (index, scene) in self.scenes.iter().enumerate() {
            if let Background::Media(background) = &scene.background {
                media.push((&background.media, MediaRole::Background(index)));
            }
        }
        if let Some(music) = &self.music
            && let MusicSource::Media(track) = &music.source
        {
            media.push((track, MediaRole::Music));
        }
        if let Some(logo) = &self.logo {
            media.push((&logo.media, MediaRole::Logo));
        }
        media
    }

    /// Every connection id in use with the JSON pointers of the media that it reads, each pointer once.
    pub fn connections(&self) -> BTreeMap<String, Vec<String>> {
        let mut connections: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (media, _) in self.media() {
            if let Some(id) = &media.connection {
                let pointers = connections.entry(id.clone()).or_default();
                if pointers.last() != Some(&media.pointer) {
                    pointers.push(media.pointer.clone());
                }
            }
        }
        connections
    }

    /// The same storyboard without what only messages and deliveries need: JSON pointers and the webhook.
    /// Two storyboards that are equal after this make the same film.
    #[must_use]
    pub fn essence(&self) -> Self {
        let mut essence = self.clone();
        essence.webhook = None;
        for scene in &mut essence.scenes {
            if let Background::Media(background) = &mut scene.background {
                background.media.pointer.clear();
            }
        }
        if let Some(music) = &mut essence.music
            && let MusicSource::Media(track) = &mut music.source
        {
            track.pointer.clear();
        }
        if let Some(logo) = &mut essence.logo {
            logo.media.pointer.clear();
        }
        essence
    }
}
