//! The port through which every byte of a client's media is read.
//!
//! Invariants: an [`ObjectReader`] is pinned to one identity; if the object changes, reads fail with
//! `MEDIA_CHANGED` and never mix two versions. Whoever opens has been authorised for this job.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use storyboard::{Class, MediaRef, Problem, Warning};

/// One media object, pinned.
pub trait ObjectReader: Send + Sync {
    /// Identity of the bytes: equal strings mean equal bytes. Holds no credential.
    fn identity(&self) -> &str;
    /// Size in bytes.
    fn size(&self) -> u64;
    /// Reads a range that lies within the size; the answer has exactly that length.
    fn read(&self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, SourceError>>;

    /// Shows that these bytes may be read now, and are still those of the identity: reads one of them with the
    /// reader's own grant. To be asked before anything is served that was made of them earlier, for whoever.
    fn prove(&self) -> BoxFuture<'_, Result<(), SourceError>> {
        async move {
            if self.size() > 0 {
                self.read(0..1).await?;
            }
            Ok(())
        }
        .boxed()
    }

    /// Whether the identity holds for longer than this process: what was made of these bytes may be kept under it.
    /// It does not where the other side's name for a version allows the bytes to differ.
    fn durable(&self) -> bool {
        true
    }
}

/// Opens the media of one job. Built per job; it holds what the job may read.
pub trait Opener: Send + Sync {
    /// Pins all objects at once (a grant must name all of them) and answers for each, in order.
    fn open_all<'a>(&'a self, media: &'a [MediaRef]) -> BoxFuture<'a, Vec<Result<Opened, SourceError>>>;
}

/// An opened object and what its owner should know.
pub struct Opened {
    /// Reads it.
    pub reader: Arc<dyn ObjectReader>,
    /// Such as a connection that names another region than the bucket's.
    pub warnings: Vec<Warning>,
}

/// Why an object cannot be read. It does not know the scene: the caller adds it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct SourceError {
    /// Whose problem it is.
    pub class: Class,
    /// Machine-readable name, such as `MEDIA_NOT_FOUND`.
    pub code: &'static str,
    /// What is wrong, without the file's name.
    pub message: String,
    /// What to do.
    pub fix: Option<String>,
    /// What the other side answered: operation, code, request id.
    pub evidence: Option<String>,
}

impl SourceError {
    /// An error without fix or evidence.
    pub fn new(class: Class, code: &'static str, message: impl Into<String>) -> Self {
        Self { class, code, message: message.into(), fix: None, evidence: None }
    }

    /// Says what to do.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// Adds what the other side answered.
    #[must_use]
    pub fn evidence(mut self, evidence: impl Into<String>) -> Self {
        self.evidence = Some(evidence.into());
        self
    }

    /// The problem to show for a media reference.
    #[must_use]
    pub fn problem(&self, media: &MediaRef) -> Problem {
        let mut problem = Problem::new(self.class, self.code, self.message.clone())
            .at(media.pointer.clone())
            .file(media.address.to_string());
        problem.fix.clone_from(&self.fix);
        problem.evidence.clone_from(&self.evidence);
        problem
    }
}
