//! MD5 states in step (RFC 1321, section 3.4), sixteen to a rank: plain arithmetic in loops whose shape compilers turn into vectors.
//!
//! One text serves every instruction set: all of it is inlined into a caller that is compiled for one. What takes the time
//! is the chain of operations from one step to the next; beside it, a processor transposes the next chunks for nothing.

use std::array;
use std::hint::black_box;

/// Lanes in a rank: as many as a chunk has words, so that a rank's chunks make a square.
pub(super) const RANK: usize = 16;

/// What MD5 consumes at a time.
pub(super) type Chunk = [u8; 64];

/// The four words A, B, C, D, each of all lanes of a rank.
pub(super) type State = [[u32; RANK]; 4];

/// What each lane of a rank is to be taken through.
pub(super) type Chunks<'a> = [&'a [Chunk]; RANK];

/// A, B, C and D at the start of a message.
pub(super) const INITIAL: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// How many chunks before its turn a chunk is touched.
const AHEAD: usize = 8;

/// Words in a chunk.
const WORDS: usize = 16;

/// A chunk of each lane: rows of lanes as they are loaded, rows of words once transposed.
type Square = [u32; RANK * WORDS];

/// T of the RFC: the first 32 bits after the point of |sin 1|, |sin 2| and so on.
#[rustfmt::skip]
static SINES: [u32; 64] = [
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
];

/// Bits to rotate by, in each round.
const TURNS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];

/// Takes each lane's state through that lane's chunks, of which all lanes have as many.
///
/// `WIDTH` is how many `u32` a vector of the caller's instruction set holds, `RANKS` how many ranks go in step, and `GROUPS`
/// how many vectors hold them all: they advance in turn, one's latency behind the others' work.
#[inline(always)]
pub(super) fn compress<const WIDTH: usize, const RANKS: usize, const GROUPS: usize>(
    states: &mut [State; RANKS],
    ranks: &[Chunks<'_>; RANKS],
) {
    const { assert!(WIDTH * GROUPS == RANK * RANKS) };
    let mut local = *states; // so that they stay in registers
    let mut seen = 0;
    let together = ranks[0][0].len();
    for at in 0..together {
        seen |= touched(ranks, (at + AHEAD).min(together - 1));
        let mut squares = [[0; RANK * WORDS]; RANKS];
        for rank in 0..RANKS {
            squares[rank] = transposed(&loaded(&ranks[rank], at));
        }
        // Were the sines known here, they would be added last, as constants are, and the chain be longer by one.
        let sines = black_box(&SINES);
        advance::<WIDTH, RANKS, GROUPS>(&mut local, &squares, sines);
    }
    black_box(seen); // so that they are touched at all
    *states = local;
}

/// Has the chunks at `at` fetched from memory: of so many streams at once, processors do not do it in time by themselves.
#[inline(always)]
fn touched(ranks: &[Chunks<'_>], at: usize) -> u8 {
    ranks.as_flattened().iter().fold(0, |seen, chunks| seen | chunks[at][0])
}

/// Takes each lane's state through one chunk. This loop over the lanes is the one that becomes vectors.
#[inline(always)]
fn advance<const WIDTH: usize, const RANKS: usize, const GROUPS: usize>(
    ranks: &mut [State; RANKS],
    squares: &[Square; RANKS],
    sines: &[u32; 64],
) {
    for lane in 0..WIDTH {
        let mut states = [[0; 4]; GROUPS];
        let mut chunks = [[0; WORDS]; GROUPS];
        for group in 0..GROUPS {
            let (rank, column) = (group * WIDTH / RANK, group * WIDTH % RANK + lane);
            for word in 0..4 {
                states[group][word] = ranks[rank][word][column];
            }
            for word in 0..WORDS {
                chunks[group][word] = squares[rank][word * RANK + column];
            }
        }
        let states = compressed(states, &chunks, sines);
        for (group, state) in states.into_iter().enumerate() {
            let (rank, column) = (group * WIDTH / RANK, group * WIDTH % RANK + lane);
            for word in 0..4 {
                ranks[rank][word][column] = state[word];
            }
        }
    }
}

/// The little-endian words of the chunk at `at` of each lane, a row for each.
#[inline(always)]
fn loaded(lanes: &Chunks<'_>, at: usize) -> Square {
    let mut rows = [0; RANK * WORDS];
    for lane in 0..RANK {
        let (words, _) = lanes[lane][at].as_chunks();
        for word in 0..WORDS {
            rows[WORDS * lane + word] = u32::from_le_bytes(words[word]);
        }
    }
    rows
}

/// Rows become columns: an index is four bits of lane and four of word, and each perfect shuffle turns it by one bit.
#[inline(always)]
fn transposed(rows: &Square) -> Square {
    shuffled(&shuffled(&shuffled(&shuffled(rows))))
}

/// The two halves, interleaved.
#[inline(always)]
fn shuffled(cards: &Square) -> Square {
    let mut deck = [0; RANK * WORDS];
    for at in 0..deck.len() / 2 {
        deck[2 * at] = cards[at];
        deck[2 * at + 1] = cards[at + deck.len() / 2];
    }
    deck
}

/// The states after one chunk each.
#[inline(always)]
fn compressed<const GROUPS: usize>(
    old: [[u32; 4]; GROUPS],
    chunks: &[[u32; WORDS]; GROUPS],
    sines: &[u32; 64],
) -> [[u32; 4]; GROUPS] {
    let mut new = old;
    // No loop: the compiler would not unroll it, and would then not make vectors of the loop around it.
    macro_rules! steps {
        ($($step:literal)*) => { $( step::<$step, GROUPS>(&mut new, chunks, sines); )* };
    }
    steps!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    steps!(16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);
    steps!(32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47);
    steps!(48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63);
    array::from_fn(|group| array::from_fn(|word| new[group][word].wrapping_add(old[group][word])))
}

/// One of the 64 steps.
#[inline(always)]
fn step<const STEP: usize, const GROUPS: usize>(
    states: &mut [[u32; 4]; GROUPS],
    chunks: &[[u32; WORDS]; GROUPS],
    sines: &[u32; 64],
) {
    for group in 0..GROUPS {
        let [a, b, c, d] = states[group];
        let (mixed, word) = match STEP / 16 {
            0 => (d ^ (b & (c ^ d)), STEP),
            1 => (c ^ (d & (b ^ c)), 5 * STEP + 1),
            2 => (b ^ c ^ d, 3 * STEP + 5),
            _ => (c ^ (b | !d), 7 * STEP),
        };
        let early = a.wrapping_add(chunks[group][word % WORDS].wrapping_add(sines[STEP]));
        let turned = early.wrapping_add(mixed).rotate_left(TURNS[STEP / 16][STEP % 4]);
        states[group] = [d, turned.wrapping_add(b), b, c];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sines_are_sines() {
        for (at, sine) in SINES.into_iter().enumerate() {
            let bits = (at as f64 + 1.0).sin().abs() * 2f64.powi(32);
            assert_eq!(sine, bits as u32, "T[{}]", at + 1);
        }
    }

    #[test]
    fn rows_become_columns() {
        let columns = transposed(&array::from_fn(|at| at as u32));
        for lane in 0..RANK {
            for word in 0..WORDS {
                assert_eq!(columns[word * RANK + lane], (lane * WORDS + word) as u32);
            }
        }
    }
}
