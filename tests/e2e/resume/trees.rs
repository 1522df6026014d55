//! Trees whose connections are cut in the middle, again and again.

use std::fs;
use std::path::Path;

use e2e::{ALICE, Client, Cutting, Server, Terminal, Way, bytes, stages};

use crate::trees::tree;

const MIB: u64 = 1024 * 1024;
const SMALL: u64 = 300;
/// Large files of the tree, and bytes of each.
const LARGE: u64 = 3;
const SIZE: u64 = 6 * MIB;
/// All bytes of the tree.
const ALL: u64 = SMALL * 3000 + LARGE * SIZE;
/// Bytes that lie in buffers on a cut, or belong to small files that nobody has confirmed; and those that are no data.
const LOST: u64 = 2 * MIB;

fn plant(root: &Path) {
    for number in 0..SMALL {
        let directory = root.join(format!("d{}", number % 7));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join(format!("f{number}")), bytes(3000, number)).unwrap();
    }
    for number in 0..LARGE {
        fs::write(root.join(format!("d{number}/large")), bytes(SIZE as usize + 5, number)).unwrap();
    }
    fs::create_dir(root.join("empty")).unwrap();
    std::os::unix::fs::symlink("d1/f1", root.join("link")).unwrap();
    for directory in ["d1", "empty"] {
        crate::trees::set_time(&root.join(directory), 3);
        crate::trees::set_mode(&root.join(directory), 0o750);
    }
}

fn through(server: &Server, cutting: &Cutting) -> Client {
    server.client(ALICE).target(format!("alice@{}", cutting.address()))
}

/// Cuts amid small files, amid large ones, and in a walk.
fn cuts() -> [u64; 6] {
    [300_000, 3 * MIB, 40_000, 4 * MIB + 11, 2 * MIB, 5 * MIB]
}

#[test]
fn a_get_of_a_tree_that_is_cut_again_and_again_comes_through() {
    let server = Server::start();
    plant(&server.home(ALICE).join("tree"));
    let cutting = Cutting::new(server.address(), cuts());
    let ran = through(&server, &cutting).args(["get", "-r", "tree"]).run().ok();
    ran.told("trying again at ").told(&format!("{} files", SMALL + LARGE));
    assert_eq!(tree(&server.work().join("tree")), tree(&server.home(ALICE).join("tree")));
    assert!(stages(server.work()).is_empty());
    assert_eq!(cutting.connections(), 7);
    assert!(cutting.down() < ALL + 6 * LOST, "{} bytes of {ALL} went down", cutting.down());
}

#[test]
fn a_put_of_a_tree_that_is_cut_again_and_again_comes_through() {
    let server = Server::start();
    plant(&server.work().join("tree"));
    let cutting = Cutting::new(server.address(), cuts());
    let ran = through(&server, &cutting).args(["put", "-r", "tree"]).run().ok();
    ran.told("trying again at ").told(&format!("{} files", SMALL + LARGE));
    assert_eq!(tree(&server.home(ALICE).join("tree")), tree(&server.work().join("tree")));
    assert!(stages(server.homes()).is_empty());
    assert_eq!(cutting.connections(), 7);
    assert!(cutting.up() < ALL + 6 * LOST, "{} bytes of {ALL} went up", cutting.up());
}

