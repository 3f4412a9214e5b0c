//! A pinned object in S3, read by ranges.
//!
//! Invariant: every range is asked with `If-Match`, and its ETag is looked at again in the answer, since not every
//! S3-compatible store heeds the header.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use bytes::{Bytes, BytesMut};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use media::{ObjectReader, SourceError};
use storyboard::{Class, S3Address};

use crate::answer::Answer;
use crate::grant::{Grant, expired};
use crate::policy::inline_policy;
use crate::region::partition;

/// How often a range is asked for, apart from the SDK's own retries: a body may break off.
const ATTEMPTS: u32 = 3;
/// Longest wait for a range's body.
const BODY: Duration = Duration::from_secs(60);

pub(crate) struct S3Object {
    pub(crate) client: Client,
    pub(crate) grant: Arc<Grant>,
    pub(crate) address: S3Address,
    pub(crate) etag: String,
    pub(crate) size: u64,
    identity: String,
}

impl S3Object {
    pub(crate) fn new(
        client: Client,
        grant: Arc<Grant>,
        address: S3Address,
        etag: String,
        size: u64,
    ) -> Self {
        let identity = format!(
            "s3:{}:{}:{}:{}:{etag}:{size}",
            grant.connection().account_id,
            address.bucket,
            address.key,
            address.version.as_deref().unwrap_or_default(),
        );
        Self { client, grant, address, etag, size, identity }
    }

    async fn read_range(&self, range: Range<u64>) -> Result<Bytes, SourceError> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let mut attempt = 1;
        loop {
            match self.read_once(&range).await {
                Err(Trouble::Expired) if attempt < ATTEMPTS => self.grant.forget().await,
                Err(Trouble::Broken) if attempt < ATTEMPTS => {
                    tokio::time::sleep(Duration::from_millis(200) * 4_u32.pow(attempt - 1)).await;
                }
                Ok(bytes) => return Ok(bytes),
                Err(trouble) => return Err(trouble.error()),
            }
            attempt += 1;
        }
    }

    async fn read_once(&self, range: &Range<u64>) -> Result<Bytes, Trouble> {
        // Asked first, so that a refused renewal is told as what it is.
        self.grant.ready().await.map_err(Trouble::Final)?;
        let output = self
            .client
            .get_object()
            .bucket(&self.address.bucket)
            .key(&self.address.key)
            .set_version_id(self.address.version.clone())
            .range(format!("bytes={}-{}", range.start, range.end - 1))
            .if_match(&self.etag)
            .send()
            .await
            .map_err(|error| self.trouble(&Answer::of("GetObject", &error)))?;
        if output.e_tag() != Some(self.etag.as_str()) {
            return Err(Trouble::Final(changed()));
        }
        let wanted = range.end - range.start;
        let mut body = output.body;
        let mut bytes = BytesMut::new();
        let take = async {
            while let Some(chunk) = body.next().await {
                bytes.extend_from_slice(&chunk.map_err(|_| Trouble::Broken)?);
                if bytes.len() as u64 > wanted {
                    return Err(Trouble::Final(changed()));
                }
            }
            Ok(())
        };
        tokio::time::timeout(BODY, take).await.map_err(|_| Trouble::Broken)??;
        if (bytes.len() as u64) < wanted {
            return Err(Trouble::Broken);
        }
        Ok(bytes.freeze())
    }

    fn trouble(&self, answer: &Answer) -> Trouble {
        if expired(answer) {
            return Trouble::Expired;
        }
        let error = match answer.status {
            412 | 416 => changed(),
            404 | 405 => SourceError::new(
                Class::Source,
                "MEDIA_CHANGED",
                "The object was deleted while it was being read.",
            )
            .fix("Put it back and start again."),
            403 if answer.is("InvalidObjectState") => archived("archive"),
            403 => denied(&self.address, &self.grant, "The role may no longer read the object's bytes."),
            _ => answer.common().unwrap_or_else(|| answer.unexpected()),
        };
        Trouble::Final(error.evidence(answer.evidence()))
    }
}

enum Trouble {
    /// The session is over: another is asked for.
    Expired,
    /// The answer broke off: asked again.
    Broken,
    Final(SourceError),
}

impl Trouble {
    fn error(self) -> SourceError {
        match self {
            Self::Final(error) => error,
            Self::Expired => {
                SourceError::new(Class::Transient, "GRANT_EXPIRED", "AWS calls the session expired.")
                    .fix("The operator checks the server's clock.")
            }
            Self::Broken => SourceError::new(Class::Transient, "MEDIA_READ_SHORT", "S3's answers broke off.")
                .fix("Try again later."),
        }
    }
}

pub(crate) fn changed() -> SourceError {
    SourceError::new(Class::Source, "MEDIA_CHANGED", "The object was replaced while it was being read.")
        .fix("Start again once the object stays as it is.")
}

pub(crate) fn archived(class: &str) -> SourceError {
    SourceError::new(
        Class::Source,
        "MEDIA_ARCHIVED",
        format!("The object is archived (storage class {class}) and cannot be read at once."),
    )
    .fix(
        "Restore it first, for example with: aws s3api restore-object --bucket BUCKET --key KEY --restore-request \
         '{\"Days\":3,\"GlacierJobParameters\":{\"Tier\":\"Standard\"}}', and start again when it is done (minutes to \
         two days).",
    )
}

/// Access is denied: what to add to the role.
pub(crate) fn denied(address: &S3Address, grant: &Grant, message: &str) -> SourceError {
    let connection = grant.connection();
    let version = if address.version.is_some() {
        " The address names a version, which needs s3:GetObjectVersion."
    } else {
        ""
    };
    SourceError::new(Class::Access, "ACCESS_DENIED", message).fix(format!(
        "Give the role {} of account {} this inline policy: {}.{version} If the object is encrypted with a KMS key, the \
         role also needs kms:Decrypt on that key, and the key's policy has to allow it. A bucket policy that denies is \
         the third possible cause.",
        connection.role_name,
        connection.account_id,
        inline_policy(partition(&connection.region), Some(&address.bucket)),
    ))
}

impl ObjectReader for S3Object {
    fn identity(&self) -> &str {
        &self.identity
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn read(&self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, SourceError>> {
        self.read_range(range).boxed()
    }

    /// S3's own tags are strong; a store that calls its tags weak may answer with other bytes under the same one.
    fn durable(&self) -> bool {
        !self.etag.starts_with("W/")
    }
}
