//! Media objects as pinned byte ranges: the [`ObjectReader`] port, block cache, local files, and https behind the
//! URL guard. This crate does not know what the bytes mean, and nothing of AWS.

pub mod port;
pub use port::*;
