//! Exit codes, and what goes to which way out.

use std::fs::File;
use std::io;
use std::net::TcpListener;

use e2e::{ALICE, BOB, Fake, QUINN, Server, Watch, Way, bytes};
use rustix::process::Signal;

#[test]
fn every_code_means_what_is_written_of_it() {
    let server = Server::start();
    server.write("alice/full/file", b"x");
    server.write("alice/good", b"x");
    server.write_work("two-mib", bytes(2 << 20, 1));
    let run = |user, words: &[&str]| server.client(user).args(words).run();
    run(ALICE, &["ls"]).fails(0);
    for words in
        [&["rmdir", "full"][..], &["rm", "full"], &["mkdir", "full"], &["cat", "full"], &["cd", "good"]]
    {
        run(ALICE, words).fails(1);
    }
    for words in
        [&["frobnicate"][..], &["get"], &["ls", "-x"], &["cat", "a", "b"], &["cat", ""], &["get", "/"]]
    {
        run(ALICE, words).fails(2);
    }
    for option in ["--nonsense", "--digest=sha1", "--timeout=0"] {
        server.client(ALICE).option(option).args(["ls"]).run().fails(2);
    }
    for target in [
        "",
        "alice@",
        "http://127.0.0.1",
        "alice@127.0.0.1:x",
        "alice:tulip-7391-alice@127.0.0.1",
        "ftp://alice:tulip-7391-alice@127.0.0.1",
    ] {
        let ran = server.client(ALICE).target(target).args(["ls"]).run().fails(2);
        assert!(!ran.stderr.contains("tulip"), "{}", ran.stderr);
    }
    server
        .client(ALICE)
        .password(Some("wrong"))
        .args(["ls"])
        .run()
        .fails(4)
        .told("user name or password is wrong");
    server.client(ALICE).target(format!("nobody@{}", server.address())).args(["ls"]).run().fails(4);
    for words in [
        &["cat", "missing"][..],
        &["put", "missing"],
        &["cd", "missing"],
        &["ls", "missing"],
        &["stat", "a/b"],
    ] {
        run(ALICE, words).fails(6);
    }
    run(BOB, &["put", "two-mib"]).fails(7).told("this account may not upload files");
    let part = server.client(ALICE).stdin("cat good\ncat missing\n").run();
    part.fails(9).told("1 of 2 commands failed");
    run(QUINN, &["put", "two-mib"]).fails(10).told("the quota does not suffice");
}

