//! Where a tree comes to: the server decides while the tree is on its way already.

mod lost;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use e2e::{ALICE, CAROL, Fake, Server, Terminal, Way, data_frame, end, frame, root, snapshot};
use proto::{Command, Failure, Kind, Message, Reply};

fn target(path: &str, name: &[u8]) -> Command {
    Command::Target { path: path.into(), name: name.to_vec() }
}

fn reply(path: &str, made: bool) -> Reply {
    Reply::Target { path: path.into(), made }
}

fn cd(path: &str) -> Command {
    Command::Cd { path: path.into() }
}

#[test]
fn a_tree_comes_into_a_directory_that_is_there_and_else_takes_its_place() {
    let server = Server::start();
    fs::create_dir(server.home(ALICE).join("there")).unwrap();
    symlink("there", server.home(ALICE).join("link")).unwrap();
    let mut raw = server.logged_in(ALICE);
    for (from, path, name, place, made) in [
        ("/", "new", "tree", "/new", true),
        ("/", "new", "tree", "/new/tree", true),
        ("/", "new/", "tree", "/new/tree", false),
        ("/new", ".", "tree", "/new/tree", false),
        ("/new", "", "", "/new", false),
        ("/new", "../there", "tree", "/there/tree", true),
        ("/there", "/", "there", "/there", false),
        ("/there", "/", "", "/", false),
        ("/", "link", "other", "/link/other", true),
        ("/", "named/", "", "/named", true),
    ] {
        raw.ask(cd(from));
        assert_eq!(raw.ask(target(path, name.as_bytes())), reply(place, made), "{from} {path} {name}");
        assert_eq!(raw.ask(Command::Pwd), Reply::Directory { path: place.into() });
        assert!(server.home(ALICE).join(&place[1..]).is_dir(), "{from} {path} {name}");
    }
    raw.ask(cd("/new"));
    raw.send_put("tree/file", b"data");
    assert!(matches!(raw.reply(), Reply::Stored { .. }));
    server.log().wait_for_all(&["verb=\"put\"", "path=\"/new/tree/file\""]);
    assert_eq!(server.log().count(&["verb=\"target\"", "path=\"/new/tree\"", "result=\"ok\""]), 3);
}

#[test]
fn behind_a_refused_target_nothing_comes_anywhere() {
    let server = Server::start();
    let home = server.home(ALICE);
    server.write("alice/file", "a file");
    server.write("alice/there/file", "another");
    symlink("gone", home.join("dangling")).unwrap();
    symlink("/tmp", home.join("out")).unwrap();
    let before = snapshot(&home);
    let long = "a".repeat(255) + "/";
    for (path, name, kind) in [
        ("file", b"tree".as_slice(), Kind::Exists),
        ("file/", b"tree", Kind::Exists),
        ("there", b"file", Kind::Exists),
        ("dangling", b"tree", Kind::Exists),
        ("file/new", b"tree", Kind::NotDirectory),
        ("none/new", b"tree", Kind::NotFound),
        ("out", b"tree", Kind::Denied),
        ("there", b"..", Kind::InvalidName),
        ("there", b".", Kind::InvalidName),
        ("there", b"a/b", Kind::InvalidName),
        ("there", b"/", Kind::InvalidName),
        ("there", b"a\0b", Kind::InvalidName),
        ("there", b"\xff", Kind::InvalidName),
        ("there", b".ftpd~1", Kind::InvalidName),
        (&long.repeat(16)[..4095], &[b'a'; 255], Kind::InvalidName),
        ("a\0b", b"tree", Kind::InvalidName),
    ] {
        let mut raw = server.logged_in(ALICE);
        raw.ask(cd("there"));
        // All in one flight, as clients send them.
        let put = |path: &str| {
            [
                frame(&Message::Command(Command::Put { path: path.into(), size: 4 })),
                data_frame(b"evil"),
                frame(&Message::End(end(b"evil"))),
            ]
            .concat()
        };
        let relative = [
            Command::Pwd,
            Command::CdUp,
            cd("."),
            Command::Ticket,
            Command::Mkdir { path: b"made".to_vec() },
            Command::Stat { path: b"".to_vec() },
            Command::Get { path: b"file".to_vec(), first_block: 0 },
            Command::GetTree { path: b".".to_vec() },
            Command::Root { path: b"file".to_vec() },
            Command::Kept { path: b"file".to_vec() },
            Command::Link { path: b"x".to_vec(), target: b"file".to_vec() },
            Command::Remove { path: b"file".to_vec() },
            Command::Rename { from: b"file".to_vec(), to: b"/moved".to_vec() },
            Command::Rename { from: b"/there/file".to_vec(), to: b"moved".to_vec() },
            Command::SetAttributes { path: b"".to_vec(), modified: None, mode: Some(0o700) },
            Command::Assemble { path: b"file".to_vec(), size: 1, onto: None },
            target("there", b"tree"),
        ];
        let mut flight = frame(&Message::Command(target(&format!("/{path}"), name)));
        flight.extend(put("file"));
        flight.extend(put("new"));
        flight.extend(relative.iter().flat_map(|command| frame(&Message::Command(command.clone()))));
        raw.say(&flight);
        let shown = format!("{path} {}", name.escape_ascii());
        assert_eq!(raw.refusal().kind, kind, "{shown}");
        for number in 0..2 + relative.len() {
            assert_eq!(raw.refusal().kind, Kind::NotFound, "{shown} {number}");
        }
        assert_eq!(snapshot(&home), before, "{shown}");
        assert!(matches!(raw.ask(Command::Stat { path: b"/file".to_vec() }), Reply::Entry(_)));
        assert_eq!(raw.ask(cd("/there")), Reply::Directory { path: b"/there".to_vec() });
        assert!(matches!(raw.ask(Command::Stat { path: b"file".to_vec() }), Reply::Entry(_)));
    }
    let mut raw = server.logged_in(ALICE);
    assert!(matches!(raw.ask(target("none/new", b"tree")), Reply::Refused(_)));
    assert_eq!(raw.ask(target("/there", b"tree")), reply("/there/tree", true), "a target heals it as well");
}

