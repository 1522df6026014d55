//! Prints how many gigabytes a second each way of hashing does: `cargo bench --bench throughput` in this crate.
//!
//! Blocks lie as transfers lay them, unaligned and with a gap. Each figure is the median over many short calls, so that
//! whatever else the machine does hardly shows.

use std::hint::black_box;
use std::time::Instant;

use digest::{Algorithm, BLOCK, Digest, LANES, Lanes, Root, of_block, of_blocks};

const GAP: usize = 21;
const CALLS: usize = 256;

/// What is hashed in one call, three kinds of it.
struct Loads<'a> {
    /// In the level-2 cache, not in the first.
    near: Vec<&'a [u8]>,
    /// One after the other through 256 MiB.
    far: Vec<&'a [u8]>,
    /// Small files of many lengths.
    small: Vec<&'a [u8]>,
}

fn main() {
    let bytes: Vec<u8> = (0..CALLS * LANES * (BLOCK + GAP)).map(|at| (at / 7) as u8).collect();
    let far: Vec<&[u8]> = bytes.chunks_exact(BLOCK + GAP).map(|framed| &framed[GAP - 4..][..BLOCK]).collect();
    let near = far[..LANES].iter().map(|block| &block[..BLOCK / 2]).collect();
    let small =
        far.iter().take(4 * LANES).enumerate().map(|(at, block)| &block[..1000 + at * 997 % 7000]).collect();
    let loads = Loads { near, far, small };

    println!("{:16} {:>9} {:>9} {:>9}", "GB/s", "1 MiB", "256 MiB", "1-8 KB");
    let one = row("md5 one lane", &loads, |blocks| each(Algorithm::Md5, blocks));
    for lanes in Lanes::available() {
        let many = row(&format!("md5 {}", lanes.name()), &loads, |blocks| lanes.md5(blocks));
        println!("{:16} {:8.1}x {:8.1}x {:8.1}x", "", many[0] / one[0], many[1] / one[1], many[2] / one[2]);
    }
    row("blake3", &loads, |blocks| each(Algorithm::Blake3, blocks));

    for algorithm in Algorithm::ALL {
        let digests = of_blocks(algorithm, &loads.far);
        let seconds = median((0..CALLS).map(|_| seconds(|| root(algorithm, &digests))));
        println!("{algorithm} root of 256 MiB: {:.3} ms", seconds * 1e3);
    }
}

/// Prints one line, and gives its figures.
fn row(name: &str, loads: &Loads, hash: impl Fn(&[&[u8]]) -> Vec<Digest>) -> [f64; 3] {
    let rate = |blocks: &[&[u8]]| {
        let bytes: usize = blocks.iter().map(|block| block.len()).sum();
        bytes as f64 / 1e9 / seconds(|| hash(blocks))
    };
    let near = median((0..CALLS).map(|_| rate(&loads.near)));
    let far = median(loads.far.chunks(LANES).map(rate));
    let small = median((0..CALLS).map(|_| rate(&loads.small)));
    println!("{name:16} {near:9.2} {far:9.2} {small:9.2}");
    [near, far, small]
}

fn each(algorithm: Algorithm, blocks: &[&[u8]]) -> Vec<Digest> {
    blocks.iter().map(|block| of_block(algorithm, block)).collect()
}

fn root(algorithm: Algorithm, digests: &[Digest]) -> Digest {
    let mut root = Root::new(algorithm);
    digests.iter().for_each(|digest| root.push(digest));
    root.value()
}

fn seconds<T>(work: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    black_box(work());
    start.elapsed().as_secs_f64()
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
