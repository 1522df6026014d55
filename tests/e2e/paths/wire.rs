//! Paths as bytes on the wire, which no client need have checked.

use std::fs;

use e2e::{ALICE, Heard, Raw, Server, snapshot};
use proto::{Command, Failure, Kind, Message, Reply};

use super::{Canary, SECRET};

/// Ways to write the canary's path that climb, in every spelling. In a home, all of them stay inside.
const CLIMBING: &[&str] = &[
    "../canary/secret",
    "../../canary/secret",
    "/../canary/secret",
    "/../../../../../../../../canary/secret",
    "./../canary/secret",
    ".././canary/secret",
    "..//canary//secret",
    "//..//canary/secret",
    "sub/../../canary/secret",
    "sub/inner/../../../canary/secret",
    "missing/../../canary/secret",
    "/canary/secret",
    "../homes/../canary/secret",
    "../bob/../../canary/secret",
];

/// Spellings that mean nothing special here: names like any others, which nothing has.
const NAMES: &[&str] = &[
    "..\\canary\\secret",
    "%2e%2e/canary/secret",
    "..%2fcanary%2fsecret",
    "..;/canary/secret",
    ".../canary/secret",
    "....//canary/secret",
    "~/canary/secret",
    "~root/secret",
    "file:///etc/passwd",
    "C:\\canary",
    "$PWD/../canary",
    "\u{2025}/canary/secret",
    "\u{ff0e}\u{ff0e}/canary/secret",
    "\u{2215}etc",
];

/// What cannot be a name.
fn invalid() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = [
        &b"\0"[..],
        b"file\0",
        b"file\0.txt",
        b"../canary/secret\0.txt",
        b"\xff",
        b"sub/\xfe\xff/x",
        b"\xc0\xae\xc0\xae/canary/secret", // an overlong ..
        b"..\xc0\xafcanary",               // an overlong /
        b"\xed\xa0\x80",                   // half a surrogate pair
        b".ftpd~",
        b".ftpd~0123456789ab",
        b"sub/.ftpd~x",
        b".ftpd~x/../file",
    ]
    .map(<[u8]>::to_vec)
    .into();
    all.push(vec![b'x'; 256]);
    all.push([&[b'x'; 256][..], b"/../file"].concat());
    all.push("\u{1f980}".repeat(64).into_bytes());
    all.push([b'/'; 4097].to_vec());
    all.push(b"a/".repeat(2049)[..4097].to_vec());
    all
}

/// Every command about `path`.
fn commands(path: &[u8]) -> Vec<Command> {
    let path = path.to_vec();
    vec![
        Command::Stat { path: path.clone() },
        Command::List { path: path.clone() },
        Command::Walk { path: path.clone() },
        Command::Cd { path: path.clone() },
        Command::Get { path: path.clone(), first_block: 0 },
        Command::Md5 { path: path.clone() },
        Command::Root { path: path.clone() },
        Command::Remove { path: path.clone() },
        Command::Rmdir { path: path.clone() },
        Command::SetAttributes { path: path.clone(), modified: None, mode: Some(0o777) },
        Command::Rename { from: path.clone(), to: b"taken".to_vec() },
        Command::Rename { from: b"file".to_vec(), to: path.clone() },
        Command::Mkdir { path: path.clone() },
        Command::Link { path: path.clone(), target: b"file".to_vec() },
        Command::Put { path, size: 3 },
    ]
}

/// What came of a command, with all that belongs to it.
fn outcome(raw: &mut Raw, command: Command) -> Result<(), Failure> {
    let reply = match command {
        Command::Put { path, .. } => {
            raw.send_put(path, b"new");
            raw.reply()
        }
        command => raw.ask(command),
    };
    match reply {
        Reply::Refused(failure) => Err(failure),
        Reply::Sending { .. } | Reply::Listing => panic!("it was opened"),
        _ => Ok(()),
    }
}

fn furnished() -> Server {
    let server = Server::start();
    server.write("alice/file", b"inside");
    server.write("alice/sub/inner", b"inside");
    server
}

#[test]
fn what_cannot_be_a_name_is_invalid_in_every_command() {
    let server = furnished();
    let canary = Canary::beside(&server);
    let before = snapshot(server.homes());
    let mut raw = server.logged_in(ALICE);
    for path in invalid() {
        for command in commands(&path) {
            let what = format!("{command:?}");
            let failure = outcome(&mut raw, command).expect_err(&what);
            assert_eq!(failure.kind, Kind::InvalidName, "{what}");
        }
    }
    assert_eq!(snapshot(server.homes()), before);
    canary.untouched();
}