#[test]
fn patterns_come_through_as_well() {
    let server = Server::start();
    plant(&server.home(ALICE).join("there"));
    plant(&server.work().join("here"));
    let contents = |root: &Path, parts: &[&str]| -> Vec<String> {
        let files =
            tree(root).into_iter().filter(|(path, _)| parts.iter().any(|part| path.starts_with(part)));
        files.filter(|(path, _)| !root.join(path).is_dir()).map(|(_, (.., content))| content).collect()
    };
    // Two places to begin in: the second is cut as well as the first.
    let cutting = Cutting::new(server.address(), [8 * MIB, 6 * MIB]);
    let get = through(&server, &cutting).args(["mget", "there/d[12]/*", "there/d0/*"]).run().ok();
    assert_eq!(get.stderr.matches("trying again at ").count(), 2, "{}", get.stderr);
    let cutting = Cutting::new(server.address(), [8 * MIB, 6 * MIB]);
    let put = through(&server, &cutting).args(["mput", "here/d[12]/*", "here/d0/*"]).run().ok();
    assert_eq!(put.stderr.matches("trying again at ").count(), 2, "{}", put.stderr);
    let from = server.work().join("here");
    for to in [server.work(), server.home(ALICE)] {
        assert_eq!(contents(&to, &["d1", "d2"]), contents(&from, &["d1", "d2"]));
        for name in ["large", "f0", "f294"] {
            assert!(
                fs::read(to.join(name)).unwrap() == fs::read(from.join("d0").join(name)).unwrap(),
                "{name}"
            );
        }
    }
    assert!(stages(server.homes()).is_empty() && stages(server.work()).is_empty());
}

#[test]
fn several_connections_that_are_cut_are_made_again() {
    let server = Server::start();
    plant(&server.home(ALICE).join("tree"));
    for words in [["get", "-r", "tree"], ["put", "-r", "tree"]] {
        let cutting = Cutting::new(server.address(), [2 * MIB; 6]);
        let client = through(&server, &cutting).option("--parallel").option("3");
        client.args(words).run().ok().told("trying again at ");
        assert_eq!(tree(&server.work().join("tree")), tree(&server.home(ALICE).join("tree")));
        assert!(stages(server.homes()).is_empty() && stages(server.work()).is_empty());
        if words[0] == "get" {
            fs::remove_dir_all(server.home(ALICE).join("tree")).unwrap();
        }
    }
}

#[test]
fn what_failed_before_the_cut_is_told_once_and_the_exit_code_says_so() {
    let server = Server::start();
    plant(&server.home(ALICE).join("tree"));
    rustix::fs::mkfifoat(rustix::fs::CWD, server.home(ALICE).join("tree/a pipe"), rustix::fs::Mode::RUSR)
        .unwrap();
    plant(&server.work().join("mine"));
    rustix::fs::mkfifoat(rustix::fs::CWD, server.work().join("mine/a pipe"), rustix::fs::Mode::RUSR).unwrap();
    for (words, what) in [(["get", "-r", "tree"], "fetched"), (["put", "-r", "mine"], "sent")] {
        let cutting = Cutting::new(server.address(), [10 * MIB, 3 * MIB]);
        let ran = through(&server, &cutting).args(words).run().fails(9);
        assert_eq!(ran.stderr.matches("a pipe").count(), 1, "{}", ran.stderr);
        assert_eq!(ran.stderr.matches("trying again").count(), 2, "{}", ran.stderr);
        ran.told(&format!("1 of {} could not be {what}", SMALL + LARGE + 1));
    }
}

#[test]
fn a_program_is_told_of_each_file_once() {
    let server = Server::start();
    plant(&server.home(ALICE).join("tree"));
    let cutting = Cutting::new(server.address(), [3 * MIB, 5 * MIB]);
    let ran = through(&server, &cutting).option("--json").args(["get", "-r", "tree"]).run().ok();
    let stdout = String::from_utf8(ran.stdout.clone()).unwrap();
    let mut files: Vec<&str> =
        stdout.lines().filter(|line| line.contains("/f") || line.contains("/large")).collect();
    assert_eq!(files.len() as u64, SMALL + LARGE, "{stdout}");
    files.sort_unstable();
    files.dedup();
    assert_eq!(files.len() as u64, SMALL + LARGE);
}

#[test]
fn a_server_that_does_not_come_back_is_given_up() {
    let server = Server::start();
    plant(&server.home(ALICE).join("tree"));
    // It leads to the server once.
    let way = Way::cut_down(server.address(), 3 * MIB);
    let cutting = Cutting::new(way.address(), []);
    let get = through(&server, &cutting).option("--retries").option("2").args(["get", "-r", "tree"]);
    let ran = get.run().fails(3);
    ran.told("(2 tries in vain)").told(" fetched before)");
    assert_eq!(cutting.connections(), 3);
    assert!(stages(server.work()).is_empty());
}

