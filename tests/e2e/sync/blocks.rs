//! Large files, of which only the blocks are moved that differ.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use e2e::{ALICE, Ran, Server, bytes, snapshot};

use super::sync;
use crate::trees::{set_time, tree};

const MIB: usize = 1 << 20;
const BLOCK: usize = digest::BLOCK;

/// Changes a byte at each of `places`, and the time.
fn touch(path: &Path, places: &[usize], seed: u64) {
    let file = File::options().read(true).write(true).open(path).unwrap();
    for &place in places {
        let mut byte = [0];
        file.read_exact_at(&mut byte, place as u64).unwrap();
        file.write_all_at(&[byte[0] ^ 1], place as u64).unwrap();
    }
    set_time(path, seed);
}

/// What a run says that it moved.
fn moved(ran: &Ran) -> u64 {
    member(ran, "bytes_moved")
}

/// What a run says of files and blocks.
fn summary(ran: &Ran) -> [u64; 7] {
    ["new", "changed", "blocks_moved", "blocks", "attributes", "deleted", "unchanged"]
        .map(|name| member(ran, name))
}

fn member(ran: &Ran, name: &str) -> u64 {
    let text = ran.text();
    let after = text.split(&format!("\"{name}\":")).nth(1).unwrap();
    after.split(',').next().unwrap().parse().unwrap()
}

fn same(server: &Server) {
    let (home, work) = (server.home(ALICE), server.work());
    assert_eq!(tree(&work.join("tree")), tree(&home.join("tree")));
    assert!(e2e::stages(server.homes()).is_empty() && e2e::stages(&work).is_empty());
}

#[test]
fn only_blocks_that_differ_are_moved_both_ways() {
    for digest in ["md5", "blake3"] {
        let server = Server::builder().tls().start();
        let (home, work) = (server.home(ALICE), server.work());
        server.write_work("tree/image", bytes(20 * MIB + 77, 1));
        server.write_work("tree/small", "small");
        sync(&server, "put tree").ok();
        let run = |words: &[&str]| {
            let client = server.client(ALICE).option("--json").option("--digest").option(digest);
            client.args(["sync"]).args(words).run().ok()
        };
        let digests = 321 * if digest == "md5" { 16 } else { 32 };
        touch(&work.join("tree/image"), &[5, BLOCK - 1, 7 * BLOCK, 8 * BLOCK, 20 * MIB + 76], 2);
        let put = run(&["put", "tree"]);
        assert_eq!(summary(&put), [0, 1, 4, 321, 0, 0, 1]);
        assert_eq!(moved(&put), digests + 3 * BLOCK as u64 + 77);
        same(&server);
        touch(&home.join("tree/image"), &[3 * BLOCK, 13 * MIB], 3);
        let get = run(&["get", "tree"]);
        assert_eq!(summary(&get), [0, 1, 2, 321, 0, 0, 1]);
        assert_eq!(moved(&get), digests + 2 * BLOCK as u64);
        same(&server);
        // Where only the time differs, nothing but the time is brought.
        touch(&work.join("tree/image"), &[], 4);
        let put = run(&["put", "tree"]);
        assert_eq!(summary(&put)[2..4], [0, 321]);
        assert_eq!(moved(&put), digests);
        same(&server);
        touch(&home.join("tree/image"), &[], 5);
        assert_eq!(summary(&run(&["get", "tree"]))[2..4], [0, 321]);
        same(&server);
        let rest = run(&["get", "tree"]);
        assert_eq!((summary(&rest), moved(&rest)), ([0, 0, 0, 0, 0, 0, 2], 0));
    }
}

#[test]
fn a_file_that_grew_or_shrank_keeps_what_it_has() {
    let server = Server::start();
    let (home, work) = (server.home(ALICE), server.work());
    let all = bytes(5 * MIB, 9);
    let sizes = [
        3 * MIB,
        3 * MIB + 1,
        5 * MIB,
        5 * MIB - 1,
        MIB,
        MIB - 1,
        MIB + 1,
        2 * MIB,
        BLOCK,
        2 * MIB + BLOCK,
        BLOCK - 1,
        2 * MIB,
        0,
        2 * MIB,
    ];
    fs::create_dir(work.join("tree")).unwrap();
    for (step, size) in (10..).zip(sizes) {
        fs::write(work.join("tree/a"), &all[..size]).unwrap();
        set_time(&work.join("tree/a"), step);
        sync(&server, "put tree").ok();
        same(&server);
    }
    for (step, size) in (50..).zip(sizes) {
        fs::write(home.join("tree/a"), &all[..size]).unwrap();
        set_time(&home.join("tree/a"), step);
        sync(&server, "get tree").ok();
        same(&server);
    }
    // Of what was there, nothing is moved again.
    fs::write(work.join("tree/a"), &all[..4 * MIB]).unwrap();
    sync(&server, "put tree").ok().told("(32 of 64 blocks)");
    fs::write(work.join("tree/a"), &all[..3 * MIB]).unwrap();
    sync(&server, "put tree").ok().told("(0 of 48 blocks)");
    same(&server);
}

