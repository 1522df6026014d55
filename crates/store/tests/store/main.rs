//! The store as its users see it, on a real file system.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod changes;
mod directories;
mod escape;
mod ground;
mod pipelines;
mod publish;
mod quota;
mod race;
mod special;
mod sweep;
mod transfer;
