//! What each access may do: every command of the wire, and every verb of the client, with every access.

use std::fs;

use e2e::{ALICE, BOB, CAROL, Heard, QUINN, Raw, Server, User, bytes, snapshot};
use proto::{Command, Failure, Kind, Message, Part, Reply, Time};

const USERS: [User; 3] = [ALICE, BOB, CAROL];

/// Who may do something.
#[derive(Clone, Copy)]
struct May {
    read: bool,
    write: bool,
    drop: bool,
}

const ALL_MAY: May = May { read: true, write: true, drop: true };
const TO_SEE: May = May { read: true, write: true, drop: false };
const TO_ADD: May = May { read: false, write: true, drop: true };
const TO_CHANGE: May = May { read: false, write: true, drop: false };

impl May {
    fn of(self, user: User) -> bool {
        match user.access {
            "read" => self.read,
            "write" => self.write,
            "drop" => self.drop,
            other => panic!("no access is called {other}"),
        }
    }
}

/// Empties the home and furnishes it anew: the same for everybody.
fn furnish(server: &Server, user: User) {
    for entry in fs::read_dir(server.home(user)).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    }
    server.write(&format!("{}/file", user.name), b"content");
    server.write(&format!("{}/full/inner", user.name), b"inner");
    fs::create_dir(server.home(user).join("empty")).unwrap();
}

/// Who may send a command, once logged in. No wildcard: a new command does not build until it is said here.
fn may_send(command: &Command) -> May {
    match command {
        Command::Hello { .. } | Command::Login { .. } | Command::Enter { .. } | Command::Quit => {
            unreachable!("not about files")
        }
        Command::Pwd
        | Command::Cd { .. }
        | Command::CdUp
        | Command::Ticket
        | Command::PutParts { .. }
        | Command::Publish { .. }
        | Command::Leave { .. } => ALL_MAY,
        Command::List { .. }
        | Command::Walk { .. }
        | Command::Stat { .. }
        | Command::Get { .. }
        | Command::Resume { .. }
        | Command::Md5 { .. }
        | Command::GetTree { .. }
        | Command::Root { .. }
        | Command::Digests { .. }
        | Command::GetParts { .. } => TO_SEE,
        Command::Put { .. }
        | Command::PutRest { .. }
        | Command::Kept { .. }
        | Command::Assemble { .. }
        | Command::Mkdir { .. }
        | Command::Target { .. }
        | Command::Link { .. } => TO_ADD,
        Command::Rmdir { .. }
        | Command::Remove { .. }
        | Command::Rename { .. }
        | Command::SetAttributes { .. } => TO_CHANGE,
    }
}

fn commands() -> Vec<Command> {
    let path = |path: &str| path.as_bytes().to_vec();
    vec![
        Command::Pwd,
        Command::Cd { path: path("full") },
        Command::CdUp,
        Command::List { path: path(".") },
        Command::Walk { path: path(".") },
        Command::GetTree { path: path("empty") },
        Command::Stat { path: path("file") },
        Command::Get { path: path("file"), first_block: 0 },
        Command::Md5 { path: path("file") },
        Command::Root { path: path("file") },
        Command::Put { path: path("new"), size: 3 },
        Command::Mkdir { path: path("made") },
        Command::Target { path: path("/full"), name: path("tree") },
        Command::Link { path: path("link"), target: path("file") },
        Command::Rmdir { path: path("empty") },
        Command::Remove { path: path("file") },
        Command::Rename { from: path("file"), to: path("moved") },
        Command::SetAttributes {
            path: path("file"),
            modified: Some(Time { seconds: 1, nanoseconds: 0 }),
            mode: Some(0o600),
        },
        Command::Resume { path: path("file"), first_block: 0, proof: e2e::end(b"").root },
        Command::Digests { path: path("file"), part: Part { first_block: 0, blocks: 1 }, version: None },
        Command::GetParts {
            path: path("file"),
            version: None,
            parts: vec![Part { first_block: 0, blocks: 1 }],
        },
        Command::Assemble { path: path("new"), size: 3, onto: None },
        Command::Kept { path: path("new") },
        Command::PutRest { path: path("new"), size: 3, first_block: 0, proof: e2e::end(b"").root },
    ]
}

