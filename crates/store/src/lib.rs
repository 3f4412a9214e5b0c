//! Domain verbs over the database; migrations.
//!
//! One SQLite file in WAL mode: one writer connection, always with `synchronous=FULL`, so that a job that was
//! accepted or finished survives a power cut; readers beside it.
//!
//! Invariants: every row belongs to an owner, and another owner's row is [`Error::NotFound`]; secrets are kept
//! as SHA-256 hashes only; a job and its place in the queue are one row, written in one transaction. The clock
//! is passed in as [`Millis`] wherever logic needs it. Ids are newtypes.
//!
//! The rows are the queue too (module `queue`): whoever wants to work on one must claim it first.

mod connections;
mod deliveries;
mod ids;
mod jobs;
mod keys;
mod open;
mod queue;
mod runs;
mod sweep;

pub use connections::{Connection, ConnectionChange, NewConnection};
pub use deliveries::Delivery;
pub use ids::{ConnectionId, DeliveryId, JobId, KeyId, Owner};
pub use jobs::{Accepted, Cancelled, Format, Job, JobKind, JobPage, JobState, NewJob};
pub use keys::{IssuedKey, Key};
pub use open::Store;
pub use queue::{Handled, Line};
pub use runs::{Ending, Outcome, ProgressNote, Recovered};
pub use sweep::KeptFilm;

/// Milliseconds since 1970 UTC.
pub type Millis = i64;

/// Why a verb did not do what it says.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such row of this owner.
    #[error("there is no such row")]
    NotFound,
    /// Another connection of this owner has that name.
    #[error("the name is taken")]
    NameTaken,
    /// The row is at another version than the caller thinks.
    #[error("the row is at version {current}")]
    VersionMismatch {
        /// The version that the row has.
        current: i64,
    },
    /// An idempotency key came again with another request.
    #[error("the idempotency key was used with another request")]
    KeyReused,
    /// The owner has as many jobs waiting as the request allows.
    #[error("the owner has too many jobs waiting")]
    TooMany,
    /// The database file cannot grow.
    #[error("the disk is full")]
    DiskFull,
    /// A row holds what this version cannot read.
    #[error("a row cannot be read: {0}")]
    Corrupt(String),
    /// The queue failed.
    #[error("the queue failed: {0}")]
    Queue(String),
    /// The database cannot be opened, migrated or copied.
    #[error("the database cannot be opened: {0}")]
    Open(String),
    /// Anything else that the database says.
    #[error("the database failed: {0}")]
    Database(#[source] sqlx::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::RowNotFound => Self::NotFound,
            // SQLITE_FULL
            sqlx::Error::Database(inner) if inner.code().as_deref() == Some("13") => Self::DiskFull,
            _ => Self::Database(error),
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Corrupt(error.to_string())
    }
}
