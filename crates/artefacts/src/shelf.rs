//! The cache itself: finding, making room.

use std::fs::{File, FileTimes};
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use crate::places::Entry;
use crate::{Draft, Key, Kind, Pruned, Survey, places, seal};

/// A cache in a directory. Clones are the same cache; other processes may use the directory at the same time.
#[derive(Debug, Clone)]
pub struct Artefacts {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    directory: PathBuf,
    limit: u64,
    ledger: Mutex<Ledger>,
}

/// An upper bound of what is held, so that not every keeping looks through the directory.
#[derive(Debug, Default)]
struct Ledger {
    /// What the last look found.
    seen: Option<u64>,
    /// What was kept by this process since.
    since: u64,
    /// The limit as the disk allowed it then.
    limit: u64,
}

/// The body of an artefact.
#[derive(Debug)]
pub struct Artefact {
    /// For reading, at position 0; it stays readable when the entry goes. Behind the body is a trailer: read no more
    /// than `bytes`.
    pub file: File,
    /// Length of the body.
    pub bytes: u64,
}

impl Artefact {
    /// The whole body, for small ones. Does not move the file's position.
    ///
    /// # Errors
    /// Of the file system.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        At { file: &self.file, position: 0 }.take(self.bytes).read_to_end(&mut body)?;
        Ok(body)
    }
}

struct At<'a> {
    file: &'a File,
    position: u64,
}

impl io::Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = std::os::unix::fs::FileExt::read_at(self.file, buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

/// What a look found.
#[derive(Debug)]
pub enum Found {
    /// The artefact, proven.
    Hit(Artefact),
    /// Nothing.
    Miss,
    /// Something that is not what was kept. It was removed; make it again.
    Damaged,
}

impl Artefacts {
    /// The cache in `directory`, which is made where it is missing, with at most `limit_bytes` of files, and at most as
    /// much as it leaves free on the disk. Removes the drafts of processes that died: those whose lock nobody holds.
    ///
    /// # Errors
    /// Where the directory cannot be made, read or written.
    pub fn open(directory: &Path, limit_bytes: u64) -> io::Result<Self> {
        let directory = std::path::absolute(directory)?;
        places::sweep(&places::root(&directory)?)?;
        let inner = Inner { directory, limit: limit_bytes, ledger: Mutex::default() };
        let artefacts = Self { inner: Arc::new(inner) };
        // Whether it can be written is known now, rather than after the first rendering.
        artefacts.draft(Kind::Facts)?;
        Ok(artefacts)
    }

    /// Its directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.inner.directory
    }

    /// Most bytes of files.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.inner.limit
    }

    /// Looks an artefact up, reads all of it against its checksum, and makes it the most recently used. Where the file
    /// system fails, that is logged, and the answer is a miss.
    #[must_use]
    pub fn find(&self, kind: Kind, key: &Key) -> Found {
        match self.look(kind, key) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Found::Miss,
            Err(error) => {
                tracing::warn!(%kind, %key, %error, "the artefact cache cannot be read");
                Found::Miss
            }
        }
    }

    fn look(&self, kind: Kind, key: &Key) -> io::Result<Found> {
        let root = places::root(self.directory())?;
        let file = places::open(places::shelf(&root, kind, key)?, &key.to_string())?;
        let verified = file.map(|file| (seal::verify(&file, kind, key), file));
        let what = match verified {
            Some((Ok(Some(bytes)), file)) => {
                // Only the order of eviction depends on it.
                let _ = file.set_times(FileTimes::new().set_modified(SystemTime::now()));
                return Ok(Found::Hit(Artefact { file, bytes }));
            }
            Some((Ok(None), _)) => "its checksum does not match".to_owned(),
            Some((Err(error), _)) => format!("it cannot be read: {error}"),
            None => "it is no file".to_owned(),
        };
        let removed = places::remove(&root, kind, key);
        tracing::warn!(%kind, %key, what, removed = removed.is_ok(), "an artefact is damaged; it is made again");
        Ok(Found::Damaged)
    }

    /// A new file to write an artefact into.
    ///
    /// # Errors
    /// Where the directory cannot be written.
    pub fn draft(&self, kind: Kind) -> io::Result<Draft> {
        Draft::new(self, kind)
    }

    /// What is held now.
    ///
    /// # Errors
    /// Where the directory cannot be read.
    pub fn survey(&self) -> io::Result<Survey> {
        Ok(Survey::of(&places::walk(&places::root(self.directory())?)?))
    }

    /// Lets the least recently used go until at most `to_bytes` are held; 0 empties the cache. Also removes the drafts
    /// of processes that died.
    ///
    /// # Errors
    /// Where the directory cannot be read, or an entry cannot be removed.
    pub fn prune(&self, to_bytes: u64) -> io::Result<Pruned> {
        let root = places::root(self.directory())?;
        places::sweep(&root)?;
        let (pruned, _) = evict(&root, places::walk(&root)?, to_bytes, to_bytes, None)?;
        Ok(pruned)
    }

    /// Notes what was kept, and makes room where that may have become too much.
    ///
    /// Room is made down to a little below the limit, so that a full cache does not look through its directory at every
    /// keeping; and it looks after every 64th part of the limit, since other processes keep too. So n processes are at
    /// most n 64ths above the limit, and one is never above it.
    pub(crate) fn make_room(&self, root: &OwnedFd, kept: u64, new: (Kind, Key)) {
        let mut ledger = self.inner.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.since = ledger.since.saturating_add(kept);
        let within = |seen: u64| {
            ledger.since <= ledger.limit / 64 && seen.saturating_add(ledger.since) <= ledger.limit
        };
        if ledger.seen.is_some_and(within) {
            return;
        }
        match make_room(root, self.limit(), new) {
            Ok(seen) => *ledger = seen,
            Err(error) => tracing::warn!(%error, "the artefact cache cannot make room"),
        }
    }
}

