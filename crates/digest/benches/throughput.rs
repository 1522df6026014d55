//! Prints how many gigabytes a second each way of hashing does: `cargo bench --bench throughput` in this crate.
//!
//! Each figure is the median of several runs. Blocks lie as transfers lay them: 64 KiB each, unaligned, with a gap.

use std::hint::black_box;
use std::time::Instant;

use digest::{Algorithm, BLOCK, Digest, LANES, Path, Root, of_block, of_blocks};

const GAP: usize = 21;
const RUNS: usize = 9;

/// Three loads: what the level-2 cache holds, what comes from memory, and small files of many lengths.
struct Loads<'a> {
    near: Vec<&'a [u8]>,
    far: Vec<&'a [u8]>,
    small: Vec<&'a [u8]>,
}

fn main() {
    let blocks = (256 << 20) / BLOCK;
    let bytes: Vec<u8> = (0..blocks * (BLOCK + GAP)).map(|at| (at / 7) as u8).collect();
    let far: Vec<&[u8]> = bytes.chunks_exact(BLOCK + GAP).map(|framed| &framed[GAP - 4..][..BLOCK]).collect();
    let near = far[..LANES].iter().map(|block| &block[..BLOCK / 2]).collect();
    let small =
        far[..4 * LANES].iter().enumerate().map(|(at, block)| &block[..1000 + at * 997 % 7000]).collect();
    let loads = Loads { near, far, small };

    println!("{:16} {:>10} {:>10} {:>10}", "GB/s", "512 KiB", "256 MiB", "1-8 KB");
    let one = row("md5 one lane", &loads, |blocks| each(Algorithm::Md5, blocks));
    for path in Path::available() {
        let lanes = row(&format!("md5 {}", path.name()), &loads, |blocks| path.md5(blocks));
        println!("{:16} {:9.1}x", "", lanes / one);
    }
    row("blake3", &loads, |blocks| of_blocks(Algorithm::Blake3, blocks));

    for algorithm in Algorithm::ALL {
        let digests = of_blocks(algorithm, &loads.far);
        let hashing = seconds(|| drop(black_box(of_blocks(algorithm, &loads.far))));
        let root = seconds(|| _ = black_box(root_of(algorithm, &digests)));
        println!(
            "root of 256 MiB, {algorithm}: {:.3} ms, {:.2} % of the hashing",
            root * 1e3,
            root / hashing * 100.0
        );
    }
}

/// Prints one line, and gives its first figure.
fn row(name: &str, loads: &Loads, hash: impl Fn(&[&[u8]]) -> Vec<Digest>) -> f64 {
    let rate = |blocks: &[&[u8]], at_once: usize, times: usize| {
        let bytes: usize = blocks.iter().map(|block| block.len()).sum();
        let walk = || blocks.chunks(at_once).for_each(|some| drop(black_box(hash(some))));
        (bytes * times) as f64 / seconds(|| (0..times).for_each(|_| walk())) / 1e9
    };
    let near = rate(&loads.near, LANES, 100);
    let far = rate(&loads.far, LANES, 1);
    let small = rate(&loads.small, loads.small.len(), 100);
    println!("{name:16} {near:10.2} {far:10.2} {small:10.2}");
    near
}

fn each(algorithm: Algorithm, blocks: &[&[u8]]) -> Vec<Digest> {
    blocks.iter().map(|block| of_block(algorithm, block)).collect()
}

fn root_of(algorithm: Algorithm, digests: &[Digest]) -> Digest {
    let mut root = Root::new(algorithm);
    digests.iter().for_each(|digest| root.push(digest));
    root.value()
}

/// The median time of several runs.
fn seconds(mut work: impl FnMut()) -> f64 {
    let mut times = [0.0; RUNS];
    for time in &mut times {
        let start = Instant::now();
        work();
        *time = start.elapsed().as_secs_f64();
    }
    times.sort_by(f64::total_cmp);
    times[RUNS / 2]
}
