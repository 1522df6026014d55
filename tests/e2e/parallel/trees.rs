//! Trees over several connections.

use std::collections::BTreeMap;
use std::fs::{self, File, FileTimes};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use e2e::{ALICE, CAROL, Cutting, Seen, Server, Watch, Way, bytes, snapshot, stages};
use rustix::fs::{Mode, mkfifoat};
use rustix::process::Signal;

use super::{Overheard, four, logins};

const MIB: usize = 1024 * 1024;

/// Everything beneath a directory by its path from there: mode, time and content.
fn tree(directory: &Path) -> BTreeMap<PathBuf, (u32, (i64, i64), String)> {
    let all = snapshot(directory).into_iter();
    let told = |(path, seen): (PathBuf, Seen)| {
        let modified = if seen.mode & 0o170_000 == 0o120_000 { (0, 0) } else { seen.modified };
        (path.strip_prefix(directory).unwrap().to_owned(), (seen.mode, modified, seen.content))
    };
    all.map(told).collect()
}

/// Many directories with little in each, one with many files, and some large ones; times and modes of their own.
fn plant(root: &Path) {
    fs::create_dir_all(root.join("many")).unwrap();
    for number in 0..150 {
        let directory = root.join(format!("d{:02}/e{number}/f", number % 20));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("small"), bytes(10 + number, number as u64)).unwrap();
        fs::write(directory.join("zero"), "").unwrap();
    }
    for number in 0..1500 {
        fs::write(root.join(format!("many/{number}")), bytes(number * 7, number as u64)).unwrap();
    }
    for number in 0..8 {
        fs::write(root.join(format!("d0{number}/large")), bytes(MIB + number, number as u64)).unwrap();
    }
    fs::create_dir_all(root.join("empty/deep")).unwrap();
    symlink("../many/7", root.join("empty/link")).unwrap();
    fs::set_permissions(root.join("many/8"), fs::Permissions::from_mode(0o640)).unwrap();
    for path in ["d07", "d03/e3", "many", "empty/deep", ""] {
        fs::set_permissions(root.join(path), fs::Permissions::from_mode(0o750)).unwrap();
        let time = UNIX_EPOCH + Duration::new(1_000_000_000 + path.len() as u64, 123_456_789);
        File::open(root.join(path)).unwrap().set_times(FileTimes::new().set_modified(time)).unwrap();
    }
}

#[test]
fn a_tree_comes_and_goes_as_it_is() {
    for tls in [false, true] {
        let server = if tls { Server::builder().tls() } else { Server::builder() }.start();
        plant(&server.work().join("mine"));
        let sum = four(&server).args(["put", "-r", "mine"]).run().ok().stderr;
        assert!(tree(&server.work().join("mine")) == tree(&server.home(ALICE).join("mine")), "{sum}");
        let before = logins(&server);
        assert!((2..=4).contains(&before), "{before} {sum}"); // who comes when all is done need not log in
        let back = four(&server).args(["get", "-r", "mine", "back"]).run().ok().stderr;
        assert!(tree(&server.home(ALICE).join("mine")) == tree(&server.work().join("back")), "{back}");
        assert!((2..=4).contains(&(logins(&server) - before)), "{back}");
        for told in [sum, back] {
            assert!(told.contains("1808 files") && !told.contains("fewer"), "{told}");
        }
        assert!(stages(server.homes()).is_empty() && stages(server.work()).is_empty());
    }
}

#[test]
fn sixteen_come_again_over_what_is_there() {
    let server = Server::start();
    plant(&server.work().join("mine"));
    let sixteen = || server.client(ALICE).option("--parallel").option("16");
    for _ in 0..2 {
        sixteen().args(["put", "-r", "mine"]).run().ok();
    }
    let there = tree(&server.home(ALICE).join("mine"));
    assert!(tree(&server.work().join("mine")) == there);
    let (mine, other) = (server.work().join("mine"), server.work().join("other"));
    fs::rename(mine, other).unwrap();
    for _ in 0..2 {
        sixteen().args(["get", "-r", "mine"]).run().ok();
    }
    assert!(tree(&server.work().join("mine")) == there);
}

