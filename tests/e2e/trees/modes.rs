//! Modes and times at the classic door: of files and directories, both ways.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use e2e::{ALICE, CAROL, Server};

use super::{classic, plant, set_mode, set_time};

/// Everything beneath a directory by its path from there: mode, time in whole seconds, and content. FTP has no others.
fn tree(directory: &Path) -> BTreeMap<PathBuf, (u32, i64, String)> {
    let seen = super::tree(directory).into_iter();
    seen.map(|(path, (mode, (seconds, _), content))| (path, (mode, seconds, content))).collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn what_is_fetched_has_the_mode_that_it_has_there() {
    let server = Server::builder().classic().start();
    let work = server.work();
    for (name, bits) in [("private", 0o400), ("program", 0o755), ("nobody's", 0o000)] {
        server.write(&format!("alice/{name}"), "data");
        set_mode(&server.home(ALICE).join(name), bits);
        set_time(&server.home(ALICE).join(name), 1);
        fs::write(work.join(format!("{name}-old")), "da").unwrap();
        for (words, to) in [
            (&["get", name][..], name.to_owned()),
            (&["get", "-c", name, &format!("{name}-old")], format!("{name}-old")),
        ] {
            classic(&server).args(words).run().ok();
            assert_eq!(mode(&work.join(&to)), bits, "{words:?}");
            let seconds = |path: &Path| fs::metadata(path).unwrap().mtime();
            assert_eq!(seconds(&work.join(&to)), seconds(&server.home(ALICE).join(name)), "{words:?}");
        }
    }
}

#[test]
fn a_tree_that_is_fetched_has_modes_and_times() {
    let server = Server::builder().classic().start();
    let (home, work) = (server.home(ALICE), server.work());
    plant(&home.join("tree"));
    fs::remove_file(home.join("tree/sub/new\nline")).unwrap(); // a line ends there
    set_time(&home.join("tree/sub"), 21);
    set_mode(&home.join("tree"), 0o750);
    classic(&server).args(["get", "-r", "tree", "back"]).run().ok();
    assert_eq!(tree(&home.join("tree")), tree(&work.join("back")));
    fs::create_dir(work.join("in")).unwrap();
    set_mode(&work.join("in"), 0o711);
    set_mode(&home, 0o751);
    classic(&server).args(["get", "-r", "/", "in"]).run().ok();
    assert_eq!(mode(&work.join("in")), 0o711, "it only holds what is in the other one");
    assert_eq!(tree(&home.join("tree")), tree(&work.join("in/tree")));
}

#[test]
fn what_is_brought_keeps_its_mode_and_time() {
    let server = Server::builder().classic().start();
    let (home, work) = (server.home(ALICE), server.work());
    plant(&work.join("tree"));
    fs::remove_file(work.join("tree/sub/new\nline")).unwrap();
    set_time(&work.join("tree/sub"), 21);
    set_mode(&work.join("tree"), 0o750);
    for _new_and_over_what_is_there in 0..2 {
        let ran = classic(&server).args(["put", "-r", "tree"]).run().ok();
        assert!(!ran.stderr.contains("without their own"), "{}", ran.stderr);
        assert_eq!(tree(&work.join("tree")), tree(&home.join("tree")));
        fs::write(home.join("tree/one"), "other").unwrap();
        set_mode(&home.join("tree/one"), 0o666);
        set_mode(&home.join("tree/sub"), 0o777);
    }
    fs::write(work.join("private"), "data").unwrap();
    set_mode(&work.join("private"), 0o400);
    classic(&server).args(["put", "private"]).run().ok();
    assert_eq!(mode(&home.join("private")), 0o400);
}

#[test]
fn a_mode_that_comes_by_itself_is_not_asked_for() {
    let server = Server::builder().classic().start();
    let (home, work) = (server.home(ALICE), server.work());
    fs::create_dir(home.join("probe")).unwrap();
    fs::write(home.join("probe/file"), "").unwrap();
    fs::create_dir(work.join("tree")).unwrap();
    set_mode(&work.join("tree"), mode(&home.join("probe")));
    for name in ["one", "two", "three"] {
        fs::write(work.join("tree").join(name), "data").unwrap();
        set_mode(&work.join("tree").join(name), mode(&home.join("probe/file")));
    }
    let set = || server.log().count(&["verb=\"set-attributes\""]);
    classic(&server).args(["put", "-r", "tree"]).run().ok();
    assert_eq!(set(), 4, "times alone: of three files, and of their directory");
    set_mode(&work.join("tree/two"), 0o611);
    classic(&server).args(["put", "-r", "tree", "other"]).run().ok();
    assert_eq!(set(), 9, "the same, and one mode");
    assert_eq!(tree(&work.join("tree")), tree(&home.join("other")));
}

#[test]
fn who_may_only_add_brings_a_tree_without_a_failure() {
    let server = Server::builder().classic().start();
    let (home, work) = (server.home(CAROL), server.work());
    fs::create_dir_all(work.join("tree/sub")).unwrap();
    fs::write(work.join("tree/sub/file"), "data").unwrap();
    set_mode(&work.join("tree/sub/file"), 0o640);
    set_mode(&work.join("tree/sub"), 0o700);
    let target = format!("ftp://carol@{}/", server.classic_address());
    let native = || server.client(CAROL);
    let classic = server.client(CAROL).tls(true).target(target);
    // Without a place to look at first, all is sent before the server's welcome is heard.
    for (client, words, lost) in
        [(native(), &["tree"][..], 2), (native(), &["tree", "native"], 2), (classic, &["tree", "classic"], 3)]
    {
        let ran = client.args(["put", "-r"]).args(words).run().ok();
        let to = words.last().unwrap();
        ran.told(&format!("{to}: {lost} without their own modes or times"));
        assert_eq!(fs::read(home.join(to).join("sub/file")).unwrap(), b"data");
    }
    assert_eq!(mode(&home.join("native/sub/file")), 0o640);
}
