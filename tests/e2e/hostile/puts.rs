//! Puts that are not what they announce: nothing is kept, and the old file stays.

use e2e::{ALICE, Heard, Raw, Server, Watch, bytes, data_frame, end, frame};
use proto::{Abort, Command, End, Failure, Kind, Message, Reply};

use super::{Bystander, last_words};

const BLOCK: usize = 64 * 1024;
const OLD: &[u8] = b"the old file";

fn put(size: u64) -> Vec<u8> {
    frame(&Message::Command(Command::Put { path: b"file".to_vec(), size }))
}

fn end_frame(end: End) -> Vec<u8> {
    frame(&Message::End(end))
}

/// A data frame with one bit of it changed.
fn damaged(block: &[u8], at: usize) -> Vec<u8> {
    let mut frame = data_frame(block);
    frame[at] ^= 0x10;
    frame
}

/// What follows a put of `size` bytes, and the kind of failure that it is.
fn lies() -> Vec<(&'static str, u64, Vec<u8>, Kind)> {
    let big = bytes(40 * BLOCK, 1);
    let (first, second) = (&big[..BLOCK], &big[BLOCK..2 * BLOCK]);
    let all = || big.chunks(BLOCK).flat_map(data_frame).collect::<Vec<u8>>();
    let len = |bytes: &[u8]| bytes.len() as u64;
    vec![
        ("a damaged byte", 3, [damaged(b"abc", 6), end_frame(end(b"abc"))].concat(), Kind::NotVerified),
        (
            "a damaged digest",
            3,
            [damaged(b"abc", 5 + 3 + 15), end_frame(end(b"abc"))].concat(),
            Kind::NotVerified,
        ),
        ("no digest", 3, b"\x03\0\0\0\x04abc".to_vec(), Kind::NotVerified),
        ("an empty block", 3, data_frame(b""), Kind::NotVerified),
        ("a short first block", len(&big), data_frame(&first[..1000]), Kind::NotVerified),
        ("a block a byte short", len(&big), data_frame(&first[1..]), Kind::NotVerified),
        ("a last block too long", 3, data_frame(b"abcd"), Kind::NotVerified),
        ("a last block too short", 3, data_frame(b"ab"), Kind::NotVerified),
        (
            "a block too many",
            BLOCK as u64,
            [data_frame(first), data_frame(second)].concat(),
            Kind::NotVerified,
        ),
        ("data for an empty file", 0, data_frame(b"a"), Kind::NotVerified),
        ("an end at once", 3, end_frame(end(b"")), Kind::NotVerified),
        (
            "an end too early",
            len(&big),
            [data_frame(first), end_frame(end(first))].concat(),
            Kind::NotVerified,
        ),
        ("a wrong root", 3, [data_frame(b"abc"), end_frame(end(b"abd"))].concat(), Kind::NotVerified),
        ("a wrong root of many", len(&big), [all(), end_frame(end(&big[1..]))].concat(), Kind::NotVerified),
        (
            "another size",
            3,
            [data_frame(b"abc"), end_frame(End { size: 4, ..end(b"abc") })].concat(),
            Kind::NotVerified,
        ),
        (
            "a root of no bytes",
            3,
            [data_frame(b"abc"), end_frame(End { root: Vec::new(), ..end(b"abc") })].concat(),
            Kind::Protocol,
        ),
        (
            "a root of another digest",
            3,
            [data_frame(b"abc"), end_frame(End { root: vec![0; 32], ..end(b"abc") })].concat(),
            Kind::Protocol,
        ),
        (
            "a damaged block in the middle",
            len(&big),
            {
                let frames = big.chunks(BLOCK).enumerate();
                frames
                    .flat_map(|(at, block)| if at == 20 { damaged(block, 99) } else { data_frame(block) })
                    .collect()
            },
            Kind::NotVerified,
        ),
        (
            "exchanged blocks",
            2 * BLOCK as u64,
            [data_frame(second), data_frame(first), end_frame(end(&big[..2 * BLOCK]))].concat(),
            Kind::NotVerified,
        ),
        ("a command within", 3, frame(&Message::Command(Command::Pwd)), Kind::Protocol),
        ("a put within", len(&big), [data_frame(first), put(3)].concat(), Kind::Protocol),
        ("a frame longer than any", len(&big), [data_frame(first), vec![0xff; 5]].concat(), Kind::Protocol),
    ]
}

