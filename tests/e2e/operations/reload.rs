//! SIGHUP: users.toml is read again, whole or not at all.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use e2e::{ALICE, BOB, Heard, Server, User, hash};
use proto::{Command, Kind, Message, Reply};
use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::process::Signal;

/// Somebody new, with alice's password, since every account's hash is made once.
const DORA: User = User { name: "dora", password: ALICE.password, access: "write", quota: None };

fn dora(home: &str) -> String {
    format!("\n[users.dora]\npassword = \"{}\"\nhome = \"{home}\"\naccess = \"write\"\n", hash(ALICE))
}

/// With a root beside the homes in which more may come.
fn with_root() -> Server {
    Server::builder().top("roots = [\"more\"]").start()
}

#[test]
fn users_come_and_go_while_sessions_go_on() {
    let server = with_root();
    let mut bob = server.logged_in(BOB);
    server.client(DORA).args(["pwd"]).run().fails(4);
    server.edit_config(|text| text.replace("[users.bob]", "[users.rob]") + &dora("more/dora"));
    server.signal(Signal::HUP);
    server.log().wait_for_all(&["reloaded", "users=5", "added=2", "removed=1"]);

    server.write_work("file", b"dora's");
    server.client(DORA).args(["put", "file"]).run().ok();
    assert_eq!(fs::read(server.homes().with_file_name("more").join("dora/file")).unwrap(), b"dora's");
    assert_eq!(bob.ask(Command::Pwd), Reply::Directory { path: b"/".to_vec() }, "who was in stays in");
    server.client(BOB).args(["pwd"]).run().fails(4);
    server.ftp(&["pwd"]).ok();
}

#[test]
fn limits_count_from_the_next_session_on() {
    let server = Server::builder().limit("sessions_per_address = 1").start();
    let _first = server.logged_in(ALICE);
    server.ftp(&["pwd"]).fails(3);
    server.edit_config(|text| text.replace("sessions_per_address = 1", "sessions_per_address = 2"));
    server.signal(Signal::HUP);
    server.log().wait_for("reloaded");
    server.ftp(&["pwd"]).ok();
}

#[test]
fn a_bad_file_changes_nothing_and_says_the_line() {
    let server = with_root();
    for (bad, words) in [
        ("\n[limits]\n", "is here a second time"),
        ("\n[users.x]\nhome = \"h\"\n", "x has no password"),
        (&dora("elsewhere/dora"), "the home of dora lies where the running server may not go"),
        (&dora("more/../elsewhere"), "the home of dora lies where the running server may not go"),
        (&dora("more/file/dora"), "the home of dora"),
    ] {
        let good = fs::read_to_string(server.config()).unwrap();
        fs::write(server.homes().with_file_name("more").join("file"), "").unwrap();
        server.edit_config(|text| text.replace("[users.bob]", "[users.rob]") + bad);
        server.signal(Signal::HUP);
        let line = server.log().wait_for_all(&["not reloaded", words]);
        if !bad.contains("more/file") {
            let at = good.lines().count()
                + bad.lines().position(|line| line.contains('[') || line.contains("home")).unwrap();
            let near = |line: &str, at: usize| line.contains(&format!("users.toml:{at}: "));
            assert!((at..at + 4).any(|at| near(&line, at)), "no line about {at}: {line}");
        }
        server.client(BOB).args(["pwd"]).run().ok();
        server.client(DORA).args(["pwd"]).run().fails(4);
        server.edit_config(|_| good);
    }
    assert!(!server.homes().with_file_name("elsewhere").exists());
    fs::remove_file(server.config()).unwrap();
    server.signal(Signal::HUP);
    server.log().wait_for_all(&["not reloaded", "there is no such file"]);
    server.ftp(&["pwd"]).ok();
}

#[test]
fn what_needs_a_restart_is_told_by_its_key() {
    let server = Server::start();
    server.edit_config(|text| {
        let address = format!("\"{}:0\"", server.address().ip());
        let text = text.replace(&address, &format!("{address}, \"127.0.0.1:0\""));
        format!("state = \"other\"\nroots = [\"more\"]\n{text}")
    });
    server.signal(Signal::HUP);
    for key in ["state", "roots", "listen"] {
        server.log().wait_for_all(&["WARN", &format!("key=\"{key}\""), "when ftpd is started again"]);
    }
    server.log().wait_for_all(&["reloaded", "users=4"]);
    assert_eq!(server.log().count(&["when ftpd is started again"]), 3);
}

