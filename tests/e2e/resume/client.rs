//! `get -c`, `put -c`, and what the client does by itself when a connection is lost.

use std::fs;
use std::io;
use std::path::Path;

use e2e::{ALICE, Client, Cutting, Fake, QUINN, Running, Server, Watch, Way, bytes, end, stages};
use proto::{Command, Failure, Kind, Message, Reply};

use super::kept;

const BLOCK: usize = 64 * 1024;
const MIB: usize = 1024 * 1024;
/// Bytes that fit into no buffer between the two programs.
const MUCH: usize = 32 * MIB;

fn through(server: &Server, cutting: &Cutting) -> Client {
    server.client(ALICE).target(format!("alice@{}", cutting.address()))
}

#[test]
fn a_get_that_is_cut_again_and_again_comes_through_by_itself() {
    let server = Server::start();
    let content = bytes(MUCH + 5, 1);
    server.write("alice/big", &content);
    let cuts = [5, 9, 2, 7].map(|mib| mib * MIB as u64 + 11);
    let cutting = Cutting::new(server.address(), cuts);
    through(&server, &cutting).args(["get", "big"]).run().ok().told("trying again").told("verified md5 root");
    assert!(server.read_work("big") == content);
    assert!(stages(server.work()).is_empty());
    assert_eq!(cutting.connections(), 5);
    // On a cut, what lies in a buffer of the way is lost.
    assert!(cutting.down() < (MUCH + 4 * MIB) as u64, "{} of {MUCH} bytes went down", cutting.down());
}

#[test]
fn a_put_that_is_cut_again_and_again_comes_through_by_itself() {
    let server = Server::start();
    let content = bytes(MUCH + 5, 1);
    server.write_work("big", &content);
    let cuts = [5, 9, 2, 7].map(|mib| mib * MIB as u64 + 11);
    let cutting = Cutting::new(server.address(), cuts);
    through(&server, &cutting).args(["put", "big"]).run().ok().told("trying again").told("verified md5 root");
    assert!(server.read("alice/big") == content);
    assert!(stages(server.homes()).is_empty());
    assert_eq!(cutting.connections(), 5);
    assert!(cutting.up() < (MUCH + 4 * MIB) as u64, "{} of {MUCH} bytes went up", cutting.up());
}

#[test]
fn under_tls_it_is_the_same() {
    let server = Server::builder().tls().start();
    let content = bytes(8 * MIB, 1);
    server.write_work("big", &content);
    let cutting = Cutting::new(server.address(), [3 * MIB as u64]);
    through(&server, &cutting).args(["put", "big", "there"]).run().ok().told("trying again");
    let cutting = Cutting::new(server.address(), [3 * MIB as u64]);
    through(&server, &cutting).args(["get", "there"]).run().ok().told("trying again");
    assert!(server.read_work("there") == content);
}

/// A get or a put of much, held up in its middle, when some of it lies in a stage.
fn half(server: &Server, cutting: &Cutting, words: [&str; 2]) -> (Way, Running) {
    let (way, watch) = if words[0] == "get" {
        (Way::hold_down(server.address(), 9 * MIB as u64), Watch::new(server.work()))
    } else {
        (Way::hold_up(server.address(), 9 * MIB as u64), Watch::new(server.home(ALICE)))
    };
    cutting.lead_to(way.address());
    let run = through(server, cutting).args(words).spawn();
    way.wait_until_held();
    let stage = watch.wait_for_stage();
    while fs::metadata(&stage).unwrap().len() < 4 * MIB as u64 {
        std::thread::yield_now();
    }
    cutting.lead_to(server.address());
    (way, run)
}

#[test]
fn a_server_that_is_killed_and_comes_back_goes_on() {
    let mut server = Server::start();
    let content = bytes(MUCH, 1);
    server.write("alice/big", &content);
    server.write_work("mine", &content);
    let cutting = Cutting::new(server.address(), []);
    for words in [["get", "big"], ["put", "mine"]] {
        let (way, run) = half(&server, &cutting, words);
        server.kill();
        way.release();
        server.restart();
        run.wait().ok().told("trying again");
    }
    assert!(server.read_work("big") == content && server.read("alice/mine") == content);
    assert!(stages(server.homes()).is_empty() && stages(server.work()).is_empty());
}