#[test]
fn the_session_is_afterwards_where_it_was() {
    let server = Server::start();
    server.write_work("tree/sub/file", "data");
    server.write_work("tree/large", vec![7; 3 * 1024 * 1024]);
    server.write("alice/there/file", "a file");
    for parallel in ["1", "3"] {
        let client = server.client(ALICE).option("--parallel").option(parallel);
        let lines = "cd there\nput -r tree new\npwd\n-put -r tree file\npwd\n-put -r tree none/x\npwd\nput -r tree new\n";
        let ran = client.option("-b").option("-").stdin(lines).run();
        assert_eq!(ran.text(), "/there\n/there\n/there\n", "{}", ran.stderr);
        assert_eq!(server.read("alice/there/new/sub/file"), b"data");
        assert_eq!(server.read("alice/there/new/tree/sub/file"), b"data");
        ran.told("new/tree").told("something else of that name");
        fs::remove_dir_all(server.home(ALICE).join("there/new")).unwrap();
    }
}

#[test]
fn a_drop_box_takes_trees_in_as_others_do() {
    let server = Server::builder().classic().start();
    server.write_work("tree/sub/file", "data");
    fs::create_dir(server.home(CAROL).join("there")).unwrap();
    for (to, file) in [("new", "new"), ("there", "there/tree"), ("there/inner", "there/inner")] {
        server.client(CAROL).args(["put", "-r", "tree", to]).run().ok();
        assert_eq!(server.read(&format!("carol/{file}/sub/file")), b"data", "{to}");
    }
    let classic = |to: &str| {
        let target = format!("ftp://carol@{}/", server.classic_address());
        server.client(CAROL).tls(true).target(target).args(["put", "-r", "tree", to]).run().ok();
    };
    fs::create_dir(server.home(CAROL).join("classic")).unwrap();
    classic("classic");
    assert_eq!(server.read("carol/classic/tree/sub/file"), b"data");
    classic("fresh");
    assert_eq!(server.read("carol/fresh/sub/file"), b"data");
}

fn stored(content: &[u8]) -> Reply {
    let root = root(digest::Algorithm::Md5, content).as_bytes().to_vec();
    Reply::Stored { size: content.len() as u64, root }
}

