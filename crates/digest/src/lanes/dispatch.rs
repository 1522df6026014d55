//! Which instructions the lanes run on, found once at run time.
//!
//! The only `unsafe` of the workspace is here: a function compiled for instructions that not every processor has may be
//! called only on one that has them, and the compiler cannot know that somebody asked. Each such call stands right below
//! the question, in a function that is kept only if the answer was yes. What is called is safe code.

#![expect(unsafe_code, reason = "see above")]

use std::array;
use std::sync::LazyLock;

use super::RANKS;
use super::kernel::{Chunks, State, compress};

/// A way of taking a rank of lanes a number of chunks further.
type One = fn(&mut State, &Chunks<'_>);

/// A way of taking all ranks a number of chunks further.
type All = fn(&mut [State; RANKS], &[Chunks<'_>; RANKS]);

/// Many MD5 lanes at once, on a set of instructions that this processor has.
#[derive(Debug)]
pub struct Lanes {
    name: &'static str,
    /// The fewest busy lanes that are faster together than one after another.
    pub(super) worth: usize,
    pub(super) one: One,
    pub(super) all: All,
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
            let one: One = |s, c| unsafe { avx512(s, c) };
            lanes.push(Lanes { name: "avx512", worth: 2, one, all: |s, c| unsafe { avx512_all(s, c) } });
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has just said that it has it.
            let one: One = |s, c| unsafe { avx2(s, c) };
            lanes.push(Lanes {
                name: "avx2",
                worth: 3,
                one,
                all: |s, c| in_turn(s, c, |s, c| unsafe { avx2(s, c) }),
            });
        }
    }
    #[cfg(target_arch = "aarch64")]
    if std::arch::is_aarch64_feature_detected!("neon") {
        // SAFETY: the processor has just said that it has it.
        let one: One = |s, c| unsafe { neon(s, c) };
        lanes.push(Lanes {
            name: "neon",
            worth: 4,
            one,
            all: |s, c| in_turn(s, c, |s, c| unsafe { neon(s, c) }),
        });
    }
    lanes.push(Lanes { name: "portable", worth: 4, one: portable, all: |s, c| in_turn(s, c, portable) });
    lanes
}

/// The ranks one after the other: where registers hold no more than one, and where a whole vector is one.
fn in_turn(states: &mut [State; RANKS], ranks: &[Chunks<'_>; RANKS], one: One) {
    states.iter_mut().zip(ranks).for_each(|(state, chunks)| one(state, chunks));
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl")]
fn avx512(state: &mut State, chunks: &Chunks<'_>) {
    compress::<16, 1, 1>(array::from_mut(state), array::from_ref(chunks));
}

/// 32 registers hold two ranks, and the second advances while the first waits for its own steps.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl")]
fn avx512_all(states: &mut [State; RANKS], ranks: &[Chunks<'_>; RANKS]) {
    compress::<16, RANKS, RANKS>(states, ranks);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2(state: &mut State, chunks: &Chunks<'_>) {
    compress::<8, 1, 2>(array::from_mut(state), array::from_ref(chunks));
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
fn neon(state: &mut State, chunks: &Chunks<'_>) {
    compress::<4, 1, 4>(array::from_mut(state), array::from_ref(chunks));
}

/// What every processor of the target has: of x86-64, the vectors of SSE2.
fn portable(state: &mut State, chunks: &Chunks<'_>) {
    compress::<4, 1, 4>(array::from_mut(state), array::from_ref(chunks));
}
