//! A planned job: the plan, and what its tasks work with.

use std::collections::BTreeSet;
use std::sync::Arc;

use media::{ObjectReader, Usage};
use plan::Plan;
use storyboard::Warning;
use worker::Versions;

use crate::job::JobContext;
use crate::larder::{Ingredient, Larder};
use crate::ledger::Ledger;
use crate::recipe::Kitchen;
use crate::report::{Report, SourceReport};
use crate::shared::Shared;
use crate::staff::Staff;

/// A plan, ready to be rendered, with its open sources.
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// What the client should know.
    pub warnings: Vec<Warning>,
    /// Readers of the plan's sources, by their number.
    pub(crate) readers: Vec<Arc<dyn ObjectReader>>,
    /// Where the storyboard first names each source, by its number.
    pub(crate) pointers: Vec<String>,
    /// What was read from outside so far: in all, and of each source.
    pub(crate) usage: Arc<Usage>,
    pub(crate) usages: Vec<Arc<Usage>>,
    /// The job's children, its account, what it finds in the cache, and what encodes.
    pub(crate) staff: Staff,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) larder: Larder,
    pub(crate) versions: Versions,
}

impl Planned {
    /// What all recipes of the job have in common.
    pub(crate) fn kitchen<'a>(&'a self, shared: &'a Shared, context: &'a JobContext) -> Kitchen<'a> {
        let (settings, versions) = (&shared.settings.encoder, &self.versions);
        Kitchen { plan: &self.plan, owner: &context.owner, settings, versions }
    }

    /// Some sources with their readers, each once.
    pub(crate) fn ingredients(&self, sources: impl Iterator<Item = usize>) -> Vec<Ingredient<'_>> {
        let sources: BTreeSet<usize> = sources.collect();
        sources.into_iter().filter_map(|source| Some((source, self.readers.get(source)?))).collect()
    }

    /// The report so far.
    pub(crate) fn report(&self) -> Report {
        let sources = self.plan.sources.iter().zip(&self.readers).zip(&self.usages);
        let sources = sources.map(|((source, reader), usage)| SourceReport {
            name: source.name.clone(),
            size: reader.size(),
            bytes: usage.bytes(),
            requests: usage.requests(),
        });
        Report {
            cache: self.ledger.cache_use(),
            sources: sources.collect(),
            stages: self.ledger.spent(),
            peak_child_bytes: self.ledger.peak_bytes(),
            versions: self.versions.clone(),
            ..Report::default()
        }
    }
}
