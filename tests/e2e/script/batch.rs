//! Batches: files, pipes, and what a failure does to the commands after it.

use std::fs;

use e2e::{ALICE, Server};
use rustix::fs::{CWD, Mode, mkfifoat};

#[test]
fn a_batch_ends_at_the_first_failure_and_names_its_line() {
    let server = Server::start();
    server.write("alice/good", b"good\n");
    let batch = server.write_work("batch", "# a comment\n\n  pwd\ncat good\ncat missing\nmkdir never\n");
    let ran = server.client(ALICE).option("-b").option(&batch).run().fails(6).wrote("/\ngood\n");
    ran.told(&format!("{}:5: cat missing: no such file or directory", batch.display()));
    assert!(!server.home(ALICE).join("never").exists());
}

#[test]
fn a_dash_before_a_line_tolerates_its_failure() {
    let server = Server::start();
    let run = |batch: &str| server.client(ALICE).option("-b").option("-").stdin(batch).run();
    run("-rm missing\nmkdir made\n").fails(9).told("1 of 2 commands failed");
    assert!(server.home(ALICE).join("made").is_dir());
    run("-rm missing\n-rmdir missing\n").fails(6).told("2 of 2 commands failed");
    run("- mkdir other\n").ok();
    run("rm missing\nmkdir never\n").fails(6).told("stdin:1: rm missing");
    assert!(!server.home(ALICE).join("never").exists());
}

#[test]
fn commands_in_a_pipe_are_all_done() {
    let server = Server::start();
    server.write("alice/good", b"good\n");
    let run = |commands: &str| server.client(ALICE).stdin(commands).run();
    run("cat missing\ncat good\n").fails(9).wrote("good\n");
    run("cat good\n").ok().wrote("good\n");
    run("cat missing\nfrobnicate\n").fails(2);
    run("").ok().wrote("");
    run("pwd\nquit\ncat good\n").ok().wrote("/\n");
    run("pwd\r\ncat good\r\n").ok().wrote("/\ngood\n");
    run("cat good").ok().wrote("good\n");
}

#[test]
fn a_batch_that_cannot_be_is_refused() {
    let server = Server::start();
    server.client(ALICE).option("-b").option("missing").run().fails(6).told("missing: ");
    let line = b"cat caf\xe9\n".to_vec();
    server.client(ALICE).option("-b").option("-").stdin(line).run().fails(2).told("the line is not UTF-8");
    server.client(ALICE).option("-b").option("batch").args(["ls"]).run().fails(2);
}

#[test]
fn a_lost_connection_ends_a_batch_whatever_it_tolerates() {
    let server = Server::start();
    server.write("alice/big", vec![7; 1 << 20]);
    let way = e2e::Way::cut_down(server.address(), 100_000);
    let ran = server.client(ALICE).target(format!("alice@{}", way.address()));
    ran.option("-b").option("-").stdin("-get big\nmkdir never\n").run().fails(3);
    assert!(!server.home(ALICE).join("never").exists());
}

#[test]
fn what_was_meant_for_a_directory_that_is_lost_is_done_nowhere() {
    let server = Server::builder().limit("idle = \"1s\"").start();
    server.write("alice/kept", b"in the home");
    fs::create_dir(server.home(ALICE).join("directory")).unwrap();
    let pipe = server.work().join("pipe");
    mkfifoat(CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
    let commands = "cd directory\n!read line < pipe\nls\nrm kept\n";
    let running = server.client(ALICE).stdin(commands).spawn();
    server.log().wait_for("session ended"); // its user is away for too long
    fs::remove_dir(server.home(ALICE).join("directory")).unwrap();
    fs::write(&pipe, "go on\n").unwrap();
    running.wait().fails(3).told("directory: no such file or directory").told("the command was not done");
    assert_eq!(server.read("alice/kept"), b"in the home");
}

#[test]
fn a_refused_put_leaves_the_session_as_it_was() {
    let server = Server::start();
    server.write_work("large", vec![7; 20 << 20]);
    server.write_work("small", b"small");
    for user in [ALICE, e2e::QUINN] {
        let batch = "-put large missing/large\n-put large small/\nput small\n-put large small/x\ncat small\n";
        server.client(user).option("-b").option("-").stdin(batch).run().fails(9).wrote("small");
    }
    server.client(e2e::BOB).stdin("put large\npwd\n").run().fails(9).wrote("/\n");
    server.log().wait_for_nth(3, &["session ended", "reason=\"quit\""]);
    assert_eq!(server.log().count(&["verb=\"login\""]), 3);
}

#[test]
fn a_long_batch_uses_one_session() {
    let server = Server::start();
    let commands: String =
        (0..500).map(|number| format!("mkdir {number}\nstat {number}\nrmdir {number}\n")).collect();
    server.client(ALICE).option("-b").option("-").stdin(commands).run().ok();
    server.log().wait_for_all(&["session ended", "reason=\"quit\""]);
    assert_eq!(server.log().count(&["verb=\"login\""]), 1);
}
