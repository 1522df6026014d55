//! One large file over several connections.

use std::fs::{self, File, FileTimes};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, UNIX_EPOCH};

use digest::{Algorithm, BLOCK};
use e2e::{
    ALICE, Client, Cutting, DEADLINE, Fake, QUINN, Server, Watch, Way, bytes, data_frame, end, root, stages,
};
use proto::{Abort, Command, Failure, Kind, Message, Reply, Ticket};
use rustix::process::Signal;

use super::{Overheard, four, logins};

const MIB: usize = 1024 * 1024;

/// From here on, a file goes in parts.
const WIDE: usize = 64 * MIB;

/// A large file whose last block is not full, with a mode and a time of its own.
fn plant(place: &Path, seed: u64) -> Vec<u8> {
    let content = bytes(WIDE + 12_345, seed);
    fs::write(place, &content).unwrap();
    fs::set_permissions(place, fs::Permissions::from_mode(0o640)).unwrap();
    let time = UNIX_EPOCH + Duration::new(1_000_000_000 + seed, 123_456_789);
    File::open(place).unwrap().set_times(FileTimes::new().set_modified(time)).unwrap();
    content
}

fn told(place: &Path) -> (u32, i64, i64) {
    let metadata = place.metadata().unwrap();
    (metadata.mode(), metadata.mtime(), metadata.mtime_nsec())
}

/// A run of alice's client over two connections, of which each has about half to do.
fn two(server: &Server) -> Client {
    server.client(ALICE).option("--parallel").option("2")
}

#[test]
fn a_large_file_comes_and_goes_as_it_is() {
    for tls in [false, true] {
        let server = if tls { Server::builder().tls() } else { Server::builder() }.start();
        let content = plant(&server.work().join("mine"), 1);
        let verified = format!("verified md5 root {}", root(Algorithm::Md5, &content));
        let put = four(&server).args(["put", "mine", "there"]).run().ok().told(&verified);
        assert!(server.read("alice/there") == content && !put.stderr.contains("fewer"), "{}", put.stderr);
        assert_eq!(told(&server.work().join("mine")), told(&server.home(ALICE).join("there")));
        let before = logins(&server);
        assert!((2..=4).contains(&before)); // who comes when all is done need not log in
        assert_eq!(server.log().count(&["verb=\"assemble\"", "path=\"there\"", "result=\"ok\""]), 1);
        let get = four(&server).args(["get", "there", "back"]).run().ok().told(&verified);
        assert!(server.read_work("back") == content && !get.stderr.contains("fewer"), "{}", get.stderr);
        assert_eq!(told(&server.work().join("mine")), told(&server.work().join("back")));
        assert!((2..=4).contains(&(logins(&server) - before)));
        assert!(server.log().count(&["verb=\"get-parts\"", "path=\"there\"", "result=\"ok\""]) > 8);
        assert!(stages(server.homes()).is_empty() && stages(server.work()).is_empty());
    }
}

#[test]
fn blake3_verifies_it_as_well_and_a_smaller_one_goes_whole() {
    let server = Server::builder().native("digests = [\"blake3\"]").start();
    let content = plant(&server.work().join("mine"), 2);
    let client = || four(&server).option("--digest").option("blake3");
    let verified = format!("verified blake3 root {}", root(Algorithm::Blake3, &content));
    client().args(["put", "mine"]).run().ok().told(&verified);
    client().args(["get", "mine", "back"]).run().ok().told(&verified);
    assert!(server.read_work("back") == content);
    let before = logins(&server);
    server.write_work("less", bytes(WIDE - 1, 3));
    client().args(["put", "less"]).run().ok();
    client().args(["get", "less", "again"]).run().ok();
    assert_eq!(logins(&server), before + 2, "one session each");
    assert!(server.read_work("again") == server.read("alice/less"));
}

#[test]
fn the_password_is_said_once() {
    let server = Server::start();
    plant(&server.home(ALICE).join("theirs"), 1);
    let way = Overheard::new(server.address());
    four(&server).target(format!("alice@{}", way.address)).args(["get", "theirs"]).run().ok();
    assert_eq!(way.said(ALICE.password.as_bytes()), (4, 1));
}

