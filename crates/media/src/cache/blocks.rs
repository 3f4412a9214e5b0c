//! The maps behind the cache's lock: blocks by age, and the requests under way.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use futures::future::{BoxFuture, Shared};

use crate::SourceError;

/// One block of one object.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) identity: Arc<str>,
    pub(super) block: u64,
}

/// A request under way for a run of blocks; its bytes start at `first`.
#[derive(Clone)]
pub(super) struct Flight {
    /// Which reader asked.
    pub(super) reader: u64,
    /// First block of the run.
    pub(super) first: u64,
    /// Resolves once for all who wait.
    pub(super) bytes: Shared<BoxFuture<'static, Result<Bytes, SourceError>>>,
}

/// What is known of a block.
pub(super) enum Found {
    /// Its bytes.
    Block(Bytes),
    /// A request that will bring it.
    Flight(Flight),
    /// Nothing.
    Nothing,
}

struct Held {
    bytes: Bytes,
    age: u64,
}

/// Blocks by age, and flights.
pub(super) struct Blocks {
    capacity: u64,
    held: u64,
    clock: u64,
    blocks: HashMap<Key, Held>,
    ages: BTreeMap<u64, Key>,
    flights: HashMap<Key, Flight>,
}

impl std::fmt::Debug for Blocks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blocks").field("held", &self.held).field("flights", &self.flights.len()).finish()
    }
}

impl Blocks {
    pub(super) fn new(capacity: u64) -> Self {
        Self {
            capacity,
            held: 0,
            clock: 0,
            blocks: HashMap::new(),
            ages: BTreeMap::new(),
            flights: HashMap::new(),
        }
    }

    pub(super) fn held(&self) -> u64 {
        self.held
    }

    /// Looks a block up and makes it the youngest.
    pub(super) fn find(&mut self, key: &Key) -> Found {
        if let Some(held) = self.blocks.get_mut(key) {
            self.ages.remove(&held.age);
            self.clock += 1;
            held.age = self.clock;
            self.ages.insert(self.clock, key.clone());
            return Found::Block(held.bytes.clone());
        }
        match self.flights.get(key) {
            Some(flight) => Found::Flight(flight.clone()),
            None => Found::Nothing,
        }
    }

    /// Whether a block is held or on its way.
    pub(super) fn knows(&self, key: &Key) -> bool {
        self.blocks.contains_key(key) || self.flights.contains_key(key)
    }

    pub(super) fn depart(&mut self, key: Key, flight: Flight) {
        self.flights.insert(key, flight);
    }

    pub(super) fn land(&mut self, key: &Key) {
        self.flights.remove(key);
    }

    /// Keeps a block, and lets the oldest go until all fit.
    pub(super) fn keep(&mut self, key: Key, bytes: Bytes) {
        let size = bytes.len() as u64;
        if size > self.capacity {
            return;
        }
        self.clock += 1;
        self.ages.insert(self.clock, key.clone());
        self.held += size;
        if let Some(old) = self.blocks.insert(key, Held { bytes, age: self.clock }) {
            self.ages.remove(&old.age);
            self.held -= old.bytes.len() as u64;
        }
        while self.held > self.capacity {
            let Some((_, oldest)) = self.ages.pop_first() else { break };
            if let Some(gone) = self.blocks.remove(&oldest) {
                self.held -= gone.bytes.len() as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(block: u64) -> Key {
        Key { identity: Arc::from("x"), block }
    }

    #[test]
    fn the_oldest_goes_first_and_the_limit_holds() {
        let mut blocks = Blocks::new(30);
        for block in 0..3 {
            blocks.keep(key(block), Bytes::from(vec![0; 10]));
        }
        assert!(matches!(blocks.find(&key(0)), Found::Block(_)));
        blocks.keep(key(3), Bytes::from(vec![0; 10]));
        assert!(
            blocks.knows(&key(0)) && !blocks.knows(&key(1)) && blocks.knows(&key(2)) && blocks.knows(&key(3))
        );
        assert_eq!(blocks.held(), 30);
        blocks.keep(key(3), Bytes::from(vec![0; 4]));
        assert_eq!(blocks.held(), 24);
        blocks.keep(key(9), Bytes::from(vec![0; 31]));
        assert!(!blocks.knows(&key(9)), "a block larger than the cache is not kept");
        blocks.keep(key(4), Bytes::from(vec![0; 30]));
        assert_eq!(blocks.held(), 30);
        assert_eq!(blocks.ages.len(), blocks.blocks.len());
    }
}