#[test]
fn no_connection_is_code_3() {
    let server = Server::start();
    let run = |address| server.client(ALICE).target(format!("alice@{address}")).args(["ls"]).run();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    run(address).fails(3).told("cannot connect to 127.0.0.1 port");

    let http = Fake::saying(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    run(http.address()).fails(3).told("does not speak ftpd/1");
    let silent = Fake::saying(b"");
    run(silent.address()).fails(3);
    let half = Fake::saying(b"ftpd/1\r\n\x01");
    run(half.address()).fails(3);
    let garbled = Fake::saying(b"ftpd/1\r\n\x01\0\0\0\x01\0\0\0\xff\xff\xff\xff\x02");
    run(garbled.address()).fails(3).told("broke the protocol");
}

#[test]
fn a_connection_that_is_cut_is_code_3_and_the_old_file_stays() {
    let server = Server::start();
    let (old, new) = (bytes(300_000, 1), bytes(8 << 20, 2));
    server.write("alice/big", &new);
    server.write("alice/stored", &old);
    for bytes in [0, 10, 40, 100, 70_000, 1 << 20, (8 << 20) + 1000] {
        server.write_work("big", &old);
        let way = Way::cut_down(server.address(), bytes);
        let get = server.client(ALICE).target(format!("alice@{}", way.address())).option("--retries=0");
        get.args(["get", "big"]).run().fails(3);
        assert!(server.read_work("big") == old, "after {bytes} bytes");
        assert!(e2e::stages(server.work()).iter().all(|stage| e2e::is_kept(stage)));
    }
    server.write_work("big", &new);
    let there = Watch::new(server.home(ALICE));
    for bytes in [0, 10, 40, 100, 70_000, 1 << 20, 8 << 20] {
        let way = Way::cut_up(server.address(), bytes);
        server
            .client(ALICE)
            .target(format!("alice@{}", way.address()))
            .option("--retries=0")
            .args(["put", "big", "stored"])
            .run()
            .fails(3);
        there.wait_for_no_stage();
        assert!(server.read("alice/stored") == old, "after {bytes} bytes");
    }
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let server = Server::start();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap(); // takes connections, and nobody answers
    let target = format!("alice@{}", listener.local_addr().unwrap());
    let ran =
        server.client(ALICE).option("--timeout=1").option("--retries=0").target(target).args(["ls"]).run();
    ran.fails(3).told("--timeout");
}

#[test]
fn a_server_that_stops_in_the_middle_is_given_up() {
    let server = Server::start();
    server.write("alice/big", bytes(64 << 20, 1));
    server.write_work("big", b"old");
    let way = Way::hold_down(server.address(), 1 << 20);
    let get = server
        .client(ALICE)
        .option("--timeout=1")
        .option("--retries=0")
        .target(format!("alice@{}", way.address()));
    get.args(["get", "big"]).run().fails(3).told("nothing moved for 1 s");
    assert_eq!(server.read_work("big"), b"old");
    assert!(e2e::stages(server.work()).iter().all(|stage| e2e::is_kept(stage)));
}

#[test]
fn signals_end_it_with_their_code_and_leave_nothing_but_what_can_be_gone_on_with() {
    let server = Server::start();
    server.write("alice/big", bytes(64 << 20, 1));
    server.write_work("big", bytes(64 << 20, 1));
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let way = Way::hold_down(server.address(), 1 << 20);
        let get =
            server.client(ALICE).target(format!("alice@{}", way.address())).args(["get", "big"]).spawn();
        Watch::new(server.work()).wait_for_stage();
        get.signal(signal);
        let ran = get.wait().fails(code);
        assert_eq!(ran.stderr, "");
        assert!(e2e::stages(server.work()).iter().all(|stage| e2e::is_kept(stage)));

        let way = Way::hold_up(server.address(), 1 << 20);
        let put = server
            .client(ALICE)
            .target(format!("alice@{}", way.address()))
            .args(["put", "big", "new"])
            .spawn();
        let there = Watch::new(server.home(ALICE));
        there.wait_for_stage();
        put.signal(signal);
        put.wait().fails(code);
        way.release();
        there.wait_for_no_stage();
        assert!(!server.home(ALICE).join("new").exists());
        for kept in [e2e::stages(server.homes()), e2e::stages(server.work())].concat() {
            std::fs::remove_file(kept).unwrap(); // the next stage is to be told from it
        }
    }
}

#[test]
fn results_go_to_standard_output_and_words_to_standard_error() {
    let server = Server::start();
    server.write("alice/file", b"content");
    server.write_work("local", b"content");
    for (words, out, told) in [
        (&["ls"][..], "file\n", ""),
        (&["cat", "file"], "content", ""),
        (&["get", "file"], "", "file  7 B  "),
        (&["put", "local", "file"], "", "file  7 B  "),
        (&["cat", "missing"], "", "ftp: cat missing: no such file or directory."),
        (&["frobnicate"], "", "ftp: frobnicate: there is no command frobnicate."),
    ] {
        let ran = server.ftp(words).wrote(out).told(told);
        assert_eq!(ran.stderr.is_empty(), told.is_empty(), "{}", ran.stderr);
        assert!(
            !ran.stderr.contains('\x1b') && !ran.stderr.contains('\r'),
            "colours for no terminal: {}",
            ran.stderr
        );
    }
    for quiet in ["-q", "--quiet"] {
        let run = |words: &[&str]| server.client(ALICE).option(quiet).args(words).run();
        assert_eq!(run(&["get", "file"]).ok().wrote("").stderr, "");
        assert_eq!(run(&["put", "local", "file"]).ok().wrote("").stderr, "");
        run(&["ls"]).ok().wrote("file\n");
        run(&["cat", "missing"]).fails(6).told("no such file");
    }
}

#[test]
fn a_reader_that_has_gone_ends_it_silently() {
    let server = Server::start();
    server.write("alice/big", bytes(4 << 20, 1));
    (0..2000).for_each(|number| drop(server.write(&format!("alice/sub/{number}"), b"")));
    for words in [["cat", "big"], ["ls", "sub"], ["help", "ls"]] {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader); // as `| head -0` does
        let ran = server.client(ALICE).stdout(writer).args(words).run().fails(141);
        assert_eq!(ran.stderr, "");
    }
    server.log().wait_for_all(&["verb=\"get\"", "path=\"big\""]);
    server.ftp(&["ls", "big"]).ok();
}

#[test]
fn standard_output_on_a_full_disk_is_code_10() {
    let server = Server::start();
    server.write("alice/big", bytes(1 << 20, 1));
    let full = File::options().write(true).open("/dev/full").unwrap();
    server.client(ALICE).stdout(full).args(["cat", "big"]).run().fails(10).told("the disk is full");
}
