//! An upload is published whole or not at all.

use std::io::Write;
use std::net::Shutdown;

use e2e::{ALICE, QUINN, Server, bytes, md5, stages};

use super::{logged_in, server, server_with};

#[test]
fn what_is_stored_is_told_with_its_digest() {
    let (server, address) = server();
    let mut control = logged_in(address, ALICE);
    for size in [0, 1, 65536, 65537, 3_000_000] {
        let data = bytes(size, size as u64);
        let (code, told) = control.store("STOR file", &data);
        assert_eq!((code, told), (226, format!("226 Stored {size} bytes. MD5 {}.", md5(&data))));
        assert_eq!(server.read("alice/file"), data);
    }
}

#[test]
fn until_its_end_an_upload_is_not_seen_and_the_old_file_is_whole() {
    let (server, address) = server();
    server.write("alice/file", b"old");
    let mut control = logged_in(address, ALICE);
    for (command, kept) in [("STOR file", 0), ("APPE file", 0), ("STOR file", 2)] {
        if kept > 0 {
            control.told(&format!("REST {kept}"), 350);
        }
        let mut data = control.data();
        control.told(command, 150);
        data.write_all(&bytes(3 << 20, 1)).unwrap();
        while !control.told("STAT", 211).contains(&format!("{} bytes so far", 3 << 20)) {}
        let mut other = logged_in(address, ALICE);
        assert_eq!(other.fetch("RETR file"), b"old");
        assert_eq!(other.fetch("NLST"), b"file\r\n", "stages are nobody's to see");
        control.say("ABOR");
        control.hears(426);
        control.hears(226);
        assert_eq!(server.read("alice/file"), b"old");
        assert!(stages(server.homes()).is_empty());
    }
}

#[test]
fn a_client_that_is_gone_in_the_middle_has_stored_nothing() {
    let (server, address) = server();
    server.write("alice/file", b"old");
    for (number, way) in [0, 1, 2].into_iter().enumerate() {
        let mut control = logged_in(address, ALICE);
        let from = control.address();
        let mut data = control.data();
        control.told("STOR file", 150);
        data.write_all(&bytes(1 << 20, 1)).unwrap();
        while !control.told("STAT", 211).contains(&format!("{} bytes so far", 1 << 20)) {}
        match way {
            0 => {
                // As the system does for a process that is killed: one after the other, in the order of their numbers.
                drop(control);
                drop(data);
            }
            1 => {
                drop(control);
                server.log().wait_for_nth(number + 1, &["verb=\"put\"", "path=\"file\""]);
                drop(data);
            }
            _ => {
                rustix::net::sockopt::set_socket_linger(&data, Some(std::time::Duration::ZERO)).unwrap();
                drop(data); // a reset
                control.hears(426);
            }
        }
        server.log().wait_for_all(&[&format!("from={from}"), "verb=\"put\"", "path=\"file\""]);
        assert_eq!(server.read("alice/file"), b"old", "{way}");
    }
}

#[test]
fn lines_sent_ahead_vouch_for_nobody() {
    let (server, address) = server();
    let mut control = logged_in(address, ALICE);
    let from = control.address();
    let mut data = control.data();
    control.told("STOR file", 150);
    control.say_bytes(&b"PWD\r\n".repeat(100));
    data.write_all(&bytes(1 << 20, 1)).unwrap();
    drop(control);
    drop(data);
    server.log().wait_for_all(&[&format!("from={from}"), "session ended"]);
    assert!(!server.home(ALICE).join("file").exists());
}

#[test]
fn who_goes_on_with_a_file_that_changes_meanwhile_is_told() {
    let (server, address) = server();
    server.write("alice/log", b"0\n");
    let (mut one, mut other) = (logged_in(address, ALICE), logged_in(address, ALICE));
    let (mut first, mut second) = (one.data(), other.data());
    one.told("APPE log", 150);
    other.told("APPE log", 150);
    first.write_all(b"one\n").unwrap();
    drop(first);
    one.hears(226);
    second.write_all(b"other\n").unwrap();
    drop(second);
    assert!(other.hears(451).contains("changed meanwhile"));
    assert_eq!(server.read("alice/log"), b"0\none\n");
    assert_eq!(other.store("APPE log", b"other\n").0, 226);
    assert_eq!(server.read("alice/log"), b"0\none\nother\n");
}

#[test]
fn who_has_said_quit_may_half_close_and_hears_the_end() {
    let (server, address) = server();
    let mut control = logged_in(address, ALICE);
    let mut data = control.data();
    control.say("STOR file");
    control.say("QUIT");
    control.finish();
    data.write_all(b"all of it").unwrap();
    drop(data);
    control.hears(150);
    control.hears(226);
    control.hears(221);
    assert_eq!(server.read("alice/file"), b"all of it");
}

#[test]
fn who_says_quit_behind_the_last_byte_and_half_closes_hears_the_end_as_well() {
    let (server, address) = server();
    // More than what leaves a client in one go: the server looks a moment longer whether the client is still there.
    for round in 0..40 {
        let content = bytes(20_000, round);
        let mut control = logged_in(address, ALICE);
        let mut data = control.data();
        control.told("STOR file", 150);
        data.write_all(&content).unwrap();
        drop(data);
        control.say("QUIT");
        control.finish();
        control.hears(226);
        control.hears(221);
        assert!(server.read("alice/file") == content, "{round}");
    }
}

#[test]
fn who_leaves_with_quit_has_stored_all_the_same() {
    let (server, address) = server();
    let mut control = logged_in(address, ALICE);
    let mut data = control.data();
    control.told("STOR file", 150);
    control.say("QUIT");
    data.write_all(b"all of it").unwrap();
    drop(data);
    control.hears(226);
    control.hears(221);
    assert_eq!(server.read("alice/file"), b"all of it");
}

#[test]
fn a_quota_and_a_full_disk_end_an_upload_and_nothing_is_kept() {
    let (_server, address) = server_with(Server::builder().tmpfs(ALICE, "4m"), "");
    for (user, room) in [(QUINN, 1 << 20), (ALICE, 4 << 20)] {
        let mut control = logged_in(address, user);
        control.told(&format!("ALLO {}", 1_u64 << 40), 200);
        drop(control.data());
        control.told("STOR announced", 552);
        let mut data = control.data();
        control.told("STOR file", 150);
        // The server stops reading at some point; what it says then is what counts.
        _ = data.write_all(&bytes(room + (1 << 20), 1));
        _ = data.shutdown(Shutdown::Write);
        control.hears(552);
        assert_eq!(control.fetch("NLST"), b"");
        assert_eq!(control.store("STOR small", b"fits").0, 226);
    }
}

#[test]
fn a_stall_ends_an_upload() {
    let (server, address) = server_with(Server::builder().limit("stall = \"1s\""), "");
    let mut control = logged_in(address, ALICE);
    let mut data = control.data();
    control.told("STOR file", 150);
    data.write_all(b"some").unwrap();
    assert!(control.hears(426).contains("Nothing moved for 1 s"));
    assert!(!server.home(ALICE).join("file").exists());
    control.told("NOOP", 200);
}
