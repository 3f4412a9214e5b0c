//! Tests against ministack (trust, external id, session policies, versions) and against canned answers (what no peer
//! does: other regions, throttling, broken bodies).
#![allow(clippy::unwrap_used)] // helpers of tests, outside of #[test] functions

mod canned;
mod ministack;
mod peer;
mod stub;

use std::collections::HashMap;
use std::sync::Arc;

use aws::{Aws, AwsSettings, ConnectionSpec, DEFAULT_ROLE, StaticCredentials};
use media::{Opened, Opener, SourceError};
use storyboard::{Address, MediaRef, S3Address};

pub(crate) async fn aws_at(endpoint: &str, account: &str) -> Aws {
    Aws::load(AwsSettings {
        path_style: true,
        region: Some("us-east-1".to_owned()),
        endpoint_url: Some(endpoint.to_owned()),
        credentials: Some(StaticCredentials { access_key: account.to_owned(), secret: "test".to_owned() }),
    })
    .await
}

pub(crate) fn connection(account: &str, external_id: &str) -> ConnectionSpec {
    ConnectionSpec {
        account_id: account.to_owned(),
        region: "us-east-1".to_owned(),
        external_id: external_id.to_owned(),
        role_name: DEFAULT_ROLE.to_owned(),
        enabled: true,
    }
}

pub(crate) fn opener(aws: &Aws, spec: ConnectionSpec) -> Arc<dyn Opener> {
    aws.opener("job/42", HashMap::from([("c1".to_owned(), spec)]))
}

pub(crate) fn object(bucket: &str, key: &str) -> MediaRef {
    versioned(bucket, key, None)
}

pub(crate) fn versioned(bucket: &str, key: &str, version: Option<String>) -> MediaRef {
    let address = S3Address { bucket: bucket.to_owned(), key: key.to_owned(), version, region: None };
    MediaRef {
        address: Address::S3(address),
        connection: Some("c1".to_owned()),
        pointer: "/scenes/0/backgroundUri".to_owned(),
    }
}

pub(crate) async fn open(opener: &Arc<dyn Opener>, media: MediaRef) -> Result<Opened, SourceError> {
    opener.open_all(&[media]).await.remove(0)
}

/// The code of a refusal; panics where the object was opened.
pub(crate) fn code(answer: &Result<Opened, SourceError>) -> &'static str {
    match answer {
        Ok(opened) => panic!("opened {}", opened.reader.identity()),
        Err(error) => error.code,
    }
}

pub(crate) async fn text(opened: &Opened) -> String {
    let bytes = opened.reader.read(0..opened.reader.size()).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}
