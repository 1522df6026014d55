//! What the server makes of commands that go on with something: true ones and others.

use std::fs;

use e2e::{ALICE, BOB, CAROL, Heard, QUINN, Raw, Server, Watch, bytes, data_frame, end};
use proto::{Command, Kind, Message, Reply};

use super::kept;

const BLOCK: usize = 64 * 1024;

fn root(content: &[u8]) -> Vec<u8> {
    end(content).root
}

fn put_rest(size: usize, first_block: u64, proof: Vec<u8>) -> Message {
    Message::Command(Command::PutRest { path: b"file".to_vec(), size: size as u64, first_block, proof })
}

/// Begins an upload of `content`, of which `came` bytes come.
fn begin(server: &Server, content: &[u8], came: usize) -> Raw {
    let mut raw = server.logged_in(ALICE);
    raw.tell(&put_rest(content.len(), 0, root(b"")));
    content[..came].chunks(BLOCK).for_each(|block| raw.say(&data_frame(block)));
    raw
}

/// An upload that is cut once so much of it came.
fn cut(server: &Server, content: &[u8], came: usize) {
    let before = server.log().count(&["verb=\"put\""]);
    drop(begin(server, content, came));
    server.log().wait_for_nth(before + 1, &["verb=\"put\""]);
}

#[track_caller]
fn asks_what_is_kept(raw: &mut Raw) -> (u64, Vec<u8>) {
    match raw.ask(Command::Kept { path: b"file".to_vec() }) {
        Reply::Kept { blocks, root } => (blocks, root),
        other => panic!("{other:?}"),
    }
}

/// Sends what lies behind so many blocks; the reply is still to be heard.
fn send_rest(raw: &mut Raw, content: &[u8], first_block: usize) {
    let (there, rest) = content.split_at(first_block * BLOCK);
    raw.tell(&put_rest(content.len(), first_block as u64, root(there)));
    rest.chunks(BLOCK).for_each(|block| raw.say(&data_frame(block)));
    raw.tell(&Message::End(proto::End { size: content.len() as u64, ..end(rest) }));
}

#[test]
fn an_upload_that_was_cut_goes_on() {
    let server = Server::start();
    let content = bytes(40 * BLOCK + 100, 1);
    server.write("alice/file", b"old");
    for came in [0, 1, 5, 33, 40] {
        cut(&server, &content, came * BLOCK);
        assert_eq!(server.read("alice/file"), b"old");
        let mut raw = server.logged_in(ALICE);
        assert_eq!(asks_what_is_kept(&mut raw), (came as u64, root(&content[..came * BLOCK])));
        send_rest(&mut raw, &content, came);
        let size = content.len() as u64;
        assert_eq!(raw.reply(), Reply::Stored { size, root: root(&content) });
        assert!(server.read("alice/file") == content && kept(&server).is_empty());
        assert_eq!(asks_what_is_kept(&mut raw), (0, root(b"")));
        server.write("alice/file", b"old");
    }
}

#[test]
fn an_upload_of_which_nothing_but_the_end_is_missing_goes_on() {
    let server = Server::start();
    let content = bytes(3 * BLOCK, 1);
    cut(&server, &content, content.len());
    let mut raw = server.logged_in(ALICE);
    send_rest(&mut raw, &content, 3);
    assert_eq!(raw.reply(), Reply::Stored { size: content.len() as u64, root: root(&content) });
    assert!(server.read("alice/file") == content);
}

#[test]
fn an_abort_keeps_what_came_and_a_plain_put_keeps_nothing() {
    let server = Server::start();
    let content = bytes(9 * BLOCK, 1);
    let mut raw = begin(&server, &content, 4 * BLOCK);
    let failure = proto::Failure::new(Kind::Aborted, "never mind");
    raw.tell(&Message::Abort(proto::Abort { command: 2, failure: failure.clone() }));
    assert_eq!(raw.refusal().kind, Kind::Aborted);
    assert_eq!(asks_what_is_kept(&mut raw).0, 4);
    // Neither takes the other's place.
    raw.tell(&Message::Command(Command::Put { path: b"file".to_vec(), size: content.len() as u64 }));
    raw.say(&data_frame(&content[..BLOCK]));
    raw.tell(&Message::Abort(proto::Abort { command: 4, failure }));
    assert_eq!(raw.refusal().kind, Kind::Aborted);
    assert_eq!(asks_what_is_kept(&mut raw).0, 4);
    assert_eq!(kept(&server).len(), 1);
}