/// Sends a command with all that belongs to it, and hears the answer to its end.
fn answer(raw: &mut Raw, command: Command) -> Result<(), Failure> {
    let reply = match command {
        Command::Get { .. } => return raw.get("file").map(drop),
        Command::Resume { .. } => {
            raw.tell(&Message::Command(command));
            return raw.file().map(drop);
        }
        Command::PutRest { .. } => {
            raw.tell(&Message::Command(command));
            raw.say(&e2e::data_frame(b"new"));
            raw.tell(&Message::End(e2e::end(b"new")));
            raw.reply()
        }
        Command::Put { .. } => {
            raw.send_put("new", b"new");
            raw.reply()
        }
        command => raw.ask(command),
    };
    match reply {
        Reply::Refused(failure) => Err(failure),
        Reply::Reading { .. } => loop {
            match raw.hear() {
                Heard::Message(Message::End(_)) => return Ok(()),
                Heard::Message(Message::Digests(_)) | Heard::Data(..) => {}
                other => panic!("{other:?}"),
            }
        },
        Reply::Listing => loop {
            match raw.hear() {
                Heard::Message(Message::Page(page)) if page.last => return Ok(()),
                Heard::Message(Message::Branch(branch)) if branch.last => return Ok(()),
                Heard::Message(Message::Page(_) | Message::Branch(_)) => {}
                other => panic!("{other:?}"),
            }
        },
        _ => Ok(()),
    }
}

#[test]
fn every_command_is_for_those_who_may() {
    let server = Server::start();
    for user in USERS {
        for command in commands() {
            furnish(&server, user);
            let before = snapshot(server.homes());
            let what = format!("{} {command:?}", user.access);
            let may = may_send(&command).of(user);
            let changes = may && !may_send(&command).read && !matches!(command, Command::Kept { .. });
            let mut raw = server.logged_in(user);
            match answer(&mut raw, command) {
                Ok(()) => assert!(may, "{what} was done"),
                Err(failure) => {
                    assert!(!may, "{what}: {failure}");
                    assert_eq!(failure.kind, Kind::Denied, "{what}");
                    assert!(failure.remedy.is_some(), "{what}");
                }
            }
            assert_eq!(snapshot(server.homes()) != before, changes, "{what}: what lies on the disk");
            assert!(
                matches!(raw.ask(Command::Cd { path: b"/".to_vec() }), Reply::Directory { .. }),
                "the session goes on after {what}"
            );
            assert_eq!(raw.ask(Command::Quit), Reply::Goodbye);
            raw.ends(); // and what it began with it
        }
    }
}

#[test]
fn every_verb_is_for_those_who_may() {
    let server = Server::start();
    server.write_work("local", b"new");
    let table: &[(&[&str], May)] = &[
        (&["pwd"], ALL_MAY),
        (&["cwd"], ALL_MAY),
        (&["cd", "full"], ALL_MAY),
        (&["cwd", "full"], ALL_MAY),
        (&["cd.."], ALL_MAY),
        (&["cdup"], ALL_MAY),
        (&["ls"], TO_SEE),
        (&["dir", "-l"], TO_SEE),
        (&["list", "-a", "full"], TO_SEE),
        (&["stat", "file"], TO_SEE),
        (&["get", "file", "fetched"], TO_SEE),
        (&["cat", "file"], TO_SEE),
        (&["md5", "file"], TO_SEE),
        (&["put", "local"], TO_ADD),
        (&["put", "local", "full/local"], TO_ADD),
        (&["mkdir", "made"], TO_ADD),
        (&["put", "local", "file"], TO_CHANGE),
        (&["rmdir", "empty"], TO_CHANGE),
        (&["rm", "file"], TO_CHANGE),
        (&["delete", "full/inner"], TO_CHANGE),
        (&["mv", "file", "moved"], TO_CHANGE),
        (&["rename", "file", "empty/"], TO_CHANGE),
    ];
    for user in USERS {
        for (words, may) in table {
            furnish(&server, user);
            let before = snapshot(server.homes());
            let ran = server.client(user).args(*words).run();
            if may.of(user) {
                ran.ok();
                drop(fs::remove_file(server.work().join("fetched"))); // if it is that which was done
                continue;
            }
            // That a name is taken is all that an account which may only add is told.
            let code = if user == CAROL && words == &["put", "local", "file"] { 1 } else { 7 };
            let ran = ran.fails(code);
            assert_eq!(ran.stdout, b"", "{words:?}");
            assert_eq!(snapshot(server.homes()), before, "{} {words:?} changed the disk", user.access);
            assert!(!server.work().join("fetched").exists());
        }
    }
}

