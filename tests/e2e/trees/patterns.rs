//! `mget` and `mput`.

use std::fs;
use std::os::unix::fs::symlink;

use e2e::{ALICE, Server};

use super::{classic, contents};

const FILES: [&str; 7] = ["a.c", "b.c", "c.h", "src/x.c", "src/deep/y.c", "src/deep/z.h", "odd[1].c"];

/// What each pattern gives.
const PATTERNS: [(&[&str], &[&str]); 9] = [
    (&["*.c"], &["a.c", "b.c", "odd[1].c"]),
    (&["?.c", "c.h"], &["a.c", "b.c", "c.h"]),
    (&["[ac].*"], &["a.c", "c.h"]),
    (&["{a,c}.?"], &["a.c", "c.h"]),
    (&["**/*.h"], &["c.h", "src/deep/z.h"]),
    (&["*/*.c"], &["src/x.c"]),
    (&["src/*"], &["x.c"]),
    (&["src/**/*.c"], &["deep/y.c", "x.c"]),
    (&["odd\\[1].c"], &["odd[1].c"]),
];

#[test]
fn patterns_fetch_what_they_match_at_both_doors() {
    let server = Server::builder().classic().start();
    for file in FILES {
        server.write(&format!("alice/{file}"), file);
    }
    for (patterns, wanted) in PATTERNS {
        for native in [true, false] {
            let place = server.work().join("place");
            fs::create_dir(&place).unwrap();
            let client = if native { server.client(ALICE) } else { classic(&server) };
            client.directory(&place).variable("HOME", server.work()).args(["mget"]).args(patterns).run().ok();
            let mut files: Vec<String> = contents(&place)
                .into_keys()
                .filter(|path| place.join(path).is_file())
                .map(|path| path.display().to_string())
                .filter(|path| !path.starts_with(".local"))
                .collect();
            files.sort();
            assert_eq!(files, wanted, "{patterns:?} {native}");
            fs::remove_dir_all(&place).unwrap();
        }
    }
}

#[test]
fn patterns_send_what_they_match() {
    let server = Server::start();
    for file in FILES {
        server.write_work(&format!("local/{file}"), file);
    }
    for (patterns, wanted) in PATTERNS {
        let client = server.client(ALICE).directory(&server.work().join("local"));
        client.args(["mput"]).args(patterns).run().ok();
        let home = server.home(ALICE);
        let files: Vec<String> = contents(&home)
            .into_keys()
            .filter(|path| home.join(path).is_file())
            .map(|path| path.display().to_string())
            .collect();
        assert_eq!(files, wanted, "{patterns:?}");
        for file in files {
            let top = file.split('/').next().unwrap();
            server.ftp(&["rm", "-r", top]); // of another file, it may be gone already
        }
    }
    // What a shell has put in the place of a pattern is a name.
    let client = server.client(ALICE).directory(&server.work().join("local"));
    client.args(["mput", "odd[1].c", "a.c"]).run().ok();
    assert!(server.home(ALICE).join("odd[1].c").exists());
}

#[test]
fn a_pattern_that_matches_nothing_is_not_found() {
    let server = Server::builder().classic().start();
    server.write("alice/a.c", "");
    server.write_work("a.c", "");
    for words in
        [&["mget", "*.x"][..], &["mput", "*.x"], &["mget", "none/*"], &["mput", "none/*"], &["mget", "b.c"]]
    {
        let ran = server.ftp(words).fails(6);
        assert!(
            ran.stderr.contains(words[1]) && ran.stderr.contains("ls shows what is there"),
            "{}",
            ran.stderr
        );
        classic(&server).args(words).run().fails(6);
    }
    for command in ["mget", "mput"] {
        server.ftp(&[command, "*.x", "*.c"]).fails(9).told("nothing matches '*.x'");
        server.ftp(&[command, "[a"]).fails(2).told("is no pattern");
        server.ftp(&[command]).fails(2);
    }
}

#[test]
fn a_link_that_a_pattern_names_gives_what_it_leads_to() {
    let server = Server::start();
    server.write("alice/sub/file", "there");
    symlink("sub/file", server.home(ALICE).join("link.c")).unwrap();
    server.ftp(&["mget", "*.c"]).ok();
    assert_eq!(server.read_work("link.c"), b"there");
    assert!(!server.work().join("link.c").is_symlink());
    server.write_work("up/file", "here");
    symlink("up/file", server.work().join("link.h")).unwrap();
    server.ftp(&["mput", "*.h"]).ok();
    assert_eq!(server.read("alice/link.h"), b"here");
}

