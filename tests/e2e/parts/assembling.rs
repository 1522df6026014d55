//! Files that are assembled.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use e2e::{ALICE, CAROL, QUINN, Server, bytes, snapshot};
use proto::{Command, Kind, Message, Reply, Time};

use super::{BLOCK, assemble, begin, bring, kept, publish, put_parts, send, stored, version};

#[test]
fn a_file_comes_in_parts_in_any_order_and_over_several_sessions() {
    let server = Server::start();
    let content = bytes(70 * BLOCK + 5, 1);
    let mut first = server.logged_in(ALICE);
    let mut others = [server.logged_in(ALICE), server.logged_in(ALICE)];
    let assembly = begin(&mut first, content.len(), None);
    send(&mut others[0], assembly, &content, &[50..71]);
    send(&mut others[1], assembly, &content, &[1..2, 10..50]);
    send(&mut first, assembly, &content, &[0..1, 2..10]);
    others.iter_mut().chain([&mut first]).for_each(|raw| assert_eq!(raw.reply(), Reply::Done));
    assert!(!server.home(ALICE).join("file").exists());
    assert_eq!(first.ask(publish(assembly, &content)), stored(&content));
    assert!(server.read("alice/file") == content);
    let bytes = format!("bytes={}", content.len());
    server.log().wait_for_all(&["verb=\"put\"", "path=\"/file\"", &bytes, "result=\"ok\""]);
    assert_eq!(server.log().count(&["verb=\"put-parts\""]), 0);
    assert_eq!(server.log().count(&["verb=\"assemble\"", "path=\"file\"", "result=\"ok\""]), 1);
    assert!(e2e::stages(server.homes()).is_empty());
}

#[test]
fn what_no_part_brings_is_that_of_the_old_file() {
    let server = Server::start();
    let old = bytes(40 * BLOCK + 100, 1);
    let mut raw = server.logged_in(ALICE);
    for size in [40 * BLOCK + 100, 30 * BLOCK + 7, 60 * BLOCK, 40 * BLOCK + 101] {
        server.write("alice/file", &old);
        fs::set_permissions(server.home(ALICE).join("file"), fs::Permissions::from_mode(0o640)).unwrap();
        let mut new = bytes(size, 2);
        let shared = 20 * BLOCK;
        new[..shared].copy_from_slice(&old[..shared]);
        let total = size.div_ceil(BLOCK) as u64;
        let onto = version(&mut raw, "file");
        let assembly = begin(&mut raw, size, Some(onto));
        bring(&mut raw, assembly, &new, &[3..4, 20..total]);
        assert_eq!(raw.ask(publish(assembly, &new)), stored(&new), "{size}");
        assert!(server.read("alice/file") == new);
        let metadata = fs::metadata(server.home(ALICE).join("file")).unwrap();
        assert_eq!(metadata.mode() & 0o777, 0o640);
        // Of the last block of the old file, the new one has more.
        server.write("alice/file", &old);
        let onto = version(&mut raw, "file");
        let assembly = begin(&mut raw, 40 * BLOCK + 101, Some(onto));
        raw.tell(&Message::Command(publish(assembly, &new)));
        assert_eq!(raw.refusal().kind, Kind::Changed);
        assert!(server.read("alice/file") == old);
    }
}

#[test]
fn time_and_mode_come_with_the_name() {
    let server = Server::start();
    let mut raw = server.logged_in(ALICE);
    let assembly = begin(&mut raw, 3, None);
    bring(&mut raw, assembly, b"abc", &[0..1]);
    let modified = Some(Time { seconds: 1_400_000_000, nanoseconds: 7 });
    let command = Command::Publish { assembly, root: super::root(b"abc"), modified, mode: Some(0o604) };
    assert_eq!(raw.ask(command), stored(b"abc"));
    let metadata = fs::metadata(server.home(ALICE).join("file")).unwrap();
    assert_eq!((metadata.mtime(), metadata.mtime_nsec()), (1_400_000_000, 7));
    assert_eq!(metadata.mode() & 0o777, 0o604);
}

#[test]
fn nothing_is_needed_of_an_empty_file_or_of_one_that_stays_as_it_is() {
    let server = Server::start();
    let mut raw = server.logged_in(ALICE);
    let assembly = begin(&mut raw, 0, None);
    assert_eq!(raw.ask(publish(assembly, b"")), stored(b""));
    assert_eq!(server.read("alice/file"), b"");
    let content = bytes(9 * BLOCK + 1, 1);
    server.write("alice/file", &content);
    let onto = version(&mut raw, "file");
    let assembly = begin(&mut raw, content.len(), Some(onto));
    assert_eq!(raw.ask(publish(assembly, &content)), stored(&content));
    assert!(server.read("alice/file") == content);
}

#[test]
fn what_is_missing_is_told_and_what_came_stays() {
    let server = Server::start();
    let content = bytes(9 * BLOCK, 1);
    let mut raw = server.logged_in(ALICE);
    let assembly = begin(&mut raw, content.len(), None);
    bring(&mut raw, assembly, &content, &[0..4, 5..9]);
    raw.tell(&Message::Command(publish(assembly, &content)));
    assert_eq!(raw.refusal().kind, Kind::Changed);
    assert_eq!(kept(&mut raw), 4);
    raw.tell(&Message::Command(publish(assembly, &content)));
    assert_eq!(raw.refusal().kind, Kind::NotFound);
}