#[test]
fn where_fewer_are_let_in_the_work_goes_on_with_those() {
    for most in [1, 2] {
        let server = Server::builder().limit(&format!("sessions_per_address = {most}")).start();
        let content = plant(&server.work().join("mine"), 1);
        let note =
            "fewer connections than wanted (too many sessions are open); going on with those that stand";
        let put = four(&server).args(["put", "mine"]).run().ok().told(note);
        assert_eq!(put.stderr.matches("fewer connections").count(), 1, "{}", put.stderr);
        server.log().wait_for_nth(most, &["session ended", "user=\"alice\""]);
        four(&server).args(["get", "mine", "back"]).run().ok().told(note);
        assert!(server.read_work("back") == content && server.read("alice/mine") == content);
    }
}

#[test]
fn what_a_lost_session_had_is_done_by_others() {
    let server = Server::start();
    let content = plant(&server.home(ALICE).join("theirs"), 1);
    let way = || Cutting::new(server.address(), [u64::MAX, 3 * MIB as u64 + 11, 5 * MIB as u64 + 7]);
    let cutting = way();
    let client = four(&server).target(format!("alice@{}", cutting.address()));
    let get = client.args(["get", "theirs"]).run().ok().told("fewer connections than wanted");
    assert!(!get.stderr.contains("trying again"), "{}", get.stderr);
    assert!(server.read_work("theirs") == content && cutting.connections() == 4);
    let cutting = way();
    let client = four(&server).target(format!("alice@{}", cutting.address()));
    let put = client.args(["put", "theirs", "back"]).run().ok().told("fewer connections than wanted");
    assert!(!put.stderr.contains("trying again"), "{}", put.stderr);
    assert!(server.read("alice/back") == content && cutting.connections() == 4);
    assert!(stages(server.homes()).is_empty() && stages(server.work()).is_empty());
}

#[test]
fn after_the_loss_of_the_first_session_it_goes_on_where_there_is_a_gap() {
    let server = Server::start();
    let content = plant(&server.home(ALICE).join("theirs"), 1);
    for words in [["get", "theirs", "here"], ["put", "here", "there"]] {
        let cutting = Cutting::new(server.address(), [12 * MIB as u64 + 11]);
        let client = two(&server).target(format!("alice@{}", cutting.address()));
        client.args(words).run().ok().told("trying again at ");
    }
    assert!(server.read_work("here") == content && server.read("alice/there") == content);
    assert!(stages(server.homes()).is_empty() && stages(server.work()).is_empty());
}

#[test]
fn after_the_end_of_the_server_it_goes_on_with_the_next_one() {
    let mut server = Server::start();
    let content = plant(&server.home(ALICE).join("theirs"), 1);
    let each = [20 * MIB as u64; 2]; // more than comes of it before it goes in parts
    let hold: fn(SocketAddr, [u64; 2]) -> Way = Way::hold_each_down;
    for (words, hold) in [(["get", "theirs", "here"], hold), (["put", "here", "there"], Way::hold_each_up)] {
        let way = hold(server.address(), each);
        let run = two(&server).target(format!("alice@{}", way.address())).args(words).spawn();
        way.wait_until_held();
        server.signal_end();
        server.log().wait_for_all(&["ending", "sessions="]);
        // Asked once, it would go on for as long as commands come.
        server.signal_end();
        server.log().wait_for("asked again: breaking off");
        way.release();
        assert!(server.wait_for_end().success());
        server.restart();
        run.wait().ok().told("the server is ending; trying again at ");
    }
    assert!(server.read_work("here") == content && server.read("alice/there") == content);
    assert!(stages(server.homes()).is_empty() && stages(server.work()).is_empty());
}

#[test]
fn after_the_loss_of_the_first_session_while_it_waits_it_is_gone_on_with() {
    let server = Server::builder().limit("idle = \"3s\"").start();
    let content = plant(&server.work().join("mine"), 1);
    // The other one is held up until the first has done the rest and waited for too long.
    let way = Way::hold_each_up(server.address(), [u64::MAX, 3 * MIB as u64]);
    let run = two(&server).target(format!("alice@{}", way.address())).args(["put", "mine"]).spawn();
    way.wait_until_held();
    server.log().wait_for("session ended");
    way.release();
    run.wait().ok().told("trying again at ");
    assert!(server.read("alice/mine") == content && stages(server.homes()).is_empty());
}