#[test]
fn the_tree_does_not_wait_for_where_it_goes() {
    let server = Server::start();
    server.write_work("tree/file", "data");
    // Whoever waited for the first answers before it sent the file would wait for ever.
    let fake = Fake::answering(|peer, command| match command {
        Command::Pwd | Command::Target { .. } => Ok(()),
        Command::Put { path, .. } => {
            assert_eq!(path, b"file");
            peer.pass_over()?;
            peer.reply(Reply::Directory { path: b"/".to_vec() })?;
            peer.reply(reply("/new", true))?;
            peer.reply(stored(b"data"))
        }
        Command::SetAttributes { path, .. } => {
            assert_eq!(path, b".");
            peer.reply(Reply::Done)
        }
        Command::Cd { path } => peer.reply(Reply::Directory { path }),
        other => panic!("{other:?}"),
    });
    let client = server.client(ALICE).target(format!("alice@{}", fake.address()));
    client.args(["put", "-r", "tree", "new"]).run().ok().told("new  1 file");
}

#[test]
fn who_cannot_go_back_does_not_go_on_from_elsewhere() {
    for parallel in ["1", "3"] {
        stranded(parallel);
    }
}

fn stranded(parallel: &str) {
    let server = Server::start();
    server.write_work("tree/file", "data");
    let fake = Fake::answering(|peer, command| match command {
        Command::Pwd => peer.reply(Reply::Directory { path: b"/gone".to_vec() }),
        Command::Target { .. } => peer.reply(reply("/new", true)),
        Command::Put { .. } => {
            peer.pass_over()?;
            peer.reply(stored(b"data"))
        }
        Command::SetAttributes { .. } => peer.reply(Reply::Done),
        Command::Cd { path } => {
            assert_eq!(path, b"/gone");
            peer.reply(Reply::Refused(Failure::new(Kind::NotFound, "it is gone")))
        }
        other => panic!("{other:?}"),
    });
    let client = server
        .client(ALICE)
        .target(format!("alice@{}", fake.address()))
        .option("--parallel")
        .option(parallel);
    let ran = client.option("-b").option("-").stdin("-put -r tree /new\nrm file\n").run();
    ran.fails(3).told("the session cannot go back to /gone: it is gone");
}

#[test]
fn a_directory_whose_name_no_server_takes_replaces_nothing() {
    let server = Server::start();
    server.write("alice/there/file", b"precious");
    for name in [".ftpd~x".as_bytes(), b"x\xff"] {
        let local = server.work().join(OsStr::from_bytes(name));
        fs::create_dir(&local).unwrap();
        fs::write(local.join("file"), "data").unwrap();
        let put = server.client(ALICE).args([OsStr::new("put"), OsStr::new("-r"), OsStr::from_bytes(name)]);
        put.args(["there"]).run().fails(2).told("cannot be a name on a server").told("put -r . REMOTE");
        let inside = server.client(ALICE).directory(&local).args(["put", "-r", ".", "new"]);
        inside.run().ok();
        assert_eq!(server.read("alice/new/file"), b"data");
        fs::remove_dir_all(server.home(ALICE).join("new")).unwrap();
    }
    assert_eq!(server.read("alice/there/file"), b"precious");
}

#[test]
fn control_c_leaves_the_prompt_where_it_was() {
    let server = Server::start();
    server.write_work("tree/large", vec![7; 64 * 1024 * 1024]);
    fs::create_dir(server.home(ALICE).join("at")).unwrap();
    let way = Way::hold_up(server.address(), 8 * 1024 * 1024);
    let command = server.client(ALICE).target(format!("alice@{}", way.address())).command();
    let mut at = Terminal::start(&command);
    at.expect("ftp 127.0.0.1:/> ");
    at.line("cd at");
    at.expect("ftp 127.0.0.1:/at> ");
    at.line("put -r tree new");
    way.wait_until_held();
    at.control('c');
    way.release();
    at.expect("ftp 127.0.0.1:/at> ");
    at.line("mkdir here");
    at.expect("ftp 127.0.0.1:/at> ");
    at.line("quit");
    assert_eq!(at.end().0, 0);
    assert!(server.home(ALICE).join("at/here").is_dir());
}
