//! The protocol to the caged child, its cage, and its supervisor. No libav here.
//!
//! A **task** runs in one child process: the same binary re-executed, caged before it sees the first byte of a
//! client's media. Child and parent talk over one socket pair in frames ([`wire`]); files travel as descriptors
//! that the parent opened.

pub mod cage;
pub mod child;
pub mod protocol;
pub mod supervisor;
pub mod wire;

pub use protocol::*;
pub use supervisor::{Run, Supervisor, WorkerError};

/// The argument with which the binary re-executes itself as a child.
pub const CHILD_ARGUMENT: &str = "__child";