#[test]
fn nothing_of_a_lie_is_kept() {
    let server = Server::start();
    server.write("alice/file", OLD);
    let watch = Watch::new(server.home(ALICE));
    let mut bystander = Bystander::of(&server);
    for (number, (what, size, lie, kind)) in lies().into_iter().enumerate() {
        let mut raw = server.logged_in(ALICE);
        raw.say(&put(size));
        drop(raw.try_say(&lie)); // it may hang up before all is said
        last_words(&mut raw, kind, what);
        watch.wait_for_no_stage();
        assert_eq!(server.read("alice/file"), OLD, "{what}");
        server.log().wait_for_nth(number + 1, &["session ended", "reason="]);
        bystander.goes_on();
    }
    assert_eq!(server.log().count(&["verb=\"put\"", "result=\"ok\""]), 0);
}

/// Hears the one refusal of a put, and then that the session goes on.
fn refused_and_on(raw: &mut Raw, kind: Kind) {
    assert_eq!(raw.refusal().kind, kind);
    assert_eq!(raw.ask(Command::Pwd), Reply::Directory { path: b"/".to_vec() });
}

fn abort(command: u64) -> Message {
    Message::Abort(Abort { command, failure: Failure::new(Kind::Aborted, "never mind") })
}

#[test]
fn a_put_that_is_broken_off_leaves_nothing_and_the_session_goes_on() {
    let server = Server::start();
    server.write("alice/file", OLD);
    let watch = Watch::new(server.home(ALICE));
    let mut raw = server.logged_in(ALICE);
    let content = bytes(20 * BLOCK, 1);
    for (number, blocks) in [0, 1, 5, 16, 17, 20].into_iter().enumerate() {
        raw.say(&put(content.len() as u64));
        content.chunks(BLOCK).take(blocks).for_each(|block| raw.say(&data_frame(block)));
        raw.tell(&abort(2 + 2 * number as u64));
        refused_and_on(&mut raw, Kind::Aborted);
        watch.wait_for_no_stage();
        assert_eq!(server.read("alice/file"), OLD);
    }
}

#[test]
fn a_put_that_cannot_be_is_refused_at_once_and_passed_over() {
    let server = Server::start();
    server.write("alice/directory/file", b"");
    let mut raw = server.logged_in(ALICE);
    for (number, (path, size, kind)) in [
        (&b"file"[..], u64::MAX, Kind::NoSpace),
        (b"file", 1 << 60, Kind::NoSpace),
        (b"directory", 3, Kind::IsDirectory),
        (b"missing/file", 3, Kind::NotFound),
        (b"directory/file/x", 3, Kind::NotDirectory),
        (b"\0", 3, Kind::InvalidName),
    ]
    .into_iter()
    .enumerate()
    {
        raw.tell(&Message::Command(Command::Put { path: path.to_vec(), size }));
        assert_eq!(raw.refusal().kind, kind); // before any data came
        raw.tell(&abort(2 + 2 * number as u64));
        assert_eq!(raw.ask(Command::Pwd), Reply::Directory { path: b"/".to_vec() });
    }
    // Sent ahead, it is passed over to its end.
    raw.send_put("missing/file", &bytes(20 * BLOCK + 5, 1));
    refused_and_on(&mut raw, Kind::NotFound);
    assert!(e2e::stages(server.homes()).is_empty());
}

#[test]
fn a_hundred_puts_sent_ahead_are_all_stored_in_order() {
    let server = Server::start();
    let mut raw = server.logged_in(ALICE);
    for number in 0..100 {
        raw.send_put(format!("{number}"), &bytes(number * 1000, number as u64));
    }
    for number in 0..100 {
        let Reply::Stored { size, .. } = raw.reply() else { panic!("put {number} is not stored") };
        assert_eq!(size, number as u64 * 1000);
        assert!(server.read(&format!("alice/{number}")) == bytes(number * 1000, number as u64));
    }
    raw.send_put("same", b"first");
    raw.send_put("same", b"second");
    assert!(matches!((raw.reply(), raw.reply()), (Reply::Stored { .. }, Reply::Stored { .. })));
    assert_eq!(server.read("alice/same"), b"second");
}

