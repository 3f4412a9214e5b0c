//! Where things lie: `<kind>/<first byte of the key>/<key>`, and `drafts/` for what is being written.
//!
//! Every step is taken from an open directory and follows no link; nothing is opened that could block.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use rustix::fs::{self, AtFlags, Dir, FileType, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::{Key, Kind};

/// The directory of drafts.
const DRAFTS: &str = "drafts";

/// Opens the cache's directory; makes it where it is missing.
pub(crate) fn root(path: &Path) -> io::Result<OwnedFd> {
    let open = || fs::open(path, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    match open() {
        Err(Errno::NOENT) => {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
            Ok(open()?)
        }
        other => Ok(other?),
    }
}

/// Opens the directory of drafts; makes it where it is missing.
pub(crate) fn drafts(root: &OwnedFd) -> io::Result<OwnedFd> {
    make(root, DRAFTS)
}

/// Opens the directory of a key, where it is.
pub(crate) fn shelf(root: &OwnedFd, kind: Kind, key: &Key) -> io::Result<OwnedFd> {
    Ok(enter(enter(root, kind.name())?, &byte(key))?)
}

/// Opens the directory of a key; makes it where it is missing.
pub(crate) fn make_shelf(root: &OwnedFd, kind: Kind, key: &Key) -> io::Result<OwnedFd> {
    make(make(root, kind.name())?, &byte(key))
}

/// The name of the directory of a key: its first byte.
fn byte(key: &Key) -> String {
    format!("{:02x}", key.bytes()[0])
}

fn enter(parent: impl AsFd, name: &str) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    fs::openat(parent, name, flags, Mode::empty())
}

fn make(parent: impl AsFd, name: &str) -> io::Result<OwnedFd> {
    match enter(&parent, name) {
        Err(Errno::NOENT) => {
            match fs::mkdirat(&parent, name, Mode::RWXU) {
                // Another was quicker.
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
            Ok(enter(parent, name)?)
        }
        other => Ok(other?),
    }
}

/// Opens a file to read. `None` where something else lies there: a link, a directory, a pipe.
pub(crate) fn open(directory: impl AsFd, name: &str) -> io::Result<Option<File>> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = match fs::openat(directory, name, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::LOOP | Errno::NXIO | Errno::ISDIR) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    Ok(file.metadata()?.is_file().then_some(file))
}

/// Makes a file under a new name, locked for as long as a process has it open. Answers with the name too.
pub(crate) fn new_draft(drafts: &OwnedFd) -> io::Result<(String, File)> {
    loop {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        let name = hex::encode(bytes);
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC;
        let file = fs::openat(drafts, &name, flags, Mode::RUSR | Mode::WUSR)?;
        match fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            // A sweeper that came between making and locking has removed it, or is about to: begin again.
            Ok(()) if fs::fstat(&file)?.st_nlink > 0 => return Ok((name, File::from(file))),
            Ok(()) | Err(Errno::WOULDBLOCK) => {}
            Err(error) => {
                let _ = fs::unlinkat(drafts, &name, AtFlags::empty());
                return Err(error.into());
            }
        }
    }
}

/// Removes the drafts that no living process has open. The lock says so: it ends with its last holder, however that
/// ends, and a child that still writes for a dead parent counts as living.
pub(crate) fn sweep(root: &OwnedFd) -> io::Result<()> {
    let drafts = drafts(root)?;
    for name in names(&drafts)? {
        let Ok(Some(file)) = open(&drafts, &name) else { continue };
        if fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            let _ = fs::unlinkat(&drafts, &name, AtFlags::empty());
        }
    }
    Ok(())
}

/// One kept file.
pub(crate) struct Entry {
    pub(crate) kind: Kind,
    pub(crate) key: Key,
    pub(crate) bytes: u64,
    /// Seconds and nanoseconds since 1970 of its last use.
    pub(crate) used: (i64, u32),
}

/// Every entry. What does not look like one is left out; what vanishes meanwhile, too.
pub(crate) fn walk(root: &OwnedFd) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for kind in Kind::ALL {
        let Some(directory) = present(enter(root, kind.name()))? else { continue };
        for byte in names(&directory)? {
            if byte.len() != 2 {
                continue;
            }
            let Some(directory) = present(enter(&directory, &byte))? else { continue };
            for name in names(&directory)? {
                let Some(key) = Key::parse(&name).filter(|_| name.starts_with(&byte)) else { continue };
                let Some(stat) = present(fs::statat(&directory, &name, AtFlags::SYMLINK_NOFOLLOW))? else {
                    continue;
                };
                if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
                    let bytes = u64::try_from(stat.st_size).unwrap_or(0);
                    let used = (stat.st_mtime, u32::try_from(stat.st_mtime_nsec).unwrap_or(0));
                    entries.push(Entry { kind, key, bytes, used });
                }
            }
        }
    }
    Ok(entries)
}

/// Bytes that are free on the cache's disk.
pub(crate) fn free(root: &OwnedFd) -> io::Result<u64> {
    let disk = fs::fstatvfs(root)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Removes an entry; that it is gone already is as good.
pub(crate) fn remove(root: &OwnedFd, kind: Kind, key: &Key) -> io::Result<()> {
    let gone = shelf(root, kind, key)
        .and_then(|directory| Ok(fs::unlinkat(directory, key.to_string(), AtFlags::empty())?));
    match gone {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// `None` for what is not there, or is no directory.
fn present<T>(answer: rustix::io::Result<T>) -> io::Result<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The names in a directory that are text.
fn names(directory: &OwnedFd) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        match entry.file_name().to_str() {
            Ok(name) if name != "." && name != ".." => names.push(name.to_owned()),
            _ => {}
        }
    }
    Ok(names)
}
