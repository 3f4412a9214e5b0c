//! The ledger of one job: what was drawn, copied, found and read, and what it took.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use worker::Cost;

/// A part of a job that is accounted for on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Account {
    /// Pinning, probing, laying out captions.
    Planning,
    /// Drawing and encoding scenes.
    Scenes,
    /// Mixing and encoding the sound.
    Sound,
    /// Joining clips and sound.
    Assembling,
    /// Thumbnail and preview pictures.
    Pictures,
}

/// What an account came to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spent {
    /// The account.
    pub stage: Account,
    /// Processor seconds of the child processes.
    pub cpu_seconds: f64,
    /// Seconds from its beginning to its end; scenes and sound run side by side.
    pub wall_seconds: f64,
    /// Tasks that child processes did.
    pub tasks: u64,
}

/// What the cache did for a job.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CacheUse {
    /// Whether there is a cache.
    pub on: bool,
    /// Artefacts that were found.
    pub hits: u64,
    /// Artefacts that were made and kept.
    pub misses: u64,
    /// Artefacts that were found damaged, and made again.
    pub damaged: u64,
    /// Artefacts that may not be kept: a source's name for its version allows its bytes to differ.
    pub uncacheable: u64,
}

/// Collects; shared by all that work for the job.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    spent: Vec<(Account, Duration, Instant, Instant, u64)>,
    peak_bytes: u64,
    cache: CacheUse,
}

impl Ledger {
    /// A task of a child, begun at `since`, took this.
    pub(crate) fn task(&self, account: Account, since: Instant, cost: Cost) {
        let mut state = self.lock();
        state.peak_bytes = state.peak_bytes.max(cost.peak_bytes);
        let (cpu, now) = (Duration::from_micros(cost.cpu_us), Instant::now());
        match state.spent.iter_mut().find(|(other, ..)| *other == account) {
            Some((_, spent, from, until, tasks)) => {
                *spent += cpu;
                *from = since.min(*from);
                *until = now;
                *tasks += 1;
            }
            None => state.spent.push((account, cpu, since, now, 1)),
        }
    }

    /// Something about the cache.
    pub(crate) fn cache(&self, change: impl FnOnce(&mut CacheUse)) {
        change(&mut self.lock().cache);
    }

    /// What the cache did.
    pub(crate) fn cache_use(&self) -> CacheUse {
        self.lock().cache
    }

    /// The most memory that one child had, in bytes.
    pub(crate) fn peak_bytes(&self) -> u64 {
        self.lock().peak_bytes
    }

    /// All accounts, in the order of the work.
    pub(crate) fn spent(&self) -> Vec<Spent> {
        let state = self.lock();
        let mut spent: Vec<Spent> = state
            .spent
            .iter()
            .map(|(stage, cpu, from, until, tasks)| Spent {
                stage: *stage,
                cpu_seconds: cpu.as_secs_f64(),
                wall_seconds: until.duration_since(*from).as_secs_f64(),
                tasks: *tasks,
            })
            .collect();
        spent.sort_by_key(|spent| spent.stage);
        spent
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