#[test]
fn patterns_links_and_a_single_file_go_the_same_way() {
    let server = Server::start();
    plant(&server.home(ALICE).join("theirs"));
    symlink("d00", server.home(ALICE).join("theirs/linked")).unwrap();
    four(&server).args(["mget", "theirs/**/small", "theirs/many/*"]).run().ok().told("1650 files");
    assert!(server.read_work("77") == bytes(77 * 7, 77));
    four(&server).option("--links").option("follow").args(["get", "-r", "theirs", "all"]).run().ok();
    let linked = server.work().join("all/linked");
    assert!(fs::read(linked.join("large")).unwrap() == bytes(MIB, 0));
    assert!(!linked.is_symlink());
    four(&server).args(["mput", "all/many/1*"]).run().ok();
    assert!(server.read("alice/123") == bytes(123 * 7, 123));
    four(&server).args(["get", "-r", "theirs/many/9", "nine"]).run().ok();
    assert!(server.read_work("nine") == bytes(63, 9));
}

#[test]
fn the_password_is_said_once() {
    let server = Server::start();
    plant(&server.work().join("mine"));
    let way = Overheard::new(server.address());
    let client = || four(&server).target(format!("alice@{}", way.address));
    client().args(["put", "-r", "mine"]).run().ok();
    assert_eq!(way.said(ALICE.password.as_bytes()), (4, 1));
    assert!(logins(&server) > 1);
}

#[test]
fn the_others_are_there_before_there_is_work_for_them() {
    let server = Server::start();
    plant(&server.work().join("mine"));
    // More than the answers to login and tickets have, and less than those to the directories have besides.
    let way = Way::hold_down(server.address(), 400);
    let client = four(&server).target(format!("alice@{}", way.address()));
    let put = client.args(["put", "-r", "mine"]).spawn();
    way.wait_until_held();
    server.log().wait_for_nth(4, &["verb=\"login\"", "result=\"ok\""]);
    way.release();
    let put = put.wait().ok();
    assert!(!put.stderr.contains("fewer"), "{}", put.stderr);
    assert!(tree(&server.work().join("mine")) == tree(&server.home(ALICE).join("mine")));
}

#[test]
fn where_fewer_are_let_in_the_work_goes_on_with_those() {
    let server = Server::builder().limit("sessions_per_address = 2").start();
    plant(&server.work().join("mine"));
    let note = "fewer connections than wanted (too many sessions are open); going on with those that stand";
    let put = four(&server).args(["put", "-r", "mine"]).run().ok().told(note);
    assert_eq!(put.stderr.matches("fewer connections").count(), 1, "{}", put.stderr);
    assert!(tree(&server.work().join("mine")) == tree(&server.home(ALICE).join("mine")));
    server.log().wait_for_nth(2, &["session ended", "user=\"alice\""]);
    fs::rename(server.work().join("mine"), server.work().join("other")).unwrap();
    four(&server).args(["get", "-r", "mine"]).run().ok().told(note);
    assert!(tree(&server.work().join("mine")) == tree(&server.home(ALICE).join("mine")));
}

#[test]
fn what_cannot_be_moved_is_one_account() {
    let server = Server::start();
    let fifo = |root: &Path, name: &str| {
        mkfifoat(rustix::fs::CWD, root.join(name), Mode::from(0o644)).unwrap();
    };
    plant(&server.work().join("mine"));
    fifo(&server.work(), "mine/many/fifo");
    fifo(&server.work(), "mine/fifo");
    fs::create_dir_all(server.home(ALICE).join("mine/many/5")).unwrap();
    let put = four(&server).args(["put", "-r", "mine"]).run().fails(9);
    put.told("3 of 1810 could not be sent").told("many/fifo").told("many/5");
    plant(&server.home(ALICE).join("theirs"));
    fifo(&server.home(ALICE), "theirs/d00/fifo");
    fs::create_dir_all(server.work().join("theirs/many/5")).unwrap();
    let get = four(&server).args(["get", "-r", "theirs"]).run().fails(9);
    get.told("2 of 1809 could not be fetched").told("d00/fifo").told("many/5");
}

#[test]
fn who_may_only_bring_brings_over_several() {
    let server = Server::start();
    plant(&server.work().join("mine"));
    let put = server.client(CAROL).option("--parallel").option("4").args(["put", "-r", "mine"]);
    put.run().ok(); // what directories are to have is not hers to set, and not asked for
    assert!(server.read("carol/mine/many/123") == bytes(123 * 7, 123));
}

