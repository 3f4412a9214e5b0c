//! Public media over https, and webhooks, behind the URL guard.
//!
//! Invariants: every request passes [`UrlPolicy`], redirects are followed by hand and checked each; a server with a
//! strong ETag and ranges is read by pinned ranges, anything else is downloaded within a limit and identified by its
//! bytes; no message holds a query, a header or a body of the other side.

mod client;
mod ranged;
mod whole;

use std::sync::Arc;

use futures::FutureExt as _;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_RANGE, ETAG, HeaderMap, RANGE};
use storyboard::{Address, Class, MediaRef};
use url::Url;

pub use client::GuardedClient;

use crate::guard::UrlPolicy;
use crate::local::foreign;
use crate::{ObjectReader, Opened, Opener, SourceError};

/// How many objects are opened at a time.
const AT_ONCE: usize = 6;

/// Opens public media.
#[derive(Debug, Clone)]
pub struct HttpsOpener {
    client: GuardedClient,
}

impl HttpsOpener {
    /// An opener under a policy.
    ///
    /// # Errors
    /// Class internal where TLS cannot be set up.
    pub fn new(policy: UrlPolicy) -> Result<Self, SourceError> {
        Ok(Self { client: GuardedClient::new(policy)? })
    }

    /// The client, to share with others such as webhooks.
    pub fn client(&self) -> &GuardedClient {
        &self.client
    }

    async fn open(&self, address: &Address) -> Result<Opened, SourceError> {
        let Address::Url(text) = address else { return Err(foreign()) };
        let url = Url::parse(text)
            .map_err(|_| SourceError::new(Class::Author, "ADDRESS_INVALID", "The URL cannot be read."))?;
        let reader = self.pin(&url).await?;
        Ok(Opened { reader, warnings: Vec::new() })
    }

    async fn pin(&self, url: &Url) -> Result<Arc<dyn ObjectReader>, SourceError> {
        let (response, place) = self.client.get(url, |request| request.header(RANGE, "bytes=0-0")).await?;
        match response.status() {
            StatusCode::PARTIAL_CONTENT => {
                let total = total_of(response.headers());
                let etag = strong_etag(response.headers());
                if let (Some(total), Some(etag)) = (total, etag) {
                    if total == 0 {
                        return Err(empty());
                    }
                    let ranged = ranged::RangedUrl::new(self.client.clone(), url.clone(), place, etag, total);
                    return Ok(Arc::new(ranged));
                }
                // Ranges without a strong ETag may come from two versions: take all of it in one answer.
                let (response, _) = self.client.get(url, |request| request).await?;
                self.take_whole(response).await
            }
            StatusCode::OK => self.take_whole(response).await,
            // No byte 0: the object is empty.
            StatusCode::RANGE_NOT_SATISFIABLE => Err(empty()),
            status => Err(client::status_error(status)),
        }
    }

    async fn take_whole(&self, response: reqwest::Response) -> Result<Arc<dyn ObjectReader>, SourceError> {
        if response.status() != StatusCode::OK {
            return Err(client::status_error(response.status()));
        }
        Ok(Arc::new(whole::download(response, self.client.policy()).await?))
    }
}

impl Opener for HttpsOpener {
    fn open_all<'a>(&'a self, media: &'a [MediaRef]) -> BoxFuture<'a, Vec<Result<Opened, SourceError>>> {
        let openings: Vec<_> = media.iter().map(|one| self.open(&one.address).boxed()).collect();
        futures::stream::iter(openings).buffered(AT_ONCE).collect().boxed()
    }
}

fn empty() -> SourceError {
    SourceError::new(Class::Source, "MEDIA_EMPTY", "The file is empty.")
        .fix("Put a media file at this address.")
}

/// The ETag, where equal tags mean equal bytes.
fn strong_etag(headers: &HeaderMap) -> Option<String> {
    let tag = headers.get(ETAG)?.to_str().ok()?;
    (tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"')).then(|| tag.to_owned())
}

/// The whole size in a `Content-Range: bytes a-b/total`.
fn total_of(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    text.strip_prefix("bytes ")?.rsplit_once('/')?.1.parse().ok()
}
