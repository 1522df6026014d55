//! Links: those that stay inside are followed, those that lead out are denied.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use e2e::{ALICE, Server, snapshot};

use super::Canary;

/// A home with links that lead out, each to the canary's file by way of `leads_to_secret`, or to its directory.
struct Furnished {
    server: Server,
    canary: Canary,
}

/// Paths that lead to the canary's file.
const OUT_FILES: [&str; 6] =
    ["absolute", "relative", "chained", "out-directory/secret", "sub/up/canary/secret", "far/secret"];

/// Paths that lead to a directory outside.
const OUT_DIRECTORIES: [&str; 4] = ["out-directory", "sub/up", "far", "root"];

fn furnished() -> Furnished {
    let server = Server::start();
    server.write("alice/sub/inner", b"inside");
    let canary = Canary::beside(&server);
    let link = |target: PathBuf, name: &str| symlink(target, server.home(ALICE).join(name)).unwrap();
    link(canary.secret(), "absolute");
    link("../../canary/secret".into(), "relative");
    link("relative".into(), "chained");
    link("../../canary".into(), "out-directory");
    link("../../..".into(), "sub/up");
    link(canary.directory.clone(), "far");
    link("/".into(), "root");
    link("../../canary/new".into(), "dangling-out");
    link("missing".into(), "dangling-in");
    link("sub/inner".into(), "inside");
    link("../inside".into(), "sub/twice");
    link("sub".into(), "directory");
    link("circle".into(), "circle");
    Furnished { server, canary }
}

#[test]
fn what_leads_out_is_denied_to_every_verb() {
    let Furnished { server, canary } = furnished();
    server.write_work("local", b"new");
    let before = snapshot(server.homes());
    for path in OUT_FILES.iter().chain(&OUT_DIRECTORIES).chain(&["dangling-out"]) {
        for words in [
            &["cat", path][..],
            &["get", path, "fetched"],
            &["md5", path],
            &["stat", path],
            &["ls", path],
            &["ls", "-l", path],
            &["cd", path],
            &["put", "local", path],
            &["put", "local", &format!("{path}/")],
            &["mkdir", &format!("{path}/new")],
            &["rm", &format!("{path}/new")],
            &["mv", "inside", &format!("{path}/new")],
            &["mv", &format!("{path}/secret"), "moved"],
            &["rmdir", &format!("{path}/below")],
        ] {
            let ran = server.ftp(words).fails(7);
            assert_eq!(ran.stdout, b"", "{words:?}");
            let outside = canary.directory.display().to_string();
            assert!(!ran.stderr.contains(&outside), "it tells where it leads: {}", ran.stderr);
        }
    }
    assert_eq!(snapshot(server.homes()), before);
    assert!(!server.work().join("fetched").exists());
    canary.untouched();
}

#[test]
fn attributes_of_what_lies_outside_cannot_be_set() {
    use proto::{Command, Kind, Reply, Time};
    let Furnished { server, canary } = furnished();
    let mut raw = server.logged_in(ALICE);
    for path in OUT_FILES.iter().chain(&OUT_DIRECTORIES) {
        let (path, modified) = (path.as_bytes().to_vec(), Some(Time { seconds: 1, nanoseconds: 0 }));
        match raw.ask(Command::SetAttributes { path, modified, mode: Some(0o777) }) {
            Reply::Refused(failure) => assert_eq!(failure.kind, Kind::Denied),
            other => panic!("{other:?}"),
        }
    }
    canary.untouched();
}

#[test]
fn what_stays_inside_is_followed() {
    let Furnished { server, .. } = furnished();
    for path in ["inside", "sub/twice", "directory/inner", "directory/../sub/twice"] {
        server.ftp(&["cat", path]).ok().wrote("inside");
    }
    server.ftp(&["ls", "directory"]).ok().wrote("inner\ntwice\nup\n");
    server
        .client(ALICE)
        .option("-b")
        .option("-")
        .stdin("cd directory\npwd\ncd ..\npwd\n")
        .run()
        .ok()
        .wrote("/directory\n/\n");
    let stat = server.ftp(&["stat", "sub/twice"]).ok().text();
    assert!(stat.contains("kind      file\n"), "{stat}");
}

#[test]
fn a_put_over_a_link_replaces_the_file_behind_it() {
    let Furnished { server, .. } = furnished();
    server.write_work("local", b"new");
    server.ftp(&["put", "local", "sub/twice"]).ok();
    assert_eq!(server.read("alice/sub/inner"), b"new");
    for link in ["inside", "sub/twice"] {
        assert!(server.home(ALICE).join(link).is_symlink(), "{link} is no link any more");
    }
    server.ftp(&["put", "local", "dangling-in"]).ok();
    assert_eq!(server.read("alice/missing"), b"new");
    assert!(server.home(ALICE).join("dangling-in").is_symlink());
}

#[test]
fn links_without_an_end_are_refused() {
    let Furnished { server, .. } = furnished();
    server.write_work("local", b"new");
    for words in [&["cat", "circle"][..], &["put", "local", "circle"], &["ls", "circle"], &["cd", "circle"]] {
        server.ftp(words).fails(7).told("too many symbolic links");
    }
    server.ftp(&["cat", "dangling-in"]).fails(6);
}

#[test]
fn a_link_itself_is_listed_moved_and_removed() {
    let Furnished { server, canary } = furnished();
    let listed = server.ftp(&["ls", "-l"]).ok().text();
    assert_eq!(listed.lines().filter(|line| line.starts_with('l')).count(), 11, "{listed}");
    assert!(!listed.contains("->"), "it tells where links lead");
    for link in ["absolute", "out-directory", "dangling-out", "circle"] {
        server.ftp(&["mv", link, "moved"]).ok();
        assert!(server.home(ALICE).join("moved").is_symlink());
        server.ftp(&["rm", "moved"]).ok();
    }
    server.ftp(&["rmdir", "far"]).fails(1).told("it is not a directory");
    assert!(fs::read_link(server.home(ALICE).join("far")).is_ok());
    canary.untouched();
}
