//! S3 for the media port: AssumeRole grants, regions, policy documents. The only crate with the AWS SDK.
//!
//! Invariants: an object is only ever read with a session of its connection's role, narrowed to the objects that the
//! job names; the endpoint comes from bucket and region or from the operator, never from a client's host; credentials
//! are never shown.

mod answer;
mod base;
mod bucket;
mod grant;
mod object;
mod opener;
pub mod policy;
pub mod region;

pub use base::{Aws, AwsSettings, StaticCredentials};
pub use opener::ConnectionSpec;
pub use policy::{DEFAULT_ROLE, new_external_id, trust_policy};
pub use region::{known_region, partition};
