//! The media of a film, probed and numbered.

use std::collections::HashMap;

use storyboard::{Address, MediaRef};

use crate::model::PlannedSource;

/// Which source each media reference means. Two references with the same address and connection, or whose objects
/// have the same identity, are one source.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    list: Vec<PlannedSource>,
    by_reference: HashMap<(Address, Option<String>), usize>,
    by_identity: HashMap<String, usize>,
}

impl Sources {
    /// Adds what was found out about a reference and answers with its number. A source that is there already keeps
    /// its number and its facts; a new one gets the number [`Sources::len`] had before.
    pub fn insert(&mut self, media: &MediaRef, source: PlannedSource) -> usize {
        let key = (media.address.clone(), media.connection.clone());
        if let Some(index) = self.by_reference.get(&key) {
            return *index;
        }
        let index = *self.by_identity.entry(source.identity.clone()).or_insert(self.list.len());
        if index == self.list.len() {
            self.list.push(source);
        }
        self.by_reference.insert(key, index);
        index
    }

    /// The number of a reference's source.
    pub fn index(&self, media: &MediaRef) -> Option<usize> {
        self.by_reference.get(&(media.address.clone(), media.connection.clone())).copied()
    }

    /// The source with a number.
    pub fn get(&self, index: usize) -> Option<&PlannedSource> {
        self.list.get(index)
    }

    /// All sources in the order of their numbers.
    pub fn list(&self) -> &[PlannedSource] {
        &self.list
    }

    /// How many sources there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}
