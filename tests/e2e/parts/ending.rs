//! What becomes of an assembly that is not published.

use e2e::{ALICE, CAROL, Server, Watch, bytes};
use proto::{Abort, Command, Failure, Kind, Message, Reply};

use super::{BLOCK, assemble, begin, bring, kept, publish, put_parts, stored};

#[test]
fn given_up_it_leaves_what_came_from_the_beginning_on() {
    let server = Server::start();
    let content = bytes(9 * BLOCK, 1);
    let mut raw = server.logged_in(ALICE);
    let assembly = begin(&mut raw, content.len(), None);
    bring(&mut raw, assembly, &content, &[0..3, 4..9]);
    assert_eq!(raw.ask(Command::Leave { assembly }), Reply::Done);
    assert_eq!(kept(&mut raw), 3);
    raw.tell(&Message::Command(Command::Leave { assembly }));
    assert_eq!(raw.refusal().kind, Kind::NotFound);
    let proof = super::root(&content[..3 * BLOCK]);
    let size = content.len() as u64;
    raw.tell(&Message::Command(Command::PutRest { path: b"file".to_vec(), size, first_block: 3, proof }));
    content[3 * BLOCK..].chunks(BLOCK).for_each(|block| raw.say(&e2e::data_frame(block)));
    raw.tell(&Message::End(proto::End { size, ..e2e::end(&content[3 * BLOCK..]) }));
    assert_eq!(raw.reply(), stored(&content));
}

#[test]
fn it_ends_with_the_session_that_began_it() {
    let server = Server::start();
    let content = bytes(9 * BLOCK, 1);
    let (mut owner, mut other) = (server.logged_in(ALICE), server.logged_in(ALICE));
    let watch = Watch::new(server.home(ALICE));
    let assembly = begin(&mut owner, content.len(), None);
    let apart = begin(&mut owner, content.len(), None);
    bring(&mut other, assembly, &content, &[0..2]);
    bring(&mut other, apart, &content, &[0..2]);
    // Of one part, the other session has sent a beginning when its assembly ends.
    other.tell(&put_parts(assembly, content.len(), &[2..5]));
    other.say(&e2e::data_frame(&content[2 * BLOCK..3 * BLOCK]));
    drop(watch.wait_for_stage());
    drop(owner);
    assert_eq!(other.refusal().kind, Kind::NotFound);
    content[3 * BLOCK..5 * BLOCK].chunks(BLOCK).for_each(|block| other.say(&e2e::data_frame(block)));
    other.tell(&Message::End(e2e::end(b"passed over")));
    other.tell(&Message::Command(publish(assembly, &content)));
    assert_eq!(other.refusal().kind, Kind::NotFound);
    let kept = kept(&mut other);
    assert!((2..=3).contains(&kept), "{kept}");
    assert!(!server.home(ALICE).join("file").exists());
}

#[test]
fn a_part_that_is_on_its_way_is_refused_when_the_file_is_published_or_left() {
    let server = Server::start();
    let content = bytes(4 * BLOCK, 1);
    for leaves in [false, true] {
        let (mut owner, mut other) = (server.logged_in(ALICE), server.logged_in(ALICE));
        let assembly = begin(&mut owner, content.len(), None);
        bring(&mut owner, assembly, &content, &[0..4]);
        other.tell(&put_parts(assembly, content.len(), &[1..3]));
        other.say(&e2e::data_frame(&content[BLOCK..2 * BLOCK]));
        // Its command was heard, or else it is unknown when it is: both are refused.
        if leaves {
            assert_eq!(owner.ask(Command::Leave { assembly }), Reply::Done);
        } else {
            assert_eq!(owner.ask(publish(assembly, &content)), stored(&content));
        }
        assert_eq!(other.refusal().kind, Kind::NotFound);
        let failure = Failure::new(Kind::Aborted, "too late");
        other.tell(&Message::Abort(Abort { command: 2, failure }));
        assert!(matches!(other.ask(Command::Pwd), Reply::Directory { .. }));
    }
    assert!(server.read("alice/file") == content);
}

#[test]
fn a_part_that_is_broken_off_counts_as_far_as_it_came() {
    let server = Server::start();
    let content = bytes(9 * BLOCK, 1);
    let mut raw = server.logged_in(ALICE);
    let assembly = begin(&mut raw, content.len(), None);
    raw.tell(&put_parts(assembly, content.len(), &[0..9]));
    content[..4 * BLOCK].chunks(BLOCK).for_each(|block| raw.say(&e2e::data_frame(block)));
    raw.tell(&Message::Abort(Abort { command: 3, failure: Failure::new(Kind::Aborted, "never mind") }));
    assert_eq!(raw.refusal().kind, Kind::Aborted);
    bring(&mut raw, assembly, &content, &[4..9]);
    assert_eq!(raw.ask(publish(assembly, &content)), stored(&content));
}

#[test]
fn a_session_that_is_cut_amid_a_part_leaves_the_assembly_to_the_others() {
    let server = Server::start();
    let content = bytes(9 * BLOCK, 1);
    let (mut owner, mut other) = (server.logged_in(ALICE), server.logged_in(ALICE));
    let assembly = begin(&mut owner, content.len(), None);
    other.tell(&put_parts(assembly, content.len(), &[3..9]));
    other.say(&e2e::data_frame(&content[3 * BLOCK..4 * BLOCK])[..1000]);
    drop(other);
    server.log().wait_for_all(&["verb=\"put-parts\"", "cut"]);
    bring(&mut owner, assembly, &content, &[0..9]);
    assert_eq!(owner.ask(publish(assembly, &content)), stored(&content));
}

