//! Every verb, by each of its names, as one command of a shell.

mod names;
mod transfers;

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use e2e::{ALICE, Server};

/// 2001-02-03 04:05:06.123456789 UTC.
const MOMENT: Duration = Duration::new(981_173_106, 123_456_789);

fn moment() -> SystemTime {
    UNIX_EPOCH + MOMENT
}

/// Gives a file permission bits and the time [`MOMENT`].
fn dress(path: &Path, mode: u32) {
    File::open(path).unwrap().set_modified(moment()).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// A home with `hello`, a directory `sub` with `inner` in it, and a link to `hello`.
fn furnished() -> Server {
    let server = Server::start();
    server.write("alice/sub/inner", b"inner\n");
    dress(&server.write("alice/hello", b"hi\n"), 0o640);
    symlink("hello", server.home(ALICE).join("link")).unwrap();
    dress(&server.home(ALICE).join("sub"), 0o750);
    server
}

#[test]
fn what_only_looks_is_shown_in_its_format() {
    let server = furnished();
    let described = "name      hello\nkind      file\nsize      3\nmode      -rw-r----- (0640)\n\
                     modified  2001-02-03 04:05:06 +0000\n";
    let here = format!("{}\n", server.work().display());
    server.write_work("local", b"12345");
    dress(&server.work().join("local"), 0o600);
    let table: &[(&[&str], &str)] = &[
        (&["ls"], "hello\nlink\nsub\n"),
        (&["dir"], "hello\nlink\nsub\n"),
        (&["list"], "hello\nlink\nsub\n"),
        (&["ls", "-a", "/"], "hello\nlink\nsub\n"),
        (&["ls", "sub"], "inner\n"),
        (&["dir", "hello"], "hello\n"),
        (&["ls", "-l", "hello"], "-rw-r----- 3 Feb  3  2001 hello\n"),
        (&["list", "-la", "./sub/../hello"], "-rw-r----- 3 Feb  3  2001 hello\n"),
        (&["cd"], ""),
        (&["cd", "sub"], ""),
        (&["cwd", "sub"], ""),
        (&["cwd"], "/\n"),
        (&["pwd"], "/\n"),
        (&["cd.."], ""),
        (&["cdup"], ""),
        (&["cat", "hello"], "hi\n"),
        (&["cat", "link"], "hi\n"),
        (&["stat", "hello"], described),
        (&["md5", "hello"], "764efa883dda1e11db47671c4a3bbd9e  hello\n"),
        (&["md5", "/sub/inner"], "7720d86e3e282ffd4420f58ef736f620  /sub/inner\n"),
        (&["lcd", ".."], ""),
        (&["lpwd"], &here),
        (&["lls"], "local\n"),
        (&["lls", "-l", "local"], "-rw------- 5 Feb  3  2001 local\n"),
        (&["!echo $((6 * 7))"], "42\n"),
        (&["!", "echo", "a  b"], "a  b\n"),
        (&["quit"], ""),
        (&["q"], ""),
        (&["bye"], ""),
        (&["exit"], ""),
    ];
    for (words, shown) in table {
        let ran = server.ftp(words).ok().wrote(shown);
        assert_eq!(ran.stderr, "", "{words:?}");
    }
}

#[test]
fn a_long_listing_lines_up_and_tells_kinds() {
    let server = furnished();
    server.write("alice/sub/large", vec![0; 123_456]);
    dress(&server.home(ALICE).join("sub/large"), 0o604);
    dress(&server.home(ALICE).join("sub/inner"), 0o444);
    server.ftp(&["ls", "-l", "sub"]).ok().wrote(
        "-r--r--r--      6 Feb  3  2001 inner\n\
         -rw----r-- 123456 Feb  3  2001 large\n",
    );
    let all = server.ftp(&["dir", "-l"]).ok().text();
    let kinds: Vec<&str> = all.lines().map(|line| &line[..10]).collect();
    assert_eq!(kinds, ["-rw-r-----", "lrwxrwxrwx", "drwxr-x---"], "{all}");
}

#[test]
fn help_names_every_verb_and_explains_each() {
    let server = furnished();
    for verb in ["help", "?"] {
        let all = server.ftp(&[verb]).ok().text();
        for name in ["ls", "dir", "cd..", "get", "put", "cat", "rename", "md5", "lls", "!COMMAND", "bye"] {
            assert!(all.contains(name), "{name} is not in:\n{all}");
        }
        server
            .ftp(&[verb, "delete"])
            .ok()
            .wrote("rm [-r] PATH\n    remove a file; -r: a whole directory (also delete)\n");
    }
    server.ftp(&["help", "gte"]).fails(2).told("Did you mean get?");
}

#[test]
fn what_changes_is_done_on_the_disk() {
    let server = furnished();
    let home = server.home(ALICE);
    let there = |name: &str| home.join(name).symlink_metadata().is_ok();
    server.ftp(&["mkdir", "new"]).ok().wrote("");
    assert!(home.join("new").is_dir());
    server.ftp(&["mkdir", "new"]).fails(1).told("it exists already");
    server.ftp(&["mkdir", "missing/new"]).fails(6);
    server.ftp(&["mv", "hello", "hello2"]).ok().wrote("");
    server.ftp(&["rename", "hello2", "new"]).ok(); // into the directory
    server.ftp(&["mv", "new/hello", "new/"]).fails(6);
    assert_eq!(server.read("alice/new/hello2"), b"hi\n");
    server.ftp(&["rmdir", "new"]).fails(1).told("the directory is not empty");
    server.ftp(&["rm", "new"]).fails(1).told("it is a directory");
    server.ftp(&["rm", "new/hello2"]).ok();
    server.ftp(&["rmdir", "new/"]).ok().wrote("");
    assert!(!there("new"));
    server.ftp(&["delete", "link"]).ok();
    server.ftp(&["delete", "link"]).fails(6).told("no such file or directory");
    server.ftp(&["rmdir", "sub/inner"]).fails(1).told("it is not a directory");
    assert!(!there("link") && there("sub/inner"));
}

#[test]
fn a_batch_walks_through_directories() {
    let server = furnished();
    server.write("alice/sub/deep/file", b"");
    let batch =
        "pwd\ncd sub\ncwd\ncd ./deep/\npwd\nls\ncdup\ncwd\ncd..\npwd\ncd ../../..\npwd\ncwd sub\ncd\npwd\n";
    let shown = "/\n/sub\n/sub/deep\nfile\n/sub\n/\n/\n/\n";
    server.client(ALICE).option("-b").option("-").stdin(batch).run().ok().wrote(shown);
}

#[test]
fn an_empty_home_and_an_empty_directory_list_nothing() {
    let server = Server::start();
    server.ftp(&["ls"]).ok().wrote("");
    server.ftp(&["ls", "-la"]).ok().wrote("");
}

#[test]
fn a_large_directory_is_listed_whole() {
    let server = Server::start();
    let names: Vec<String> = (0..3000).map(|number| format!("file-{number:05}")).collect();
    names.iter().for_each(|name| drop(server.write(&format!("alice/{name}"), b"")));
    server.ftp(&["ls"]).ok().wrote(&(names.join("\n") + "\n"));
}
