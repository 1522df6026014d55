//! Links in trees, by each policy: copied where they stay in the tree, never made where they lead out.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use e2e::{ALICE, Server};

/// A tree with links that stay in it and links that lead out.
fn plant(root: &Path) {
    fs::create_dir_all(root.join("sub/deep")).unwrap();
    fs::write(root.join("file"), "content").unwrap();
    fs::write(root.join("sub/inner"), "inner").unwrap();
    for (link, target) in [
        ("to-file", "file"),
        ("to-sub", "sub"),
        ("sub/up", "../file"),
        ("sub/deep/far", "../../file"),
        ("dangling", "nothing"),
    ] {
        symlink(target, root.join(link)).unwrap();
    }
}

fn plant_bad(root: &Path) {
    for (link, target) in [
        ("absolute", "/etc/hostname"),
        ("climbs", ".."),
        ("sub/climbs", "../../x"),
        ("tricky", "to-sub/../.."),
    ] {
        symlink(target, root.join(link)).unwrap();
    }
}

const BAD: [&str; 4] = ["absolute", "climbs", "sub/climbs", "tricky"];

fn link(path: &Path) -> String {
    fs::read_link(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).display().to_string()
}

fn check_copied(root: &Path) {
    for (path, target) in [
        ("to-file", "file"),
        ("to-sub", "sub"),
        ("sub/up", "../file"),
        ("sub/deep/far", "../../file"),
        ("dangling", "nothing"),
    ] {
        assert_eq!(link(&root.join(path)), target);
    }
}

#[test]
fn links_that_stay_are_copied_both_ways_and_again() {
    let server = Server::start();
    plant(&server.work().join("tree"));
    for _ in 0..2 {
        server.ftp(&["put", "-r", "tree", "/"]).ok();
        check_copied(&server.home(ALICE).join("tree"));
        server.ftp(&["get", "-r", "tree", "in"]).ok();
        check_copied(&server.work().join("in"));
        fs::remove_dir_all(server.work().join("in")).unwrap();
    }
    server.ftp(&["get", "-r", "tree", "in"]).ok();
    server.client(ALICE).stdin("lcd in\nget -r / ..\n").run();
    let client = server.client(ALICE).directory(&server.work().join("in"));
    client.args(["get", "-r", "/tree", "../in2"]).run().ok();
}

#[test]
fn links_that_are_there_are_made_anew() {
    let server = Server::start();
    plant(&server.home(ALICE).join("tree"));
    let batch = "get -r tree\nget -r tree again\nlcd again\nlcd ..\n";
    server.client(ALICE).stdin(batch).run().ok();
    fs::create_dir(server.work().join("over")).unwrap();
    fs::rename(server.work().join("tree"), server.work().join("over/tree")).unwrap();
    fs::remove_file(server.work().join("over/tree/to-file")).unwrap();
    symlink("sub/inner", server.work().join("over/tree/to-file")).unwrap();
    server.ftp(&["get", "-r", "tree", "over"]).ok();
    check_copied(&server.work().join("over/tree"));
}

#[test]
fn links_that_lead_out_are_told_and_left_out() {
    let server = Server::start();
    let (home, work) = (server.home(ALICE), server.work());
    plant(&home.join("there"));
    plant_bad(&home.join("there"));
    let got = server.ftp(&["get", "-r", "there"]).fails(9).told("4 of 6 could not be fetched");
    plant(&work.join("here"));
    plant_bad(&work.join("here"));
    let put = server.ftp(&["put", "-r", "here"]).fails(9).told("4 of 6 could not be sent");
    for bad in BAD {
        assert!(got.stderr.contains(&format!("ftp: there/{bad}: the link leads out")), "{}", got.stderr);
        assert!(put.stderr.contains(&format!("ftp: here/{bad}: the link leads out")), "{}", put.stderr);
        assert!(work.join("there").join(bad).symlink_metadata().is_err());
        assert!(home.join("here").join(bad).symlink_metadata().is_err());
    }
    check_copied(&work.join("there"));
    check_copied(&home.join("here"));
}

#[test]
fn links_are_skipped_where_that_is_wanted() {
    let server = Server::start();
    for root in [server.work().join("here"), server.home(ALICE).join("there")] {
        plant(&root);
        plant_bad(&root);
    }
    let run = |words: &[&str]| server.client(ALICE).option("--links").option("skip").args(words).run();
    run(&["put", "-r", "here"]).ok().told("here: 9 links left out");
    run(&["get", "-r", "there"]).ok().told("there: 9 links left out");
    for root in [server.home(ALICE).join("here"), server.work().join("there")] {
        let mut names: Vec<_> =
            fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["file", "sub"]);
    }
}

#[test]
fn links_are_followed_where_that_is_wanted() {
    let server = Server::start();
    let (home, work) = (server.home(ALICE), server.work());
    fs::write(work.join("outside"), "outside").unwrap();
    for root in [work.join("here"), home.join("there")] {
        plant(&root);
        fs::remove_file(root.join("dangling")).unwrap();
        symlink("../sub", root.join("sub/back")).unwrap();
        symlink(".", root.join("self")).unwrap();
    }
    symlink("../outside", work.join("here/out")).unwrap();
    symlink("/etc/hostname", home.join("there/out")).unwrap();
    let run = |words: &[&str]| server.client(ALICE).option("--links").option("follow").args(words).run();
    let put = run(&["put", "-r", "here"]).fails(9);
    let got = run(&["get", "-r", "there"]).fails(9);
    for ran in [put, got] {
        assert!(ran.stderr.contains("/self: the link leads back"), "{}", ran.stderr);
        assert!(ran.stderr.contains("/sub/back: the link leads back"), "{}", ran.stderr);
    }
    for root in [home.join("here"), work.join("there")] {
        for (path, content) in [
            ("to-file", "content"),
            ("to-sub/inner", "inner"),
            ("sub/up", "content"),
            ("sub/deep/far", "content"),
        ] {
            assert_eq!(fs::read_to_string(root.join(path)).unwrap(), content, "{path}");
            assert!(!root.join(path).is_symlink());
        }
    }
    assert_eq!(
        fs::read_to_string(home.join("here/out")).unwrap(),
        "outside",
        "one's own links lead anywhere"
    );
    assert!(!work.join("there/out").exists());
}
