//! Long transfers at the prompt: the bar, Ctrl-C, a server that dies.

use std::fs::File;

use e2e::{ALICE, Server, Terminal, Watch, Way, bytes};

use super::{logged_in, prompt, run};

const MIB: usize = 1024 * 1024;

/// Bytes that fit into no buffer between the two programs.
const MUCH: usize = 64 * MIB;

/// The client at a terminal, by a way that stops in the middle; its prompt is shown.
fn logged_in_by(way: &Way, server: &Server) -> Terminal {
    let target = format!("alice@{}", way.address());
    let mut at = Terminal::start(&server.client(ALICE).target(target).command());
    at.expect("ftp 127.0.0.1:/> ");
    at
}

/// A file of zeros, which takes no room.
fn zeros(path: std::path::PathBuf, size: usize) {
    File::create(path).unwrap().set_len(size as u64).unwrap();
}

#[test]
fn control_c_ends_a_get_and_keeps_the_session() {
    let server = Server::start();
    zeros(server.home(ALICE).join("big"), MUCH);
    server.write("alice/sub/small", b"small");
    server.write_work("big", b"old");
    let way = Way::hold_down(server.address(), 2 * MIB as u64);
    let mut at = logged_in_by(&way, &server);
    at.line("cd sub");
    at.expect("ftp 127.0.0.1:/sub> ");
    at.line("get ../big");
    way.wait_until_held();
    let here = Watch::new(server.work());
    here.wait_for_stage();
    at.control('c');
    way.release();
    at.expect("ftp 127.0.0.1:/sub> ");
    here.wait_for_no_stage();
    assert_eq!(server.read_work("big"), b"old");
    at.line("cat small");
    at.expect("small\r\nsmall"); // typed, then shown
    at.line("quit");
    assert_eq!(at.end().0, 0);
    server.log().wait_for_all(&["verb=\"get\"", "path=\"/big\"", "broken off by the client"]);
    assert_eq!(server.log().count(&["verb=\"login\""]), 1, "it logged in again");
}

#[test]
fn control_c_ends_a_put_and_keeps_the_session() {
    let server = Server::start();
    server.write("alice/big", b"old");
    zeros(server.work().join("big"), MUCH);
    let way = Way::hold_up(server.address(), 2 * MIB as u64);
    let mut at = logged_in_by(&way, &server);
    at.line("put big");
    way.wait_until_held();
    let there = Watch::new(server.home(ALICE));
    there.wait_for_stage();
    at.control('c');
    way.release();
    at.expect("ftp 127.0.0.1:/> ");
    there.wait_for_no_stage();
    assert_eq!(server.read("alice/big"), b"old");
    at.line("ls");
    at.expect("big\r\n");
    at.line("quit");
    assert_eq!(at.end().0, 0);
    server.log().wait_for_all(&["verb=\"put\"", "broken off by the client"]);
    assert_eq!(server.log().count(&["verb=\"login\""]), 1, "it logged in again");
}

#[test]
fn a_second_control_c_does_not_wait_for_the_server() {
    let server = Server::start();
    zeros(server.home(ALICE).join("big"), MUCH);
    server.write("alice/small", b"small");
    let way = Way::hold_down(server.address(), 2 * MIB as u64);
    let mut at = logged_in_by(&way, &server);
    at.line("get big");
    way.wait_until_held();
    let here = Watch::new(server.work());
    here.wait_for_stage();
    at.control('c');
    here.wait_for_no_stage(); // it was heard; and the way stays closed
    at.control('c');
    at.expect("ftp 127.0.0.1:/> ");
    assert!(!server.work().join("big").exists());
}

