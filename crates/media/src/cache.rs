//! The block cache: bytes of pinned objects, kept once for all jobs of the process.
//!
//! Invariants: bytes held are within the limit; one block of one identity is asked for once at a time, however many
//! read it; errors are never kept.
//!
//! Why no owner reads another's bytes: the cache has no lookup of its own. Blocks are keyed by identity, and an
//! identity is only reachable through [`BlockCache::wrap`], which takes a reader that this job's own grant opened. On
//! top of that a wrapped reader proves itself: before its first byte from the cache, it has read at least one byte
//! through its own reader, with that reader's own credentials and `If-Match`.

mod ahead;
mod blocks;
mod reader;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::ObjectReader;
use blocks::Blocks;
use reader::CachedReader;

/// What was read from outside: by a job, or, as a part of that, from one source.
#[derive(Debug, Default)]
pub struct Usage {
    bytes: AtomicU64,
    requests: AtomicU64,
    whole: Option<Arc<Usage>>,
}

impl Usage {
    /// A part of `whole`: what it counts is counted there too.
    #[must_use]
    pub fn part_of(whole: &Arc<Self>) -> Arc<Self> {
        Arc::new(Self { whole: Some(Arc::clone(whole)), ..Self::default() })
    }

    /// Bytes of media that were read from outside.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Requests that read them.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Counts one request and the bytes that it brought.
    pub fn count(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.requests.fetch_add(1, Ordering::Relaxed);
        if let Some(whole) = &self.whole {
            whole.count(bytes);
        }
    }
}

/// How the cache cuts and reads ahead.
#[derive(Debug, Clone, Copy)]
pub struct CacheSettings {
    /// Most bytes held.
    pub capacity: u64,
    /// Bytes of one block; ranges asked of the outside are whole blocks. Small, since a source's index and the part
    /// that is shown are cut out of it at four places.
    pub block: u64,
    /// Most blocks read ahead of a long sequential run, and most in one request; 0 turns reading ahead off.
    pub ahead: u64,
}

impl Default for CacheSettings {
    /// 48 MiB in blocks of 128 KiB, up to 32 of them ahead: enough for the stretch that several scenes show of a source.
    fn default() -> Self {
        Self { capacity: 48 << 20, block: 128 << 10, ahead: 32 }
    }
}

/// A least-recently-used cache of blocks, shared by all jobs of a process.
#[derive(Debug)]
pub struct BlockCache {
    settings: CacheSettings,
    readers: AtomicU64,
    blocks: Mutex<Blocks>,
}

impl BlockCache {
    /// An empty cache.
    pub fn new(settings: CacheSettings) -> Arc<Self> {
        let settings = CacheSettings { block: settings.block.max(1), ..settings };
        Arc::new(Self {
            settings,
            readers: AtomicU64::new(0),
            blocks: Mutex::new(Blocks::new(settings.capacity)),
        })
    }

    /// A reader of the same object that answers from the cache, reads ahead of sequential access, and counts what it
    /// had to ask of `reader`. It must be used within a tokio runtime.
    pub fn wrap(self: &Arc<Self>, reader: Arc<dyn ObjectReader>, usage: Arc<Usage>) -> Arc<dyn ObjectReader> {
        let number = self.readers.fetch_add(1, Ordering::Relaxed);
        Arc::new(CachedReader::new(Arc::clone(self), reader, usage, number))
    }

    /// Bytes held now.
    pub fn held(&self) -> u64 {
        self.lock().held()
    }

    fn lock(&self) -> MutexGuard<'_, Blocks> {
        // The maps are consistent after each statement, so a panic elsewhere does not spoil them.
        self.blocks.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