#[test]
fn a_server_that_was_killed_still_has_what_came() {
    let mut server = Server::start();
    let content = bytes(9 * BLOCK, 1);
    let watch = Watch::new(server.home(ALICE));
    let raw = begin(&server, &content, 5 * BLOCK);
    let stage = watch.wait_for_stage();
    while fs::metadata(&stage).unwrap().len() < 5 * BLOCK as u64 {
        std::thread::yield_now();
    }
    server.kill();
    drop(raw);
    server.restart();
    server.log().wait_for("homes swept");
    let mut raw = server.logged_in(ALICE);
    assert_eq!(asks_what_is_kept(&mut raw), (5, root(&content[..5 * BLOCK])));
    send_rest(&mut raw, &content, 5);
    assert!(matches!(raw.reply(), Reply::Stored { .. }));
    assert!(server.read("alice/file") == content);
}

#[test]
fn nobody_sees_what_is_kept_and_only_its_user_goes_on_with_it() {
    let server = Server::builder().classic().start();
    // Bob and carol share the home of alice.
    let mut server = server;
    server.terminate();
    server.edit_config(|told| {
        told.replace("\"homes/bob\"", "\"homes/alice\"").replace("\"homes/carol\"", "\"homes/alice\"")
    });
    server.restart();
    let content = bytes(5 * BLOCK, 1);
    cut(&server, &content, 3 * BLOCK);
    server.ftp(&["ls", "-la"]).ok().wrote("");
    let stage = kept(&server).pop().unwrap();
    let name = stage.file_name().unwrap().to_str().unwrap();
    for verb in ["cat", "stat", "rm", "md5"] {
        server.ftp(&[verb, name]).fails(2).wrote("");
    }
    let mut carol = server.logged_in(CAROL);
    assert_eq!(asks_what_is_kept(&mut carol), (0, root(b"")));
    carol.tell(&put_rest(content.len(), 3, root(&content[..3 * BLOCK])));
    carol.tell(&Message::End(proto::End { size: content.len() as u64, ..end(b"") }));
    assert_eq!(carol.refusal().kind, Kind::Changed);
    let mut bob = server.logged_in(BOB);
    bob.tell(&Message::Command(Command::Kept { path: b"file".to_vec() }));
    assert_eq!(bob.refusal().kind, Kind::Denied);
    assert_eq!(asks_what_is_kept(&mut server.logged_in(ALICE)).0, 3);
}

#[test]
fn a_drop_box_goes_on_with_its_own_and_replaces_nothing() {
    let server = Server::start();
    let content = bytes(5 * BLOCK, 1);
    let mut raw = server.logged_in(CAROL);
    raw.tell(&put_rest(content.len(), 0, root(b"")));
    raw.say(&data_frame(&content[..BLOCK]));
    drop(raw);
    server.log().wait_for("verb=\"put\"");
    let mut raw = server.logged_in(CAROL);
    assert_eq!(asks_what_is_kept(&mut raw).0, 1);
    send_rest(&mut raw, &content, 1);
    assert!(matches!(raw.reply(), Reply::Stored { .. }));
    assert!(server.read("carol/file") == content);
    raw.tell(&put_rest(3, 0, root(b"")));
    raw.say(&data_frame(b"new"));
    raw.tell(&Message::End(end(b"new")));
    assert_eq!(raw.refusal().kind, Kind::Exists);
    assert!(server.read("carol/file") == content);
}

#[test]
fn a_prefix_that_was_tampered_with_is_noticed() {
    let server = Server::start();
    let content = bytes(9 * BLOCK, 1);
    cut(&server, &content, 6 * BLOCK);
    let stage = kept(&server).pop().unwrap();
    let mut changed = fs::read(&stage).unwrap();
    changed[4 * BLOCK] ^= 1;
    fs::write(&stage, changed).unwrap();
    let mut raw = server.logged_in(ALICE);
    let (blocks, told) = asks_what_is_kept(&mut raw);
    assert!(blocks == 6 && told != root(&content[..6 * BLOCK]));
    send_rest(&mut raw, &content, 6);
    assert_eq!(raw.refusal().kind, Kind::Changed);
    send_rest(&mut raw, &content, 0);
    assert!(matches!(raw.reply(), Reply::Stored { .. }));
    assert!(server.read("alice/file") == content && kept(&server).is_empty());
}