#[test]
fn a_client_that_was_killed_goes_on() {
    let server = Server::start();
    let content = bytes(MUCH, 1);
    server.write("alice/big", &content);
    server.write_work("mine", &content);
    let cutting = Cutting::new(server.address(), []);
    for (words, again) in [(["get", "big"], ["get", "-c", "big"]), (["put", "mine"], ["put", "-c", "mine"])] {
        let (way, run) = half(&server, &cutting, words);
        let before = server.log().count(&["verb=\"put\""]);
        run.kill();
        way.release();
        if words[0] == "put" {
            server.log().wait_for_nth(before + 1, &["verb=\"put\""]);
        }
        let went = cutting.up() + cutting.down();
        // The speed is that of the rest.
        let shown = format!("{}  34 MB (", if words[0] == "get" { "big" } else { "mine" });
        through(&server, &cutting)
            .args(again)
            .run()
            .ok()
            .told(&shown)
            .told(" MB moved)")
            .told("verified md5 root");
        let again = cutting.up() + cutting.down() - went;
        assert!(again < (MUCH - 4 * MIB + MIB) as u64, "{words:?}: {again} bytes went again");
    }
    assert!(server.read_work("big") == content && server.read("alice/mine") == content);
    assert!(stages(server.homes()).is_empty() && stages(server.work()).is_empty());
}

/// A get and a put that were cut after some MiB, and not tried again.
fn cut_both(server: &Server) -> (Vec<u8>, Cutting) {
    let content = bytes(MUCH, 1);
    server.write("alice/big", &content);
    server.write_work("mine", &content);
    let cutting = Cutting::new(server.address(), [9 * MIB as u64, 9 * MIB as u64]);
    for words in [["get", "big"], ["put", "mine"]] {
        through(server, &cutting).option("--retries").option("0").args(words).run().fails(3);
    }
    server.log().wait_for("verb=\"put\"");
    (content, cutting)
}

fn change(path: &Path, at: usize) {
    let mut content = fs::read(path).unwrap();
    content[at] ^= 1;
    fs::write(path, content).unwrap();
}

#[test]
fn what_was_tampered_with_meanwhile_is_noticed_and_sent_anew() {
    for beside in [false, true] {
        let server = Server::start();
        let (mut content, cutting) = cut_both(&server);
        if beside {
            // The other side's file is another one by now.
            change(&server.home(ALICE).join("big"), MIB);
            change(&server.work().join("mine"), MIB);
            content[MIB] ^= 1;
        } else {
            change(&stages(server.work())[0], MIB);
            change(&kept(&server)[0], MIB);
        }
        through(&server, &cutting).args(["get", "-c", "big"]).run().ok().told("it is fetched anew");
        through(&server, &cutting).args(["put", "-c", "mine"]).run().ok().told("it is sent anew");
        assert!(server.read_work("big") == content && server.read("alice/mine") == content);
        assert!(stages(server.homes()).is_empty() && stages(server.work()).is_empty());
    }
}

#[test]
fn without_c_all_begins_anew_and_nothing_is_left() {
    let server = Server::start();
    let (content, cutting) = cut_both(&server);
    let went = cutting.up() + cutting.down();
    through(&server, &cutting).args(["get", "big"]).run().ok();
    through(&server, &cutting).args(["put", "mine"]).run().ok();
    assert!(cutting.up() + cutting.down() - went > 2 * MUCH as u64);
    assert!(server.read_work("big") == content && server.read("alice/mine") == content);
    assert!(stages(server.homes()).is_empty() && stages(server.work()).is_empty());
}

#[test]
fn a_file_that_another_program_left_half_is_gone_on_with_and_one_that_is_whole_is_left() {
    let server = Server::start();
    let content = bytes(MUCH + 77, 1);
    server.write("alice/big", &content);
    let old = server.write_work("big", &content[..MUCH / 2 + 5]);
    let cutting = Cutting::new(server.address(), []);
    let get = |words: &[&str]| {
        let before = cutting.down();
        (through(&server, &cutting).args(words).run().ok(), cutting.down() - before)
    };
    let (_, went) = get(&["get", "-c", "big"]);
    assert!(server.read_work("big") == content && went < (MUCH / 2 + MIB) as u64, "{went}");
    let inode = |path: &Path| std::os::unix::fs::MetadataExt::ino(&fs::metadata(path).unwrap());
    let before = inode(&old);
    let (ran, went) = get(&["get", "-c", "big"]);
    ran.told("is complete already");
    assert!(inode(&old) == before && went < MIB as u64, "{went}");
    change(&old, 3);
    get(&["get", "-c", "big"]).0.told("it is fetched anew");
    assert!(server.read_work("big") == content);
    fs::write(&old, [&content[..], b"more"].concat()).unwrap();
    get(&["get", "-c", "big"]).0.told("is longer than");
    assert!(server.read_work("big") == content);
    fs::write(&old, &content[MIB..4 * MIB]).unwrap();
    get(&["get", "-c", "big"]).0.told("it is fetched anew");
    assert!(server.read_work("big") == content && stages(server.work()).is_empty());
    get(&["get", "-c", "big", "new"]);
    server.write("alice/small", b"small");
    get(&["get", "-c", "small"]);
    get(&["get", "-c", "small"]).0.told("is complete already");
    assert!(server.read_work("small") == b"small" && server.read_work("new") == content);
}

