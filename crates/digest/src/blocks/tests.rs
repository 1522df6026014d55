//! What lies where, what is left alone, and that every change is seen.

use proptest::prelude::*;

use super::*;

fn gap() -> impl Strategy<Value = Gap> {
    (0..40usize, 0..40usize).prop_map(|(before, after)| Gap { before, after })
}

/// Seldom more than a few blocks, often near the edge of one.
fn data() -> impl Strategy<Value = usize> {
    prop_oneof![
        0..300usize,
        (0..=3usize, 0..3usize).prop_map(|(blocks, more)| (blocks * BLOCK + more).saturating_sub(1)),
        Just(BATCH * BLOCK),
    ]
}

/// Blocks with their data filled in and their digests computed.
fn hashed(algorithm: Algorithm, data: usize, gap: Gap) -> Blocks {
    let mut blocks = Blocks::default();
    blocks.lay_out(data, gap);
    for (at, slice) in blocks.slices_mut().into_iter().enumerate() {
        slice.fill(at as u8);
    }
    blocks.hash(algorithm);
    blocks
}

fn algorithm() -> impl Strategy<Value = Algorithm> {
    proptest::sample::select(&Algorithm::ALL)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn blocks_lie_one_after_the_other_with_their_gaps(before in data(), data in data(), gap in gap()) {
        let mut blocks = Blocks::default();
        blocks.lay_out(before, Gap::default()); // an earlier use leaves no trace
        blocks.lay_out(data, gap);
        prop_assert_eq!(blocks.data_len(), data);
        prop_assert_eq!(blocks.buffer().len(), gap.room(data));
        prop_assert_eq!(blocks.is_empty(), data == 0);
        prop_assert_eq!(blocks.digests(), &[]);
        let mut at = 0;
        let mut left = data;
        for span in blocks.spans() {
            prop_assert_eq!(span.start, at + gap.before);
            prop_assert_eq!(span.len(), left.min(BLOCK));
            at = span.end + gap.after;
            left -= span.len();
        }
        prop_assert_eq!((at, left), (blocks.buffer().len(), 0));
    }

    #[test]
    fn filling_the_slices_leaves_the_gaps_alone(data in data(), gap in gap()) {
        let mut blocks = Blocks::default();
        blocks.lay_out(data, gap);
        blocks.buffer_mut().fill(0xee);
        for (at, slice) in blocks.slices_mut().into_iter().enumerate() {
            slice.fill(at as u8);
        }
        for (at, slice) in blocks.slices().enumerate() {
            prop_assert!(slice.iter().all(|byte| *byte == at as u8));
        }
        let gaps = blocks.buffer().iter().filter(|byte| **byte == 0xee).count();
        prop_assert_eq!(gaps, blocks.buffer().len() - data);
    }

    #[test]
    fn a_flipped_bit_is_seen_in_a_block_and_nowhere_else(
        algorithm in algorithm(),
        data in data(),
        gap in gap(),
        place in any::<proptest::sample::Index>(),
        bit in 0..8,
    ) {
        let mut blocks = hashed(algorithm, data, gap);
        prop_assert!(blocks.verify(algorithm));
        if !blocks.buffer().is_empty() {
            let place = place.index(blocks.buffer().len());
            blocks.buffer_mut()[place] ^= 1u8 << bit;
            let within = blocks.spans().iter().any(|span| span.contains(&place));
            prop_assert_eq!(blocks.verify(algorithm), !within);
        }
    }

    #[test]
    fn what_was_sent_verifies_where_it_is_received(algorithm in algorithm(), data in data(), gap in gap()) {
        let sent = hashed(algorithm, data, gap);
        let expected: Vec<Digest> = sent.slices().map(|block| crate::of_block(algorithm, block)).collect();
        prop_assert_eq!(sent.digests(), &expected);
        let (bytes, spans, digests) = sent.into_parts();
        let mut swapped = digests.clone();
        swapped.reverse();
        let differs = swapped != digests;
        prop_assert!(Blocks::received(bytes.clone(), spans.clone(), digests).verify(algorithm));
        prop_assert_eq!(Blocks::received(bytes, spans, swapped).verify(algorithm), !differs);
    }
}

#[test]
fn the_other_algorithm_does_not_verify() {
    let blocks = hashed(Algorithm::Md5, 10, Gap::default());
    assert!(!blocks.verify(Algorithm::Blake3));
}

#[test]
#[should_panic(expected = "at most 32 blocks")]
fn too_much_is_refused() {
    Blocks::default().lay_out(BATCH * BLOCK + 1, Gap::default());
}

#[test]
#[should_panic(expected = "lie apart")]
fn blocks_that_overlap_are_refused() {
    let digest = crate::of_block(Algorithm::Md5, b"");
    Blocks::received(vec![0; 9], vec![0..5, 4..9], vec![digest; 2]);
}

#[test]
#[should_panic(expected = "at the latest")]
fn a_block_beyond_the_bytes_is_refused() {
    let digest = crate::of_block(Algorithm::Md5, b"");
    Blocks::received(vec![0; 9], vec![0..4, 4..10], vec![digest; 2]);
}
