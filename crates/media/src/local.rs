//! Local files, for `storyreel render --media DIR`.
//!
//! Invariants: nothing outside the directory is opened, whatever links lie in it; a file is pinned by its open handle,
//! and a change of its size or time of modification is reported, never read over.

use std::fs::{File, Metadata};
use std::ops::Range;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use storyboard::{Address, Class, MediaRef};

use crate::{ObjectReader, Opened, Opener, SourceError};

/// Opens files below one directory.
#[derive(Debug, Clone)]
pub struct LocalOpener {
    root: PathBuf,
}

impl LocalOpener {
    /// Files below `root`; the directory is looked at when a file is opened.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }
}

impl Opener for LocalOpener {
    fn open_all<'a>(&'a self, media: &'a [MediaRef]) -> BoxFuture<'a, Vec<Result<Opened, SourceError>>> {
        async move {
            let mut opened = Vec::with_capacity(media.len());
            for one in media {
                let Address::File(path) = &one.address else {
                    opened.push(Err(foreign()));
                    continue;
                };
                let (root, path) = (self.root.clone(), path.clone());
                let result = blocking(move || open(&root, &path)).await;
                opened.push(result.map(|file| Opened { reader: Arc::new(file), warnings: Vec::new() }));
            }
            opened
        }
        .boxed()
    }
}

struct LocalFile {
    file: Arc<File>,
    identity: String,
    mark: Mark,
}

/// What must stay for the bytes to be the same.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Mark {
    size: u64,
    seconds: i64,
    nanoseconds: i64,
}

impl Mark {
    fn of(metadata: &Metadata) -> Self {
        Self { size: metadata.size(), seconds: metadata.mtime(), nanoseconds: metadata.mtime_nsec() }
    }
}

impl ObjectReader for LocalFile {
    fn identity(&self) -> &str {
        &self.identity
    }

    fn size(&self) -> u64 {
        self.mark.size
    }

    fn read(&self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, SourceError>> {
        let (file, mark) = (Arc::clone(&self.file), self.mark);
        blocking(move || read(&file, mark, range)).boxed()
    }
}

fn read(file: &File, mark: Mark, range: Range<u64>) -> Result<Bytes, SourceError> {
    let length = range.end.saturating_sub(range.start).min(mark.size);
    let mut bytes = vec![0; length as usize];
    let outcome = file.read_exact_at(&mut bytes, range.start);
    // Looked at after the read, so that a change before or during it is seen.
    let now = file.metadata().map_err(|error| unreadable(&error))?;
    if Mark::of(&now) != mark {
        return Err(SourceError::new(
            Class::Source,
            "MEDIA_CHANGED",
            "The file changed while it was being read.",
        )
        .fix("Start again once the file is complete."));
    }
    outcome.map_err(|error| unreadable(&error))?;
    Ok(Bytes::from(bytes))
}

fn open(root: &Path, path: &str) -> Result<LocalFile, SourceError> {
    let root = root.canonicalize().map_err(|error| {
        SourceError::new(
            Class::Source,
            "MEDIA_NOT_FOUND",
            format!("The media directory cannot be read: {error}."),
        )
        .fix("Name an existing directory with --media.")
    })?;
    let path = root.join(path).canonicalize().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => SourceError::new(
            Class::Source,
            "MEDIA_NOT_FOUND",
            "There is no such file in the media directory.",
        )
        .fix("Check the name, also its upper and lower case; paths are relative to --media."),
        _ => unreadable(&error),
    })?;
    if !path.starts_with(&root) {
        return Err(SourceError::new(
            Class::Access,
            "PATH_OUTSIDE_MEDIA",
            "The path leads out of the media directory.",
        )
        .fix("Copy the file into the media directory; links that lead out of it are not followed."));
    }
    // Asked before opening: to open a pipe or a device can block or do something.
    let metadata = path.metadata().map_err(|error| unreadable(&error))?;
    if !metadata.is_file() {
        return Err(SourceError::new(
            Class::Source,
            "MEDIA_NOT_A_FILE",
            "The path names a folder or a device, not a file.",
        )
        .fix("Name a media file."));
    }
    let file = File::open(&path).map_err(|error| unreadable(&error))?;
    let metadata = file.metadata().map_err(|error| unreadable(&error))?;
    let mark = Mark::of(&metadata);
    if !metadata.is_file() || mark.size == 0 {
        return Err(SourceError::new(Class::Source, "MEDIA_EMPTY", "The file is empty.")
            .fix("Replace it with a media file."));
    }
    // The time of the last change of its status too: who sets the other time back does not set this one.
    let (seconds, nanoseconds) = (metadata.ctime(), metadata.ctime_nsec());
    let identity = format!(
        "file:{}:{}:{}.{:09}:{seconds}.{nanoseconds:09}",
        path.display(),
        mark.size,
        mark.seconds,
        mark.nanoseconds
    );
    Ok(LocalFile { file: Arc::new(file), identity, mark })
}

fn unreadable(error: &std::io::Error) -> SourceError {
    let class =
        if error.kind() == std::io::ErrorKind::PermissionDenied { Class::Access } else { Class::Source };
    SourceError::new(class, "MEDIA_UNREADABLE", format!("The file cannot be read: {error}."))
        .fix("Check the file and its permissions.")
}

pub(crate) fn foreign() -> SourceError {
    SourceError::new(Class::Internal, "OPENER_MISMATCH", "An address was given to an opener of another kind.")
}

/// Runs blocking work aside of the async threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => {
            Err(SourceError::new(Class::Internal, "READ_TASK_ENDED", "A read of a file ended unexpectedly."))
        }
    }
}