#[test]
fn names_of_255_bytes_go_on_too() {
    let server = Server::start();
    let (name, content) = ("x".repeat(255), bytes(MUCH, 1));
    server.write(&format!("alice/{name}"), &content);
    let cutting = Cutting::new(server.address(), [9 * MIB as u64]);
    through(&server, &cutting).args(["get", &name]).run().ok().told("trying again");
    fs::remove_file(server.home(ALICE).join(&name)).unwrap();
    let cutting = Cutting::new(server.address(), [9 * MIB as u64]);
    through(&server, &cutting).args(["put", &name]).run().ok().told("trying again");
    assert!(server.read(&format!("alice/{name}")) == content);
}

#[test]
fn what_no_other_connection_would_help_is_not_tried_again() {
    let server = Server::start();
    server.write_work("big", bytes(2 * MIB, 1));
    let put = server.client(QUINN).args(["put", "big"]).run().fails(10);
    assert_eq!(put.stderr.lines().count(), 1, "{}", put.stderr);
    let fake = Fake::answering(|peer, _| {
        peer.reply(Reply::Sending { size: 2 * MIB as u64 })?;
        peer.reply(Reply::Done)
    });
    let get = server.client(ALICE).target(format!("alice@{}", fake.address()));
    let ran = get.args(["get", "file"]).run().fails(3).told("broke the protocol");
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
}

#[test]
fn a_server_that_lies_about_what_there_is_gets_nothing_through() {
    let server = Server::start();
    let content = bytes(2 * MIB, 1);
    server.write_work("file", &content);
    let root = end(b"").root;
    for (blocks, root, code) in
        [(u64::MAX, root.clone(), 0), (1 << 40, root.clone(), 0), (3, root.clone(), 0), (3, Vec::new(), 0)]
    {
        let whole = end(&content).root;
        let fake = Fake::answering(move |peer, command| match command {
            Command::Kept { .. } => peer.reply(Reply::Kept { blocks, root: root.clone() }),
            Command::PutRest { first_block, size, .. } => {
                assert_eq!(first_block, 0, "what is not proven is not gone on with");
                peer.pass_over()?;
                peer.reply(Reply::Stored { size, root: whole.clone() })
            }
            other => panic!("{other:?}"),
        });
        let put = server.client(ALICE).target(format!("alice@{}", fake.address()));
        put.args(["put", "-c", "file"]).run().fails(code).told("it is sent anew");
    }
    // It has the blocks, but stores something else.
    let proof = end(&content[..3 * BLOCK]).root;
    let fake = Fake::answering(move |peer, command| match command {
        Command::Kept { .. } => peer.reply(Reply::Kept { blocks: 3, root: proof.clone() }),
        Command::PutRest { size, .. } => {
            peer.pass_over()?;
            peer.reply(Reply::Stored { size, root: proof.clone() })
        }
        other => panic!("{other:?}"),
    });
    let put = server.client(ALICE).target(format!("alice@{}", fake.address()));
    put.args(["put", "-c", "file"]).run().fails(8).told("the server stored something else");
    // It tells of a file that is shorter than what it said to have the same of.
    let old = content[..MIB].to_vec();
    server.write_work("part", &old);
    let fake = Fake::answering(|peer, command| match command {
        Command::Stat { .. } => peer.reply(Reply::Entry(proto::Entry {
            name: b"part".to_vec(),
            kind: proto::EntryKind::File,
            size: 2 * MIB as u64,
            modified: proto::Time { seconds: 0, nanoseconds: 0 },
            mode: 0o644,
        })),
        Command::Resume { .. } => peer.reply(Reply::Sending { size: 10 }),
        Command::Get { .. } => {
            peer.tell(&Message::Reply(Reply::Refused(Failure::new(Kind::NotFound, "no such file"))))
        }
        _ => Err(io::ErrorKind::Other.into()),
    });
    let get = server.client(ALICE).target(format!("alice@{}", fake.address()));
    get.args(["get", "-c", "part"]).run().fails(3).told("broke the protocol");
    assert!(server.read_work("part") == old);
}

#[test]
fn a_server_that_does_not_come_back_is_given_up_and_what_came_is_kept() {
    let mut server = Server::start();
    let content = bytes(MUCH, 1);
    server.write("alice/big", &content);
    let way = Way::cut_down(server.address(), 9 * MIB as u64);
    let get = server.client(ALICE).target(format!("alice@{}", way.address())).option("--retries").option("1");
    let ran =
        get.args(["get", "big"]).run().fails(3).told("1 tries in vain").told("are kept: get -c goes on");
    assert_eq!(ran.stderr.lines().count(), 2, "{}", ran.stderr);
    assert_eq!(stages(server.work()).len(), 1);
    let way = Way::cut_up(server.address(), 9 * MIB as u64);
    server.write_work("mine", &content);
    let put = server.client(ALICE).target(format!("alice@{}", way.address())).option("--retries").option("0");
    put.args(["put", "mine"]).run().fails(3).told("put -c goes on from there");
    server.log().wait_for("verb=\"put\"");
    server.terminate();
    assert_eq!(kept(&server).len(), 1);
    server.restart();
}
