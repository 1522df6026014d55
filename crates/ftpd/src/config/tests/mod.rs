//! What a good users.toml reads as; and that no text is too strange to be told what is wrong with it.

mod classic;
mod mistakes;

use proptest::prelude::*;

use super::*;

const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$c29tZSBzYWx0$c29tZSBvdXRwdXQgb2YgMzIgYnl0ZXMgb3IgbW9yZQ";

/// Enough to serve; ends on line 3.
const NATIVE: &str = "[native]\nlisten = [\"127.0.0.1:0\"]\ntls = false\n";

fn parse(text: &str) -> Result<Config, Problem> {
    Config::parse(Path::new("users.toml"), text)
}

fn mistake(text: &str) -> String {
    parse(text).expect_err(text).to_string()
}

/// A file whose lines 4 and on are `more`.
fn native_and(more: &str) -> String {
    format!("{NATIVE}{more}\n")
}

/// A file whose line 4 is `[users.bob]`, and lines 5 and on are `more`.
fn bob(more: &str) -> String {
    native_and(&format!("[users.bob]\n{more}"))
}

#[test]
fn the_least_that_can_be_served() {
    let config = Config::parse(Path::new("/etc/ftpd/users.toml"), NATIVE).unwrap();
    assert_eq!(config.file, Path::new("/etc/ftpd/users.toml"));
    assert_eq!(config.state, Path::new("/etc/ftpd/state"));
    assert_eq!(config.durability, Durability::Full);
    assert_eq!(config.native.listen, ["127.0.0.1:0".parse().unwrap()]);
    assert_eq!(config.native.digests, [Algorithm::Md5, Algorithm::Blake3]);
    assert_eq!(config.limits, Limits::default());
    assert!(config.users.is_empty());
}

#[test]
fn everything_that_can_be_said() {
    let text = format!(
        r#"
        state = "/var/lib/ftpd"
        roots = ["/srv/ftp", "more"]
        durability = "none"
        [native]
        listen = ["127.0.0.1:10600", "[::1]:10600", "0.0.0.0:0", "0.0.0.0:0"]
        tls = false
        digests = ["blake3"]
        [limits]
        sessions = 0x10
        sessions_per_address = 1_0
        half_open = 9
        login_deadline = "250ms"
        idle = "1 h"
        stall = "2min"
        password_hashes = 1
        drain = "1min"
        keep_uploads = "2d"
        [users.alice]
        password = "{HASH}"
        home = "homes/alice"
        access = "write"
        quota = "10 GiB"
        [users."bob.b@example.org"]
        password = "{HASH}"
        home = "/srv/bob"
        access = "drop"
        [users.carol_-9]
        password = "{HASH}"
        home = "."
        "#
    );
    let config = Config::parse(Path::new("conf/users.toml"), &text).unwrap();
    assert_eq!(config.state, Path::new("/var/lib/ftpd"));
    assert_eq!(config.roots, [Path::new("/srv/ftp"), Path::new("conf/more")]);
    assert_eq!(config.durability, Durability::None);
    assert_eq!(config.native.listen.len(), 4);
    assert_eq!(config.native.digests, [Algorithm::Blake3]);
    let limits = Limits {
        sessions: 16,
        sessions_per_address: 10,
        half_open: 9,
        login_deadline: Duration::from_millis(250),
        idle: Duration::from_secs(3600),
        stall: Duration::from_secs(120),
        password_hashes: 1,
        drain: Duration::from_secs(60),
        keep_uploads: Duration::from_secs(2 * 86_400),
    };
    assert_eq!(config.limits, limits);
    let of = |name: &str| {
        let user = &config.users[name];
        (user.home.to_str().unwrap(), user.access, user.quota)
    };
    assert_eq!(of("alice"), ("conf/homes/alice", Access::Write, Some(10 << 30)));
    assert_eq!(of("bob.b@example.org"), ("/srv/bob", Access::Drop, None));
    assert_eq!(of("carol_-9"), ("conf/.", Access::Read, None));
    let home = text.lines().position(|line| line.contains("/srv/bob")).unwrap();
    assert_eq!(config.users["bob.b@example.org"].home_line, home + 1);
    assert_eq!(config.users.len(), 3);
}