#[test]
fn a_wrong_root_ends_the_session_and_what_came_is_gone() {
    let server = Server::start();
    let content = bytes(9 * BLOCK, 1);
    server.write("alice/file", b"old");
    let mut raw = server.logged_in(ALICE);
    let assembly = begin(&mut raw, content.len(), None);
    bring(&mut raw, assembly, &content, &[0..9]);
    raw.tell(&Message::Command(publish(assembly, b"other")));
    assert_eq!(raw.refusal().kind, Kind::NotVerified);
    raw.ends();
    assert_eq!(kept(&mut server.logged_in(ALICE)), 0);
    assert_eq!(server.read("alice/file"), b"old");
}

#[test]
fn an_old_file_that_changes_meanwhile_is_noticed() {
    let server = Server::start();
    let content = bytes(9 * BLOCK, 1);
    server.write("alice/file", &content);
    let mut raw = server.logged_in(ALICE);
    let onto = version(&mut raw, "file");
    let assembly = begin(&mut raw, content.len(), Some(onto));
    server.write("alice/file", bytes(9 * BLOCK + 1, 2));
    raw.tell(&Message::Command(publish(assembly, &content)));
    assert_eq!(raw.refusal().kind, Kind::Changed);
    raw.tell(&Message::Command(assemble("file", 3, Some(onto))));
    assert_eq!(raw.refusal().kind, Kind::Changed);
}

#[test]
fn a_drop_box_takes_new_files_and_replaces_none() {
    let server = Server::start();
    let content = bytes(5 * BLOCK, 1);
    let (mut raw, mut other) = (server.logged_in(CAROL), server.logged_in(CAROL));
    let assembly = begin(&mut raw, content.len(), None);
    bring(&mut other, assembly, &content, &[2..5]);
    bring(&mut raw, assembly, &content, &[0..2]);
    let late = begin(&mut raw, content.len(), None);
    bring(&mut raw, late, &content, &[0..5]);
    assert_eq!(raw.ask(publish(assembly, &content)), stored(&content));
    let before = snapshot(server.home(CAROL).join("file"));
    raw.tell(&Message::Command(publish(late, &content)));
    assert_eq!(raw.refusal().kind, Kind::Exists);
    raw.tell(&Message::Command(assemble("file", 1, None)));
    assert_eq!(raw.refusal().kind, Kind::Exists);
    raw.tell(&Message::Command(assemble("file", 1, Some([0; 16]))));
    assert_eq!(raw.refusal().kind, Kind::Denied);
    assert_eq!(snapshot(server.home(CAROL).join("file")), before);
}

#[test]
fn the_quota_counts_each_from_its_beginning() {
    let server = Server::start();
    let content = bytes(10 * BLOCK, 1);
    let mut raw = server.logged_in(QUINN);
    let first = begin(&mut raw, content.len(), None);
    for path in ["other", "third"] {
        raw.tell(&Message::Command(assemble(path, content.len(), None)));
        assert_eq!(raw.refusal().kind, Kind::Quota);
    }
    let Reply::Assembling { assembly: second } = raw.ask(assemble("other", 6 * BLOCK, None)) else {
        panic!()
    };
    raw.tell(&Message::Command(Command::Put { path: b"small".to_vec(), size: 1 }));
    raw.say(&e2e::data_frame(b"x"));
    raw.tell(&Message::End(e2e::end(b"x")));
    assert_eq!(raw.refusal().kind, Kind::Quota);
    assert_eq!(raw.ask(Command::Leave { assembly: second }), Reply::Done);
    bring(&mut raw, first, &content, &[0..10]);
    assert_eq!(raw.ask(publish(first, &content)), stored(&content));
    raw.send_put("small", &content[..6 * BLOCK]);
    assert!(matches!(raw.reply(), Reply::Stored { .. }));
    raw.send_put("one more", b"x");
    assert_eq!(raw.refusal().kind, Kind::Quota);
}

#[test]
fn parts_can_be_sent_before_anything_was_answered_to_them() {
    let server = Server::start();
    let content = bytes(20 * BLOCK, 1);
    let mut raw = server.logged_in(ALICE);
    let assembly = begin(&mut raw, content.len(), None);
    for part in (0..20).rev() {
        send(&mut raw, assembly, &content, &[part..part + 1]);
    }
    raw.tell(&Message::Command(publish(assembly, &content)));
    (0..20).for_each(|_| assert_eq!(raw.reply(), Reply::Done));
    assert_eq!(raw.reply(), stored(&content));
}

#[test]
fn parts_that_are_not_what_they_say_end_the_session_and_not_the_assembly() {
    let server = Server::start();
    let content = bytes(6 * BLOCK, 1);
    let mut owner = server.logged_in(ALICE);
    let assembly = begin(&mut owner, content.len(), None);
    for lie in 0..3 {
        let mut raw = server.logged_in(ALICE);
        raw.tell(&put_parts(assembly, content.len(), &[2..4]));
        raw.say(&e2e::data_frame(&content[2 * BLOCK..3 * BLOCK]));
        let mut last = e2e::data_frame(&content[3 * BLOCK..4 * BLOCK]);
        if lie == 0 {
            last[100] ^= 1;
        }
        raw.say(&last);
        let told = e2e::end(if lie == 1 { &content } else { &content[2 * BLOCK..4 * BLOCK] });
        let size = content.len() as u64 + u64::from(lie == 2);
        drop(raw.try_say(&e2e::frame(&Message::End(proto::End { size, ..told }))));
        assert_eq!(raw.refusal().kind, Kind::NotVerified);
        raw.ends();
    }
    bring(&mut owner, assembly, &content, &[0..6]);
    assert_eq!(owner.ask(publish(assembly, &content)), stored(&content));
    server.log().wait_for_all(&["verb=\"put-parts\"", "path=\"/file\""]);
}