#[test]
fn claims_that_cannot_be_are_refused_and_the_session_goes_on() {
    let server = Server::start();
    let content = bytes(9 * BLOCK, 1);
    cut(&server, &content, 4 * BLOCK);
    let right = root(&content[..4 * BLOCK]);
    let mut raw = server.logged_in(ALICE);
    for (size, first_block, proof) in [
        (content.len(), 5, right.clone()),
        (content.len(), 3, right.clone()),
        (content.len(), 4, vec![0; 16]),
        (content.len(), u64::MAX, right.clone()),
        (content.len(), u64::MAX / BLOCK as u64, right.clone()),
        (3 * BLOCK, 4, right.clone()),
        (0, 1, right.clone()),
        (content.len(), 0, right.clone()),
    ] {
        raw.tell(&put_rest(size, first_block, proof));
        let left = size.saturating_sub(usize::try_from(first_block).unwrap().saturating_mul(BLOCK));
        content[content.len() - left..].chunks(BLOCK).for_each(|block| raw.say(&data_frame(block)));
        raw.tell(&Message::End(end(b"")));
        assert_eq!(raw.refusal().kind, Kind::Changed, "{size} {first_block}");
        if first_block > 0 {
            assert_eq!(asks_what_is_kept(&mut raw), (4, right.clone()), "{size} {first_block}");
        }
    }
    for proof in [vec![], vec![0; 15], vec![0; 32], vec![0; 4000]] {
        for command in [
            put_rest(3, 0, proof.clone()),
            Message::Command(Command::Resume { path: b"x".to_vec(), first_block: 0, proof: proof.clone() }),
        ] {
            let mut raw = server.logged_in(ALICE);
            raw.tell(&command);
            assert_eq!(raw.refusal().kind, Kind::Protocol);
            raw.ends();
        }
    }
    assert!(!server.home(ALICE).join("file").exists());
}

#[test]
fn a_rest_that_is_not_what_it_says_is_not_stored() {
    let server = Server::start();
    let content = bytes(6 * BLOCK, 1);
    for lie in 0..3 {
        cut(&server, &content, 4 * BLOCK);
        let mut raw = server.logged_in(ALICE);
        raw.tell(&put_rest(content.len(), 4, root(&content[..4 * BLOCK])));
        raw.say(&data_frame(&content[4 * BLOCK..5 * BLOCK]));
        let mut last = data_frame(&content[5 * BLOCK..]);
        if lie == 0 {
            last[100] ^= 1;
        }
        raw.say(&last);
        let told = if lie == 1 { root(&content) } else { root(&content[4 * BLOCK..]) };
        let size = content.len() as u64 + u64::from(lie == 2);
        drop(raw.try_say(&e2e::frame(&Message::End(proto::End { size, root: told, ..end(b"") }))));
        assert_eq!(raw.refusal().kind, Kind::NotVerified);
        raw.ends();
        assert!(!server.home(ALICE).join("file").exists());
    }
}

#[test]
fn a_download_goes_on_from_blocks_that_are_proven() {
    let server = Server::start();
    let content = bytes(40 * BLOCK + 9, 1);
    server.write("alice/file", &content);
    let mut raw = server.logged_in(ALICE);
    let resume =
        |first_block, proof| Message::Command(Command::Resume { path: b"file".to_vec(), first_block, proof });
    for blocks in [0, 1, 33, 40] {
        raw.tell(&resume(blocks as u64, root(&content[..blocks * BLOCK])));
        assert!(raw.file().unwrap() == content[blocks * BLOCK..]);
    }
    for (blocks, proof) in [
        (1, root(&content[1..=BLOCK])),
        (2, root(&content[..BLOCK])),
        (0, root(b"x")),
        (41, root(&content)),
        (42, root(&content)),
        (u64::MAX, root(&content)),
    ] {
        raw.tell(&resume(blocks, proof));
        let refusal = raw.refusal();
        assert_eq!(refusal.kind, Kind::Changed, "{blocks}");
        assert!(refusal.remedy.unwrap().contains("from its beginning"));
    }
    assert!(matches!(raw.ask(Command::Pwd), Reply::Directory { .. }));
}

