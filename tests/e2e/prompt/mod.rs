//! The prompt, driven through a pseudo-terminal as a person would.

mod login;
mod transfers;

use std::fs;

use e2e::{ALICE, Server, Terminal, User, md5};

/// Starts the client at a terminal and waits for its prompt.
fn logged_in(server: &Server, user: User) -> Terminal {
    let mut terminal = Terminal::start(&server.client(user).command());
    terminal.expect(&prompt(server, "/"));
    terminal
}

/// What the prompt looks like in a directory.
fn prompt(server: &Server, directory: &str) -> String {
    format!("ftp {}:{directory}> ", server.address().ip())
}

/// Types a line; returns what is shown until the next prompt, in `directory`.
#[track_caller]
fn run(terminal: &mut Terminal, server: &Server, line: &str, directory: &str) -> String {
    terminal.line(line);
    let shown = terminal.expect(&prompt(server, directory));
    // The editor draws the line as it is typed; what the command shows begins on the next one.
    let shown = shown.split_once('\n').map_or("", |(_, shown)| shown);
    shown.strip_suffix('\r').unwrap_or(shown).replace("\r\n", "\n")
}

#[test]
fn a_session_as_it_is_typed() {
    let server = Server::start();
    server.write("alice/sub/inner", b"inner");
    server.write("alice/two words", b"quoted\n");
    server.write_work("local", b"from here");
    let mut at = logged_in(&server, ALICE);
    let at = &mut at;
    assert_eq!(run(at, &server, "ls", "/"), "sub/  two words\n");
    assert_eq!(run(at, &server, "", "/"), "");
    assert_eq!(run(at, &server, "cd sub", "/sub"), "");
    assert_eq!(run(at, &server, "pwd", "/sub"), "/sub\n");
    assert_eq!(run(at, &server, "ls", "/sub"), "inner\n");
    assert_eq!(run(at, &server, "cd..", "/"), "");
    assert_eq!(run(at, &server, "cat 'two words'", "/"), "quoted\n");
    assert_eq!(run(at, &server, "cat two\\ words", "/"), "quoted\n");
    let receipt = run(at, &server, "put local", "/");
    let digest = md5(b"from here").to_string();
    assert!(
        receipt.starts_with("local  9 B  ") && receipt.ends_with(&format!("  verified md5 {digest}\n")),
        "{receipt}"
    );
    assert_eq!(server.read("alice/local"), b"from here");
    assert_eq!(run(at, &server, "md5 local", "/"), format!("{digest}  local\n"));
    let receipt = run(at, &server, "get \"two words\" fetched", "/");
    assert!(receipt.starts_with("fetched  7 B  "), "{receipt}");
    assert_eq!(server.read_work("fetched"), b"quoted\n");
    assert!(run(at, &server, "help", "/").contains("get [-c|-r] REMOTE [LOCAL]"));
    assert_eq!(run(at, &server, "help rmdir", "/"), "rmdir PATH\n    remove an empty directory\n");
}

#[test]
fn mistakes_are_told_and_forgotten() {
    let server = Server::start();
    let mut at = logged_in(&server, ALICE);
    for (line, told) in [
        ("frobnicate", "ftp: frobnicate: there is no command frobnicate. help shows all commands.\n"),
        ("gte x", "ftp: gte x: there is no command gte. Did you mean get? help shows all commands.\n"),
        ("get", "ftp: get: REMOTE is missing. Usage: get [-c|-r] REMOTE [LOCAL].\n"),
        (
            "get 'open",
            "ftp: get 'open: a quote ' is not closed. Close it with ', or write \\' for one that is part of a name.\n",
        ),
        (
            "cat missing",
            "ftp: cat missing: no such file or directory. List the directory to see what is there.\n",
        ),
    ] {
        assert_eq!(run(&mut at, &server, line, "/"), told);
    }
    at.line("quit");
    let (code, _) = at.end();
    assert_eq!(code, 0, "what failed before does not count at a prompt");
}

