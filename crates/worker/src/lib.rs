//! The protocol to the caged child, its cage, and its supervisor. No libav here.
//!
//! A **task** runs in a child process: the same binary re-executed, caged before it sees the first byte of a
//! client's media. The children of one job are its [`Crew`]: they take task after task, of this job only. Child and
//! parent talk over one socket pair in frames ([`wire`]); files travel as descriptors that the parent opened.

pub mod cage;
pub mod child;
pub mod crew;
mod descriptors;
pub mod protocol;
pub mod supervisor;
pub mod wire;

pub use crew::Crew;
pub use protocol::*;
pub use supervisor::{Run, Supervisor, WorkerError};

/// The argument with which the binary re-executes itself as a child.
pub const CHILD_ARGUMENT: &str = "__child";