#[test]
fn a_long_transfer_shows_a_bar_and_a_short_one_none() {
    let server = Server::start();
    zeros(server.home(ALICE).join("big"), 1 << 32); // its user does not wait for its end
    server.write("alice/small", bytes(100, 1));
    let mut at = logged_in(&server, ALICE);
    let shown = run(&mut at, &server, "get small", "/");
    assert!(shown.starts_with("small  100 B  ") && !shown.contains(" left"), "{shown:?}");
    let here = Watch::new(server.work());
    at.line("get big");
    here.wait_for_stage();
    let shown = at.expect(" left");
    assert!(shown.contains("of 4.29 GB"), "{shown:?}");
    at.control('c');
    at.expect(&prompt(&server, "/"));
    here.wait_for_no_stage();
}

#[test]
fn the_bar_of_a_tree_counts_its_files() {
    let server = Server::start();
    server.write("alice/tree/a", bytes(100, 1));
    server.write("alice/tree/b", bytes(100, 2));
    zeros(server.home(ALICE).join("tree/c"), 1 << 32); // its user does not wait for its end
    local_tree(&server);
    let mut at = logged_in(&server, ALICE);
    // What is put counts when it has gone: a server that has more to read may keep its answers.
    for line in ["mget tree/*", "sync get tree got", "put -r up", "mput up/*", "sync put up there"] {
        at.line(line);
        let shown = at.expect(" left");
        assert!(shown.contains(" of 3 files  ") && shown.contains("of 4.29 GB"), "{line}: {shown:?}");
        at.control('c');
        at.expect(&prompt(&server, "/"));
    }
}

#[test]
fn a_tree_that_is_told_of_as_it_comes_says_what_is_known_of_it() {
    let server = Server::start();
    zeros(server.write("alice/tree/a", b""), 1 << 32); // its user does not wait for its end
    let mut at = logged_in(&server, ALICE);
    at.line("get -r tree");
    let shown = at.expect(" of at least 4.29 GB");
    assert!(shown.contains("0 files  "), "{shown:?}");
}

#[test]
fn several_connections_fill_one_bar() {
    let server = Server::start();
    local_tree(&server);
    let mut at = Terminal::start(&server.client(ALICE).option("--parallel").option("4").command());
    at.expect(&prompt(&server, "/"));
    at.line("put -r up");
    let shown = at.expect(" left");
    assert!(shown.contains(" of 3 files  ") && shown.contains("of 4.29 GB"), "{shown:?}");
}

/// A tree on this computer, with one file whose end its user does not wait for.
fn local_tree(server: &Server) {
    server.write_work("up/a", bytes(100, 1));
    server.write_work("up/b", bytes(100, 2));
    zeros(server.work().join("up/c"), 1 << 32);
}

#[test]
fn a_server_that_dies_in_the_middle_is_told_and_found_again() {
    let mut server = Server::start();
    server.write("alice/sub/file", b"content");
    zeros(server.home(ALICE).join("sub/big"), 1 << 30);
    server.write_work("old", b"old");
    let mut at = logged_in(&server, ALICE);
    run(&mut at, &server, "cd sub", "/sub");
    let here = Watch::new(server.work());
    at.line("get big old");
    here.wait_for_stage();
    server.kill();
    let told = at.expect(&prompt(&server, "/sub"));
    assert!(told.contains("connection"), "{told:?}");
    here.wait_for_no_stage();
    assert_eq!(server.read_work("old"), b"old");

    let told = run(&mut at, &server, "ls", "/sub");
    assert!(told.contains("cannot connect to") && told.contains("Is ftpd running there"), "{told:?}");
    server.restart();
    let shown = run(&mut at, &server, "ls", "/sub");
    assert!(shown.ends_with("big  file\n"), "{shown:?}");
    at.line("quit");
    assert_eq!(at.end().0, 0);
}

#[test]
fn a_server_that_went_away_between_two_commands_is_found_again() {
    let mut server = Server::start();
    server.write("alice/file", b"content");
    let mut at = logged_in(&server, ALICE);
    assert_eq!(run(&mut at, &server, "ls", "/"), "file\n");
    server.terminate();
    server.restart();
    // What the connection's end is first met by may fail; the next one may not.
    run(&mut at, &server, "ls", "/");
    let shown = run(&mut at, &server, "cat file", "/");
    assert!(shown.ends_with("content"), "{shown:?}");
}