#[test]
fn very_many_parts_go_in_several_commands() {
    let server = Server::builder().top("durability = \"none\"").start();
    let (home, work) = (server.home(ALICE), server.work());
    let sparse = |path: &Path| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let file = File::create(path).unwrap();
        file.set_len(200 * MIB as u64).unwrap();
        set_time(path, 1);
    };
    sparse(&work.join("tree/image"));
    sparse(&home.join("tree/image"));
    let places: Vec<usize> =
        (0..3200).filter(|block| block % 2 == 0).map(|block| block * BLOCK + 9).collect();
    touch(&work.join("tree/image"), &places, 2);
    sync(&server, "put tree").ok().told("(1,600 of 3,200 blocks)");
    same(&server);
    touch(&home.join("tree/image"), &places, 3);
    sync(&server, "get tree").ok().told("(1,600 of 3,200 blocks)");
    same(&server);
}

#[test]
fn a_single_large_file_goes_by_blocks_as_well() {
    let server = Server::start();
    let (home, work) = (server.home(ALICE), server.work());
    server.write_work("image", bytes(2 * MIB, 1));
    sync(&server, "put image other").ok().told("1 new");
    touch(&work.join("image"), &[MIB], 2);
    sync(&server, "put image other").ok().told("(1 of 32 blocks)");
    assert_eq!(fs::read(work.join("image")).unwrap(), fs::read(home.join("other")).unwrap());
    touch(&home.join("other"), &[0], 3);
    sync(&server, "get other image").ok().told("(1 of 32 blocks)");
    assert_eq!(fs::read(work.join("image")).unwrap(), fs::read(home.join("other")).unwrap());
    sync(&server, "get other image").ok().told("1 unchanged; 0 B moved");
}

#[test]
fn a_single_file_goes_where_the_links_of_its_name_lead() {
    let server = Server::start();
    let (home, work) = (server.home(ALICE), server.work());
    server.write("alice/image", bytes(2 * MIB, 1));
    server.write_work("far/off", bytes(2 * MIB, 1));
    fs::create_dir(work.join("here")).unwrap();
    std::os::unix::fs::symlink("../far/off", work.join("here/link")).unwrap();
    touch(&home.join("image"), &[MIB], 2);
    sync(&server, "get image here/link").ok().told("(1 of 32 blocks)");
    assert!(server.read_work("far/off") == server.read("alice/image"));
    assert!(fs::symlink_metadata(work.join("here/link")).unwrap().is_symlink());
    // Whatever its bits are, it gets those of the other one.
    crate::trees::set_mode(&work.join("far/off"), 0o200);
    sync(&server, "get image here/link").ok().told("1 with another time or mode");
    sync(&server, "get image here/link").ok().told("1 unchanged; 0 B moved");
}

#[test]
fn a_file_whose_old_one_is_read_only_or_may_not_be_replaced() {
    let server = Server::start();
    let (home, work) = (server.home(ALICE), server.work());
    server.write_work("tree/image", bytes(2 * MIB, 1));
    sync(&server, "put tree").ok();
    crate::trees::set_mode(&home.join("tree/image"), 0o400);
    touch(&work.join("tree/image"), &[MIB], 2);
    sync(&server, "put tree").ok().told("(1 of 32 blocks)");
    same(&server);
    // An account that may only read is told so, and what it has is not changed.
    let bob = server.home(e2e::BOB).join("tree/image");
    fs::create_dir_all(bob.parent().unwrap()).unwrap();
    fs::write(&bob, bytes(2 * MIB, 7)).unwrap();
    let before = snapshot(server.home(e2e::BOB));
    server.client(e2e::BOB).args(["sync", "put", "tree"]).run().fails(9);
    assert_eq!(snapshot(server.home(e2e::BOB)), before);
}
