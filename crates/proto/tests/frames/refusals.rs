//! What is refused, and how early.

use digest::{Algorithm, BLOCK};
use proto::{Decoded, Fault, Frame, HEAD, Head, Side, Type};

use crate::fixtures::bytes;

/// The type, what its body may hold, and which sides may send it.
fn types(algorithm: Algorithm) -> [(Type, usize, &'static [Side]); 9] {
    let (client, server, both) =
        (&[Side::Client][..], &[Side::Server][..], &[Side::Client, Side::Server][..]);
    [
        (Type::Command, 16 * 1024, client),
        (Type::Reply, 16 * 1024, server),
        (Type::Page, 64 * 1024, server),
        (Type::Data, BLOCK + algorithm.len(), both),
        (Type::End, 256, both),
        (Type::Abort, 16 * 1024, both),
        (Type::Busy, 0, server),
        (Type::Branch, 64 * 1024, server),
        (Type::Digests, 64 * 1024, server),
    ]
}

fn head(len: u32, number: u8) -> [u8; HEAD] {
    let [a, b, c, d] = len.to_le_bytes();
    [a, b, c, d, number]
}

#[test]
fn a_body_too_long_is_refused_by_its_head() {
    for algorithm in Algorithm::ALL {
        for (kind, cap, sides) in types(algorithm) {
            for side in sides.iter().copied() {
                let longest = head(cap as u32, kind as u8);
                assert_eq!(
                    Head::decode(&longest, side, algorithm),
                    Decoded::Message(Head { kind, len: cap }, HEAD)
                );
                if cap > 0 {
                    assert_eq!(
                        Frame::decode(&longest, side, algorithm),
                        Decoded::NeedMore(HEAD + cap),
                        "{kind:?}"
                    );
                }
                for long in [cap as u32 + 1, 1 << 24, u32::MAX] {
                    let refused = Decoded::Malformed(Fault::Length(long));
                    assert_eq!(Frame::decode(&head(long, kind as u8), side, algorithm), refused, "{kind:?}");
                }
            }
        }
    }
}

#[test]
fn a_type_out_of_place_is_refused_by_its_head() {
    for side in [Side::Client, Side::Server] {
        for number in 0..=u8::MAX {
            let known = types(Algorithm::Md5)
                .iter()
                .any(|(kind, _, sides)| *kind as u8 == number && sides.contains(&side));
            let refused = Frame::decode(&head(0, number), side, Algorithm::Md5)
                == Decoded::Malformed(Fault::Type(number));
            assert_eq!(refused, !known, "type {number} from the {side:?}");
        }
    }
}

#[test]
fn a_data_frame_without_a_block_is_refused() {
    for algorithm in Algorithm::ALL {
        for len in 0..=algorithm.len() {
            let frame = [&head(len as u32, 4)[..], &vec![0; len]].concat();
            assert_eq!(
                Frame::decode(&frame, Side::Client, algorithm),
                Decoded::Malformed(Fault::BlockLength),
                "{len}"
            );
        }
    }
}

/// A value that its type does not have, and a neighbour that it has.
#[test]
fn values_that_do_not_exist_are_refused() {
    use Side::{Client, Server};
    let table = [
        ("a command", Client, "01  10", "01  0f"),
        ("a reply", Server, "02  0b", "02  0a"),
        ("an access", Server, "02  01 03", "02  01 02"),
        ("a boolean", Server, "03  00 02", "03  00 01"),
        ("an option", Client, "05  00 00 02 00", "05  00 00 00 00"),
        ("UTF-8", Client, "01  00 01 ff", "01  00 01 7f"),
        ("a kind of entry", Server, "03  01 0161 04 00000000 01", "03  01 0161 03 00000000 01"),
        ("a length", Client, "01  05 ff 00", "01  05 01 00"),
        (
            "a u64 in 16 bytes",
            Client,
            "01  08 00 fe 0000000000000000 0000000000000000",
            "01  08 00 fd 0000000000000000",
        ),
        ("a u32 in 8 bytes", Client, "01  0d 00 00 01 fd 0000000000000000", "01  0d 00 00 01 fc 00000000"),
        ("nanoseconds", Client, "01  0d 00 01 00 fc 00ca9a3b 00", "01  0d 00 01 00 fc ffc99a3b 00"),
    ];
    for (what, side, bad, good) in table {
        assert_eq!(
            Frame::decode(&framed(bad), side, Algorithm::Md5),
            Decoded::Malformed(Fault::Body),
            "{what}"
        );
        assert!(matches!(Frame::decode(&framed(good), side, Algorithm::Md5), Decoded::Message(..)), "{what}");
    }
}

#[test]
fn a_number_in_a_longer_form_is_understood() {
    let put = |text| Frame::decode(&framed(text), Side::Client, Algorithm::Md5);
    let Decoded::Message(frame, 8) = put("01  08 00 07") else { panic!("a put") };
    for (text, used) in
        [("01  08 00 fb 0700", 10), ("01  08 00 fc 07000000", 12), ("01  08 00 fd 0700000000000000", 16)]
    {
        assert_eq!(put(text), Decoded::Message(frame.clone(), used));
    }
}

/// The frame whose type and body `text` spells.
fn framed(text: &str) -> Vec<u8> {
    let bytes = bytes(text);
    [&head(bytes.len() as u32 - 1, bytes[0])[..], &bytes[1..]].concat()
}
