//! The bytes of the wire, pinned. A change here is a new version of the protocol.

use std::collections::BTreeSet;

use digest::Algorithm;
use proto::{Access, Command, Decoded, EntryKind, Fault, Frame, HEAD, Kind, Message, Preamble, Reply, Side};

use crate::fixtures::{self, bytes};

#[test]
fn every_message_has_its_bytes() {
    for fixture in fixtures::all() {
        let mut encoded = Vec::new();
        fixture.message.encode(&mut encoded);
        assert_eq!(encoded, fixture.bytes, "{}", fixture.name);
        let decoded = Frame::decode(&fixture.bytes, fixture.from, Algorithm::Md5);
        let expected = Decoded::Message(Frame::Message(fixture.message), fixture.bytes.len());
        assert_eq!(decoded, expected, "{}", fixture.name);
    }
}

#[test]
fn a_preamble_has_its_bytes() {
    let table = [
        (&[Algorithm::Md5][..], r#""ftpd/1" 0d0a 0100 0000 01000000"#),
        (&[Algorithm::Blake3], r#""ftpd/1" 0d0a 0100 0000 02000000"#),
        (&[Algorithm::Blake3, Algorithm::Md5, Algorithm::Md5], r#""ftpd/1" 0d0a 0100 0000 03000000"#),
        (&[], r#""ftpd/1" 0d0a 0100 0000 00000000"#),
    ];
    for (digests, text) in table {
        let preamble = Preamble::new(digests);
        assert_eq!(preamble.encode(), *bytes(text), "{digests:?}");
        assert_eq!(Preamble::decode(&bytes(text)), Decoded::Message(preamble, 16));
        assert!(Algorithm::ALL.into_iter().all(|each| preamble.has(each) == digests.contains(&each)));
    }
}

#[test]
fn what_a_later_version_may_add_to_a_preamble_is_passed_over() {
    let later = bytes(r#""ftpd/1" 0d0a 0200 0180 01000080 00"#);
    let Decoded::Message(preamble, 16) = Preamble::decode(&later) else { panic!("not a preamble") };
    assert_eq!((preamble.version, preamble.features, preamble.digests), (2, 0x8001, 0x8000_0001));
    assert_eq!(proto::choose(&[Algorithm::Blake3, Algorithm::Md5], &preamble), Some(Algorithm::Md5));
    assert_eq!(proto::choose(&[Algorithm::Blake3], &preamble), None);
}

#[test]
fn a_stranger_is_known_by_the_first_byte_that_differs() {
    let ours = Preamble::new(&Algorithm::ALL).encode();
    for at in 0..ours.len() {
        assert_eq!(Preamble::decode(&ours[..at]), Decoded::NeedMore(16));
        let mut other = ours;
        other[at] ^= 0x20;
        let stranger = at < proto::MAGIC.len();
        assert_eq!(
            Preamble::decode(&other[..=at]) == Decoded::Malformed(Fault::Magic),
            stranger,
            "byte {at}"
        );
    }
    let none = bytes(r#""ftpd/1" 0d0a 0000 0000 01000000"#);
    assert_eq!(Preamble::decode(&none), Decoded::Malformed(Fault::Version));
}

#[test]
fn a_data_frame_has_its_bytes() {
    let frame = fixtures::data();
    for side in [Side::Client, Side::Server] {
        assert_eq!(Frame::decode(&frame, side, Algorithm::Md5), Decoded::Message(Frame::Data(5..8), 24));
    }
}

/// Each variant's number on the wire. A new variant does not compile until it is numbered here, and does not pass until it
/// has a fixture.
#[test]
fn every_variant_is_pinned() {
    let mut seen = [const { BTreeSet::new() }; 7];
    for fixture in fixtures::all() {
        let number = fixture.bytes.get(HEAD).copied().unwrap_or_default();
        let (kind, stated) = match &fixture.message {
            Message::Command(command) => (0, command_number(command)),
            Message::Reply(reply) => (1, reply_number(reply)),
            Message::Page(_) => (2, number),
            Message::End(_) => (3, number),
            Message::Abort(_) => (4, number),
            Message::Branch(_) => (5, number),
            Message::Digests(_) => (6, number),
            Message::Busy => continue,
        };
        assert_eq!(number, stated, "{}", fixture.name);
        seen[kind].insert(number);
    }
    assert_eq!(seen[0], (0..32).collect(), "commands");
    assert_eq!(seen[1], (0..17).collect(), "replies");
    assert!(seen[2..].iter().all(|set| !set.is_empty()), "pages, ends, aborts, branches and digests");
}

fn command_number(command: &Command) -> u8 {
    match command {
        Command::Hello { .. } => 0,
        Command::Login { .. } => 1,
        Command::Pwd => 2,
        Command::Cd { .. } => 3,
        Command::CdUp => 4,
        Command::List { .. } => 5,
        Command::Stat { .. } => 6,
        Command::Get { .. } => 7,
        Command::Put { .. } => 8,
        Command::Mkdir { .. } => 9,
        Command::Rmdir { .. } => 10,
        Command::Remove { .. } => 11,
        Command::Rename { .. } => 12,
        Command::SetAttributes { .. } => 13,
        Command::Md5 { .. } => 14,
        Command::Quit => 15,
        Command::Walk { .. } => 16,
        Command::Link { .. } => 17,
        Command::Resume { .. } => 18,
        Command::Kept { .. } => 19,
        Command::PutRest { .. } => 20,
        Command::Ticket => 21,
        Command::Enter { .. } => 22,
        Command::Root { .. } => 23,
        Command::Digests { .. } => 24,
        Command::GetParts { .. } => 25,
        Command::Assemble { .. } => 26,
        Command::PutParts { .. } => 27,
        Command::Publish { .. } => 28,
        Command::Leave { .. } => 29,
        Command::GetTree { .. } => 30,
        Command::Target { .. } => 31,
    }
}

fn reply_number(reply: &Reply) -> u8 {
    match reply {
        Reply::Hello { .. } => 0,
        Reply::Welcome { access } => {
            match access {
                Access::Read | Access::Write | Access::Drop => {}
            };
            1
        }
        Reply::Done => 2,
        Reply::Directory { .. } => 3,
        Reply::Listing => 4,
        Reply::Entry(entry) => {
            match entry.kind {
                EntryKind::File | EntryKind::Directory | EntryKind::Link | EntryKind::Other => {}
            };
            5
        }
        Reply::Sending { .. } => 6,
        Reply::Stored { .. } => 7,
        Reply::Md5 { .. } => 8,
        Reply::Refused(_) => 9,
        Reply::Goodbye => 10,
        Reply::Kept { .. } => 11,
        Reply::Ticket { .. } => 12,
        Reply::Root { .. } => 13,
        Reply::Reading { .. } => 14,
        Reply::Assembling { .. } => 15,
        Reply::Target { .. } => 16,
    }
}

/// The kinds of failure by their numbers, each in the body of a refusal.
#[test]
fn every_kind_of_failure_has_its_number() {
    let decoded: Vec<Kind> = (0..22).map(|number| kind_of(&[9, number, 0, 0]).expect("a kind")).collect();
    for (number, kind) in decoded.into_iter().enumerate() {
        assert_eq!(kind_number(kind), number, "{kind:?}");
    }
    assert_eq!(kind_of(&[9, 22, 0, 0]), None);
}

fn kind_of(body: &[u8]) -> Option<Kind> {
    let frame = [&[body.len() as u8, 0, 0, 0, 2], body].concat();
    match Frame::decode(&frame, Side::Server, Algorithm::Md5) {
        Decoded::Message(Frame::Message(Message::Reply(Reply::Refused(failure))), _) => Some(failure.kind),
        _ => None,
    }
}

fn kind_number(kind: Kind) -> usize {
    match kind {
        Kind::Protocol => 0,
        Kind::NotLoggedIn => 1,
        Kind::Login => 2,
        Kind::Limit => 3,
        Kind::Denied => 4,
        Kind::NotFound => 5,
        Kind::InvalidName => 6,
        Kind::Exists => 7,
        Kind::NotEmpty => 8,
        Kind::IsDirectory => 9,
        Kind::NotDirectory => 10,
        Kind::Special => 11,
        Kind::NoSpace => 12,
        Kind::Quota => 13,
        Kind::TooLarge => 14,
        Kind::ReadOnly => 15,
        Kind::Changed => 16,
        Kind::NotVerified => 17,
        Kind::Aborted => 18,
        Kind::TimedOut => 19,
        Kind::Ending => 20,
        Kind::Internal => 21,
    }
}
