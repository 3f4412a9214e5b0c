//! What a job finds in the cache, and puts there: the store of artefacts as its tasks see it.
//!
//! Invariants: before anything is served that was made earlier, this job has read a byte of each of its sources with
//! its own grant; what depends on a source whose identity does not last is neither looked up nor kept; without a cache,
//! or where its disk fails, everything is made anew.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use artefacts::{Artefact, Artefacts, Draft, Found, Key, Kind};
use media::ObjectReader;
use rustix::fs::{MemfdFlags, memfd_create};
use serde::Serialize;
use serde::de::DeserializeOwned;
use worker::{WorkerError, Written};

use crate::ledger::Ledger;
use crate::recipe;

/// The cache as one job sees it.
#[derive(Clone)]
pub(crate) struct Larder {
    artefacts: Option<Artefacts>,
    ledger: Arc<Ledger>,
}

/// A source that something was made of.
pub(crate) type Ingredient<'a> = (usize, &'a Arc<dyn ObjectReader>);

/// Where something new is written.
pub(crate) enum Slot {
    Draft(Draft),
    Loose(File),
}

impl Larder {
    pub(crate) fn new(artefacts: Option<Artefacts>, ledger: Arc<Ledger>) -> Self {
        ledger.cache(|cache| cache.on = artefacts.is_some());
        Self { artefacts, ledger }
    }

    /// Whether there is a cache to look into.
    fn is_on(&self) -> bool {
        self.artefacts.is_some()
    }

    /// Looks for an artefact that was made of these sources, with what was noted when it was made.
    pub(crate) async fn find(
        &self,
        kind: Kind,
        key: &Key,
        sources: &[Ingredient<'_>],
    ) -> Result<Option<(Artefact, Written)>, WorkerError> {
        if !self.is_on() {
            return Ok(None);
        }
        if !self.may(sources) {
            self.ledger.cache(|cache| cache.uncacheable += 1);
            return Ok(None);
        }
        if let Some(artefact) = self.look(kind, *key).await
            && let Some(notes) = self.facts(&recipe::notes(key), sources).await?
        {
            self.ledger.cache(|cache| cache.hits += 1);
            return Ok(Some((artefact, notes)));
        }
        self.ledger.cache(|cache| cache.misses += 1);
        Ok(None)
    }

    /// Keeps what was written, with what was noted of it, and answers with it.
    pub(crate) async fn keep(&self, slot: Slot, key: &Key, notes: &Written) -> std::io::Result<Artefact> {
        let is_kept = matches!(slot, Slot::Draft(_));
        let artefact = slot.keep(key).await?;
        if is_kept {
            let notes = Written { digests: Vec::new(), ..notes.clone() };
            self.keep_facts(&recipe::notes(key), &[], &notes).await;
        }
        Ok(artefact)
    }

    /// Whether an artefact is there, without using it.
    pub(crate) async fn has(&self, kind: Kind, key: &Key, sources: &[Ingredient<'_>]) -> bool {
        self.may(sources) && self.look(kind, *key).await.is_some()
    }

    /// Looks for facts that were kept as JSON.
    pub(crate) async fn facts<T: DeserializeOwned>(
        &self,
        key: &Key,
        sources: &[Ingredient<'_>],
    ) -> Result<Option<T>, WorkerError> {
        if !self.may(sources) {
            return Ok(None);
        }
        let Some(found) = self.look(Kind::Facts, *key).await else { return Ok(None) };
        prove(sources).await?;
        Ok(found.read().ok().and_then(|json| serde_json::from_slice(&json).ok()))
    }

    /// Keeps facts as JSON; that this fails costs time later, nothing else.
    pub(crate) async fn keep_facts(&self, key: &Key, sources: &[Ingredient<'_>], facts: &impl Serialize) {
        if !self.may(sources) {
            return;
        }
        let written = self.artefacts.as_ref().map(|artefacts| {
            let draft = artefacts.draft(Kind::Facts)?;
            draft.file().write_all(&serde_json::to_vec(facts)?)?;
            Ok::<_, std::io::Error>(draft)
        });
        match written {
            Some(Ok(draft)) => drop(keep(draft, *key).await),
            Some(Err(error)) => tracing::warn!(%error, "the cache cannot be written"),
            None => {}
        }
    }

    /// A place for something new that is made of these sources: in the cache, else in `work` or in memory.
    pub(crate) fn slot(
        &self,
        kind: Kind,
        sources: &[Ingredient<'_>],
        work: Option<&Path>,
    ) -> std::io::Result<Slot> {
        if self.may(sources)
            && let Some(artefacts) = &self.artefacts
        {
            match artefacts.draft(kind) {
                Ok(draft) => return Ok(Slot::Draft(draft)),
                Err(error) => tracing::warn!(%error, "the cache cannot be written"),
            }
        }
        match work {
            Some(work) => tempfile::tempfile_in(work).map(Slot::Loose),
            None => Ok(Slot::Loose(File::from(memfd_create("artefact", MemfdFlags::CLOEXEC)?))),
        }
    }

    fn may(&self, sources: &[Ingredient<'_>]) -> bool {
        self.is_on() && sources.iter().all(|(_, source)| source.durable())
    }

    async fn look(&self, kind: Kind, key: Key) -> Option<Artefact> {
        let artefacts = self.artefacts.clone()?;
        // Reads the whole file, so not on a thread that others need.
        let found = tokio::task::spawn_blocking(move || artefacts.find(kind, &key)).await;
        match found.unwrap_or(Found::Miss) {
            Found::Hit(artefact) => Some(artefact),
            Found::Miss => None,
            Found::Damaged => {
                self.ledger.cache(|cache| cache.damaged += 1);
                None
            }
        }
    }
}

impl Slot {
    /// For a child to write to.
    pub(crate) fn descriptor(&self) -> std::io::Result<OwnedFd> {
        match self {
            Self::Draft(draft) => draft.file().try_clone().map(OwnedFd::from),
            Self::Loose(file) => file.try_clone().map(OwnedFd::from),
        }
    }

    /// Keeps what was written, under its key, and answers with it.
    async fn keep(self, key: &Key) -> std::io::Result<Artefact> {
        let file = File::from(self.descriptor()?);
        let bytes = file.metadata()?.len();
        // What was written stays readable whether or not it could be kept.
        let written = Artefact { file, bytes };
        match self {
            Self::Draft(draft) => Ok(keep(draft, *key).await.unwrap_or(written)),
            Self::Loose(_) => Ok(written),
        }
    }
}

async fn keep(draft: Draft, key: Key) -> Option<Artefact> {
    let kept = tokio::task::spawn_blocking(move || draft.keep(&key)).await;
    match kept {
        Ok(Ok(artefact)) => Some(artefact),
        Ok(Err(error)) => {
            tracing::warn!(%error, "an artefact could not be kept");
            None
        }
        Err(error) => {
            tracing::error!(%error, "keeping an artefact ended early");
            None
        }
    }
}

/// This job's own grant reads a byte of each source; a source that changed or is refused ends the job as it would
/// have without a cache.
pub(crate) async fn prove(sources: &[Ingredient<'_>]) -> Result<(), WorkerError> {
    for (source_index, source) in sources {
        let source_index = *source_index;
        source.prove().await.map_err(|error| WorkerError::Read { source_index, error })?;
    }
    Ok(())
}
