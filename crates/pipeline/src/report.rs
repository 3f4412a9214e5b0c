//! The report of a job: what was drawn, what was copied, what was found in the cache, what was read, what it took.

use serde::{Deserialize, Serialize};
use worker::{Digest, Versions};

use crate::ledger::{CacheUse, Spent};
use crate::recipe::Fingerprint;

/// What a film took.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Frames of the film.
    pub output_frames: u64,
    /// Frames of the film that differ from one another, as far as the plan can tell; a clip that several scenes show
    /// counts once.
    pub distinct_frames: u64,
    /// Pictures that were encoded for this film now.
    pub encoded_frames: u64,
    /// Packets of the film that are copies: of other packets of this film, of the cache, of a source.
    pub copied_packets: u64,
    /// Pictures that went from a source into the film without being encoded.
    pub passed_through: u64,
    /// What the cache did.
    pub cache: CacheUse,
    /// What was read of each source.
    pub sources: Vec<SourceReport>,
    /// Each scene.
    pub scenes: Vec<SceneReport>,
    /// Whether the sound came out of the cache.
    pub sound_cached: bool,
    /// What each part of the work took.
    pub stages: Vec<Spent>,
    /// The most memory that one child process had, in bytes.
    pub peak_child_bytes: u64,
    /// What encoded.
    pub versions: Versions,
}

/// What was read of one source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceReport {
    /// The source as the client named it.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Bytes that were read of it from outside.
    pub bytes: u64,
    /// Requests that read them.
    pub requests: u64,
}

/// How one scene came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SceneReport {
    /// Index of the client's item.
    pub item: usize,
    /// Length in frames.
    pub frames: u64,
    /// Frames that differ from one another.
    pub distinct_frames: u64,
    /// Pictures that its clip holds.
    pub clip_frames: u64,
    /// Where its clip came from.
    pub clip: ClipOrigin,
    /// Why packets of its source were not passed through, where that was considered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_passed_through: Option<String>,
    /// Digests of its parts.
    pub fingerprint: Fingerprint,
    /// Digests of its frames, as they were handed to the encoder, in order; only where they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frame_digests: Vec<Digest>,
}

/// Where a clip came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ClipOrigin {
    /// It was encoded for this film.
    Encoded,
    /// It was found in the cache.
    Cached,
    /// It is the clip of an earlier scene of this film.
    Shared,
}
