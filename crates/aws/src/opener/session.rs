//! One session of a connection's role, and what is opened with it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{IdentityCache, Region};
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::StorageClass;
use media::{Opened, SourceError};
use storyboard::{Class, S3Address, Warning};
use tokio::sync::OnceCell;

use super::ConnectionSpec;
use crate::answer::Answer;
use crate::base::Base;
use crate::bucket::{self, Place};
use crate::grant::{Grant, GrantCredentials};
use crate::object::{S3Object, archived, denied};
use crate::policy::{PolicyObject, listing_policy, session_policies};
use crate::region::partition;

/// A connection's account within one job: what its sessions share.
pub(super) struct Account {
    base: Arc<Base>,
    pub(super) spec: ConnectionSpec,
    session: String,
    buckets: Mutex<HashMap<String, Arc<Bucket>>>,
}

/// What is known of one bucket, asked once.
#[derive(Default)]
struct Bucket {
    place: OnceCell<Result<Place, SourceError>>,
    /// The session that may only list, made after the first refusal.
    listing: OnceCell<Arc<Grant>>,
}

impl Account {
    pub(super) fn new(base: Arc<Base>, spec: ConnectionSpec, session: String) -> Self {
        Self { base, spec, session, buckets: Mutex::new(HashMap::new()) }
    }

    fn bucket(&self, name: &str) -> Arc<Bucket> {
        let mut buckets = self.buckets.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Arc::clone(buckets.entry(name.to_owned()).or_default())
    }

    fn grant(&self, policy: String) -> Arc<Grant> {
        Grant::new(Arc::clone(&self.base), &self.spec, &self.session, policy)
    }

    fn client(&self, grant: &Arc<Grant>, region: &str) -> Client {
        let config = aws_sdk_s3::config::Builder::from(&self.base.config)
            .region(Region::new(region.to_owned()))
            .credentials_provider(GrantCredentials(Arc::clone(grant)))
            // The grant holds its credentials itself.
            .identity_cache(IdentityCache::no_cache())
            .force_path_style(self.base.path_style)
            .build();
        Client::from_conf(config)
    }
}

/// One session and its clients.
pub(super) struct Session<'a> {
    account: &'a Account,
    grant: Arc<Grant>,
    clients: Mutex<HashMap<String, Client>>,
}

impl<'a> Session<'a> {
    pub(super) fn new(account: &'a Account, policy: String) -> Self {
        Self { account, grant: account.grant(policy), clients: Mutex::new(HashMap::new()) }
    }

    /// Assumes the role.
    pub(super) async fn ready(&self) -> Result<(), SourceError> {
        self.grant.ready().await.map(drop)
    }

    fn client(&self, region: &str) -> Client {
        let mut clients = self.clients.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        clients.entry(region.to_owned()).or_insert_with(|| self.account.client(&self.grant, region)).clone()
    }

    /// Pins one object.
    pub(super) async fn open(&self, address: &S3Address) -> Result<Opened, SourceError> {
        let bucket = self.account.bucket(&address.bucket);
        let said = &self.account.spec.region;
        let place = bucket
            .place
            .get_or_init(|| async { bucket::find(&self.client(said), &address.bucket, said).await })
            .await
            .clone()?;
        let (refused, place) = match self.pin(address, place).await {
            Ok(opened) => return Ok(opened),
            Err(refused) => refused,
        };
        if address.key.contains('+')
            && matches!(refused.status, 403 | 404)
            && let Some(opened) = self.open_with_spaces(address, &place).await
        {
            return Ok(opened);
        }
        Err(self.explain(address, &bucket, &place, &refused).await)
    }

    /// The console writes a space as `+` in the URLs that it copies.
    async fn open_with_spaces(&self, address: &S3Address, place: &Place) -> Option<Opened> {
        let spaced = S3Address { key: address.key.replace('+', " "), ..address.clone() };
        let object =
            PolicyObject { bucket: &spaced.bucket, key: &spaced.key, versioned: spaced.version.is_some() };
        let policy = session_policies(partition(&self.account.spec.region), &[object]).pop()?;
        let session = Session::new(self.account, policy.document);
        session.ready().await.ok()?;
        let mut opened = session.pin(&spaced, place.clone()).await.ok()?;
        opened.warnings.push(Warning::new(
            "KEY_PLUS_AS_SPACE",
            format!(
                "There is no object {}; the object {} is read: + was taken for a space.",
                address.key, spaced.key
            ),
        ));
        Some(opened)
    }

