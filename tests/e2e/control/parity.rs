//! One scenario through both doors: the same tree on disk, the same refusals, the same log.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use e2e::{ALICE, BOB, CAROL, Control, QUINN, Server, User, bytes, snapshot};

use super::server;

/// What is done, by whom: the words of `ftp`, the lines of classic FTP.
const STEPS: [(User, &[&str], &[&str]); 18] = [
    (ALICE, &["mkdir", "dir"], &["MKD dir"]),
    (ALICE, &["mkdir", "dir"], &["MKD dir"]),
    (ALICE, &["put", "file", "dir/a"], &["STOR dir/a"]),
    (ALICE, &["put", "file", "dir/b"], &["STOR dir/b"]),
    (ALICE, &["mv", "dir/b", "dir/c"], &["RNFR dir/b", "RNTO dir/c"]),
    (ALICE, &["rm", "dir/missing"], &["DELE dir/missing"]),
    (ALICE, &["rmdir", "dir"], &["RMD dir"]),
    (ALICE, &["put", "file", "out/x"], &["STOR out/x"]),
    (ALICE, &["put", "file", ".ftpd~x"], &["STOR .ftpd~x"]),
    (ALICE, &["cat", "dir/a"], &["RETR dir/a"]),
    (ALICE, &["cat", "../../etc/passwd"], &["RETR ../../etc/passwd"]),
    (ALICE, &["rm", "dir/c"], &["DELE dir/c"]),
    (BOB, &["put", "file", "new"], &["STOR new"]),
    (BOB, &["mkdir", "new"], &["MKD new"]),
    (CAROL, &["put", "file", "new"], &["STOR new"]),
    (CAROL, &["put", "file", "new"], &["STOR new"]),
    (CAROL, &["ls"], &["LIST"]),
    (QUINN, &["put", "file", "large"], &["STOR large"]),
];

/// What the log has of each request: who, verb, path, and whether it was done.
fn requests(server: &Server) -> Vec<(String, String, String, bool)> {
    let field = |line: &str, name: &str| {
        let value = line.split_once(&format!("{name}=\"")).map_or("", |(_, rest)| rest);
        value.split('"').next().unwrap_or_default().to_owned()
    };
    let text = server.log().text();
    let lines = text.lines().filter(|line| line.contains(" request ") && !line.contains("verb=\"login\""));
    lines
        .map(|line| {
            (field(line, "who"), field(line, "verb"), field(line, "path"), field(line, "result") == "ok")
        })
        .filter(|(_, verb, _, _)| !["hello", "pwd", "quit"].contains(&verb.as_str()))
        .collect()
}

/// Every file and directory beneath the homes: permission bits and contents.
fn tree(server: &Server) -> BTreeMap<PathBuf, (u32, String)> {
    let homes = server.homes();
    let seen = snapshot(&homes).into_iter();
    seen.map(|(path, seen)| (path.strip_prefix(&homes).unwrap().to_owned(), (seen.mode, seen.content)))
        .collect()
}

#[test]
fn both_doors_lead_into_the_same_house() {
    let content = bytes(2 << 20, 1);
    let (one, _) = server();
    one.write_work("file", &content);
    let native: Vec<bool> =
        STEPS.iter().map(|(user, words, _)| one.client(*user).args(*words).run().code == 0).collect();

    let (other, address) = server();
    let mut done = Vec::new();
    for (user, _, lines) in STEPS {
        let mut control = Control::connect(address).log_in(user);
        let mut code = 0;
        for line in lines {
            let verb = line.split(' ').next().unwrap();
            let wants_data = ["STOR", "RETR", "LIST"].contains(&verb);
            let data = wants_data.then(|| control.data());
            code = control.ask(line).0;
            if code == 150 {
                let mut data = data.unwrap();
                match verb {
                    "STOR" => _ = std::io::Write::write_all(&mut data, &content),
                    _ => assert_eq!(
                        std::io::Read::read_to_end(&mut data, &mut Vec::new()).unwrap(),
                        content.len()
                    ),
                }
                drop(data);
                code = control.reply().0;
            }
            if code >= 400 {
                break;
            }
        }
        control.told("QUIT", 221);
        assert!(control.ends());
        done.push(code < 400);
    }
    assert_eq!(native, done);
    assert_eq!(tree(&one), tree(&other));
    let (first, second) = (requests(&one), requests(&other));
    // The client lists once more than it is told to, and a rename that ends with RNFR is told by nobody: compare what changes.
    let changes = |requests: &[(String, String, String, bool)]| {
        let kept = requests.iter().filter(|(_, verb, ..)| !["list", "cd", "stat"].contains(&verb.as_str()));
        kept.cloned().collect::<Vec<_>>()
    };
    assert_eq!(changes(&first), changes(&second));
    assert_eq!(first.iter().map(|request| &request.0).collect::<BTreeSet<_>>().len(), 4);
}
