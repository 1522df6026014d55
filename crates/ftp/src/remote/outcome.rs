//! What a server's answers come to, whatever it speaks.

use std::time::Duration;

use digest::Digest;
use store::Found;

use crate::failure::Failure;

/// What a finished transfer was.
#[derive(Clone, Copy, Debug)]
pub struct Receipt {
    /// Bytes of the file.
    pub size: u64,
    /// Those of them that were not there before.
    pub moved: u64,
    /// What shows that it is right.
    pub verified: Verified,
    /// From the command to the end.
    pub elapsed: Duration,
}

/// What both sides compared.
#[derive(Clone, Copy, Debug)]
pub enum Verified {
    /// Every block, and the root of them.
    Blocks {
        /// The root.
        root: Digest,
        /// How many blocks it stands for; at up to one, it is the plain digest of the file.
        count: u64,
    },
    /// The plain digest of the whole file.
    File(Digest),
    /// No digest: the server has none. Connection and size ended as they should.
    No,
}

/// A part of what a walk tells: each directory comes before what is in it. Every path is one of a tree: no part of it climbs.
#[derive(Debug, Default)]
pub struct Branch {
    /// What was found.
    pub found: Vec<Found>,
    /// Where the server could not look.
    pub missed: Vec<Missed>,
    /// Whether the server says that nothing follows.
    pub last: bool,
}

/// A directory of a tree that could not be read.
#[derive(Debug)]
pub struct Missed {
    /// From where the walk began.
    pub path: Vec<u8>,
    /// Why.
    pub failure: Failure,
}
