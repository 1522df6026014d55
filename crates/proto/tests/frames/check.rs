//! What holds for any bytes at all. The fuzz target and the mutated round of the tests share it.

use digest::{Algorithm, BLOCK};
use proto::{Decoded, Frame, HEAD, PREAMBLE, Preamble, Side, limits};

/// Takes `bytes` for what either side sends, under either digest, and panics where the decoder breaks a promise.
/// Tells how many messages they held.
pub(crate) fn any_bytes(bytes: &[u8]) -> usize {
    preamble(bytes);
    let mut messages = 0;
    for side in [Side::Client, Side::Server] {
        for algorithm in Algorithm::ALL {
            messages += frames(bytes, side, algorithm);
        }
    }
    messages
}

fn preamble(bytes: &[u8]) {
    match Preamble::decode(bytes) {
        Decoded::NeedMore(need) => assert!(bytes.len() < need && need == PREAMBLE),
        Decoded::Message(preamble, used) => assert_eq!(preamble.encode(), bytes[..used]),
        Decoded::Malformed(_) => {}
    }
}

fn frames(mut rest: &[u8], side: Side, algorithm: Algorithm) -> usize {
    let mut messages = 0;
    loop {
        let used = match Frame::decode(rest, side, algorithm) {
            Decoded::Malformed(_) => return messages,
            Decoded::NeedMore(need) => {
                assert!(rest.len() < need && need <= HEAD + limits::data(algorithm).max(limits::PAGE));
                return messages;
            }
            Decoded::Message(Frame::Data(block), used) => {
                assert!(block.start == HEAD && (1..=BLOCK).contains(&block.len()));
                assert_eq!(used - block.end, algorithm.len());
                used
            }
            Decoded::Message(Frame::Message(message), used) => {
                let mut again = Vec::new();
                message.encode(&mut again);
                assert!(again.len() <= used, "the shortest form is longer than what came");
                assert_eq!(
                    Frame::decode(&again, side, algorithm),
                    Decoded::Message(Frame::Message(message), again.len())
                );
                messages += 1;
                used
            }
        };
        assert!(HEAD <= used && used <= rest.len());
        rest = &rest[used..];
    }
}