#[test]
fn quit_by_every_name_and_by_control_d() {
    let server = Server::start();
    for word in ["quit", "q", "bye", "exit"] {
        let mut at = logged_in(&server, ALICE);
        at.line(word);
        assert_eq!(at.end().0, 0, "{word}");
    }
    let mut at = logged_in(&server, ALICE);
    at.control('d');
    assert_eq!(at.end().0, 0);
    server.log().wait_for_nth(5, &["session ended", "reason=\"quit\""]);
}

#[test]
fn control_c_forgets_the_line() {
    let server = Server::start();
    server.write("alice/file", b"");
    let mut at = logged_in(&server, ALICE);
    at.keys("rm file");
    at.expect("rm file");
    at.control('c');
    at.expect(&prompt(&server, "/"));
    assert_eq!(run(&mut at, &server, "ls", "/"), "file\n");
    at.line("quit");
    assert_eq!(at.end().0, 0);
}

#[test]
fn control_c_at_a_question_leaves_what_is_typed_next_to_the_prompt() {
    let server = Server::start();
    server.write("alice/tree/extra", b"");
    server.write_work("tree/file", b"");
    let mut at = logged_in(&server, ALICE);
    for _ in 0..3 {
        at.line("sync put --delete tree");
        at.expect("delete 1 file at tree? [y/N]");
        at.control('c');
        at.expect(&prompt(&server, "/"));
        assert_eq!(run(&mut at, &server, "ls tree", "/"), "extra\n");
    }
    at.line("sync put --delete tree");
    at.expect("delete 1 file at tree? [y/N]");
    at.line("y");
    at.expect("1 new, 0 changed, 1 deleted");
    at.expect(&prompt(&server, "/"));
    at.line("quit");
    assert_eq!(at.end().0, 0);
}

#[test]
fn commands_for_this_computer() {
    let server = Server::start();
    server.write_work("below/one", b"1");
    let mut at = Terminal::start(&server.client(ALICE).variable("PS1", "shell here: ").command());
    at.expect(&prompt(&server, "/"));
    let at = &mut at;
    assert_eq!(run(at, &server, "!echo $((6 * 7)); pwd", "/"), format!("42\n{}\n", server.work().display()));
    assert_eq!(run(at, &server, "!echo \"$FTP_PASSWORD\"", "/"), "\n", "the shell has the password");
    assert!(run(at, &server, "!exit 3", "/").contains("it ended with exit code 3"));
    assert_eq!(run(at, &server, "lcd below", "/"), "");
    assert_eq!(run(at, &server, "lpwd", "/"), format!("{}\n", server.work().join("below").display()));
    assert_eq!(run(at, &server, "lls", "/"), "one\n");
    assert!(run(at, &server, "put one", "/").starts_with("one  1 B  "));
    assert_eq!(run(at, &server, "lcd", "/"), "");
    assert_eq!(run(at, &server, "lpwd", "/"), format!("{}\n", server.work().display()));
    assert!(run(at, &server, "lcd missing", "/").contains("no such file or directory"));
    // A shell to type in.
    at.line("!");
    at.expect("shell here: ");
    at.line("echo from-the-$((1 + 1))nd-shell");
    at.expect("from-the-2nd-shell");
    at.line("exit");
    at.expect(&prompt(&server, "/"));
}

#[test]
fn names_from_a_server_cannot_speak_to_the_terminal() {
    let server = Server::start();
    for name in ["\x1b]0;owned\x07", "a\rb", "\u{202e}txt", "new\nline"] {
        server.write(&format!("alice/{name}"), b"");
    }
    let mut at = logged_in(&server, ALICE);
    let shown = run(&mut at, &server, "ls -l", "/");
    for name in ["\\x1b]0;owned\\x07", "a\\rb", "\\u{202e}txt", "new\\nline"] {
        assert!(shown.contains(name), "{name} is not in {shown:?}");
    }
    fs::create_dir(server.home(ALICE).join("\x1b[31m")).unwrap();
    assert_eq!(run(&mut at, &server, "cd '\x16\x1b[31m'", "/\\x1b[31m"), "", "typed with Ctrl-V");
}
