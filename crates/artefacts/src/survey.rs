//! What a cache holds, for its owner to see.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use crate::Kind;
use crate::places::Entry;

/// What a cache holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// For every kind, also where there is nothing.
    pub kinds: BTreeMap<Kind, Holding>,
}

/// What there is of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holding {
    /// Number of entries.
    pub entries: u64,
    /// Bytes of their files, as the limit counts them.
    pub bytes: u64,
    /// Last use of the one that goes first.
    pub oldest: Option<SystemTime>,
    /// Last use of the one that goes last.
    pub newest: Option<SystemTime>,
}

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Number of entries.
    pub entries: u64,
    /// Bytes of their files.
    pub bytes: u64,
}

impl Survey {
    pub(crate) fn of(entries: &[Entry]) -> Self {
        let mut kinds: BTreeMap<Kind, Holding> = Kind::ALL.map(|kind| (kind, Holding::default())).into();
        for entry in entries {
            kinds.entry(entry.kind).or_default().add(1, entry.bytes, time(entry.used));
        }
        Self { kinds }
    }

    /// All kinds together.
    #[must_use]
    pub fn total(&self) -> Holding {
        let mut total = Holding::default();
        for one in self.kinds.values() {
            total.add(one.entries, one.bytes, one.oldest);
            total.add(0, 0, one.newest);
        }
        total
    }
}

impl Holding {
    fn add(&mut self, entries: u64, bytes: u64, used: Option<SystemTime>) {
        self.entries += entries;
        self.bytes = self.bytes.saturating_add(bytes);
        self.oldest = self.oldest.into_iter().chain(used).min();
        self.newest = self.newest.into_iter().chain(used).max();
    }
}

/// A file system may say any time; one that cannot be told is left out.
fn time((seconds, nanoseconds): (i64, u32)) -> Option<SystemTime> {
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let base = if seconds < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(whole)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(whole)
    };
    base?.checked_add(Duration::from_nanos(nanoseconds.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_a_strange_file_system() {
        assert_eq!(time((0, 5)), SystemTime::UNIX_EPOCH.checked_add(Duration::from_nanos(5)));
        assert_eq!(time((-1, 0)), SystemTime::UNIX_EPOCH.checked_sub(Duration::from_secs(1)));
        let _ = (time((i64::MAX, u32::MAX)), time((i64::MIN, 0)));
    }
}
