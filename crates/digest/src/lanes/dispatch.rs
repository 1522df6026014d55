//! Which instructions the lanes run on, found once at run time.
//!
//! The only `unsafe` of the workspace is here: a function compiled for instructions that not every processor has may be
//! called only on one that has them, and the compiler cannot know that somebody asked. Each such call stands right below
//! the question, in a function that is kept only if the answer was yes. What is called is safe code.

#![expect(unsafe_code, reason = "see above")]

use std::sync::LazyLock;

use super::kernel::{Chunk, State, compress};
use crate::LANES;

/// A way of taking all lanes a number of chunks further.
pub(super) type Compress = fn(&mut State, &[&[Chunk]; LANES]);

/// Sixteen MD5 lanes at once, on a set of instructions that this processor has.
#[derive(Debug)]
pub struct Lanes {
    name: &'static str,
    /// The fewest busy lanes that are faster together than one after another.
    pub(super) worth: usize,
    pub(super) compress: Compress,
}

static AVAILABLE: LazyLock<Vec<Lanes>> = LazyLock::new(found);

impl Lanes {
    /// Those of every set of instructions that this processor has, the fastest first.
    pub fn available() -> &'static [Lanes] {
        &AVAILABLE
    }

    /// The fastest ones.
    pub fn best() -> &'static Lanes {
        &AVAILABLE[0]
    }

    /// What the instructions are called: `avx512`, `avx2`, `neon` or `portable`.
    pub fn name(&self) -> &'static str {
        self.name
    }
}

fn found() -> Vec<Lanes> {
    let mut lanes = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
            // SAFETY: the processor has just said that it has both.
            lanes.push(Lanes { name: "avx512", worth: 2, compress: |s, c| unsafe { avx512(s, c) } });
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has just said that it has it.
            lanes.push(Lanes { name: "avx2", worth: 3, compress: |s, c| unsafe { avx2(s, c) } });
        }
    }
    #[cfg(target_arch = "aarch64")]
    if std::arch::is_aarch64_feature_detected!("neon") {
        // SAFETY: the processor has just said that it has it.
        lanes.push(Lanes { name: "neon", worth: 4, compress: |s, c| unsafe { neon(s, c) } });
    }
    lanes.push(Lanes { name: "portable", worth: 4, compress: portable });
    lanes
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl")]
fn avx512(state: &mut State, chunks: &[&[Chunk]; LANES]) {
    compress::<16, 1>(state, chunks);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2(state: &mut State, chunks: &[&[Chunk]; LANES]) {
    compress::<8, 2>(state, chunks);
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
fn neon(state: &mut State, chunks: &[&[Chunk]; LANES]) {
    compress::<4, 4>(state, chunks);
}

/// What every processor of the target has: of x86-64, the vectors of SSE2.
fn portable(state: &mut State, chunks: &[&[Chunk]; LANES]) {
    compress::<4, 4>(state, chunks);
}