#[test]
fn a_drop_box_takes_everything_and_gives_nothing_back() {
    let server = Server::start();
    let content = bytes(200_000, 1);
    server.write_work("gift", &content);
    let carol = |words: &[&str]| server.client(CAROL).args(words).run();
    carol(&["put", "gift"]).ok();
    assert_eq!(server.read("carol/gift"), content);
    server.write_work("gift", bytes(200_000, 2));
    carol(&["put", "gift"]).fails(1).told("it exists already");
    carol(&["mkdir", "inner"]).ok();
    carol(&["put", "gift", "inner/gift"]).ok();
    let before = snapshot(server.home(CAROL));
    for words in [
        &["get", "gift", "back"][..],
        &["cat", "gift"],
        &["stat", "gift"],
        &["md5", "gift"],
        &["ls"],
        &["ls", "inner"],
        &["rm", "gift"],
        &["mv", "gift", "other"],
        &["rmdir", "inner"],
    ] {
        let ran = carol(words).fails(7).told("this account may not ");
        assert_eq!(ran.stdout, b"");
    }
    assert_eq!(snapshot(server.home(CAROL)), before);
    assert_eq!(server.read("carol/gift"), content);
    assert!(!server.work().join("back").exists());
}

#[test]
fn a_file_that_appears_meanwhile_is_not_replaced_by_a_drop() {
    let server = Server::start();
    let mut raw = server.logged_in(CAROL);
    let watch = e2e::Watch::new(server.home(CAROL));
    raw.tell(&Message::Command(Command::Put { path: b"gift".to_vec(), size: 3 }));
    watch.wait_for_stage();
    server.write("carol/gift", b"first");
    raw.say(&e2e::data_frame(b"new"));
    raw.tell(&Message::End(e2e::end(b"new")));
    assert_eq!(raw.refusal().kind, Kind::Exists);
    watch.wait_for_no_stage();
    assert_eq!(server.read("carol/gift"), b"first");
}

#[test]
fn homes_are_apart() {
    let server = Server::start();
    for user in [ALICE, BOB, CAROL, QUINN] {
        server.write(&format!("{}/of-{}", user.name, user.name), b"own");
    }
    server.ftp(&["ls"]).ok().wrote("of-alice\n");
    server.client(BOB).args(["ls"]).run().ok().wrote("of-bob\n");
    for path in ["../bob/of-bob", "/../bob/of-bob", "of-bob", "/of-bob", "/bob/of-bob"] {
        server.ftp(&["cat", path]).fails(6).wrote("");
    }
}

#[test]
fn what_the_file_system_forbids_is_denied_with_its_own_words() {
    use std::os::unix::fs::PermissionsExt;
    let server = Server::start();
    server.write("alice/locked/file", b"x");
    let locked = server.home(ALICE).join("locked");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
    // To root, permission bits say nothing: then it must work.
    let root = rustix::process::geteuid().is_root();
    for words in [["cat", "locked/file"], ["ls", "locked"], ["mkdir", "locked/new"]] {
        server.ftp(&words).fails(if root { 0 } else { 7 });
    }
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o700)).unwrap();
}
