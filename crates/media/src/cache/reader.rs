//! A reader that answers from the cache.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use storyboard::Class;
use tokio::sync::OnceCell;

use super::ahead::Ahead;
use super::blocks::{Flight, Found, Key};
use super::{BlockCache, Usage};
use crate::{ObjectReader, SourceError};

/// A reader of one job behind the cache.
pub(super) struct CachedReader {
    core: Arc<Core>,
    ahead: Mutex<Ahead>,
}

/// What a request that outlives its asker needs.
struct Core {
    cache: Arc<BlockCache>,
    inner: Arc<dyn ObjectReader>,
    usage: Arc<Usage>,
    identity: Arc<str>,
    number: u64,
    /// Set once this reader has read a byte by itself.
    proved: OnceCell<()>,
}

impl CachedReader {
    pub(super) fn new(
        cache: Arc<BlockCache>,
        inner: Arc<dyn ObjectReader>,
        usage: Arc<Usage>,
        number: u64,
    ) -> Self {
        let identity = Arc::from(inner.identity());
        let ahead = Mutex::new(Ahead::new(cache.settings.ahead));
        let core = Arc::new(Core { cache, inner, usage, identity, number, proved: OnceCell::new() });
        Self { core, ahead }
    }

    async fn read_range(&self, range: Range<u64>) -> Result<Bytes, SourceError> {
        if range.start > range.end || range.end > self.core.inner.size() {
            return Err(SourceError::new(
                Class::Internal,
                "RANGE_OUTSIDE",
                "A range outside the object was asked for.",
            ));
        }
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let size = self.core.cache.settings.block;
        let blocks = range.start / size..(range.end - 1) / size + 1;
        let ahead = {
            let mut ahead = self.ahead.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            ahead.read(&blocks, self.core.blocks())
        };
        // All that is missing departs at once, as one request for each gap; the waiting comes after.
        self.core.request(blocks.clone());
        self.core.request(ahead);
        let mut joined = BytesMut::new();
        for block in blocks.clone() {
            let bytes = self.block(block).await?;
            let start = block * size;
            let from = range.start.saturating_sub(start) as usize;
            let to = (range.end - start).min(bytes.len() as u64) as usize;
            let part = bytes.slice(from.min(to)..to);
            if blocks.end - blocks.start == 1 {
                return Ok(part);
            }
            joined.extend_from_slice(&part);
        }
        Ok(joined.freeze())
    }

    async fn block(&self, block: u64) -> Result<Bytes, SourceError> {
        let key = self.core.key(block);
        let mut found = self.core.cache.lock().find(&key);
        loop {
            match found {
                Found::Block(bytes) => {
                    self.core.prove().await?;
                    return Ok(bytes);
                }
                Found::Flight(flight) => {
                    let own = flight.reader == self.core.number;
                    if !own {
                        self.core.prove().await?;
                    }
                    match flight.bytes.await {
                        Ok(bytes) => return Ok(self.core.cut(&bytes, flight.first, block)),
                        Err(error) if own => return Err(error),
                        // Another reader's failure (its grant, its network) is not ours: ask ourselves.
                        Err(_) => found = self.ask(&key),
                    }
                }
                Found::Nothing => found = self.ask(&key),
            }
        }
    }

    /// Asks for one block, and answers with the request itself: a full cache may have dropped the block when looked up.
    fn ask(&self, key: &Key) -> Found {
        match self.core.request(key.block..key.block + 1) {
            Some(flight) => Found::Flight(flight),
            None => self.core.cache.lock().find(key),
        }
    }
}

impl Core {
    /// Reads one byte with this reader's own credentials, unless it has read one before.
    async fn prove(&self) -> Result<(), SourceError> {
        if self.inner.size() == 0 {
            return Ok(());
        }
        self.proved
            .get_or_try_init(|| async {
                let bytes = self.inner.read(0..1).await?;
                self.usage.count(bytes.len() as u64);
                Ok(())
            })
            .await
            .copied()
    }

    fn key(&self, block: u64) -> Key {
        Key { identity: Arc::clone(&self.identity), block }
    }

    /// Number of blocks of the object.
    fn blocks(&self) -> u64 {
        self.inner.size().div_ceil(self.cache.settings.block)
    }

    /// One block out of a run's bytes.
    fn cut(&self, bytes: &Bytes, first: u64, block: u64) -> Bytes {
        let size = self.cache.settings.block as usize;
        let start = ((block - first) as usize * size).min(bytes.len());
        bytes.slice(start..(start + size).min(bytes.len()))
    }

    /// Sends a request for every gap in `blocks` that is neither held nor on its way; answers with the last one sent.
    fn request(self: &Arc<Self>, blocks: Range<u64>) -> Option<Flight> {
        let mut sent = None;
        let mut map = self.cache.lock();
        let mut block = blocks.start;
        while block < blocks.end {
            if map.knows(&self.key(block)) {
                block += 1;
                continue;
            }
            let first = block;
            // A request is no longer than the window, so that several go side by side.
            let longest = self.cache.settings.ahead.max(1);
            while block < blocks.end && block - first < longest && !map.knows(&self.key(block)) {
                block += 1;
            }
            let run = first..block;
            // The task outlives a cancelled asker, so that others who wait are not left alone.
            let task = tokio::spawn(Arc::clone(self).fetch(run.clone()));
            let bytes = task.map(|joined| joined.unwrap_or_else(|_| Err(interrupted()))).boxed().shared();
            for block in run {
                let flight = Flight { reader: self.number, first, bytes: bytes.clone() };
                sent = Some(flight.clone());
                map.depart(self.key(block), flight);
            }
        }
        sent
    }

    async fn fetch(self: Arc<Self>, run: Range<u64>) -> Result<Bytes, SourceError> {
        // Lands the flights however this ends, also by a panic of the reader.
        let landing = Landing { core: &self, run: run.clone() };
        let size = self.cache.settings.block;
        let range = run.start * size..(run.end * size).min(self.inner.size());
        let wanted = range.end - range.start;
        let bytes = self.inner.read(range).await?;
        self.usage.count(bytes.len() as u64);
        if bytes.len() as u64 != wanted {
            return Err(SourceError::new(
                Class::Transient,
                "MEDIA_READ_SHORT",
                "A read ended before its range did.",
            ));
        }
        // Fails where it is set already, or being set: either is as good.
        let _ = self.proved.set(());
        {
            let mut map = self.cache.lock();
            for block in run {
                let part = self.cut(&bytes, landing.run.start, block);
                // A copy, so that a block that stays does not hold the memory of a run that went.
                let part = if part.len() == bytes.len() { part } else { Bytes::copy_from_slice(&part) };
                map.keep(self.key(block), part);
            }
        }
        drop(landing);
        Ok(bytes)
    }
}

struct Landing<'a> {
    core: &'a Core,
    run: Range<u64>,
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        let mut map = self.core.cache.lock();
        for block in self.run.clone() {
            map.land(&self.core.key(block));
        }
    }
}

fn interrupted() -> SourceError {
    SourceError::new(Class::Transient, "MEDIA_READ_INTERRUPTED", "A read was interrupted.")
}

impl ObjectReader for CachedReader {
    fn identity(&self) -> &str {
        &self.core.identity
    }

    fn size(&self) -> u64 {
        self.core.inner.size()
    }

    fn read(&self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, SourceError>> {
        self.read_range(range).boxed()
    }

    fn prove(&self) -> BoxFuture<'_, Result<(), SourceError>> {
        self.core.prove().boxed()
    }

    fn durable(&self) -> bool {
        self.core.inner.durable()
    }
}
