//! The lanes on every set of instructions against `md-5` and against the vectors of RFC 1321.

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::{Algorithm, BLOCK, Digest, Lanes, PlainMd5, of_block, of_blocks};

/// RFC 1321, section A.5.
const VECTORS: [(&str, &str); 7] = [
    ("", "d41d8cd98f00b204e9800998ecf8427e"),
    ("a", "0cc175b9c0f1b6a831c399e269772661"),
    ("abc", "900150983cd24fb0d6963f7d28e17f72"),
    ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
    ("abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"),
    ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"),
    (
        "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
        "57edf4a22be3c955ac49da2e2107b67a",
    ),
];

/// Lengths at which padding, chunks or blocks begin and end.
const EDGES: [usize; 16] =
    [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, BLOCK - 9, BLOCK - 1, BLOCK, BLOCK + 1];

/// Bytes without a pattern, from which messages are cut.
static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let states = std::iter::successors(Some(1u32), |state| {
        Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)) // Numerical Recipes
    });
    states.map(|state| (state >> 24) as u8).take(3 * BLOCK).collect()
});

fn bytes(from: usize, len: usize) -> &'static [u8] {
    &BYTES[from..from + len]
}

/// The messages have the same digests on every set of instructions as from `md-5`.
fn agrees(messages: &[&[u8]]) {
    let expected: Vec<Digest> = messages
        .iter()
        .map(|message| Digest::md5(<md5::Md5 as md5::Digest>::digest(message).into()))
        .collect();
    for lanes in Lanes::available() {
        assert_eq!(lanes.md5(messages), expected, "on {}", lanes.name());
    }
    assert_eq!(of_blocks(Algorithm::Md5, messages), expected);
}

#[test]
fn the_portable_lanes_come_last() {
    assert_eq!(Lanes::available().last().map(Lanes::name), Some("portable"));
    assert_eq!(Lanes::best().name(), Lanes::available()[0].name());
}

#[test]
fn rfc_1321_alone_and_piece_by_piece() {
    for (text, digest) in VECTORS {
        assert_eq!(of_block(Algorithm::Md5, text.as_bytes()).to_string(), digest);
        let mut plain = PlainMd5::new();
        text.as_bytes().chunks(3).for_each(|piece| plain.update(piece));
        assert_eq!(plain.finish().to_string(), digest);
    }
}

#[test]
fn rfc_1321_in_lanes() {
    let many = VECTORS.iter().cycle().take(40);
    let messages: Vec<&[u8]> = many.clone().map(|(text, _)| text.as_bytes()).collect();
    for lanes in Lanes::available() {
        let digests = lanes.md5(&messages).into_iter().map(|digest| digest.to_string());
        assert!(digests.eq(many.clone().map(|(_, digest)| *digest)), "on {}", lanes.name());
    }
}

#[test]
fn every_length() {
    for len in (0..=200).chain(EDGES) {
        let messages: Vec<&[u8]> = (0..34).map(|lane| bytes(lane * 333, len)).collect();
        agrees(&messages);
    }
}

#[test]
fn every_number_of_messages_at_every_alignment() {
    for count in 0..=70 {
        for shift in 0..64 {
            let messages: Vec<&[u8]> =
                (0..count).map(|lane| bytes(shift + lane * 64, 40 + lane * shift % 97)).collect();
            agrees(&messages);
        }
    }
}

fn message() -> impl Strategy<Value = &'static [u8]> {
    let len = prop_oneof![
        8 => 0..=200usize,
        4 => 0..=5000usize,
        4 => proptest::sample::select(&EDGES[..12]),
        1 => proptest::sample::select(&EDGES[12..]),
    ];
    (0..BLOCK, len).prop_map(|(from, len)| bytes(from, len))
}

proptest! {
    #[test]
    fn any_mix(messages in vec(message(), 0..=70)) {
        agrees(&messages);
    }

    #[test]
    fn plain_in_any_pieces(pieces in vec(message(), 0..=10)) {
        let mut plain = PlainMd5::new();
        pieces.iter().for_each(|piece| plain.update(piece));
        prop_assert_eq!(plain.finish(), of_block(Algorithm::Md5, &pieces.concat()));
    }
}
