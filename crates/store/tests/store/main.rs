//! The store as its users see it, on a real file system.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![allow(clippy::single_range_in_vec_init, reason = "one block lies in one range")]

mod changes;
mod digests;
mod directories;
mod escape;
mod ground;
mod kept;
mod parcels;
mod parts;
mod pipelines;
mod publish;
mod quota;
mod race;
mod roots;
mod special;
mod streamed;
mod sweep;
mod transfer;
mod walks;