#[test]
fn two_puts_of_one_name_leave_one_whole_file() {
    let server = Server::start();
    let (one, other) = (bytes(3 * BLOCK, 1), bytes(3 * BLOCK, 2));
    let (mut a, mut b) = (server.logged_in(ALICE), server.logged_in(ALICE));
    for raw in [&mut a, &mut b] {
        raw.say(&put(3 * BLOCK as u64));
    }
    for at in 0..3 {
        a.say(&data_frame(&one[at * BLOCK..][..BLOCK]));
        b.say(&data_frame(&other[at * BLOCK..][..BLOCK]));
    }
    a.say(&end_frame(end(&one)));
    assert!(matches!(a.reply(), Reply::Stored { .. }));
    assert!(server.read("alice/file") == one);
    b.say(&end_frame(end(&other)));
    assert!(matches!(b.reply(), Reply::Stored { .. }));
    assert!(server.read("alice/file") == other);
}

#[test]
fn a_hang_up_in_a_put_leaves_nothing() {
    let server = Server::start();
    server.write("alice/file", OLD);
    let watch = Watch::new(server.home(ALICE));
    let mut bystander = Bystander::of(&server);
    let content = bytes(20 * BLOCK, 1);
    for (number, blocks) in [0, 1, 17].into_iter().enumerate() {
        let mut raw = server.logged_in(ALICE);
        raw.say(&put(content.len() as u64));
        content.chunks(BLOCK).take(blocks).for_each(|block| raw.say(&data_frame(block)));
        watch.wait_for_stage();
        drop(raw);
        server.log().wait_for_nth(number + 1, &["verb=\"put\"", "the connection"]);
        watch.wait_for_no_stage();
        assert_eq!(server.read("alice/file"), OLD);
        bystander.goes_on();
    }
}

#[test]
fn a_get_can_be_broken_off() {
    let server = Server::start();
    server.write("alice/big", bytes(64 << 20, 1)); // fits into no buffer
    server.write("alice/small", b"small");
    let mut raw = server.logged_in(ALICE);
    raw.tell(&Message::Command(Command::Get { path: b"big".to_vec(), first_block: 0 }));
    raw.tell(&abort(2));
    assert!(matches!(raw.reply(), Reply::Sending { .. }));
    let broken_off = loop {
        match raw.hear() {
            Heard::Data(..) => {}
            Heard::Message(Message::Abort(abort)) => break abort,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(broken_off.command, 2);
    assert_eq!(raw.get("small").unwrap(), b"small");
}

#[test]
fn a_get_from_a_block_on_sends_the_rest() {
    let server = Server::start();
    let content = bytes(20 * BLOCK + 7, 1);
    server.write("alice/file", &content);
    let mut raw = server.logged_in(ALICE);
    for first in [1, 16, 19, 20, 21] {
        let reply = raw.ask(Command::Get { path: b"file".to_vec(), first_block: first });
        assert_eq!(reply, Reply::Sending { size: content.len() as u64 });
        let mut rest = Vec::new();
        let told = loop {
            match raw.hear() {
                Heard::Data(block, _) => rest.extend(block),
                Heard::Message(Message::End(end)) => break end,
                other => panic!("{other:?}"),
            }
        };
        let wanted = content.get(first as usize * BLOCK..).unwrap_or_default();
        assert!(rest == wanted, "from block {first}");
        assert_eq!((told.size, told.root), (content.len() as u64, end(wanted).root));
    }
    for first in [22, u64::MAX] {
        raw.tell(&Message::Command(Command::Get { path: b"file".to_vec(), first_block: first }));
        assert_eq!(raw.refusal().kind, Kind::Changed);
    }
}
