//! The server's own commands: `check`, mistakes in users.toml, and users that come and go, with real logins.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use e2e::{ALICE, Client, Server, Terminal, User, hash};

/// Runs `ftpd` in `directory` to its end.
fn ftpd(directory: &Path, words: &[&str], stdin: &str) -> Output {
    let mut command = Command::new(e2e::ftpd());
    command.args(words).current_dir(directory).env_remove("RUST_LOG");
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdin.take().unwrap().write_all(stdin.as_bytes())); // it need not read it
    child.wait_with_output().unwrap()
}

/// What it wrote, if it ended with `code`.
#[track_caller]
fn ended(output: &Output, code: i32) -> (String, String) {
    let (out, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}{told}");
    (out.into(), told.into())
}

/// A users.toml with alice in it, as good as can be, and its directory.
fn sample() -> (tempfile::TempDir, String) {
    let text = format!(
        "state = \"state\"\n\n[native]\nlisten = [\"127.0.0.1:0\"]\ntls = false\n\n[limits]\nidle = \"10m\"\n\n\
         # the boss\n[users.alice]\npassword = \"{}\"\nhome = \"homes/alice\"\naccess = \"write\"\nquota = \"1 GiB\"\n",
        hash(ALICE)
    );
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), &text);
    (directory, text)
}

