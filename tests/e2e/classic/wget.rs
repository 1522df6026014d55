//! wget: files, whole trees, patterns, and what was begun.

use std::fs;

use e2e::{ALICE, Ran, Server};

use super::{MIB, ODD, assert_files, assert_same, content, furnished, tool};

#[track_caller]
fn wget(server: &Server, options: &[&str], path: &str) -> Ran {
    let url = format!("ftp://{}/{path}", server.classic_address());
    let (user, password) = (format!("--user={}", ALICE.name), format!("--password={}", ALICE.password));
    tool("wget", server)
        .args(["--no-config", "--no-verbose", "--tries=1", "--timeout=60", &user, &password])
        .args(options)
        .arg(url)
        .run()
}

#[test]
fn trees() {
    for options in [&[][..], &["--no-passive-ftp"]] {
        let server = furnished(Server::builder());
        for name in ODD {
            server.write(&format!("alice/there/below/{name}/{name}"), name);
        }
        server.write("alice/there/below/deep/er/file", b"x");
        wget(&server, &[&["-r", "-nH"], options].concat(), "there").ok();
        assert_files(&server.work().join("there"));
        assert_same(&server.work().join("there/below/deep/er/file"), b"x");
        for name in ODD {
            // wget escapes what is not ASCII in local names, unless told otherwise.
            let options = [&["-r", "-nH", "--restrict-file-names=nocontrol"], options].concat();
            wget(&server, &options, "there/below").ok();
            assert_same(&server.work().join("there/below").join(name).join(name), name.as_bytes());
        }
    }
}

#[test]
fn files_patterns_and_what_was_begun() {
    let server = furnished(Server::builder());
    wget(&server, &["-nv", "-P", "matched"], "there/b*").ok();
    let names = fs::read_dir(server.work().join("matched")).unwrap();
    let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["big", "block"]);
    assert_same(&server.work().join("matched/big"), &content("big"));

    server.write_work("big", &content("big")[..MIB]);
    wget(&server, &["-c"], "there/big").ok();
    assert_same(&server.work().join("big"), &content("big"));
    let sent = server.log().wait_for_all(&["verb=\"get\"", &format!("bytes={}", 2 * MIB)]);
    assert!(sent.contains("result=\"ok\""), "what it had was not sent again: {sent}");

    // By the time of the file: not fetched again.
    wget(&server, &["-N"], "there/block").ok();
    assert_same(&server.work().join("block"), &content("block"));
    let fetched = || server.log().count(&["verb=\"get\"", "path=\"block\""]);
    let before = fetched();
    wget(&server, &["-N"], "there/block").ok();
    assert_eq!(fetched(), before);

    wget(&server, &[], "there/missing").fails(8); // the server's answer
    let wrong = ["--password=wrong"];
    wget(&server, &wrong, "there/one").fails(6); // the login
}