#[test]
fn who_comes_back_takes_over_an_assembly_in_which_nothing_moves() {
    let server = Server::start();
    let content = bytes(5 * BLOCK, 1);
    let mut silent = server.logged_in(ALICE);
    let assembly = begin(&mut silent, content.len(), None);
    bring(&mut silent, assembly, &content, &[0..2]);
    let mut next = server.logged_in(ALICE);
    assert_eq!(kept(&mut next), 2);
    silent.tell(&Message::Command(publish(assembly, &content)));
    assert_eq!(silent.refusal().kind, Kind::NotFound);
    // One amid a part is told, and ended.
    let assembly = begin(&mut silent, content.len(), None);
    silent.tell(&put_parts(assembly, content.len(), &[0..5]));
    silent.say(&e2e::data_frame(&content[..BLOCK]));
    let stage = e2e::stages(server.homes()).remove(0);
    while std::fs::metadata(&stage).unwrap().len() < BLOCK as u64 {
        std::thread::yield_now();
    }
    assert_eq!(kept(&mut next), 1);
    assert_eq!(silent.refusal().kind, Kind::TimedOut);
    silent.ends();
}

#[test]
fn a_second_one_of_the_same_file_takes_nothing_from_the_first() {
    let server = Server::start();
    let (one, other) = (bytes(5 * BLOCK, 1), bytes(5 * BLOCK, 2));
    let (mut first, mut second) = (server.logged_in(ALICE), server.logged_in(ALICE));
    let (a, b) = (begin(&mut first, one.len(), None), begin(&mut second, other.len(), None));
    bring(&mut first, a, &one, &[0..3]);
    bring(&mut second, b, &other, &[0..5]);
    assert_eq!(second.ask(publish(b, &other)), stored(&other));
    assert!(server.read("alice/file") == other);
    bring(&mut first, a, &one, &[3..5]);
    assert_eq!(first.ask(publish(a, &one)), stored(&one));
    assert!(server.read("alice/file") == one);
}

#[test]
fn a_server_that_is_to_end_lets_it_come_to_its_own_end() {
    let mut server = Server::start();
    let content = bytes(5 * BLOCK, 1);
    let mut raw = server.logged_in(ALICE);
    let assembly = begin(&mut raw, content.len(), None);
    bring(&mut raw, assembly, &content, &[2..5]);
    server.signal_end();
    server.log().wait_for("ending");
    bring(&mut raw, assembly, &content, &[0..2]);
    assert_eq!(raw.ask(publish(assembly, &content)), stored(&content));
    assert_eq!(raw.refusal().kind, Kind::Ending);
    raw.ends();
    assert!(server.wait_for_end().success());
    assert!(server.read("alice/file") == content);
}

#[test]
fn the_end_of_the_server_ends_it() {
    let mut server = Server::start();
    let content = bytes(5 * BLOCK, 1);
    let mut raw = server.logged_in(ALICE);
    let assembly = begin(&mut raw, content.len(), None);
    bring(&mut raw, assembly, &content, &[0..1, 4..5]);
    let mut other = server.logged_in(ALICE);
    other.tell(&put_parts(assembly, content.len(), &[1..4]));
    other.say(&e2e::data_frame(&content[BLOCK..2 * BLOCK]));
    server.signal_end();
    server.log().wait_for("ending");
    server.signal_end(); // and at once
    for raw in [&mut raw, &mut other] {
        let kind = raw.refusal().kind;
        // One of them is told first, and what it leaves is gone for the other.
        assert!(matches!(kind, Kind::Ending | Kind::NotFound), "{kind:?}");
    }
    server.wait_for_end();
    server.restart();
    let kept = kept(&mut server.logged_in(ALICE));
    assert!((1..=2).contains(&kept), "{kept}");
}

#[test]
fn a_server_that_was_killed_publishes_nothing() {
    let mut server = Server::start();
    let content = bytes(5 * BLOCK, 1);
    let mut raw = server.logged_in(ALICE);
    let assembly = begin(&mut raw, content.len(), None);
    bring(&mut raw, assembly, &content, &[0..2, 4..5]);
    server.kill();
    server.restart();
    server.log().wait_for("homes swept");
    let mut raw = server.logged_in(ALICE);
    // What lies there has gaps, and nobody is told that it has none: its root says so.
    let Reply::Kept { blocks, root } = raw.ask(Command::Kept { path: b"file".to_vec() }) else { panic!() };
    assert!(blocks <= 5 && (blocks <= 2 || root != super::root(&content[..blocks as usize * BLOCK])));
    let assembly = begin(&mut raw, content.len(), None);
    bring(&mut raw, assembly, &content, &[0..5]);
    assert_eq!(raw.ask(publish(assembly, &content)), stored(&content));
}

#[test]
fn of_an_account_of_everybody_nothing_is_kept() {
    let server = Server::builder().anonymous().start();
    let user = e2e::User { name: "anonymous", password: "", access: "write", quota: None };
    let mut raw = server.logged_in(user);
    if let Reply::Assembling { assembly } = raw.ask(assemble("file", 3 * BLOCK, None)) {
        let content = bytes(3 * BLOCK, 1);
        bring(&mut raw, assembly, &content, &[0..2]);
        assert_eq!(raw.ask(Command::Leave { assembly }), Reply::Done);
        assert_eq!(kept(&mut raw), 0);
    }
    assert!(e2e::stages(server.homes()).is_empty());
    let mut carol = server.logged_in(CAROL);
    let assembly = begin(&mut carol, 3, None);
    raw.tell(&Message::Command(publish(assembly, b"abc")));
    assert_eq!(raw.refusal().kind, Kind::Denied, "everybody may only read here");
}