fn write(directory: &Path, text: &str) {
    let file = directory.join("users.toml");
    fs::write(&file, text).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn check_finds_a_good_file_good_and_makes_nothing() {
    let (directory, _) = sample();
    let (out, told) = ended(&ftpd(directory.path(), &["check"], ""), 0);
    assert!(out.lines().all(|line| line.starts_with("ok ")), "{out}");
    for part in ["users.toml: 1 user", "home of alice", "native: 127.0.0.1:0"] {
        assert!(out.contains(part), "{part} is not in {out}");
    }
    assert_eq!(told, "");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn check_says_what_would_fail() {
    let (directory, text) = sample();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    write(directory.path(), &text.replace("127.0.0.1:0", &address));
    let (out, _) = ended(&ftpd(directory.path(), &["check"], ""), 2);
    assert!(out.contains(&format!("problem  native: {address}: ")), "{out}");
    let (_, told) = ended(&ftpd(directory.path(), &[], ""), 1);
    assert!(told.contains(&format!("cannot listen on {address}")) && told.contains("users.toml"), "{told}");

    write(directory.path(), &text.replace("homes/alice", "users.toml/alice"));
    let (out, _) = ended(&ftpd(directory.path(), &["check"], ""), 2);
    assert!(out.contains("problem  home of alice"), "{out}");
    let (_, told) = ended(&ftpd(directory.path(), &[], ""), 1);
    assert!(told.contains("the home of alice"), "{told}");

    write(directory.path(), &text.replace("homes/alice", "."));
    let (out, _) = ended(&ftpd(directory.path(), &["check"], ""), 2);
    assert!(out.contains("with every user's secrets in it"), "{out}");
}

#[test]
fn a_mistake_stops_the_start_with_its_line_and_its_remedy() {
    let (directory, good) = sample();
    let table = [
        ("idle = \"10m\"", "idel = \"10m\"", 8, "did you mean \"idle\"?"),
        ("idle = \"10m\"", "idle = 10", 8, "idle must be a time"),
        ("idle = \"10m\"", "idle = \"soon\"", 8, "write, for example: idle = \"10m\""),
        ("[limits]", "[limit]", 7, "did you mean \"limits\"?"),
        ("tls = false", "certificate = \"c.pem\"", 3, "key is missing in [native]"),
        ("tls = false", "tls = \"no\"", 5, "tls must be true or false"),
        ("[\"127.0.0.1:0\"]", "[\"localhost\"]", 4, "listen must be a list of addresses with ports"),
        ("[\"127.0.0.1:0\"]", "[]", 4, "listen must be"),
        ("access = \"write\"", "access = \"all\"", 14, "access must be \"read\", \"write\" or \"drop\""),
        ("quota = \"1 GiB\"", "quota = \"lots\"", 15, "quota must be a size"),
        ("home = \"homes/alice\"\n", "", 11, "home is missing in [users.alice]"),
        ("password = ", "passwort = ", 12, "did you mean \"password\"?"),
        (hash(ALICE), "tulip-7391-alice", 12, "is not a hash but plain text"),
        ("[users.alice]", "[users.alice", 11, "this is not TOML"),
        ("[users.alice]", "[users.\"al ice\"]", 11, "cannot be the name of a user"),
        ("access = \"write\"", "access = \"write\"\naccess = \"read\"", 15, "a second time"),
        ("# the boss", "[classic]\nlisten = []\n", 11, "listen must be a list of addresses with ports"),
    ];
    for (from, to, line, words) in table {
        assert!(good.contains(from), "{from}");
        write(directory.path(), &good.replace(from, to));
        for command in [&[][..], &["check"], &["user", "list"]] {
            let (out, told) = ended(&ftpd(directory.path(), command, ""), 2);
            assert_eq!(out, "");
            assert!(
                told.starts_with(&format!("users.toml:{line}: ")) && told.contains(words),
                "{to} {command:?}: {told}"
            );
            assert!(!told.contains("tulip") && told.lines().count() == 1, "{told}");
        }
    }
    fs::remove_file(directory.path().join("users.toml")).unwrap();
    let (_, told) = ended(&ftpd(directory.path(), &[], ""), 2);
    assert_eq!(
        told,
        "users.toml: there is no such file. make it with its first user: ftpd user add NAME --home DIR --access write\n"
    );
}

/// A user that no server knows from the start.
const DORA: User = User { name: "dora", password: "first-of-dora", access: "write", quota: None };

#[test]
fn users_come_change_and_go() {
    let mut server = Server::start();
    let directory = server.config().parent().unwrap().to_owned();
    let told = fs::read_to_string(server.config()).unwrap();
    fs::write(server.config(), format!("# a comment at the top\n{told}")).unwrap();
    let run = |words: &[&str], stdin: &str, code: i32| ended(&ftpd(&directory, words, stdin), code);
    let login = |server: &Server, password: &str| -> Client {
        server.client(DORA).password(Some(password)).args(["pwd"])
    };
    let again = |server: &mut Server| {
        server.terminate();
        server.restart();
    };

    login(&server, DORA.password).run().fails(4);
    let add = [
        "user",
        "add",
        "dora",
        "--home",
        "homes/dora",
        "--access",
        "write",
        "--quota",
        "1 MiB",
        "--password-stdin",
    ];
    let (out, _) = run(&add, "first-of-dora\n", 0);
    assert!(out.contains("dora: write access to homes/dora") && out.contains("ftpd"), "{out}");
    assert!(run(&add, "x\n", 1).1.contains("there is a user dora already"));
    again(&mut server);
    login(&server, DORA.password).run().ok().wrote("/\n");
    login(&server, "other").run().fails(4);
    let list = run(&["user", "list"], "", 0).0;
    let row = list.lines().find(|line| line.starts_with("dora ")).unwrap();
    assert!(row.contains("write") && row.contains("homes/dora") && row.ends_with("1 MiB"), "{list}");
    assert!(!list.contains("argon2"), "{list}");

    run(&["user", "passwd", "dora", "--password-stdin"], "second-of-dora\n", 0);
    again(&mut server);
    login(&server, DORA.password).run().fails(4);
    login(&server, "second-of-dora").run().ok();

    run(&["user", "remove", "dora"], "", 0);
    let (_, told) = run(&["user", "remove", "dora"], "", 1);
    assert!(told.contains("there is no user \"dora\""), "{told}");
    run(&["user", "passwd", "dora", "--password-stdin"], "x\n", 1);
    again(&mut server);
    login(&server, "second-of-dora").run().fails(4);
    assert!(server.homes().join("dora").is_dir(), "the home stays");
    server.ftp(&["pwd"]).ok();
    let text = fs::read_to_string(server.config()).unwrap();
    assert!(text.starts_with("# a comment at the top\n") && !text.contains("dora"), "{text}");
}

#[test]
fn the_first_user_makes_the_file_for_its_owner_alone() {
    let directory = tempfile::tempdir().unwrap();
    let add = ["user", "add", "ana", "--home", "home of ana", "--password-stdin"];
    let (out, _) = ended(&ftpd(directory.path(), &add, "a password with blanks \n"), 0);
    assert!(out.contains("read access"), "{out}");
    let file = directory.path().join("users.toml");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("$argon2id$v=19$m=19456,t=2,p=1$") && !text.contains("blanks"), "{text}");
    ended(&ftpd(directory.path(), &["check"], ""), if port_is_taken() { 2 } else { 0 });
    for (stdin, words) in [("", "the password is empty"), ("\n", "the password is empty")] {
        let add = ["user", "add", "bea", "--home", "h", "--password-stdin"];
        let (_, told) = ended(&ftpd(directory.path(), &add, stdin), 1);
        assert!(told.contains(words), "{told}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), text, "a refused command changed the file");
}

/// Whether something on this machine listens where a fresh file says.
fn port_is_taken() -> bool {
    TcpListener::bind("127.0.0.1:10600").is_err()
}

#[test]
fn a_new_password_is_asked_for_twice_and_never_shown() {
    let (directory, _) = sample();
    let mut command = Command::new(e2e::ftpd());
    command.args(["user", "passwd", "alice"]).current_dir(directory.path());
    let mut at = Terminal::start(&command);
    at.expect("New password of alice: ");
    at.hidden_line("hidden-one");
    at.expect("The same again: ");
    at.hidden_line("hidden-two");
    at.expect("the two passwords differ");
    let (code, shown) = at.end();
    assert!(code == 1 && !shown.contains("hidden-"), "{code} {shown}");
}

#[test]
fn logs_can_be_json() {
    let server = Server::builder().option("--log-format").option("json").start();
    server.write("alice/a\"b\n", b"content");
    server.ftp(&["cat", "a\"b\n"]).ok();
    let line = server.log().wait_for_all(&["\"verb\":\"get\""]);
    for part in [
        "\"who\":\"alice\"",
        "\"from\":\"127.0.0.1:",
        r#""path":"a\"b\\n""#,
        "\"bytes\":7",
        "\"seconds\":0.",
        "\"result\":\"ok\"",
    ] {
        assert!(line.contains(part), "{part} is not in {line}");
    }
    assert!(server.log().text().lines().all(|line| line.starts_with('{') && line.ends_with('}')));
}
