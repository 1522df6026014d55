//! Getting in: the password is asked for, hidden, and asked for again.

use e2e::{ALICE, Server, Terminal};

use super::prompt;

/// The client at a terminal, with no password but its user's.
fn without_password(server: &Server) -> Terminal {
    Terminal::start(&server.client(ALICE).password(None).command())
}

fn question(server: &Server) -> String {
    format!("Password of alice at {}: ", server.address().ip())
}

#[test]
fn the_password_is_asked_for_and_never_shown() {
    let server = Server::start();
    let mut at = without_password(&server);
    at.expect(&question(&server));
    at.hidden_line(ALICE.password);
    at.expect(&prompt(&server, "/"));
    at.line("quit");
    let (code, shown) = at.end();
    assert_eq!(code, 0);
    assert!(!shown.contains(ALICE.password) && !shown.contains("tulip"), "{shown}");
}

#[test]
fn a_wrong_password_is_asked_for_again() {
    let server = Server::start();
    let mut at = without_password(&server);
    at.expect(&question(&server));
    at.hidden_line("wrong-one");
    at.expect("user name or password is wrong");
    at.expect(&question(&server));
    at.hidden_line(ALICE.password);
    at.expect(&prompt(&server, "/"));
    at.line("quit");
    let (code, shown) = at.end();
    assert_eq!(code, 0);
    assert!(!shown.contains("wrong-one"), "{shown}");
    server.log().wait_for_all(&["verb=\"login\"", "result=\"bad login\""]);
}

#[test]
fn after_three_tries_it_is_over() {
    let server = Server::start();
    let mut at = without_password(&server);
    for _ in 0..3 {
        at.expect(&question(&server));
        at.hidden_line("wrong");
        at.expect("user name or password is wrong");
    }
    assert_eq!(at.end().0, 4);
}

#[test]
fn an_interrupted_question_ends_it_and_leaves_the_terminal_as_it_was() {
    let server = Server::start();
    let mut at = without_password(&server);
    at.expect(&question(&server));
    at.control('c');
    assert_eq!(at.end().0, 130);
}

#[test]
fn a_password_that_is_given_is_not_asked_for() {
    let server = Server::start();
    let mut at = Terminal::start(&server.client(ALICE).password(Some("wrong")).command());
    at.expect("user name or password is wrong");
    let (code, shown) = at.end();
    assert_eq!(code, 4);
    assert!(!shown.contains("Password of"), "{shown}");
}

#[test]
fn the_user_is_asked_for_where_none_is_named() {
    let server = Server::start();
    let client = server.client(ALICE).target(server.address().to_string()).variable("USER", "alice");
    let mut at = Terminal::start(&client.command());
    at.expect(&format!("User at {} (alice): ", server.address().ip()));
    at.line("");
    at.expect(&prompt(&server, "/"));
}

#[test]
fn one_command_asks_too() {
    let server = Server::start();
    server.write("alice/file", b"content\n");
    let client = server.client(ALICE).password(None).args(["cat", "file"]);
    let mut at = Terminal::start(&client.command());
    at.expect(&question(&server));
    at.hidden_line(ALICE.password);
    at.expect("content");
    assert_eq!(at.end().0, 0);
}