#[test]
fn what_came_without_a_gap_is_gone_on_with_by_command() {
    let server = Server::start();
    let content = plant(&server.home(ALICE).join("theirs"), 1);
    for (words, rest) in [
        (["get", "theirs", "here"], ["get", "-c", "theirs", "here"]),
        (["put", "here", "there"], ["put", "-c", "here", "there"]),
    ] {
        // The rest goes by, but not all of the file.
        let cuts = [12 * MIB, 12 * MIB, WIDE - 2 * MIB].map(|bytes| bytes as u64);
        let cutting = Cutting::new(server.address(), cuts);
        let run = |client: Client| {
            client.option("--retries").option("0").target(format!("alice@{}", cutting.address()))
        };
        run(two(&server)).args(words).run().fails(3).told("-c goes on from there");
        run(server.client(ALICE)).args(rest).run().ok();
        assert_eq!(cutting.connections(), 3);
    }
    assert!(server.read_work("here") == content && server.read("alice/there") == content);
}

#[test]
fn what_a_lost_session_could_not_keep_is_fetched_by_another() {
    let server = Server::start();
    let block = data_frame(&[0; BLOCK]);
    let damaged = [&block[..block.len() - 1], &[!block[block.len() - 1]]].concat();
    let (lose, lost) = channel();
    let (lost, chunks) = (Mutex::new(Some(lost)), AtomicUsize::new(0));
    let (size, version) = (WIDE as u64, [7; 16]);
    let fake = Fake::answering_several(2, move |connection, peer, command| match command {
        Command::Get { .. } => {
            peer.reply(Reply::Sending { size })?;
            peer.tell(&Message::Abort(Abort { command: 2, failure: Failure::new(Kind::Aborted, "as asked") }))
        }
        Command::Digests { .. } => {
            peer.reply(Reply::Reading { size, version })?;
            peer.tell(&Message::End(end(b"")))
        }
        Command::Ticket => peer.reply(Reply::Ticket { ticket: Ticket::new([1; 32]), seconds: 60 }),
        Command::GetParts { parts, .. } => {
            let mut first = &block;
            if connection == 0 {
                // The other one comes first, and is lost.
                if let Some(lost) = lost.lock().unwrap().take() {
                    lost.recv_timeout(DEADLINE).unwrap();
                }
            } else {
                match chunks.fetch_add(1, Ordering::Relaxed) {
                    0 => first = &damaged,
                    1 | 2 => {}
                    _ => {
                        lose.send(()).unwrap();
                        return Err(io::ErrorKind::ConnectionAborted.into());
                    }
                }
            }
            let blocks: usize = parts.iter().map(|part| part.blocks as usize).sum();
            peer.reply(Reply::Reading { size, version })?;
            peer.say(first)?;
            peer.say(&block.repeat(blocks - 1))?;
            peer.tell(&Message::End(end(&vec![0; blocks * BLOCK])))
        }
        other => panic!("{other:?}"),
    });
    let client = two(&server).target(format!("alice@{}", fake.address()));
    client.args(["get", "theirs"]).run().ok().told("fewer connections than wanted");
    assert!(server.read_work("theirs") == vec![0; WIDE]);
}

#[test]
fn a_file_without_room_is_refused_and_leaves_nothing() {
    let server = Server::start();
    plant(&server.work().join("mine"), 1);
    let put = server.client(QUINN).option("--parallel").option("4").args(["put", "mine"]).run().fails(10);
    put.told("quota");
    assert!(!server.home(QUINN).join("mine").exists());
    four(&server).args(["get", "missing"]).run().fails(6);
    fs::create_dir(server.home(ALICE).join("mine")).unwrap();
    four(&server).args(["put", "mine", "mine"]).run().ok(); // into the directory, as ever
    assert!(server.home(ALICE).join("mine/mine").exists());
}

#[test]
fn control_c_ends_all_and_keeps_what_came() {
    let server = Server::start();
    plant(&server.home(ALICE).join("theirs"), 1);
    let watch = Watch::new(server.work());
    let way = Way::hold_down(server.address(), 9 * MIB as u64);
    let client = four(&server).target(format!("alice@{}", way.address()));
    let get = client.args(["get", "theirs"]).spawn();
    way.wait_until_held();
    watch.wait_for_stage();
    get.signal(Signal::INT);
    get.wait().fails(130);
    assert!(!server.work().join("theirs").exists());
    way.release();
}