#[test]
fn tls_is_on_unless_it_is_off_and_takes_both_files_or_none() {
    let listen = "[native]\nlisten = [\"127.0.0.1:0\"]\n";
    let tls = |more: &str| Config::parse(Path::new("d/users.toml"), &format!("{listen}{more}")).unwrap().tls;
    assert_eq!(tls(""), Some(Tls { files: None }));
    assert_eq!(tls("tls = true"), Some(Tls { files: None }));
    assert_eq!(tls("tls = false"), None);
    let files = Some(("d/c.pem".into(), "/k.pem".into()));
    assert_eq!(tls("certificate = \"c.pem\"\nkey = \"/k.pem\""), Some(Tls { files }));
    for (more, expected) in [
        ("certificate = \"c.pem\"", "1: key is missing in [native]. add, for example: key = \"key.pem\""),
        (
            "key = \"k.pem\"",
            "1: certificate is missing in [native]. add, for example: certificate = \"certificate.pem\"",
        ),
        (
            "tls = false\nkey = \"k.pem\"",
            "4: without TLS nobody reads this. remove it, or the line tls = false",
        ),
        (
            "key = \"\"\ncertificate = \"c.pem\"",
            "3: key must be the path of a file in PEM, not \"\". write, for example: key = \"key.pem\"",
        ),
    ] {
        assert_eq!(mistake(&format!("{listen}{more}")), format!("users.toml:{expected}"));
    }
}

#[test]
fn debug_shows_no_hash() {
    let config = parse(&bob(&format!("password = \"{HASH}\"\nhome = \"h\""))).unwrap();
    let shown = format!("{config:?} {config:#?}");
    assert!(shown.contains("bob") && !shown.contains("argon2id") && !shown.contains("c29tZSBvd"), "{shown}");
}

#[test]
fn files_that_cannot_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let load = |name: &str| Config::load(&dir.path().join(name)).unwrap_err().to_string();
    let here = dir.path().display();

    let missing =
        format!("there is no such file. make it with its first user: ftpd --config {here}/no.toml user add");
    assert_eq!(load("no.toml"), format!("{here}/no.toml: {missing} NAME --home DIR --access write"));

    std::fs::create_dir(dir.path().join("directory")).unwrap();
    let said = load("directory");
    assert!(said.starts_with(&format!("{here}/directory: cannot be read: Is a directory")), "{said}");

    std::fs::write(dir.path().join("latin1"), b"# one\nstate = \"s\"\n# caf\xe9\n").unwrap();
    let said = load("latin1");
    assert_eq!(said, format!("{here}/latin1:3: this line is not UTF-8. save the file as UTF-8 text"));
}

#[test]
fn what_is_being_mended_is_no_mistake() {
    let mended = |text: &str, mending| read::config(Path::new("users.toml"), text, Some(mending));
    let bad_password = bob("password = \"plain\"\nhome = \"h\"");
    assert!(mended(&bad_password, read::Mending::Password("bob")).is_ok());
    assert!(mended(&bad_password, read::Mending::Password("ann")).is_err());
    assert!(mended(&bob("home = \"h\""), read::Mending::Password("bob")).is_ok());
    let bad_home = bob("password = \"plain\"");
    assert!(mended(&bad_home, read::Mending::Password("bob")).is_err());
    assert!(mended(&bad_home, read::Mending::User("bob")).is_ok());
    assert!(mended(&bad_home, read::Mending::User("ann")).is_err());
}

/// Pieces of which files like users.toml are made, so that arbitrary text gets past the first character.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "(?s).{0,6}",
        3 => prop::sample::select(vec![
            "[native]\n", "[limits]\n", "[users.bob]\n", "[users.", "]\n", "[[", "[", "{", "}", " = ", "=", "\n", "\r\n",
            ".", ",", "\"", "'", "\"\"\"", "#", "listen", "tls", "false", "true", "digests", "idle", "password", "home",
            "access", "quota", "users", "bob", "[classic]\n", "implicit", "passive_ports", "external", "resumption",
            "lenient_eof", "\"required\"", "\"2122-2141\"", "\"0-0\"", "anonymous", "\"10 GiB\"", "\"127.0.0.1:0\"", "\"$argon2id$\"", "state", "\u{feff}",
        ]).prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_is_too_strange(text in pieces(), after in any::<bool>()) {
        let text = if after { native_and(&text) } else { text };
        if let Err(problem) = parse(&text) {
            let line = problem.line.expect("a text has lines");
            prop_assert!((1..=text.lines().count().max(1)).contains(&line));
            prop_assert!(!problem.to_string().contains(char::is_control), "{}", problem);
        }
    }
}
