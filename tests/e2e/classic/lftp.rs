//! lftp: whole trees both ways, several connections at once, and what can be done to files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use e2e::{ALICE, Ran, Server, bytes};

use super::{FILES, MIB, ODD, assert_files, assert_same, content, furnished, tool};

const PLAIN: &str = "set ftp:ssl-allow no;";
const TLS: &str = "set ftp:ssl-force yes; set ssl:verify-certificate no;";
const ACTIVE: &str = "set ftp:ssl-allow no; set ftp:passive-mode no;";
const ACTIVE_TLS: &str = "set ftp:ssl-force yes; set ssl:verify-certificate no; set ftp:passive-mode no;";

/// A run of these commands as alice; the first that fails ends it.
#[track_caller]
fn lftp(server: &Server, settings: &str, commands: &str) -> Ran {
    let settings = format!("set cmd:fail-exit yes; set net:max-retries 1; set net:timeout 60; {settings}");
    let login = format!("{},{}", ALICE.name, ALICE.password);
    let address = format!("ftp://{}", server.classic_address());
    let commands = format!("{settings} open -u {login} {address}; {commands}; bye");
    tool("lftp", server).args(["--norc", "-c", &commands]).run()
}

/// Each file beneath a directory, by its path from there.
fn tree(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = e2e::snapshot(directory).into_keys().filter(|path| path.is_file());
    files.map(|path| (path.strip_prefix(directory).unwrap().to_owned(), fs::read(&path).unwrap())).collect()
}

/// 200 small files in 10 directories, and an odd name among them.
fn plant(mut write: impl FnMut(&str, &[u8])) {
    for number in 0..200 {
        write(&format!("tree/d{}/sub/f{number}", number % 10), &bytes(number * 7, number as u64));
    }
    for name in ODD {
        write(&format!("tree/{name}/{name}"), name.as_bytes());
    }
}

#[test]
fn trees_there_and_back() {
    for settings in [PLAIN, TLS] {
        let server = furnished(Server::builder());
        plant(|path, content| drop(server.write_work(path, content)));
        lftp(&server, settings, "mirror -R -P 8 tree up").ok();
        let (here, there) = (server.work().join("tree"), server.home(ALICE).join("up"));
        assert!(tree(&here) == tree(&there) && tree(&here).len() == 203);
        lftp(&server, settings, "mirror -P 8 up back").ok();
        assert!(tree(&here) == tree(&server.work().join("back")));

        // What is the same is not sent again; what has changed, is gone or new is made the same.
        let times_there = |path: &str| fs::metadata(there.join(path)).unwrap().modified().unwrap();
        let before = times_there("d1/sub/f1");
        fs::remove_dir_all(here.join("d3")).unwrap();
        fs::write(here.join("d2/sub/f2"), b"changed").unwrap();
        fs::write(here.join("new"), b"new").unwrap();
        lftp(&server, settings, "mirror -R -P 8 --delete tree up").ok();
        assert!(tree(&here) == tree(&there));
        assert_eq!(times_there("d1/sub/f1"), before);
    }
}

#[test]
fn files_both_ways_by_every_way_to_a_data_connection() {
    for settings in [
        PLAIN,
        TLS,
        ACTIVE,
        ACTIVE_TLS,
        "set ftp:ssl-allow no; set ftp:prefer-epsv no;",
        "set ftp:ssl-allow no; set ftp:use-mlsd no; set ftp:use-feat no; set ftp:sync-mode no;",
    ] {
        let server = furnished(Server::builder());
        let names = FILES.map(|(name, _)| name).join(" ");
        fs::create_dir(server.work().join("got")).unwrap();
        lftp(&server, settings, &format!("cd there; lcd got; mget -P 4 {names}")).ok();
        assert_files(&server.work().join("got"));
        lftp(&server, settings, &format!("mkdir up; cd up; lcd here; mput -P 4 {names}")).ok();
        assert_files(&server.home(ALICE).join("up"));
    }
}