#[test]
fn signals_that_come_together_are_none_too_many() {
    let server = Server::start();
    for round in 1..=50 {
        server.edit_config(|text| format!("{text}# {round}\n"));
        server.signal(Signal::HUP);
    }
    server.edit_config(|text| text.replace("[users.bob]", "[users.rob]"));
    server.signal(Signal::HUP);
    server.log().wait_for_all(&["reloaded", "removed=1"]);
    assert!(server.log().count(&["reloaded"]) <= 51);
    server.ftp(&["pwd"]).ok();
}

#[test]
fn a_file_that_others_can_read_is_told_at_the_start_and_on_reload() {
    let server = Server::start();
    fs::set_permissions(server.config(), fs::Permissions::from_mode(0o644)).unwrap();
    server.signal(Signal::HUP);
    server.log().wait_for_all(&["WARN", "(mode 644). run: chmod 600 ", "users.toml"]);
    let mut server = server;
    server.terminate();
    fs::set_permissions(server.config(), fs::Permissions::from_mode(0o640)).unwrap();
    server.restart();
    server.log().wait_for_all(&["WARN", "(mode 640). run: chmod 600 "]);
}

#[test]
fn a_certificate_is_taken_up_and_a_bad_one_is_not() {
    let server = Server::builder().tls().start();
    let certificate = server.config().with_file_name("state").join("certificate.pem");
    let good = fs::read(&certificate).unwrap();
    fs::write(&certificate, &good[..good.len() / 2]).unwrap();
    server.signal(Signal::HUP);
    server.log().wait_for_all(&["not reloaded", "holds no certificate in PEM"]);
    fs::write(&certificate, good).unwrap();
    server.signal(Signal::HUP);
    server.log().wait_for("reloaded");
}

#[test]
fn a_fifo_in_the_place_of_a_file_holds_nothing_up() {
    let server = Server::builder().tls().start();
    let state = server.config().with_file_name("state");
    for (round, file) in
        [server.config(), state.join("key.pem"), state.join("certificate.pem")].iter().enumerate()
    {
        let aside = file.with_extension("aside");
        fs::rename(file, &aside).unwrap();
        mkfifoat(CWD, file, Mode::RUSR | Mode::WUSR).unwrap();
        server.signal(Signal::HUP);
        let name = file.file_name().unwrap().to_str().unwrap();
        server.log().wait_for_all(&["not reloaded", name, "it is a FIFO, not a file"]);
        fs::rename(&aside, file).unwrap();
        server.signal(Signal::HUP);
        server.log().wait_for_nth(round + 1, &[" reloaded users="]);
    }
}

#[test]
fn where_the_running_server_may_not_go_is_no_question_of_owners() {
    let elsewhere = tempfile::tempdir().unwrap();
    let server = Server::start();
    let (file, aside) = (server.config(), elsewhere.path().join("users.toml"));
    fs::rename(&file, &aside).unwrap();
    symlink(&aside, &file).unwrap();
    server.signal(Signal::HUP);
    let line = server
        .log()
        .wait_for_all(&["not reloaded", "lies where the running server may not go. start ftpd again"]);
    assert!(!line.contains("chown"), "{line}");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    server.signal(Signal::HUP);
    let line = server.log().wait_for_all(&["not reloaded", "cannot be read: Is a directory"]);
    assert!(!line.contains("chown"), "{line}");
    fs::remove_dir(&file).unwrap();
    fs::rename(&aside, &file).unwrap();
    server.signal(Signal::HUP);
    server.log().wait_for(" reloaded users=");
}

#[test]
fn a_put_that_runs_is_not_disturbed() {
    let server = Server::start();
    let watch = e2e::Watch::new(server.home(ALICE));
    let mut raw = server.logged_in(ALICE);
    raw.tell(&Message::Command(Command::Put { path: b"file".to_vec(), size: 3 }));
    watch.wait_for_stage();
    server.edit_config(|text| text.replace("[users.alice]", "[users.alicia]"));
    server.signal(Signal::HUP);
    server.log().wait_for_all(&["reloaded", "removed=1"]);
    raw.say(&e2e::data_frame(b"new"));
    raw.tell(&Message::End(e2e::end(b"new")));
    assert!(matches!(raw.reply(), Reply::Stored { size: 3, .. }));
    assert_eq!(server.read("alice/file"), b"new");
    server.signal_end();
    let Heard::Message(Message::Reply(Reply::Refused(last))) = raw.hear() else { panic!("no last words") };
    assert_eq!(last.kind, Kind::Ending);
}
