//! An object behind a URL, pinned by a strong ETag and read by ranges.

use std::ops::Range;
use std::sync::Mutex;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use reqwest::header::{CONTENT_RANGE, IF_MATCH, RANGE};
use reqwest::{Response, StatusCode};
use sha2::{Digest as _, Sha256};
use storyboard::Class;
use url::Url;

use super::client::{GuardedClient, request_error, status_error};
use super::strong_etag;
use crate::{ObjectReader, SourceError};

/// How often a range is tried.
const ATTEMPTS: u32 = 3;

pub(super) struct RangedUrl {
    client: GuardedClient,
    named: Url,
    /// Where the redirects ended last time; they may expire.
    place: Mutex<Url>,
    etag: String,
    size: u64,
    identity: String,
}

impl RangedUrl {
    pub(super) fn new(client: GuardedClient, named: Url, place: Url, etag: String, size: u64) -> Self {
        // A digest, since the query may be a secret.
        let digest = hex::encode(Sha256::digest(named.as_str().as_bytes()));
        let identity = format!("url:{digest}:{etag}:{size}");
        Self { client, named, place: Mutex::new(place), etag, size, identity }
    }

    async fn read_range(&self, range: Range<u64>) -> Result<Bytes, SourceError> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let mut attempt = 1;
        loop {
            match self.read_once(&range).await {
                Err(error) if error.class == Class::Transient && attempt < ATTEMPTS => {
                    tokio::time::sleep(Duration::from_millis(250) * 4_u32.pow(attempt - 1)).await;
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    async fn read_once(&self, range: &Range<u64>) -> Result<Bytes, SourceError> {
        let place = self.place.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let span = format!("bytes={}-{}", range.start, range.end - 1);
        let mut response = self
            .client
            .get_once(&place, |request| request.header(RANGE, &span).header(IF_MATCH, &self.etag))
            .await?;
        let moved = response.status().is_redirection()
            || matches!(
                response.status(),
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::GONE
            );
        if moved && place != self.named {
            let (again, place) = self
                .client
                .get(&self.named, |request| request.header(RANGE, &span).header(IF_MATCH, &self.etag))
                .await?;
            response = again;
            *self.place.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = place;
        }
        self.take(response, range).await
    }

    async fn take(&self, mut response: Response, range: &Range<u64>) -> Result<Bytes, SourceError> {
        match response.status() {
            StatusCode::PARTIAL_CONTENT => {}
            // 200: the server has stopped to do ranges. 416: the file has become shorter.
            StatusCode::PRECONDITION_FAILED | StatusCode::OK | StatusCode::RANGE_NOT_SATISFIABLE => {
                return Err(changed());
            }
            status => return Err(status_error(status)),
        }
        // Some servers ignore If-Match: look at what was sent.
        let expected = format!("bytes {}-{}/{}", range.start, range.end - 1, self.size);
        let sent = response.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
        if sent != Some(expected.as_str()) || strong_etag(response.headers()).as_ref() != Some(&self.etag) {
            return Err(changed());
        }
        let wanted = range.end - range.start;
        let mut bytes = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| request_error(&error))? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() as u64 > wanted {
                return Err(changed());
            }
        }
        if (bytes.len() as u64) < wanted {
            return Err(SourceError::new(
                Class::Transient,
                "MEDIA_READ_SHORT",
                "The server's answer ended too early.",
            ));
        }
        Ok(bytes.freeze())
    }
}

fn changed() -> SourceError {
    SourceError::new(Class::Source, "MEDIA_CHANGED", "The file changed while it was being read.")
        .fix("Start again once the file stays as it is.")
}

impl ObjectReader for RangedUrl {
    fn identity(&self) -> &str {
        &self.identity
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn read(&self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, SourceError>> {
        self.read_range(range).boxed()
    }
}
