//! Whatever is said is heard as it was said, whole or not at all.

use digest::Algorithm;
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
use proptest::sample::select;
use proto::{Decoded, Fault, Frame, HEAD, Message, Side};

use crate::check;
use crate::messages::message;

fn encoded(message: &Message) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.encode(&mut bytes);
    bytes
}

fn other(side: Side) -> Side {
    match side {
        Side::Client => Side::Server,
        Side::Server => Side::Client,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_message_comes_back_as_it_was((side, message) in message(), behind: [u8; 8]) {
        let frame = encoded(&message);
        let stream = [&frame[..], &behind].concat();
        for algorithm in Algorithm::ALL {
            let decoded = Frame::decode(&stream, side, algorithm);
            prop_assert_eq!(decoded, Decoded::Message(Frame::Message(message.clone()), frame.len()));
        }
        check::any_bytes(&stream);
    }

    #[test]
    fn a_part_of_a_frame_is_never_a_message((side, message) in message()) {
        let frame = encoded(&message);
        for cut in 0..frame.len() {
            let need = if cut < HEAD { HEAD } else { frame.len() };
            prop_assert_eq!(Frame::decode(&frame[..cut], side, Algorithm::Md5), Decoded::NeedMore(need), "cut at {}", cut);
        }
    }

    #[test]
    fn a_side_says_only_what_is_its_to_say((side, message) in message()) {
        let both = matches!(message, Message::End(_) | Message::Abort(_));
        let frame = encoded(&message);
        let refused = Decoded::Malformed(Fault::Type(frame[HEAD - 1]));
        prop_assert_eq!(Frame::decode(&frame, other(side), Algorithm::Md5) == refused, !both);
    }

    #[test]
    fn bytes_left_over_in_a_body_are_refused((side, message) in message(), more in 1u8..4) {
        let mut frame = encoded(&message);
        frame.extend((0..more).map(|_| 0));
        let body = (frame.len() - HEAD) as u32;
        frame[..4].copy_from_slice(&body.to_le_bytes());
        // A sign of life has no body at all, so that its head says enough.
        let fault = if message == Message::Busy { Fault::Length(body) } else { Fault::Body };
        prop_assert_eq!(Frame::decode(&frame, side, Algorithm::Md5), Decoded::Malformed(fault));
    }

    #[test]
    fn no_bytes_break_the_decoder(bytes: Vec<u8>, number in 0u8..9, len in 0u32..80) {
        check::any_bytes(&bytes);
        let head = [&len.to_le_bytes()[..], &[number]].concat();
        check::any_bytes(&[head, bytes].concat());
    }

    #[test]
    fn a_message_with_a_byte_changed_does_not_break_the_decoder(
        (_, message) in message(), at: proptest::sample::Index, byte in any::<u8>(),
    ) {
        let mut frame = encoded(&message);
        let at = at.index(frame.len());
        frame[at] = byte;
        check::any_bytes(&frame);
    }

    #[test]
    fn a_block_is_told_from_its_digest(data in proptest::collection::vec(any::<u8>(), 1..200), algorithm in select(&Algorithm::ALL[..])) {
        let body = data.len() + algorithm.len();
        let frame = [&(body as u32).to_le_bytes()[..], &[4], &data, &vec![0xdd; algorithm.len()]].concat();
        let decoded = Frame::decode(&frame, Side::Client, algorithm);
        prop_assert_eq!(&decoded, &Decoded::Message(Frame::Data(HEAD..HEAD + data.len()), frame.len()));
        prop_assert!((0..frame.len()).all(|cut| matches!(Frame::decode(&frame[..cut], Side::Client, algorithm), Decoded::NeedMore(_))));
    }
}
