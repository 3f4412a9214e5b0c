//! An object that cannot be pinned by ranges: downloaded once into an unnamed file and identified by its bytes.

use std::fs::File;
use std::io::Write as _;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use reqwest::Response;
use sha2::{Digest as _, Sha256};
use storyboard::Class;

use super::client::request_error;
use super::empty;
use crate::guard::UrlPolicy;
use crate::local::blocking;
use crate::{ObjectReader, SourceError};

pub(super) struct WholeFile {
    file: Arc<File>,
    size: u64,
    identity: String,
}

/// Takes all of an answer, within the policy's size and time.
pub(super) async fn download(response: Response, policy: &UrlPolicy) -> Result<WholeFile, SourceError> {
    if response.content_length().is_some_and(|length| length > policy.max_download) {
        return Err(too_large(policy.max_download));
    }
    match tokio::time::timeout(policy.download_timeout, take(response, policy.max_download)).await {
        Ok(outcome) => outcome,
        Err(_) => {
            Err(SourceError::new(Class::Source, "MEDIA_TOO_SLOW", "The file's download took too long.")
                .fix("Put the file on a faster server or into S3."))
        }
    }
}

async fn take(mut response: Response, limit: u64) -> Result<WholeFile, SourceError> {
    let mut file = blocking(|| tempfile::tempfile().map_err(|error| disk(&error))).await?;
    let mut digest = Sha256::new();
    let mut size = 0_u64;
    while let Some(chunk) = response.chunk().await.map_err(|error| request_error(&error))? {
        size += chunk.len() as u64;
        if size > limit {
            return Err(too_large(limit));
        }
        (file, digest) = blocking(move || {
            digest.update(&chunk);
            file.write_all(&chunk).map_err(|error| disk(&error))?;
            Ok((file, digest))
        })
        .await?;
    }
    if size == 0 {
        return Err(empty());
    }
    let identity = format!("sha256:{}:{size}", hex::encode(digest.finalize()));
    Ok(WholeFile { file: Arc::new(file), size, identity })
}

fn too_large(limit: u64) -> SourceError {
    SourceError::new(
        Class::Source,
        "MEDIA_TOO_LARGE",
        format!(
            "The file is larger than {} MiB, and its server does not let it be read in parts.",
            limit >> 20
        ),
    )
    .fix("Use a server with byte ranges and a strong ETag, or put the file into S3.")
}

fn disk(error: &std::io::Error) -> SourceError {
    SourceError::new(
        Class::Internal,
        "TEMPORARY_FILE",
        format!("A temporary file cannot be written: {error}."),
    )
}

impl ObjectReader for WholeFile {
    fn identity(&self) -> &str {
        &self.identity
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn read(&self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, SourceError>> {
        let file = Arc::clone(&self.file);
        let length = range.end.saturating_sub(range.start).min(self.size);
        blocking(move || {
            let mut bytes = vec![0; length as usize];
            file.read_exact_at(&mut bytes, range.start).map_err(|error| disk(&error))?;
            Ok(Bytes::from(bytes))
        })
        .boxed()
    }
}