#[test]
fn a_connection_that_brings_nothing_any_more_is_in_vain() {
    let server = Server::start();
    plant(&server.home(ALICE).join("tree"));
    // As long as a login takes, and no file.
    let cutting = Cutting::new(server.address(), [[3 * MIB].as_slice(), &[600; 9]].concat());
    let get = through(&server, &cutting).option("--retries").option("2").args(["get", "-r", "tree"]);
    get.run().fails(3).told("(2 tries in vain)");
    assert_eq!(cutting.connections(), 3);
}

#[test]
fn control_c_between_two_tries_ends_it_and_the_prompt_goes_on() {
    let server = Server::start();
    plant(&server.home(ALICE).join("tree"));
    let way = Way::cut_down(server.address(), 3 * MIB);
    let cutting = Cutting::new(way.address(), []);
    let mut at = Terminal::start(&through(&server, &cutting).command());
    let prompt = format!("ftp {}:/> ", cutting.address().ip());
    at.expect(&prompt);
    at.line("get -r tree");
    at.expect("trying again");
    at.control('c');
    at.expect(&prompt);
    assert!(stages(server.work()).is_empty());
    cutting.lead_to(server.address());
    at.line("get -r tree again");
    at.expect("files");
    at.expect(&prompt);
    at.line("quit");
    assert_eq!(at.end().0, 0);
    assert_eq!(tree(&server.work().join("again")), tree(&server.home(ALICE).join("tree")));
}

#[test]
fn a_sync_that_is_cut_again_and_again_comes_through() {
    let server = Server::start();
    let (mine, there) = (server.work().join("mine"), server.home(ALICE).join("mine"));
    plant(&mine);
    fs::create_dir_all(there.join("old")).unwrap();
    for number in 0..20 {
        fs::write(there.join(format!("old/{number}")), "old").unwrap();
    }
    for words in [["sync", "put", "--delete", "--yes", "mine"], ["sync", "get", "--delete", "--yes", "mine"]]
    {
        let cutting = Cutting::new(server.address(), cuts());
        let ran = through(&server, &cutting).args(words).run().ok();
        ran.told("trying again at ").told(&format!(
            "{} files looked at: {} new, 0 changed, 21 deleted, 0 unchanged",
            SMALL + LARGE + 1,
            SMALL + LARGE + 1
        ));
        assert_eq!(tree(&there), tree(&mine));
        assert_eq!(cutting.connections(), 7);
        let went = cutting.up() + cutting.down();
        assert!(went < ALL + 6 * LOST, "{went} bytes for {ALL}");
        assert!(stages(server.homes()).is_empty() && stages(server.work()).is_empty());
        fs::remove_dir_all(&mine).unwrap();
        fs::create_dir_all(mine.join("old")).unwrap();
        for number in 0..20 {
            fs::write(mine.join(format!("old/{number}")), "old").unwrap();
        }
    }
}

#[test]
fn a_sync_of_one_file_goes_on_where_it_stopped() {
    let server = Server::start();
    let content = bytes(12 * MIB as usize + 7, 1);
    server.write("alice/big", &content);
    server.write_work("mine", &content);
    for words in [["sync", "get", "big"], ["sync", "put", "mine"]] {
        let cutting = Cutting::new(server.address(), [5 * MIB, 4 * MIB]);
        through(&server, &cutting).args(words).run().ok().told("trying again at ").told("1 new");
        let went = cutting.up() + cutting.down();
        assert!(went < 12 * MIB + 2 * LOST, "{went} bytes");
    }
    assert!(server.read_work("big") == content && server.read("alice/mine") == content);
    assert!(stages(server.homes()).is_empty() && stages(server.work()).is_empty());
}
