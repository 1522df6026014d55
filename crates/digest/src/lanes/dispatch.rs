//! Which instructions the lanes run on, found once at run time.
//!
//! The only `unsafe` of the workspace is here: a function compiled for instructions that not every processor has may be
//! called only on one that has them, and the compiler cannot know that somebody asked. Each such call stands right below
//! the question, in the function that is kept if, and only if, the answer was yes. What is called is safe code.

#![expect(unsafe_code, reason = "see above")]

use std::sync::LazyLock;

use super::kernel::{Chunk, State, compress};
use crate::LANES;

/// A way of taking all lanes a number of chunks further.
pub(super) type Compress = fn(&mut State, &[&[Chunk]; LANES]);

/// A set of instructions that this processor has, on which sixteen MD5 lanes run at once.
#[derive(Debug)]
pub struct Path {
    pub(super) name: &'static str,
    /// The fewest busy lanes that are faster together than one after another.
    pub(super) worth: usize,
    pub(super) compress: Compress,
}

static AVAILABLE: LazyLock<Vec<Path>> = LazyLock::new(found);

impl Path {
    /// Every path that this processor has, the fastest first.
    pub fn available() -> &'static [Path] {
        &AVAILABLE
    }

    /// The fastest path.
    pub fn best() -> &'static Path {
        &AVAILABLE[0]
    }
}

fn found() -> Vec<Path> {
    let mut paths = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
            // SAFETY: the processor has just said that it has both.
            paths.push(Path { name: "avx512", worth: 2, compress: |s, l| unsafe { avx512(s, l) } });
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has just said that it has it.
            paths.push(Path { name: "avx2", worth: 3, compress: |s, l| unsafe { avx2(s, l) } });
        }
    }
    #[cfg(target_arch = "aarch64")]
    if std::arch::is_aarch64_feature_detected!("neon") {
        // SAFETY: the processor has just said that it has it.
        paths.push(Path { name: "neon", worth: 4, compress: |s, l| unsafe { neon(s, l) } });
    }
    paths.push(Path { name: "portable", worth: 4, compress: portable });
    paths
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl")]
fn avx512(state: &mut State, lanes: &[&[Chunk]; LANES]) {
    compress::<16, 1>(state, lanes);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2(state: &mut State, lanes: &[&[Chunk]; LANES]) {
    compress::<8, 2>(state, lanes);
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
fn neon(state: &mut State, lanes: &[&[Chunk]; LANES]) {
    compress::<4, 4>(state, lanes);
}

/// What every processor of the target has: of x86-64, the vectors of SSE2.
fn portable(state: &mut State, lanes: &[&[Chunk]; LANES]) {
    compress::<4, 4>(state, lanes);
}
