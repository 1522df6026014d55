//! Files to send, and their way through a wire.

use digest::{Algorithm, BATCH, BLOCK, Blocks, Root};
use proto::io::{Arrived, Wire};
use proto::{Command, End, Message, gap, seal};

/// Around every border of blocks and runs of blocks.
pub(crate) const SIZES: [usize; 9] = [
    0,
    1,
    BLOCK - 1,
    BLOCK,
    BLOCK + 1,
    BATCH * BLOCK - 1,
    BATCH * BLOCK,
    BATCH * BLOCK + 1,
    5 * 1024 * 1024 + 3,
];

/// xorshift64 (Marsaglia, 2003).
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A length, short ones as likely as long ones.
    pub(crate) fn length(&mut self, most: usize) -> usize {
        let bits = self.next() % u64::from(most.ilog2() + 1);
        (self.next() as usize & ((2 << bits) - 1)).clamp(1, most)
    }
}

/// `len` bytes that repeat nowhere.
pub(crate) fn sample(len: usize) -> Vec<u8> {
    let mut chance = Chance(len as u64 + 1);
    let mut bytes: Vec<u8> = (0..len.div_ceil(8)).flat_map(|_| chance.next().to_le_bytes()).collect();
    bytes.truncate(len);
    bytes
}

/// Up to 32 blocks of `data`, hashed.
pub(crate) fn hashed(data: &[u8], algorithm: Algorithm) -> Blocks {
    let mut blocks = Blocks::default();
    blocks.lay_out(data.len(), gap(algorithm));
    blocks
        .slices_mut()
        .into_iter()
        .zip(data.chunks(BLOCK))
        .for_each(|(block, data)| block.copy_from_slice(data));
    blocks.hash(algorithm);
    blocks
}

/// The end of a file.
pub(crate) fn end(data: &[u8], algorithm: Algorithm) -> Message {
    let mut root = Root::new(algorithm);
    data.chunks(BLOCK).for_each(|block| root.push(&digest::of_block(algorithm, block)));
    let root = root.value().as_bytes().to_vec();
    Message::End(End { size: data.len() as u64, root, modified: None, mode: None })
}

/// The data frames of a file.
pub(crate) fn data_frames(data: &[u8], algorithm: Algorithm) -> Vec<u8> {
    let run = |run| {
        let mut blocks = hashed(run, algorithm);
        seal(&mut blocks);
        blocks.buffer().to_vec()
    };
    data.chunks(BATCH * BLOCK).flat_map(run).collect()
}

/// The data frames and the end of a file.
pub(crate) fn file_frames(data: &[u8], algorithm: Algorithm) -> Vec<u8> {
    let mut frames = data_frames(data, algorithm);
    end(data, algorithm).encode(&mut frames);
    frames
}

/// The command that brings a file.
pub(crate) fn put(size: usize) -> Message {
    Message::Command(Command::Put { path: b"file".to_vec(), size: size as u64 })
}

/// Sends a file.
pub(crate) async fn send(wire: &mut Wire, data: &[u8]) {
    for run in data.chunks(BATCH * BLOCK) {
        wire.send_blocks(hashed(run, wire.algorithm())).await.unwrap();
    }
    wire.send(&end(data, wire.algorithm())).await.unwrap();
}

/// Receives a file of `len` bytes, each block and the end compared.
pub(crate) async fn receive(wire: &mut Wire, len: usize) -> Vec<u8> {
    let mut data = Vec::new();
    let mut spare = Blocks::default();
    loop {
        match wire.arrive(spare, (len - data.len()) as u64).await.unwrap() {
            Arrived::Blocks(blocks) => {
                assert!((1..=BATCH).contains(&blocks.spans().len()) && blocks.verify(wire.algorithm()));
                blocks.slices().for_each(|block| data.extend_from_slice(block));
                spare = blocks;
            }
            Arrived::End(told) => {
                assert_eq!(Message::End(told), end(&data, wire.algorithm()));
                return data;
            }
            Arrived::Abort(abort) => panic!("{abort:?}"),
        }
    }
}