#[test]
fn what_climbs_or_only_looks_so_finds_nothing() {
    let server = furnished();
    let canary = Canary::beside(&server);
    let before = snapshot(server.homes());
    let mut raw = server.logged_in(ALICE);
    for path in CLIMBING.iter().chain(NAMES) {
        for command in commands(path.as_bytes()) {
            let what = format!("{command:?}");
            match (command.clone(), outcome(&mut raw, command)) {
                (_, Err(failure)) => assert_eq!(failure.kind, Kind::NotFound, "{what}"),
                // A name of one part can be made. It is inside, and then gone again.
                (Command::Put { path, .. } | Command::Link { path, .. }, Ok(())) => {
                    raw.ask(Command::Remove { path }).done()
                }
                (Command::Mkdir { path }, Ok(())) => raw.ask(Command::Rmdir { path }).done(),
                (Command::Rename { to, .. }, Ok(())) => {
                    raw.ask(Command::Rename { from: to, to: b"file".to_vec() }).done();
                }
                (_, Ok(())) => panic!("{what} was done"),
            }
        }
    }
    let (mut after, mut then) = (snapshot(server.homes()), before);
    let home = server.home(ALICE);
    for seen in [after.get_mut(&home), then.get_mut(&home)] {
        seen.unwrap().modified = (0, 0); // names came and went
    }
    assert_eq!(after, then);
    canary.untouched();
}

#[test]
fn a_climb_ends_at_the_home() {
    let server = furnished();
    let canary = Canary::beside(&server);
    let mut raw = server.logged_in(ALICE);
    for path in ["..", "../..", "/..", "/../../sub/..", "sub/../..", "", "/", ".", "./", "//"] {
        let reply = raw.ask(Command::Cd { path: path.into() });
        assert_eq!(reply, Reply::Directory { path: b"/".to_vec() }, "{path}");
    }
    for path in ["../file", "/../../file", "sub/../../../file"] {
        assert_eq!(raw.get(path).unwrap(), b"inside");
    }
    raw.send_put("../../canary2", b"new");
    assert!(matches!(raw.reply(), Reply::Stored { .. }));
    assert_eq!(server.read("alice/canary2"), b"new");
    canary.untouched();
}

#[test]
fn the_home_itself_stays() {
    let server = furnished();
    let mut raw = server.logged_in(ALICE);
    for path in ["/", ".", "..", "", "sub/.."] {
        for command in [
            Command::Remove { path: path.into() },
            Command::Rmdir { path: path.into() },
            Command::Rename { from: path.into(), to: b"moved".to_vec() },
            Command::Rename { from: b"file".to_vec(), to: path.into() },
            Command::Get { path: path.into(), first_block: 0 },
            Command::Md5 { path: path.into() },
            Command::Root { path: path.into() },
            Command::Put { path: path.into(), size: 3 },
            Command::Mkdir { path: path.into() },
        ] {
            let what = format!("{command:?}");
            outcome(&mut raw, command).expect_err(&what);
        }
    }
    assert_eq!(raw.get("file").unwrap(), b"inside");
}

#[test]
fn absolute_paths_of_the_system_are_names_in_the_home() {
    let server = furnished();
    for path in ["/etc/passwd", "/proc/self/environ", "/dev/zero", "/root"] {
        for verb in ["cat", "stat", "ls", "md5"] {
            server.ftp(&[verb, path]).fails(6).wrote("");
        }
    }
}

#[test]
fn a_path_of_the_greatest_length_works() {
    let server = furnished();
    let mut raw = server.logged_in(ALICE);
    let path = ["/".repeat(4096 - 4), "file".into()].concat();
    assert_eq!(raw.get(&path).unwrap(), b"inside");
    let deep = ["d".repeat(255), "e".repeat(255), "f".repeat(255)].join("/");
    let mut made = String::new();
    for part in deep.split('/') {
        made = format!("{made}/{part}");
        assert_eq!(raw.ask(Command::Mkdir { path: made.clone().into() }), Reply::Done);
    }
    raw.send_put(format!("{made}/{}", "g".repeat(255)), b"deep");
    assert!(matches!(raw.reply(), Reply::Stored { .. }));
    assert_eq!(fs::read(server.home(ALICE).join(deep).join("g".repeat(255))).unwrap(), b"deep");
}

#[test]
fn names_in_the_log_are_escaped() {
    let server = furnished();
    let mut raw = server.logged_in(ALICE);
    for path in
        [&b"\x1b[31mred"[..], b"two\nlines", b"\xff\xfe", "\u{202e}back".as_bytes(), b"\" result=\"ok"]
    {
        raw.tell(&Message::Command(Command::Stat { path: path.to_vec() }));
        raw.refusal();
    }
    for shown in ["x1b[31mred", "two\\\\nlines", "xff", "u{202e}back", "\\\" result="] {
        server.log().wait_for(shown);
    }
    let mut stranger = Raw::greeted(server.address());
    stranger.send_login("\x1b]0;owned\x07\nroot", "x");
    stranger.refusal();
    server.log().wait_for_all(&["verb=\"login\"", "owned"]);
    assert_eq!(stranger.ask(Command::Quit), Reply::Goodbye);
    assert_eq!(stranger.hear(), Heard::End);
    assert!(!server.log().text().as_bytes().windows(SECRET.len()).any(|window| window == SECRET));
}

/// For a reply that must say that it is done.
trait Done {
    fn done(self);
}

impl Done for Reply {
    #[track_caller]
    fn done(self) {
        assert_eq!(self, Reply::Done);
    }
}
