//! The server as a client sees it: real sockets, a real database, a studio that is quick.
#![allow(clippy::unwrap_used, reason = "a failing helper should fail its test")]

mod accepting;
mod auth;
mod connections;
mod disk;
mod files;
mod http;
mod kit;
mod logs;
mod looks;
mod restart;
mod running;
mod sockets;
mod studio;
mod sweeping;
mod webhooks;