#[test]
fn in_pieces_and_resumed() {
    for settings in [PLAIN, TLS] {
        let server = furnished(Server::builder());
        let big = content("big");
        lftp(&server, settings, "pget -n 4 there/big -o pieces").ok();
        assert_same(&server.work().join("pieces"), &big);
        server.write_work("part", &big[..MIB + 1]);
        lftp(&server, settings, "get -c there/big -o part").ok();
        assert_same(&server.work().join("part"), &big);
        server.write_work("again", &big[..MIB]);
        lftp(&server, settings, "reget there/big -o again").ok();
        assert_same(&server.work().join("again"), &big);
        server.write("alice/part", &big[..MIB + 1]);
        lftp(&server, settings, "reput here/big -o part").ok();
        assert_same(&server.home(ALICE).join("part"), &big);
    }
}

#[test]
fn what_is_done_to_files() {
    for settings in [PLAIN, TLS] {
        let server = furnished(Server::builder());
        let home = server.home(ALICE);
        lftp(&server, settings, "mkdir -p a/b/c; mv there/one a/b/c/moved; chmod 640 a/b/c/moved").ok();
        assert_same(&home.join("a/b/c/moved"), &content("one"));
        assert_eq!(fs::metadata(home.join("a/b/c/moved")).unwrap().permissions().mode() & 0o777, 0o640);
        lftp(&server, settings, "cls -1 a/b/c").ok().wrote("a/b/c/moved\n");
        lftp(&server, settings, "cd there; cls -1").ok().wrote("big\nblock\nempty\n");
        lftp(&server, settings, "cls -1 there/b*").ok().wrote("there/big\nthere/block\n");
        let names = lftp(&server, settings, "nlist there/b*").ok().text();
        assert_eq!(names.lines().collect::<BTreeSet<_>>(), BTreeSet::from(["there/big", "there/block"]));
        let sizes = lftp(&server, settings, "cls -s --block-size=1 there").ok().text();
        assert!(sizes.contains("65537 there/block"), "{sizes}");
        let long = lftp(&server, settings, "ls there").ok().text();
        assert!(long.lines().any(|line| line.starts_with("-rw") && line.ends_with(" block")), "{long}");
        lftp(&server, settings, "cat there/block | md5sum")
            .ok()
            .wrote(&format!("{}  -\n", e2e::md5(&content("block"))));
        lftp(&server, settings, "rm there/empty; rm -r a; mrm there/b*; rmdir there").ok();
        assert_eq!(fs::read_dir(&home).unwrap().count(), 0);
        lftp(&server, settings, "get missing -o x").fails(1).told("550");
        lftp(&server, settings, "rm missing").fails(1).told("550");
        lftp(&server, settings, "cd missing").fails(1).told("550");
    }
}

#[test]
fn a_wrong_password_is_refused() {
    let server = furnished(Server::builder());
    for settings in [PLAIN, TLS] {
        let commands = format!(
            "set net:max-retries 1; {settings} open -u alice,wrong ftp://{}; ls",
            server.classic_address()
        );
        tool("lftp", &server).args(["--norc", "-c", &commands]).run().fails(1).told("530");
    }
}

/// And every data connection resumes its control connection's session.
#[test]
fn implicit_tls() {
    let server = furnished(Server::builder().implicit().resumption());
    let login = format!("{},{}", ALICE.name, ALICE.password);
    let open =
        format!("set ssl:verify-certificate no; open -u {login} ftps://{};", server.implicit_address());
    fs::create_dir(server.work().join("got")).unwrap();
    let commands = format!("set cmd:fail-exit yes; {open} mirror there got; mirror -R here up; bye");
    tool("lftp", &server).args(["--norc", "-c", &commands]).run().ok();
    assert_files(&server.work().join("got"));
    assert_files(&server.home(ALICE).join("up"));
}