    /// Asks for the object's state, in the region where the bucket is.
    async fn pin(&self, address: &S3Address, mut place: Place) -> Result<Opened, (Refusal, Place)> {
        // A second time only where the first answer names another region.
        for last in [false, true] {
            let client = self.client(&place.region);
            let head = client
                .head_object()
                .bucket(&address.bucket)
                .key(&address.key)
                .set_version_id(address.version.clone())
                .send()
                .await;
            let answer = match head {
                Ok(output) => {
                    let object = take(&output, client, &self.grant, address)
                        .map_err(|error| (error.into(), place.clone()))?;
                    let warnings = place.warning(&address.bucket, &self.grant).into_iter().collect();
                    return Ok(Opened { reader: Arc::new(object), warnings });
                }
                Err(error) => Answer::of("HeadObject", &error),
            };
            match &answer.region {
                Some(region) if *region != place.region && !last => place = Place { region: region.clone() },
                _ => return Err((answer.into(), place)),
            }
        }
        Err((
            SourceError::new(Class::Internal, "REGION_UNSETTLED", "S3 sends the request around.").into(),
            place,
        ))
    }

    async fn explain(
        &self,
        address: &S3Address,
        bucket: &Bucket,
        place: &Place,
        refused: &Refusal,
    ) -> SourceError {
        let answer = match &refused.answer {
            Ok(answer) => answer,
            Err(error) => return error.clone(),
        };
        if let Some(error) = answer.common() {
            return error;
        }
        let policy = || listing_policy(partition(&self.account.spec.region), &address.bucket);
        match answer.status {
            403 => {
                let listing = bucket.listing.get_or_init(|| async { self.account.grant(policy()) }).await;
                let client = self.account.client(listing, &place.region);
                bucket::explain(&client, listing, address, &self.grant, answer).await
            }
            // S3 says 404 only to who may list, or where the version or a delete marker is known.
            404 | 405 => {
                let listing = bucket.listing.get_or_init(|| async { self.account.grant(policy()) }).await;
                let client = self.account.client(listing, &place.region);
                bucket::missing(address, &bucket::neighbours(&client, address).await, answer)
            }
            400 if address.version.is_some() => bucket::missing(address, &[], answer),
            301 | 307 | 400 => {
                denied(address, &self.grant, "S3 does not take the request in the bucket's region.")
                    .fix("Set the connection's awsRegion to the bucket's region.")
                    .evidence(answer.evidence())
            }
            _ => answer.unexpected(),
        }
    }
}

/// Why an object is not pinned: AWS's answer, or what the object itself is.
pub(super) struct Refusal {
    status: u16,
    answer: Result<Answer, SourceError>,
}

impl From<Answer> for Refusal {
    fn from(answer: Answer) -> Self {
        Self { status: answer.status, answer: Ok(answer) }
    }
}

impl From<SourceError> for Refusal {
    fn from(error: SourceError) -> Self {
        Self { status: 0, answer: Err(error) }
    }
}

/// Pins an object by what S3 says of it.
fn take(
    head: &HeadObjectOutput,
    client: Client,
    grant: &Arc<Grant>,
    address: &S3Address,
) -> Result<S3Object, SourceError> {
    let restored = head.restore().is_some_and(|restore| restore.contains("ongoing-request=\"false\""));
    match head.storage_class() {
        Some(class @ (StorageClass::Glacier | StorageClass::DeepArchive)) if !restored => {
            return Err(archived(class.as_str()));
        }
        _ => {}
    }
    if let Some(status) = head.archive_status().filter(|_| !restored) {
        return Err(archived(status.as_str()));
    }
    let size = head.content_length().and_then(|length| u64::try_from(length).ok()).unwrap_or_default();
    if size == 0 {
        return Err(
            SourceError::new(Class::Source, "MEDIA_EMPTY", "The object is empty.").fix("Upload it again.")
        );
    }
    let etag = head.e_tag().filter(|etag| !etag.is_empty()).ok_or_else(|| {
        SourceError::new(
            Class::Source,
            "MEDIA_UNPINNED",
            "The store gives the object no ETag, so it cannot be pinned.",
        )
    })?;
    Ok(S3Object::new(client, Arc::clone(grant), address.clone(), etag.to_owned(), size))
}