#[test]
fn what_would_replace_a_file_of_the_same_command_is_told_and_stays() {
    let server = Server::builder().classic().start();
    let files = ["dir 1/f", "dir 1/g", "dir 2/f", "dir 2/h", "dir 2/sub/f"];
    for file in files {
        server.write(&format!("alice/{file}"), file);
        server.write_work(&format!("local/{file}"), file);
    }
    let local = server.work().join("local");
    let place = server.work().join("place");
    let wanted = [("f", "dir 1/f"), ("g", "dir 1/g"), ("h", "dir 2/h"), ("sub/f", "dir 2/sub/f")];
    let told = "dir 2/f: it would replace what this command brings from dir 1/f. Move it by itself";
    for native in [true, false] {
        let client = || if native { server.client(ALICE) } else { classic(&server) };
        fs::create_dir_all(&place).unwrap();
        let get = client().directory(&place).variable("HOME", server.work());
        let got = get.args(["mget", "dir 1/*", "dir 2/**"]).run().fails(9).told(told);
        got.told("1 of 5 could not be fetched");
        let put = client().directory(&local).variable("HOME", server.work());
        put.args(["mput", "dir 1/*", "dir 2/**"]).run().fails(9).told(told);
        for (name, content) in wanted {
            assert_eq!(fs::read(place.join(name)).unwrap(), content.as_bytes(), "{name} {native}");
            assert_eq!(server.read(&format!("alice/{name}")), content.as_bytes(), "{name} {native}");
            fs::remove_file(server.home(ALICE).join(name)).unwrap();
        }
        fs::remove_dir_all(&place).unwrap();
    }
    // Brought over what an earlier command brought, as ever.
    for _ in 0..2 {
        server.ftp(&["mget", "dir 1/f", "dir 2/h", "dir 2/sub/f"]).fails(9);
        server.ftp(&["mget", "dir 1/f", "dir 2/h"]).ok();
    }
}

#[test]
fn a_link_to_a_directory_is_passed_over_as_a_directory_is() {
    let server = Server::builder().classic().start();
    for root in [server.home(ALICE).join("dir"), server.work().join("dir")] {
        fs::create_dir_all(root.join("sub")).unwrap();
        fs::write(root.join("sub/file"), "deep").unwrap();
        fs::write(root.join("file"), "file").unwrap();
        symlink("sub", root.join("link")).unwrap();
        symlink("file", root.join("also")).unwrap();
        fs::create_dir(root.parent().unwrap().join("other")).unwrap();
        fs::write(root.parent().unwrap().join("other/link"), "a file").unwrap();
    }
    let place = server.work().join("place");
    for native in [true, false] {
        let client = || if native { server.client(ALICE) } else { classic(&server) };
        fs::create_dir(&place).unwrap();
        let get = |words: &[&str]| {
            client().directory(&place).variable("HOME", server.work()).args(["mget"]).args(words).run()
        };
        get(&["dir/*"]).ok().told("2 files");
        assert_eq!(fs::read(place.join("also")).unwrap(), b"file");
        assert!(!place.join("link").exists() && !place.join("also").is_symlink(), "{native}");
        get(&["dir/*", "other/*"]).ok().told("3 files");
        assert_eq!(fs::read(place.join("link")).unwrap(), b"a file", "its name was free");
        client().args(["mput", "dir/*", "other/*"]).run().ok().told("3 files");
        assert_eq!(server.read("alice/link"), b"a file");
        fs::remove_dir_all(&place).unwrap();
    }
    symlink("none", server.home(ALICE).join("dir/nowhere")).unwrap();
    symlink("none", server.work().join("dir/nowhere")).unwrap();
    for native in [true, false] {
        let client = || if native { server.client(ALICE) } else { classic(&server) };
        client()
            .args(["mget", "dir/*"])
            .run()
            .fails(9)
            .told("dir/nowhere: the link leads nowhere")
            .told("1 of 3 ");
        client()
            .args(["mput", "dir/*"])
            .run()
            .fails(9)
            .told("dir/nowhere: the link leads nowhere")
            .told("1 of 3 ");
    }
}
