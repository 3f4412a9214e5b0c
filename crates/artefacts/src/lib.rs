//! A cache on disk of what rendering made: encoded clips, encoded sound, facts of media, pictures. It knows no media.
//!
//! Invariants: what [`Artefacts::find`] answers is, byte for byte, what a writer kept under that kind and key, proven
//! by a checksum over all of it at every look. An entry appears at once and whole (written aside, then renamed), so
//! that a process may die at any moment, and several may use one directory at a time. Nothing that lies in the
//! directory is followed, waited for or deleted unless this crate could have made it.
//!
//! Nothing is synced: after a loss of power an entry may be torn, which its checksum shows, and it is made again.
//! All calls block; an async caller moves them aside.

mod draft;
mod key;
mod places;
mod seal;
mod shelf;
mod survey;

pub use draft::Draft;
pub use key::{Key, Unkeyable};
pub use shelf::{Artefact, Artefacts, Found};
pub use survey::{Holding, Pruned, Survey};

/// What an artefact is. Part of the place of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The encoded packets of a scene.
    Clip,
    /// Encoded sound.
    Sound,
    /// What is known of a media object, as JSON.
    Facts,
    /// One picture.
    Picture,
}

impl Kind {
    /// Every kind, in the order of lists.
    pub const ALL: [Self; 4] = [Self::Clip, Self::Sound, Self::Facts, Self::Picture];

    /// Its name in directories and lists.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clip => "clip",
            Self::Sound => "sound",
            Self::Facts => "facts",
            Self::Picture => "picture",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}