/// Looks at what is held, and makes room within the limit and the disk: of what the disk has for the cache, half is
/// left to others, whatever the limit says.
fn make_room(root: &OwnedFd, limit: u64, new: (Kind, Key)) -> io::Result<Ledger> {
    let entries = places::walk(root)?;
    let limit = limit.min(held(&entries).saturating_add(places::free(root)?) / 2);
    let (_, left) = evict(root, entries, limit, limit - limit / 64, Some(new))?;
    Ok(Ledger { seen: Some(left), since: 0, limit })
}

fn held(entries: &[Entry]) -> u64 {
    entries.iter().fold(0, |sum, entry| sum.saturating_add(entry.bytes))
}

/// Where more than `limit` is held, lets the least recently used go until `to` is left, but not `new`. Answers also
/// with what is left.
fn evict(
    root: &OwnedFd,
    mut entries: Vec<Entry>,
    limit: u64,
    to: u64,
    new: Option<(Kind, Key)>,
) -> io::Result<(Pruned, u64)> {
    let mut held = held(&entries);
    let mut pruned = Pruned::default();
    // An entry may be empty, after a loss of power: to hold nothing is to have none.
    if held <= limit && limit > 0 {
        return Ok((pruned, held));
    }
    entries.sort_unstable_by_key(|entry| (entry.used, entry.kind, entry.key));
    let mut failed = None;
    for entry in entries {
        if held <= to && to > 0 {
            break;
        }
        if new == Some((entry.kind, entry.key)) {
            continue;
        }
        match places::remove(root, entry.kind, &entry.key) {
            Ok(()) => {
                held = held.saturating_sub(entry.bytes);
                pruned.entries += 1;
                pruned.bytes += entry.bytes;
            }
            // The next one may go.
            Err(error) => failed = Some(error),
        }
    }
    match failed {
        Some(error) if held > limit => Err(error),
        _ => Ok((pruned, held)),
    }
}
