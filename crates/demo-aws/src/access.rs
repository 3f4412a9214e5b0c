//! Who may do what: keys, session tokens, expiry and policies, all that the S3 library leaves to its user.

use std::sync::Arc;
use std::time::SystemTime;

use hyper::HeaderMap;
use hyper::header::HeaderValue;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Result, s3_error};

use crate::accounts::{Accounts, Session};
use crate::store::Store;

/// Whether the caller may list the bucket, and so is told of missing keys.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MayList(pub(crate) bool);

/// Looks secrets up.
pub(crate) struct Keys(pub(crate) Arc<Accounts>);

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        self.0.secret(access_key).map(SecretKey::from).ok_or_else(|| s3_error!(InvalidAccessKeyId))
    }
}

/// Checks every request to S3.
pub(crate) struct Gate {
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) store: Arc<Store>,
}

/// Checks a session's token and time. The signature was checked already.
pub(crate) fn check_session(session: &Session, headers: &HeaderMap) -> S3Result<()> {
    let sent = headers.get("x-amz-security-token").and_then(|token| token.to_str().ok());
    if sent != Some(session.token.as_str()) {
        return Err(s3_error!(InvalidToken));
    }
    if session.expiry <= SystemTime::now() {
        return Err(s3_error!(ExpiredToken));
    }
    Ok(())
}

#[async_trait::async_trait]
impl S3Access for Gate {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        // The demo's bucket is private, and only roles may read it: a user's own keys open nothing.
        let session = context.credentials().and_then(|found| self.accounts.session(&found.access_key));
        let Some(session) = session else { return Err(s3_error!(AccessDenied)) };
        check_session(&session, context.headers())?;
        let path = context.s3_path();
        let Some(bucket) = path.get_bucket_name().map(str::to_owned) else {
            return Err(s3_error!(AccessDenied));
        };
        let bucket_arn = format!("arn:aws:s3:::{bucket}");
        let versioned = context.uri().query().is_some_and(|query| query.contains("versionId="));
        let object = |key: &str| format!("{bucket_arn}/{key}");
        let allowed = match (context.s3_op().name(), path.get_object_key()) {
            ("GetObject" | "HeadObject", Some(key)) => {
                session.allows(if versioned { "s3:GetObjectVersion" } else { "s3:GetObject" }, &object(key))
            }
            ("ListObjectsV2" | "HeadBucket", None) => session.allows("s3:ListBucket", &bucket_arn),
            _ => false,
        };
        let may_list = session.allows("s3:ListBucket", &bucket_arn);
        context.extensions_mut().insert(MayList(may_list));
        if allowed {
            return Ok(());
        }
        // S3 names the bucket's region also where it refuses, and a bucket that is not there to everyone.
        match self.store.region(&bucket) {
            Some(region) => {
                let mut error = s3_error!(AccessDenied);
                if let Ok(region) = HeaderValue::from_str(&region) {
                    let mut headers = HeaderMap::new();
                    headers.insert("x-amz-bucket-region", region);
                    error.set_headers(headers);
                }
                Err(error)
            }
            None => Err(s3_error!(NoSuchBucket)),
        }
    }
}
