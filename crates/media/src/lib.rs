//! Media objects as pinned byte ranges: the [`ObjectReader`] port, block cache, local files, and https behind the
//! URL guard. This crate does not know what the bytes mean, and nothing of AWS.

pub mod cache;
pub mod compose;
pub mod guard;
pub mod https;
pub mod local;
pub mod port;

pub use cache::{BlockCache, CacheSettings, Usage};
pub use compose::Openers;
pub use guard::UrlPolicy;
pub use https::{GuardedClient, HttpsOpener};
pub use local::LocalOpener;
pub use port::*;
