//! An artefact that is being written.

use std::fs::{File, FileTimes};
use std::io;
use std::os::fd::OwnedFd;
use std::time::SystemTime;

use rustix::fs::{AtFlags, renameat, unlinkat};

use crate::{Artefact, Artefacts, Key, Kind, places, seal};

/// A file beside the entries, in the same file system. Dropping it removes it; a process that dies leaves it to the
/// next [`Artefacts::open`].
#[derive(Debug)]
pub struct Draft {
    artefacts: Artefacts,
    kind: Kind,
    /// The directory of drafts, and the name in it.
    drafts: OwnedFd,
    name: String,
    file: File,
    renamed: bool,
}

impl Draft {
    pub(crate) fn new(artefacts: &Artefacts, kind: Kind) -> io::Result<Self> {
        let drafts = places::drafts(&places::root(artefacts.directory())?)?;
        let (name, file) = places::new_draft(&drafts)?;
        Ok(Self { artefacts: artefacts.clone(), kind, drafts, name, file, renamed: false })
    }

    /// The file, empty at first, for reading and writing. A child process may write to a duplicate.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Makes what was written the entry of `key`, in place of an older one, and lets the least recently used go until
    /// all are within the limit. Nobody may write any more. What is larger than the limit is not kept, but can be read
    /// from the answer.
    ///
    /// # Errors
    /// Of the file system, such as a full disk. The draft is gone then.
    pub fn keep(mut self, key: &Key) -> io::Result<Artefact> {
        let bytes = self.file.metadata()?.len();
        seal::set(&self.file, bytes, self.kind, key)?;
        // Sizes and times are those of entries from here on, comparable with the times that hits set.
        self.file.set_times(FileTimes::new().set_modified(SystemTime::now()))?;
        // For reading only, and not of the same description as a writer's.
        let Some(file) = places::open(&self.drafts, &self.name)? else {
            return Err(io::Error::other("a draft is no file any more"));
        };
        let sealed = bytes.saturating_add(seal::LENGTH);
        if sealed <= self.artefacts.limit() {
            let root = places::root(self.artefacts.directory())?;
            let shelf = places::make_shelf(&root, self.kind, key)?;
            renameat(&self.drafts, &self.name, shelf, key.to_string())?;
            self.renamed = true;
            self.artefacts.make_room(&root, sealed, (self.kind, *key));
        }
        Ok(Artefact { file, bytes })
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.renamed {
            let _ = unlinkat(&self.drafts, &self.name, AtFlags::empty());
        }
    }
}
