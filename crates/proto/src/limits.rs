//! What a frame may hold at the most, by its type. A longer one is refused by its head, before anything is allocated.

use digest::{Algorithm, BLOCK};

/// Bytes in the body of a command, a reply or an abort.
pub const CONTROL: usize = 16 * 1024;

/// Bytes in the body of a page of a listing.
pub const PAGE: usize = 64 * 1024;

/// Bytes in the body of the frame that ends a file.
pub const END: usize = 256;

/// Bytes in the body of a data frame whose blocks have digests of `algorithm`.
pub const fn data(algorithm: Algorithm) -> usize {
    BLOCK + algorithm.len()
}

/// Bytes in a path.
pub const PATH: usize = 4096;

/// Bytes in the message of a failure, and in its remedy.
pub const SENTENCE: usize = 4096;

/// Bytes of input that either side holds unread while it sends: the window of what is sent ahead. What is beyond stays in TCP.
pub const WINDOW: usize = 64 * 1024;

/// Bytes that decoding one message may claim in memory: a page's entries are larger in memory than on the wire.
pub(crate) const DECODED: usize = 8 * PAGE;

/// Entries in a page that fit it whatever their names are.
pub const PAGE_ENTRIES: usize = 200;

/// Bytes of paths and targets that fit a branch, where each thing found counts for 64 more and each missed for 512, its failure
/// being no longer than that; what the last of them has beyond that fits, too.
pub const BRANCH: usize = 48 * 1024;
