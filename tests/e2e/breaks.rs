//! Programs killed in the middle: the old file or the new one, whole, and nothing beside it.

use std::fs;

use e2e::{ALICE, Server, Watch, Way, bytes, stages};

const MIB: usize = 1024 * 1024;

/// Bytes that fit into no buffer between the two programs.
const MUCH: usize = 32 * MIB;

/// A put over a file that is there, held up in the middle, its stage begun.
struct Half {
    server: Server,
    way: Way,
    watch: Watch,
    put: e2e::Running,
    old: Vec<u8>,
}

fn half_a_put() -> Half {
    // What is kept of an upload is told elsewhere.
    let server = Server::builder().limit("keep_uploads = \"0\"").start();
    let old = bytes(300_000, 1);
    server.write("alice/file", &old);
    server.write_work("file", bytes(MUCH, 2));
    let watch = Watch::new(server.home(ALICE));
    let way = Way::hold_up(server.address(), 2 * MIB as u64);
    let put = server
        .client(ALICE)
        .target(format!("alice@{}", way.address()))
        .option("--retries")
        .option("0")
        .args(["put", "file"])
        .spawn();
    way.wait_until_held();
    watch.wait_for_stage();
    Half { server, way, watch, put, old }
}

#[test]
fn a_client_that_is_killed_in_a_put_leaves_nothing() {
    let Half { server, way, watch, put, old } = half_a_put();
    put.kill();
    way.release();
    server.log().wait_for_all(&["verb=\"put\"", "the connection"]);
    watch.wait_for_no_stage();
    assert!(server.read("alice/file") == old);
    server.ftp(&["ls"]).ok().wrote("file\n");
}

#[test]
fn a_server_that_is_killed_in_a_put_leaves_a_stage_that_the_next_one_removes() {
    let Half { mut server, put, old, .. } = half_a_put();
    server.kill();
    put.wait().fails(3);
    assert_eq!(stages(server.homes()).len(), 1, "what the kill left");
    assert!(server.read("alice/file") == old);
    server.restart();
    server.log().wait_for("homes swept");
    server.log().wait_for_all(&["removed what interrupted uploads left", "user=\"alice\"", "stages=1"]);
    assert!(stages(server.homes()).is_empty());
    assert!(server.read("alice/file") == old);
    server.ftp(&["put", "file"]).ok();
    assert!(server.read("alice/file") == server.read_work("file"));
}

#[test]
fn a_stage_is_neither_shown_nor_served() {
    let Half { server, watch, .. } = half_a_put();
    let stage = watch.wait_for_stage();
    let stage = stage.file_name().unwrap().to_str().unwrap();
    server.ftp(&["ls", "-a"]).ok().wrote("file\n");
    for verb in ["cat", "stat", "rm", "md5"] {
        server.ftp(&[verb, stage]).fails(2).wrote("");
    }
    server.ftp(&["mv", stage, "file2"]).fails(2);
    server.ftp(&["put", "file", stage]).fails(2);
    server.ftp(&["get", "file", stage]).fails(2);
}

/// A get into a directory, held up in the middle, its stage begun.
fn half_a_get(server: &Server) -> (Way, e2e::Running) {
    let way = Way::hold_down(server.address(), 2 * MIB as u64);
    let get = server.client(ALICE).target(format!("alice@{}", way.address()));
    let get = get.option("--retries").option("0").args(["get", "big"]).spawn();
    way.wait_until_held();
    Watch::new(server.work()).wait_for_stage();
    (way, get)
}

fn with_big() -> Server {
    let server = Server::start();
    server.write("alice/big", bytes(MUCH, 2));
    server.write("alice/small", b"small");
    server.write_work("big", b"old");
    server
}

#[test]
fn a_client_that_is_killed_in_a_get_leaves_what_the_next_get_of_that_file_removes() {
    let server = with_big();
    let (way, get) = half_a_get(&server);
    get.kill();
    way.release();
    assert_eq!(stages(server.work()).len(), 1, "what the kill left");
    assert_eq!(server.read_work("big"), b"old");
    server.ftp(&["get", "small"]).ok();
    assert_eq!(stages(server.work()).len(), 1, "it can be gone on with");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(8 * 86_400);
    fs::File::options().write(true).open(&stages(server.work())[0]).unwrap().set_modified(old).unwrap();
    server.ftp(&["get", "small"]).ok();
    let names =
        fs::read_dir(server.work()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    assert_eq!(names, ["big", "small"]);
}

#[test]
fn a_stage_whose_writer_lives_is_left_alone() {
    let server = with_big();
    let (way, get) = half_a_get(&server);
    server.ftp(&["get", "small"]).ok();
    assert_eq!(stages(server.work()).len(), 1);
    way.release();
    get.wait().ok();
    assert!(server.read_work("big") == server.read("alice/big"));
    assert!(stages(server.work()).is_empty());
}

#[test]
fn a_stage_that_is_swept_before_its_writer_has_locked_it_is_made_anew() {
    let server = with_big();
    let here = Watch::new(server.work());
    // Between making a stage and locking it, the first client is stopped for a while: long enough for a whole second one.
    let slow =
        ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=flock", "-e", "inject=flock:delay_enter=2s"];
    let first = server.client(ALICE).args(["get", "small", "first"]).spawn_by(&slow);
    here.wait_for_stage();
    server.ftp(&["get", "small", "second"]).ok();
    first.wait().ok();
    for name in ["first", "second"] {
        assert_eq!(server.read_work(name), b"small");
    }
    assert!(stages(server.work()).is_empty());
}

#[test]
fn a_server_that_is_killed_in_a_get_leaves_the_old_file() {
    let mut server = with_big();
    let (way, get) = half_a_get(&server);
    server.kill();
    way.release();
    get.wait().fails(3).told("connection");
    assert_eq!(server.read_work("big"), b"old");
    assert_eq!(stages(server.work()).len(), 1, "it can be gone on with");
}
