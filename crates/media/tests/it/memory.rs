//! A reader over bytes in memory that counts, waits and fails on demand.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use media::{ObjectReader, SourceError};
use storyboard::Class;
use tokio::sync::Semaphore;

pub(crate) struct MemoryReader {
    pub(crate) identity: String,
    pub(crate) bytes: Bytes,
    pub(crate) asked: Mutex<Vec<Range<u64>>>,
    pub(crate) denied: AtomicBool,
    /// Every read takes one permit.
    pub(crate) gate: Semaphore,
}

impl MemoryReader {
    pub(crate) fn new(identity: &str, size: usize) -> Self {
        Self {
            identity: identity.to_owned(),
            bytes: (0..size).map(|index| (index * 31 % 251) as u8).collect(),
            asked: Mutex::new(Vec::new()),
            denied: AtomicBool::new(false),
            gate: Semaphore::new(1_000_000),
        }
    }

    pub(crate) fn shut(self) -> Self {
        self.gate.forget_permits(1_000_000);
        self
    }

    pub(crate) fn asked(&self) -> Vec<Range<u64>> {
        self.asked.lock().unwrap().clone()
    }
}

impl ObjectReader for MemoryReader {
    fn identity(&self) -> &str {
        &self.identity
    }

    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read(&self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, SourceError>> {
        async move {
            self.asked.lock().unwrap().push(range.clone());
            self.gate.acquire().await.unwrap().forget();
            if self.denied.load(Ordering::SeqCst) {
                return Err(SourceError::new(Class::Access, "ACCESS_DENIED", "no"));
            }
            Ok(self.bytes.slice(range.start as usize..range.end as usize))
        }
        .boxed()
    }
}
