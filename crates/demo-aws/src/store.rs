//! Buckets and objects of the demo: names in memory, bytes in files below one directory.
//!
//! Invariants: file names are digests, so no key leads anywhere; an object's ETag is of its bytes; a replaced object
//! gets a new file, and readers of the old one are told by `If-Match`.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use s3s::dto::{
    ETag, ETagCondition, GetObjectInput, GetObjectOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput,
    HeadObjectOutput, ListObjectsV2Input, ListObjectsV2Output, Object, StreamingBlob,
};
use s3s::{Body, S3, S3Request, S3Response, S3Result, s3_error};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use crate::access::MayList;

/// Longest answer to a GET; clients read by ranges.
const LONGEST_RANGE: u64 = 64 << 20;

/// All buckets of the demo.
#[derive(Debug)]
pub(crate) struct Store {
    root: PathBuf,
    buckets: Mutex<HashMap<String, Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    region: String,
    objects: BTreeMap<String, Stored>,
}

#[derive(Debug, Clone)]
struct Stored {
    path: PathBuf,
    etag: String,
    size: u64,
}

impl Store {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, buckets: Mutex::new(HashMap::new()) }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Bucket>> {
        self.buckets.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn put_bucket(&self, name: &str, region: &str) {
        let bucket = Bucket { region: region.to_owned(), objects: BTreeMap::new() };
        self.lock().entry(name.to_owned()).or_insert(bucket);
    }

    pub(crate) fn region(&self, bucket: &str) -> Option<String> {
        self.lock().get(bucket).map(|bucket| bucket.region.clone())
    }

    /// Copies a file in under a key.
    pub(crate) fn put_object(&self, bucket: &str, key: &str, from: &Path) -> io::Result<()> {
        let bytes = std::fs::read(from)?;
        let etag = hex::encode(&Sha256::digest(&bytes)[..16]);
        let name = hex::encode(Sha256::digest(format!("{bucket}/{key}/{etag}")));
        let path = self.root.join(name);
        std::fs::create_dir_all(&self.root)?;
        std::fs::write(&path, &bytes)?;
        let mut buckets = self.lock();
        let bucket = buckets.get_mut(bucket).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        bucket.objects.insert(key.to_owned(), Stored { path, etag, size: bytes.len() as u64 });
        Ok(())
    }

    pub(crate) fn delete_object(&self, bucket: &str, key: &str) {
        if let Some(bucket) = self.lock().get_mut(bucket) {
            bucket.objects.remove(key);
        }
    }

    /// Finds an object; a caller who may not list is told of a missing one as S3 does: access denied.
    fn find(&self, bucket: &str, key: &str, may_list: bool) -> S3Result<Stored> {
        let buckets = self.lock();
        let found = buckets.get(bucket).ok_or_else(|| s3_error!(NoSuchBucket))?.objects.get(key).cloned();
        found.ok_or_else(|| if may_list { s3_error!(NoSuchKey) } else { s3_error!(AccessDenied) })
    }
}

fn may_list<T>(request: &S3Request<T>) -> bool {
    request.extensions.get::<MayList>().is_some_and(|may| may.0)
}

fn check_match(condition: Option<&ETagCondition>, etag: &str) -> S3Result<()> {
    match condition {
        Some(ETagCondition::ETag(ETag::Strong(wanted))) if wanted != etag => {
            Err(s3_error!(PreconditionFailed))
        }
        Some(ETagCondition::ETag(ETag::Weak(_))) => Err(s3_error!(PreconditionFailed)),
        _ => Ok(()),
    }
}

#[async_trait::async_trait]
impl S3 for Shelf {
    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let object = self.0.find(&request.input.bucket, &request.input.key, may_list(&request))?;
        check_match(request.input.if_match.as_ref(), &object.etag)?;
        let (range, whole) = match request.input.range {
            Some(range) => (range.check(object.size)?, false),
            None => (0..object.size, true),
        };
        let length = range.end - range.start;
        if length > LONGEST_RANGE {
            return Err(s3_error!(InvalidRequest, "the demo answers at most 64 MiB at once: ask for ranges"));
        }
        let mut bytes = Vec::new();
        let mut file = tokio::fs::File::open(&object.path).await.map_err(s3s::S3Error::internal_error)?;
        file.seek(io::SeekFrom::Start(range.start)).await.map_err(s3s::S3Error::internal_error)?;
        file.take(length).read_to_end(&mut bytes).await.map_err(s3s::S3Error::internal_error)?;
        let content_range = (!whole)
            .then(|| format!("bytes {}-{}/{}", range.start, range.end.saturating_sub(1), object.size));
        Ok(S3Response::new(GetObjectOutput {
            body: Some(StreamingBlob::from(Body::from(bytes))),
            content_length: i64::try_from(length).ok(),
            content_range,
            e_tag: Some(ETag::Strong(object.etag)),
            ..GetObjectOutput::default()
        }))
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let object = self.0.find(&request.input.bucket, &request.input.key, may_list(&request))?;
        check_match(request.input.if_match.as_ref(), &object.etag)?;
        Ok(S3Response::new(HeadObjectOutput {
            content_length: i64::try_from(object.size).ok(),
            e_tag: Some(ETag::Strong(object.etag)),
            ..HeadObjectOutput::default()
        }))
    }

    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        let region = self.0.region(&request.input.bucket).ok_or_else(|| s3_error!(NoSuchBucket))?;
        Ok(S3Response::new(HeadBucketOutput { bucket_region: Some(region), ..HeadBucketOutput::default() }))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        let prefix = input.prefix.clone().unwrap_or_default();
        let most = input.max_keys.and_then(|most| usize::try_from(most).ok()).unwrap_or(1000).min(1000);
        let buckets = self.0.lock();
        let bucket = buckets.get(&input.bucket).ok_or_else(|| s3_error!(NoSuchBucket))?;
        let contents: Vec<Object> = bucket
            .objects
            .range(prefix.clone()..)
            .take_while(|(key, _)| key.starts_with(&prefix))
            .take(most)
            .map(|(key, stored)| Object {
                key: Some(key.clone()),
                size: i64::try_from(stored.size).ok(),
                e_tag: Some(ETag::Strong(stored.etag.clone())),
                ..Object::default()
            })
            .collect();
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: Some(prefix),
            key_count: i32::try_from(contents.len()).ok(),
            contents: Some(contents),
            is_truncated: Some(false),
            ..ListObjectsV2Output::default()
        }))
    }
}

/// The store as the S3 service sees it: everything but reading is not implemented.
#[derive(Debug, Clone)]
pub(crate) struct Shelf(pub(crate) std::sync::Arc<Store>);
