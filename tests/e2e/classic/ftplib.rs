//! Python's ftplib, by a script that holds each answer against what it must be.

use std::net::TcpListener;

use e2e::{ALICE, BOB, Server, stages};

use super::{ODD, assert_files, assert_same, content, furnished, tool};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/e2e/classic/ftplib.py");

/// Runs a part of the script against an address.
#[track_caller]
fn script(server: &Server, part: &str, words: &[&str]) {
    let address = server.classic_address();
    // -I: else the script, called as it is, would be what it imports.
    let mut python = tool("python3", server).args(["-I", "-X", "utf8", SCRIPT, part]);
    python = python.args([&address.ip().to_string(), &address.port().to_string()]);
    python = python.variable("USER_NAME", ALICE.name).variable("PASSWORD", ALICE.password);
    python.variable("CERTIFICATE", server.certificate()).args(words).run().ok();
}

#[test]
fn logins() {
    let server = furnished(Server::builder().anonymous());
    server.write("anonymous/notice", b"for all\n");
    script(&server, "logins", &[BOB.name, BOB.password]);
}

#[test]
fn every_call() {
    for words in [&["plain"][..], &["tls"], &["active"], &["tls", "active"]] {
        let server = furnished(Server::builder());
        script(&server, "calls", words);
        let home = server.home(ALICE);
        assert_files(&home.join("up"));
        assert_files(&server.work().join("got"));
        let (big, block) = (content("big"), content("block"));
        assert_same(&home.join("resumed"), &big);
        assert_same(&home.join("appended"), &[&block[..], &block].concat());
        assert_same(&home.join("lines"), b"first\nsecond\n\nlast\n");
        assert_same(&home.join("by-hand"), &block);
        for name in ODD {
            assert_same(&home.join(name).join(name), &block);
        }
        assert!(!home.join("there").exists(), "it was removed file by file");
    }
}

#[test]
fn what_is_aborted_leaves_the_old_file() {
    for words in [&["plain"][..], &["tls"]] {
        let server = furnished(Server::builder());
        script(&server, "aborts", words);
        server.log().wait_for_nth(2, &["session ended"]); // what the one that went without a word began is cleared away by then
        assert_same(&server.home(ALICE).join("there/big"), &content("big"));
        assert!(stages(server.homes()).is_empty());
    }
}

#[test]
fn where_sessions_must_be_resumed_it_is_refused_and_changes_nothing() {
    let server = furnished(Server::builder().resumption());
    script(&server, "strict", &["tls"]);
    assert_files(&server.home(ALICE).join("there"));
    assert!(stages(server.homes()).is_empty());
}

#[test]
fn ipv6() {
    if let Err(error) = TcpListener::bind("[::1]:0") {
        panic!(
            "this machine has no ::1 ({error}); give it one: sysctl net.ipv6.conf.lo.disable_ipv6=0, ip addr add ::1/128 dev lo"
        );
    }
    let server = furnished(Server::builder().v6());
    let port = server.v6_address().port().to_string();
    for words in [&["plain"][..], &["tls"], &["active"], &["tls", "active"]] {
        script(&server, "v6", &[&[port.as_str()], words].concat());
        assert_files(&server.home(ALICE).join("up"));
        std::fs::remove_dir_all(server.home(ALICE).join("up")).unwrap();
    }
}
