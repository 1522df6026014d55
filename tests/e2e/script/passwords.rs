//! Where a password comes from when nobody is asked.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use e2e::{ALICE, BOB, CAROL, Server};

fn password_file(server: &Server, content: &str, mode: u32) -> PathBuf {
    let path = server.write_work("password file", content);
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    path
}

#[test]
fn a_file_or_a_variable_lets_in_and_the_file_goes_first() {
    let server = Server::start();
    for user in [ALICE, BOB, CAROL] {
        server.client(user).args(["pwd"]).run().ok().wrote("/\n");
        let file = password_file(&server, &format!("{}\nsecond line\n", user.password), 0o600);
        let client = server.client(user).password(Some("wrong")).option("--password-file").option(file);
        let ran = client.args(["pwd"]).run().ok().wrote("/\n");
        assert_eq!(ran.stderr, "");
    }
}

#[test]
fn a_file_that_others_can_read_is_told() {
    let server = Server::start();
    let file = password_file(&server, ALICE.password, 0o644);
    let client = server.client(ALICE).password(None).option("--password-file").option(file);
    let ran = client.args(["pwd"]).run().ok().wrote("/\n").told("chmod 600");
    assert!(!ran.stderr.contains(ALICE.password));
}

#[test]
fn a_file_without_a_password_is_refused_by_name() {
    let server = Server::start();
    let run = |file: PathBuf| {
        server
            .client(ALICE)
            .option("--password-file")
            .option(file)
            .args(["pwd"])
            .run()
            .wrote("")
            .told("password file")
    };
    run(password_file(&server, "\n", 0o600)).fails(2);
    run(server.work().join("no password file")).fails(6);
}

#[test]
fn without_a_password_and_without_a_terminal_the_ways_are_named() {
    let server = Server::start();
    for password in [None, Some("")] {
        let ran = server.client(ALICE).password(password).args(["pwd"]).run_without_terminal();
        ran.fails(4).wrote("").told("FTP_PASSWORD").told("--password-file");
    }
    let nobody = server.client(ALICE).target(server.address().to_string()).args(["pwd"]);
    nobody.run_without_terminal().fails(2).told("USER@");
}

#[test]
fn a_wrong_one_is_told_once_and_not_why() {
    let server = Server::start();
    let wrong = server.client(ALICE).password(Some("wrong-password")).args(["get", "x"]).run().fails(4);
    let nobody =
        server.client(ALICE).target(format!("nobody@{}", server.address())).args(["get", "x"]).run().fails(4);
    assert_eq!(wrong.stderr, nobody.stderr);
    assert!(!wrong.stderr.contains("wrong-password"));
    server.log().wait_for_all(&["verb=\"login\"", "who=\"nobody\"", "result=\"bad login\""]);
    assert!(!server.log().text().contains("wrong-password"));
}
