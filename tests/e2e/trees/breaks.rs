//! Trees that are broken off in the middle.

use std::fs;

use e2e::{ALICE, Server, Terminal, Watch, Way, bytes, stages};
use rustix::process::Signal;

const MIB: usize = 1024 * 1024;

fn plant(server: &Server, write: impl Fn(&Server, &str, Vec<u8>)) {
    for number in 0..200 {
        write(server, &format!("tree/f{number:03}"), bytes(1000, number));
    }
    write(server, "tree/large", bytes(64 * MIB, 1));
}

#[test]
fn control_c_in_the_middle_leaves_no_stage() {
    for signal in [Signal::INT, Signal::TERM] {
        let server = Server::start();
        plant(&server, |server, path, content| drop(server.write(&format!("alice/{path}"), content)));
        fs::create_dir(server.work().join("in")).unwrap();
        fs::create_dir(server.work().join("in/tree")).unwrap();
        let watch = Watch::new(server.work().join("in/tree"));
        let way = Way::hold_down(server.address(), 8 * MIB as u64);
        let client = server.client(ALICE).target(format!("alice@{}", way.address()));
        let get = client.args(["get", "-r", "tree", "in"]).spawn();
        way.wait_until_held();
        watch.wait_for_stage();
        get.signal(signal);
        get.wait().fails(if signal == Signal::INT { 130 } else { 143 });
        assert!(stages(server.work()).is_empty());
        assert!(!server.work().join("in/tree/large").exists());
        way.release();
    }
}

#[test]
fn what_a_kill_left_beside_files_is_gone_when_the_tree_has_come() {
    let server = Server::start();
    for file in ["one", "sub/two"] {
        server.write(&format!("alice/tree/{file}"), b"content");
    }
    for directory in ["", "sub/"] {
        server.write_work(&format!("in/tree/{directory}.ftpd~0123456789ab"), "half");
    }
    server.ftp(&["get", "-r", "tree", "in"]).ok();
    assert!(stages(server.work()).is_empty());
    assert_eq!(server.read_work("in/tree/sub/two"), b"content");
}

#[test]
fn control_c_in_a_put_leaves_nothing_there_but_what_can_be_gone_on_with() {
    let server = Server::start();
    plant(&server, |server, path, content| drop(server.write_work(path, content)));
    let way = Way::hold_up(server.address(), 8 * MIB as u64);
    let client = server.client(ALICE).target(format!("alice@{}", way.address()));
    let put = client.args(["put", "-r", "tree"]).spawn();
    way.wait_until_held();
    put.signal(Signal::INT);
    put.wait().fails(130);
    way.release();
    server.log().wait_for_all(&["session ended", "the connection"]);
    assert!(stages(server.homes()).iter().all(|stage| e2e::is_kept(stage)));
    assert!(!server.home(ALICE).join("tree/large").exists());
}

#[test]
fn a_lost_connection_ends_it_and_says_how_far_it_came() {
    let server = Server::start();
    plant(&server, |server, path, content| {
        server.write(&format!("alice/{path}"), &content);
        server.write_work(&path.replace("tree", "mine"), content);
    });
    let way = Way::cut_down(server.address(), 8 * MIB as u64);
    let client = |way: &Way| {
        server.client(ALICE).target(format!("alice@{}", way.address())).option("--retries").option("0")
    };
    client(&way).args(["get", "-r", "tree"]).run().fails(3).told(" fetched before)");
    let way = Way::cut_up(server.address(), 8 * MIB as u64);
    client(&way).args(["put", "-r", "mine"]).run().fails(3);
    assert!(stages(server.work()).is_empty());
    for entry in fs::read_dir(server.work().join("tree")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            server.read_work(&format!("tree/{name}")) == server.read(&format!("alice/tree/{name}")),
            "{name}"
        );
    }
}

#[test]
fn the_prompt_goes_on_after_a_tree_that_was_broken_off() {
    let server = Server::start();
    plant(&server, |server, path, content| drop(server.write(&format!("alice/{path}"), content)));
    server.write("alice/sub/small", "small");
    fs::create_dir_all(server.work().join("in/tree")).unwrap();
    let watch = Watch::new(server.work().join("in/tree"));
    let way = Way::hold_down(server.address(), 8 * MIB as u64);
    let client = server.client(ALICE).target(format!("alice@{}", way.address()));
    let mut at = Terminal::start(&client.command());
    let prompt = format!("ftp {}:/> ", way.address().ip());
    at.expect(&prompt);
    at.line("get -r tree in");
    way.wait_until_held();
    watch.wait_for_stage();
    at.control('c');
    at.expect(&prompt);
    watch.wait_for_no_stage();
    at.line("quit");
    assert_eq!(at.end().0, 0);
    way.release();
}