#[test]
fn a_second_session_at_the_same_upload_takes_nothing_from_the_first() {
    let server = Server::start();
    let (one, other) = (bytes(5 * BLOCK, 1), bytes(5 * BLOCK, 2));
    let watch = Watch::new(server.home(ALICE));
    let mut first = begin(&server, &one, 2 * BLOCK);
    watch.wait_for_stage();
    let mut second = server.logged_in(ALICE);
    send_rest(&mut second, &other, 0);
    assert!(matches!(second.reply(), Reply::Stored { .. }));
    assert!(server.read("alice/file") == other);
    one[2 * BLOCK..].chunks(BLOCK).for_each(|block| first.say(&data_frame(block)));
    first.tell(&Message::End(end(&one)));
    assert!(matches!(first.reply(), Reply::Stored { .. }));
    assert!(server.read("alice/file") == one);
}

#[test]
fn a_session_that_is_silent_leaves_its_upload_to_the_next_one() {
    let server = Server::start();
    let content = bytes(5 * BLOCK, 1);
    let watch = Watch::new(server.home(ALICE));
    let mut silent = begin(&server, &content, 2 * BLOCK);
    let stage = watch.wait_for_stage();
    while fs::metadata(&stage).unwrap().len() < 2 * BLOCK as u64 {
        std::thread::yield_now();
    }
    let mut next = server.logged_in(ALICE);
    assert_eq!(asks_what_is_kept(&mut next).0, 2);
    assert_eq!(silent.refusal().kind, Kind::TimedOut);
    silent.ends();
    send_rest(&mut next, &content, 2);
    assert!(matches!(next.reply(), Reply::Stored { .. }));
    assert!(server.read("alice/file") == content);
}

#[test]
fn the_quota_counts_what_is_kept() {
    let server = Server::start();
    let mut raw = server.logged_in(QUINN);
    raw.tell(&put_rest(12 * BLOCK, 0, root(b"")));
    let content = bytes(12 * BLOCK, 1);
    content[..10 * BLOCK].chunks(BLOCK).for_each(|block| raw.say(&data_frame(block)));
    drop(raw);
    server.log().wait_for("verb=\"put\"");
    let mut raw = server.logged_in(QUINN);
    raw.send_put("other", &bytes(7 * BLOCK, 2));
    assert_eq!(raw.refusal().kind, Kind::Quota);
    send_rest(&mut raw, &content, 10);
    assert!(matches!(raw.reply(), Reply::Stored { .. }));
    raw.send_put("other", &bytes(4 * BLOCK, 2));
    assert!(matches!(raw.reply(), Reply::Stored { .. }));
}

#[test]
fn what_is_kept_for_long_enough_goes_and_where_nothing_is_to_be_kept_nothing_is() {
    let server = Server::builder().limit("keep_uploads = \"1s\"").start();
    let content = bytes(5 * BLOCK, 1);
    let watch = Watch::new(server.home(ALICE));
    cut(&server, &content, 2 * BLOCK);
    server.log().wait_for("removed what interrupted uploads left");
    watch.wait_for_no_stage();
    assert!(kept(&server).is_empty());
    let server = Server::builder().limit("keep_uploads = \"0\"").start();
    let watch = Watch::new(server.home(ALICE));
    cut(&server, &content, 2 * BLOCK);
    watch.wait_for_no_stage();
    assert!(kept(&server).is_empty());
    assert_eq!(asks_what_is_kept(&mut server.logged_in(ALICE)).0, 0);
}

#[test]
fn a_get_can_be_broken_off_behind_a_prefix() {
    let server = Server::start();
    let content = bytes(64 << 20, 1);
    server.write("alice/file", &content);
    let mut raw = server.logged_in(ALICE);
    let proof = root(&content[..BLOCK]);
    raw.tell(&Message::Command(Command::Resume { path: b"file".to_vec(), first_block: 1, proof }));
    let failure = proto::Failure::new(Kind::Aborted, "never mind");
    raw.tell(&Message::Abort(proto::Abort { command: 2, failure }));
    loop {
        match raw.hear() {
            Heard::Data(..) | Heard::Message(Message::Reply(Reply::Sending { .. })) => {}
            Heard::Message(Message::Abort(_) | Message::Reply(Reply::Refused(_))) => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(raw.ask(Command::Pwd), Reply::Directory { .. }));
}
