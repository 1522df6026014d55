//! First contact: asked, recorded, refused; and the file in which keys are kept.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use e2e::{ALICE, Running, Server, Terminal, outside_address};

use super::{fingerprint, known, known_hosts, line, outside, tls};

const QUESTION: &str = "Is it the right one (yes, no, or the fingerprint)? ";

/// A client at a terminal that must be told who is there, and the password.
fn at_terminal(server: &Server) -> Terminal {
    Terminal::start(&server.client(ALICE).password(None).args(["pwd"]).command())
}

#[test]
fn a_person_is_asked_once_and_before_the_password() {
    let server = outside();
    let mut at = at_terminal(&server);
    let shown = at.expect(QUESTION);
    assert!(
        shown.contains(&fingerprint(&server)) && shown.contains(&server.address().to_string()),
        "{shown}"
    );
    assert!(!shown.contains("Password"), "{shown}");
    at.line("yes");
    at.expect("recorded in");
    at.expect("Password of alice");
    at.hidden_line(ALICE.password);
    at.expect("\n/\r\n");
    assert_eq!(at.end().0, 0);
    assert_eq!(known(&server), line(&server));
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&known_hosts(&server)), mode(known_hosts(&server).parent().unwrap())), (0o600, 0o700));

    let mut at = at_terminal(&server);
    assert!(!at.expect("Password of alice").contains("fingerprint"));
    at.hidden_line(ALICE.password);
    at.expect("\n/\r\n");
    assert_eq!(at.end().0, 0);
    server.client(ALICE).args(["pwd"]).run_without_terminal().ok().wrote("/\n");
}

#[test]
fn no_is_exit_code_5_and_nothing_is_recorded() {
    let server = outside();
    let wrong = format!("SHA256:{}=", "A".repeat(43));
    for answer in ["no", "NO", "n", &wrong] {
        let mut at = at_terminal(&server);
        at.expect(QUESTION);
        at.line(answer);
        let (code, shown) = at.end();
        assert_eq!(code, 5, "{answer}: {shown}");
        assert!(shown.contains("was not accepted") && !shown.contains("Password"), "{shown}");
    }
    let mut at = at_terminal(&server);
    at.expect(QUESTION);
    at.control('d');
    assert_eq!(at.end().0, 5);
    let mut at = at_terminal(&server);
    at.expect(QUESTION);
    at.control('c');
    assert_eq!(at.end().0, 130);
    assert_eq!(known(&server), "");
    assert_eq!(server.log().count(&["verb=\"login\""]), 0);
}

#[test]
fn another_answer_is_asked_again_and_the_fingerprint_is_one() {
    let server = outside();
    let mut at = at_terminal(&server);
    at.expect(QUESTION);
    for answer in ["", "y", "yess"] {
        at.line(answer);
        at.expect("Type yes, no, or the fingerprint: ");
    }
    at.line(&fingerprint(&server));
    at.expect("Password of alice");
    assert_eq!(known(&server), line(&server));
}

#[test]
fn without_a_terminal_the_line_to_add_is_told_and_does_it() {
    let server = outside();
    let client = || server.client(ALICE).args(["pwd"]);
    let ran = client().run_without_terminal().fails(5).wrote("").told("--trust SHA256:");
    assert_eq!(known(&server), "");
    assert_eq!(server.log().count(&["verb=\"login\""]), 0);
    let (file, told) =
        ran.stderr.trim_end().split_once("add this line to ").unwrap().1.split_once(": ").unwrap();
    assert_eq!((file, format!("{told}\n")), (known_hosts(&server).to_str().unwrap(), line(&server)));
    fs::create_dir_all(known_hosts(&server).parent().unwrap()).unwrap();
    fs::write(file, told).unwrap();
    let ran = client().run_without_terminal().ok().wrote("/\n");
    assert_eq!(ran.stderr, "");
}