/// A tree of so much that no session brings all of it before the others come.
fn much(root: &Path) {
    fs::create_dir_all(root.join("sub")).unwrap();
    for number in 0..96 {
        fs::write(root.join(format!("sub/{number}")), bytes(2 * MIB + number, number as u64)).unwrap();
    }
}

#[test]
fn what_a_lost_session_had_is_done_by_others() {
    let server = Server::start();
    much(&server.home(ALICE).join("theirs"));
    // The second connection is that of the first helper; it ends in the middle of a file.
    let way = || Cutting::new(server.address(), [u64::MAX, 5 * MIB as u64 + 11]);
    let cutting = way();
    let client = four(&server).target(format!("alice@{}", cutting.address()));
    client.args(["get", "-r", "theirs"]).run().ok().told("fewer connections than wanted").told("96 files");
    assert!(tree(&server.home(ALICE).join("theirs")) == tree(&server.work().join("theirs")));
    assert_eq!(cutting.connections(), 4);
    fs::rename(server.work().join("theirs"), server.work().join("mine")).unwrap();
    let cutting = way();
    let client = four(&server).target(format!("alice@{}", cutting.address()));
    client.args(["put", "-r", "mine"]).run().ok().told("fewer connections than wanted").told("96 files");
    assert!(tree(&server.work().join("mine")) == tree(&server.home(ALICE).join("mine")));
    assert!(stages(server.homes()).is_empty() && stages(server.work()).is_empty());
}

#[test]
fn after_the_loss_of_the_first_session_all_are_made_anew() {
    let server = Server::start();
    much(&server.home(ALICE).join("theirs"));
    for words in [["get", "-r", "theirs"], ["put", "-r", "theirs"]] {
        let cutting = Cutting::new(server.address(), [5 * MIB as u64 + 11]);
        let client = four(&server).target(format!("alice@{}", cutting.address()));
        client.args(words).run().ok().told("trying again at ").told("96 files");
        assert!(tree(&server.home(ALICE).join("theirs")) == tree(&server.work().join("theirs")));
        assert!(stages(server.homes()).is_empty() && stages(server.work()).is_empty());
        if words[0] == "get" {
            fs::remove_dir_all(server.work().join("theirs")).unwrap();
            much(&server.work().join("theirs"));
        }
    }
}

#[test]
fn control_c_ends_all_of_them() {
    let server = Server::start();
    much(&server.home(ALICE).join("theirs"));
    fs::create_dir_all(server.work().join("theirs/sub")).unwrap();
    let watch = Watch::new(server.work().join("theirs/sub"));
    // The first session is held up; the others run into the end of their work and wait.
    let way = Way::hold_down(server.address(), 3 * MIB as u64);
    let client = server.client(ALICE).target(format!("alice@{}", way.address()));
    let get = client.option("--parallel").option("4").args(["get", "-r", "theirs"]).spawn();
    way.wait_until_held();
    watch.wait_for_stage();
    get.signal(Signal::INT);
    get.wait().fails(130);
    assert!(stages(server.work()).is_empty());
    way.release();
}

#[test]
fn sync_goes_over_several_as_well() {
    let server = Server::start();
    let (mine, there) = (server.work().join("mine"), server.home(ALICE).join("mine"));
    plant(&mine);
    four(&server).args(["sync", "put", "--delete", "--yes", "mine"]).run().ok();
    assert!(tree(&mine) == tree(&there));
    // What was a directory is a file now, and what was a file is a directory: one has to go before the other comes.
    fs::remove_dir_all(mine.join("d03")).unwrap();
    fs::write(mine.join("d03"), "a file").unwrap();
    fs::remove_file(mine.join("many/9")).unwrap();
    fs::create_dir(mine.join("many/9")).unwrap();
    fs::write(mine.join("many/9/inside"), "in a directory").unwrap();
    four(&server).args(["sync", "put", "--delete", "--yes", "mine"]).run().ok();
    assert!(tree(&mine) == tree(&there));
    fs::remove_dir_all(there.join("d05")).unwrap();
    fs::write(there.join("d05"), "a file").unwrap();
    fs::remove_file(there.join("many/8")).unwrap();
    fs::create_dir(there.join("many/8")).unwrap();
    fs::write(there.join("many/8/inside"), "in a directory").unwrap();
    four(&server).args(["sync", "get", "--delete", "--yes", "mine"]).run().ok();
    assert!(tree(&mine) == tree(&there));
    assert!(logins(&server) > 3, "some of the first run's helpers, at least");
}
