//! NcFTP's programs for scripts: ncftpget, ncftpput and ncftpls.

use std::fs;

use e2e::{ALICE, Server};

use super::{FILES, MIB, assert_files, assert_same, content, furnished, tool};

/// The words that say whom to talk to, and the host.
fn login(server: &Server) -> [String; 7] {
    let address = server.classic_address();
    ["-u", ALICE.name, "-p", ALICE.password, "-P", &address.port().to_string(), &address.ip().to_string()]
        .map(str::to_owned)
}

#[test]
fn files_and_trees_both_ways() {
    for way in ["-F", "-E"] {
        let server = furnished(Server::builder());
        let ncftp = |program: &str, options: &[&str], words: &[&str]| {
            tool(program, &server).arg(way).args(options).args(login(&server)).args(words).run().ok()
        };
        let (here, there) =
            (FILES.map(|(name, _)| format!("here/{name}")), FILES.map(|(name, _)| format!("there/{name}")));
        let all = |names: &'_ [String; 4], before: &'_ str| -> Vec<String> {
            [before.to_owned()].into_iter().chain(names.iter().cloned()).collect()
        };
        fs::create_dir(server.work().join("got")).unwrap();
        let words = all(&there, "got");
        ncftp("ncftpget", &["-V"], &words.iter().map(String::as_str).collect::<Vec<_>>());
        assert_files(&server.work().join("got"));
        let words = all(&here, "up");
        ncftp("ncftpput", &["-V", "-m"], &words.iter().map(String::as_str).collect::<Vec<_>>());
        assert_files(&server.home(ALICE).join("up"));

        ncftp("ncftpget", &["-V", "-R"], &["tree", "there"]);
        assert_files(&server.work().join("tree/there"));
        ncftp("ncftpput", &["-V", "-R", "-m"], &["tree", "here"]);
        assert_files(&server.home(ALICE).join("tree/here"));

        // It goes on where it stopped, unless told otherwise.
        server.write_work("got/big", &content("big")[..MIB]);
        ncftp("ncftpget", &["-V", "-z"], &["got", "there/big"]);
        assert_same(&server.work().join("got/big"), &content("big"));
        ncftp("ncftpput", &["-V", "-A"], &["up", "here/block"]);
        assert_same(&server.home(ALICE).join("up/block"), &[content("block"), content("block")].concat());
        ncftp("ncftpget", &["-V", "-c"], &["there/one"]).wrote(&String::from_utf8_lossy(&content("one")));
        ncftp("ncftpget", &["-V", "-DD"], &["got", "there/one"]);
        assert!(!server.home(ALICE).join("there/one").exists());
    }
}

#[test]
fn listings() {
    let server = furnished(Server::builder());
    let address = server.classic_address();
    let ncftpls = |options: &[&str], path: &str| {
        let login = &login(&server)[..6];
        let url = format!("ftp://{}/{path}", address.ip());
        tool("ncftpls", &server).args(options).args(login).arg(url).run()
    };
    assert_eq!(ncftpls(&["-1"], "there/").ok().text().split_whitespace().collect::<Vec<_>>().len(), 4);
    let long = ncftpls(&["-l"], "there/").ok().text();
    for (name, len) in FILES {
        let shown = |line: &str| line.ends_with(&format!(" {name}")) && line.contains(&format!(" {len} "));
        assert!(long.lines().any(shown), "{long}");
    }
}

#[test]
fn a_wrong_password_is_refused() {
    let server = furnished(Server::builder());
    let address = server.classic_address();
    let port = address.port().to_string();
    let words = [
        "-V",
        "-r",
        "1",
        "-u",
        "alice",
        "-p",
        "wrong",
        "-P",
        &port,
        &address.ip().to_string(),
        ".",
        "there/one",
    ]
    .map(str::to_owned);
    tool("ncftpget", &server).args(words).run().fails(1).told("was not accepted for login");
}