#[test]
fn a_batch_on_standard_input_does_not_answer() {
    let server = outside();
    let client = server.client(ALICE).args(["-b", "-"]);
    client.stdin("yes\npwd\n").run_without_terminal().fails(5).wrote("");

    // At a terminal the question goes there, and the batch stays a batch.
    let client = server.client(ALICE).args(["-b", "-"]).command();
    let mut shell = Command::new("sh");
    shell.args(["-c", "printf 'pwd\\nmkdir made\\n' | \"$@\"", "sh"]).arg(client.get_program());
    shell.args(client.get_args()).current_dir(server.work());
    shell.envs(client.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut at = Terminal::start(&shell);
    at.expect(QUESTION);
    at.line("yes");
    at.expect("\n/\r\n");
    assert_eq!(at.end().0, 0);
    assert!(server.home(ALICE).join("made").is_dir());
}

#[test]
fn on_this_computer_the_key_is_recorded_with_a_note() {
    let server = tls().start();
    server.write("alice/file", b"content");
    let client = || server.client(ALICE).args(["cat", "file"]);
    let ran = client().run_without_terminal().ok().wrote("content").told(&fingerprint(&server));
    ran.told("is recorded in");
    assert_eq!(known(&server), line(&server));
    let ran = client().run_without_terminal().ok().wrote("content");
    assert!(!ran.stderr.contains("SHA256"), "{}", ran.stderr);

    fs::remove_file(known_hosts(&server)).unwrap();
    let ran = client().option("--quiet").run_without_terminal().ok();
    assert_eq!((ran.stderr.as_str(), known(&server)), ("", line(&server)));
}

#[test]
fn new_records_wherever_the_server_is() {
    let server = outside();
    let client = server.client(ALICE).option("--trust").option("new").args(["pwd"]);
    client.run_without_terminal().ok().wrote("/\n").told("is recorded in");
    assert_eq!(known(&server), line(&server));
    server.client(ALICE).args(["pwd"]).run_without_terminal().ok();
}

#[test]
fn a_pin_is_this_key_and_records_nothing() {
    let server = outside();
    let pinned =
        |pin: &str| server.client(ALICE).option("--trust").option(pin).args(["pwd"]).run_without_terminal();
    let right = fingerprint(&server);
    pinned(&right).ok().wrote("/\n");
    pinned(&right.replace("SHA256:", "sha256//")).ok();
    let wrong = format!("SHA256:{}=", "A".repeat(43));
    pinned(&wrong).fails(5).wrote("").told(&right).told(&wrong);
    assert!(!known_hosts(&server).exists());
    assert_eq!(server.log().count(&["verb=\"login\""]), 2);
}

#[test]
fn clients_that_meet_it_at_once_record_it_once() {
    let server = tls().start();
    let runs: Vec<Running> = (0..8)
        .map(|_| {
            server.client(ALICE).option("--trust").option("new").args(["pwd"]).spawn_by(&["setsid", "--wait"])
        })
        .collect();
    for run in runs {
        run.wait().ok().wrote("/\n");
    }
    assert_eq!(known(&server), line(&server));
}

#[test]
fn the_file_is_where_the_environment_says() {
    let server = tls().start();
    let run = |name: &str, value: &str| {
        server.client(ALICE).variable(name, value).args(["pwd"]).run_without_terminal().ok()
    };
    let data = server.work().join("data");
    run("XDG_DATA_HOME", data.to_str().unwrap()).told("data/ftp/known_hosts");
    assert_eq!(fs::read_to_string(data.join("ftp/known_hosts")).unwrap(), line(&server));
    run("FTP_KNOWN_HOSTS", "here");
    assert_eq!(fs::read_to_string(server.work().join("here")).unwrap(), line(&server));
    assert!(!known_hosts(&server).exists());
}

#[test]
fn a_file_that_cannot_be_written_needs_a_person_or_a_pin() {
    const NOWHERE: &str = "/proc/none/known_hosts";
    let mut server = tls().start();
    let client = || server.client(ALICE).variable("FTP_KNOWN_HOSTS", NOWHERE);
    for trust in ["ask", "new"] {
        let ran = client().option("--trust").option(trust).args(["pwd"]).run_without_terminal();
        ran.fails(5)
            .wrote("")
            .told("cannot record the key in /proc/none/known_hosts")
            .told("--trust SHA256:");
    }
    let pin = fingerprint(&server);
    client().option("--trust").option(pin).args(["pwd"]).run_without_terminal().ok();

    // A person's word holds for the run, also for the next connection of it.
    let mut at = Terminal::start(&client().command());
    at.expect(QUESTION);
    at.line("yes");
    at.expect("cannot record the key");
    let prompt = format!("ftp {}:/> ", server.address().ip());
    at.expect(&prompt);
    server.terminate();
    server.restart();
    at.line("mkdir made");
    assert!(!at.expect(&prompt).contains("fingerprint"));
    assert!(server.home(ALICE).join("made").is_dir());
    at.line("quit");
    assert_eq!(at.end().0, 0);
}

#[test]
fn a_file_that_says_what_it_should_not_is_told_and_nobody_is_called() {
    let server = tls().start();
    let run = || server.client(ALICE).option("--trust").option("new").args(["pwd"]).run_without_terminal();
    let file = known_hosts(&server);
    fs::create_dir_all(&file).unwrap();
    run().fails(5).told("known_hosts: is a directory").told("FTP_KNOWN_HOSTS");
    fs::remove_dir(&file).unwrap();
    for text in ["nas", "nas:1 SHA256:x", "\u{feff}nas:1", "nas:1 \x1b[2J"] {
        fs::write(&file, format!("# mine\n{text}\n{}", line(&server))).unwrap();
        let ran = run().fails(5).wrote("").told("known_hosts:2: ");
        assert!(!ran.stderr.trim_end().contains(char::is_control), "{:?}", ran.stderr);
    }
    assert_eq!(server.log().count(&["session"]), 0, "{}", server.log().text());
    // In the clear there is no key that could be known.
    let plain = Server::start();
    plain.client(ALICE).variable("FTP_KNOWN_HOSTS", &file).args(["pwd"]).run_without_terminal().ok();
}

#[test]
fn the_test_is_not_on_loopback() {
    assert!(!outside_address().is_loopback());
}
