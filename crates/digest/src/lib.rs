//! Digests of blocks: what makes a transfer verified.
//!
//! A file is cut into blocks of [`BLOCK`] bytes, the last one shorter; an empty file has none. Each block has a [`Digest`],
//! and the file has a [`Root`]. For n blocks with the digests d₁ … dₙ of algorithm H, and ‖ for one after the other:
//!
//! | n | root |
//! |---|---|
//! | 0 | H of nothing |
//! | 1 | d₁ |
//! | 2 and more | H(d₁ ‖ d₂ ‖ … ‖ dₙ) |
//!
//! So a file of up to [`BLOCK`] bytes has as root what `md5sum` or `b3sum` print for it, damage is seen within a block, and
//! blocks are hashed in any order, [`LANES`] at once: MD5 of one message is a single chain of steps that no processor can
//! hurry, and many such chains side by side cost hardly more than one.
//!
//! ```
//! use digest::{Algorithm, BLOCK, Root, of_blocks};
//!
//! let file = vec![7; 3 * BLOCK + 100];
//! let blocks: Vec<&[u8]> = file.chunks(BLOCK).collect();
//! let mut root = Root::new(Algorithm::Md5);
//! of_blocks(Algorithm::Md5, &blocks).iter().for_each(|digest| root.push(digest));
//! assert_eq!(root.blocks(), 4);
//! println!("{}", root.value());
//! ```

mod blocks;
mod lanes;
mod plain;
mod root;
mod value;

pub use blocks::{Blocks, Gap};
pub use lanes::Lanes;
pub use plain::PlainMd5;
pub use root::Root;
pub use value::{Algorithm, Digest};

/// Bytes in a block; only the last one of a file is shorter.
pub const BLOCK: usize = 64 * 1024;

/// Blocks that are hashed at once: two vectors of sixteen words where registers hold them, fewer in turn where not.
pub const LANES: usize = 32;

/// Blocks of a large file that cross to another thread in one go, each crossing having its cost.
pub const BATCH: usize = LANES;

/// The digest of one block.
pub fn of_block(algorithm: Algorithm, data: &[u8]) -> Digest {
    match algorithm {
        Algorithm::Md5 => Digest::md5(<md5::Md5 as md5::Digest>::digest(data).into()),
        Algorithm::Blake3 => Digest::blake3(*blake3::hash(data).as_bytes()),
    }
}

/// The digest of each block, in their order: any number of blocks, of any lengths.
///
/// MD5 is computed of up to [`LANES`] blocks at once, so ask for that many together.
pub fn of_blocks(algorithm: Algorithm, blocks: &[&[u8]]) -> Vec<Digest> {
    match (algorithm, blocks) {
        (Algorithm::Md5, [_, _, ..]) => Lanes::best().md5(blocks),
        _ => blocks.iter().map(|block| of_block(algorithm, block)).collect(),
    }
}
