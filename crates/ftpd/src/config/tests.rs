//! Every mistake in users.toml, by line and word; and what a good file reads as.

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
fn toml_that_is_none() {
    for (text, expected) in [
        ("a = \"x\n", "1: this is not TOML: invalid basic string, expected `\"`."),
        ("\n\n[native\n", "3: this is not TOML: unclosed table, expected `]`."),
        ("state = \"s\"\nlisten = [1,\n2", "3: this is not TOML: unclosed array, expected `]`."),
        ("x = \"\"\"a\n\n", "2: this is not TOML: invalid multi-line basic string, expected `\"`."),
        ("state = state", "1: this is not TOML: string values must be quoted, expected literal string."),
        (
            "\r\n= 3\r\n",
            "2: this is not TOML: unquoted keys cannot be empty, expected letters, numbers, `-`, `_`.",
        ),
    ] {
        let remedy = " put text in quotes, sections in brackets, as in the example in the README";
        assert_eq!(mistake(text), format!("users.toml:{expected}{remedy}"));
    }
}

#[test]
fn things_that_are_there_twice() {
    let address = "[native]\ntls = false\nlisten = [\n  \"127.0.0.1:1\",\n  \"127.0.0.1:1\",\n]\n";
    let digest = native_and("digests = [\"md5\", \"md5\"]");
    let user = bob("home = \"a\"\n[users.carol]\n  [users.bob] # again\nhome = \"b\"");
    for (text, expected) in [
        ("state = \"a\"\nstate = \"b\"\n", "2: \"state\" is here a second time. keep one of the two"),
        (&user, "7: [users.bob] is here a second time. keep one of the two"),
        (address, "5: \"127.0.0.1:1\" is here a second time. keep one of the two"),
        (&digest, "4: \"md5\" is here a second time. keep one of the two"),
    ] {
        assert_eq!(mistake(text), format!("users.toml:{expected}"));
    }
}

#[test]
fn names_that_nobody_reads() {
    for (text, expected) in [
        ("sate = \"s\"", r#"1: unknown key "sate" at the top. did you mean "state"?"#),
        ("# x\nport = 21", r#"2: unknown key "port" at the top. known here: state, roots, durability"#),
        ("[natve]", r#"1: unknown section "natve" at the top. did you mean "native"?"#),
        ("[share]", r#"1: unknown section "share" at the top. known here: native, limits, users"#),
        ("[native]\n\nTLS = false", r#"3: unknown key "TLS" in [native]. did you mean "tls"?"#),
        (
            "[native]\nb = 1\na = 1",
            r#"2: unknown key "b" in [native]. known here: listen, tls, certificate, key, digests"#,
        ),
        (
            "[native]\n\"\\u001b[2J\" = 1",
            r#"2: unknown key "\x1b[2J" in [native]. known here: listen, tls, certificate, key, digests"#,
        ),
        (
            "[native]\nlisten = [\"127.0.0.1:0\"]\n[native.tls]",
            "3: tls must be true or false, not a section. write, for example: tls = false",
        ),
        (
            "[native.door]",
            r#"1: unknown key "door" in [native]. known here: listen, tls, certificate, key, digests"#,
        ),
        (
            &native_and("[limits]\nsesions = 1"),
            r#"5: unknown key "sesions" in [limits]. did you mean "sessions"?"#,
        ),
        (&bob("acces = \"read\""), r#"5: unknown key "acces" in [users.bob]. did you mean "access"?"#),
        (
            &bob("\n[users.ann.lee]"),
            r#"6: [users.ann.lee] is a section inside a user's. if the name has a dot, quote it: [users."ann.lee"]"#,
        ),
    ] {
        assert_eq!(mistake(text), format!("users.toml:{expected}"));
    }
}

#[test]
fn what_this_version_cannot_serve() {
    let text = native_and("\n[classic]\nlisten = [\"127.0.0.1:2121\"]");
    let expected = "users.toml:5: [classic] is not available in this version. remove the section";
    assert_eq!(mistake(&text), expected);
}

#[test]
fn tls_is_on_unless_it_is_off_and_takes_both_files_or_none() {
    let listen = "[native]\nlisten = [\"127.0.0.1:0\"]\n";
    let tls =
        |more: &str| Config::parse(Path::new("d/users.toml"), &format!("{listen}{more}")).unwrap().native.tls;
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
fn nowhere_to_listen() {
    let nowhere = "the server would listen nowhere. add a section [native] with the line \
                   listen = [\"127.0.0.1:10600\"]";
    let example = "write, for example: listen = [\"127.0.0.1:10600\"]";
    let wanted = "listen must be a list of addresses with ports";
    for (text, expected) in [
        ("", format!("1: {nowhere}")),
        ("# nothing\n\nstate = \"s\"\n", format!("1: {nowhere}")),
        (
            "\n[native]\ntls = false",
            "2: listen is missing in [native]. add, for example: listen = [\"127.0.0.1:10600\"]".into(),
        ),
        ("[native]\nlisten = []", format!("2: {wanted}, not an empty list. {example}")),
        ("[native]\nlisten = 10600", format!("2: {wanted}, not 10600. {example}")),
        ("[native]\nlisten = \"127.0.0.1:1\"", format!("2: {wanted}, not \"127.0.0.1:1\". {example}")),
        (
            "[native]\nlisten = [\n\"127.0.0.1:1\",\n\"localhost:1\"]",
            format!("4: {wanted}, not \"localhost:1\". {example}"),
        ),
        ("[native]\nlisten = [\"127.0.0.1\"]", format!("2: {wanted}, not \"127.0.0.1\". {example}")),
        (
            "[native]\nlisten = [\"127.0.0.1:65536\"]",
            format!("2: {wanted}, not \"127.0.0.1:65536\". {example}"),
        ),
        ("[native]\nlisten = [[]]", format!("2: {wanted}, not an empty list. {example}")),
        ("native = 1", "1: [native] must be a section, not a number. write, for example: [native]".into()),
        ("[[native]]", "1: [native] must be a section, not a list. write, for example: [native]".into()),
    ] {
        assert_eq!(mistake(text), format!("users.toml:{expected}"));
    }
}

#[test]
fn values_that_are_wrong() {
    let time = "must be a time from \"1ms\" to \"365d\"";
    let home = r#"home must be the path of a directory"#;
    let home_example = r#"write, for example: home = "homes/alice""#;
    let user = format!("password = \"{HASH}\"\nhome = \"h\"\n");
    for (text, expected) in [
        ("state = 1".into(), r#"1: state must be the path of a directory, not 1. write, for example: state = "state""#.into()),
        ("roots = []".into(), r#"1: roots must be a list of paths of directories, not an empty list. write, for example: roots = ["/srv/ftp"]"#.into()),
        ("roots = [\"a\", \"\"]".into(), r#"1: roots must be a list of paths of directories, not "". write, for example: roots = ["/srv/ftp"]"#.into()),
        ("state = \"\"".into(), r#"1: state must be the path of a directory, not "". write, for example: state = "state""#.into()),
        (
            "durability = \"some\"".into(),
            r#"1: durability must be "full" or "none", not "some". write, for example: durability = "full""#.into(),
        ),
        (
            native_and("digests = [\"md5\", \"sha1\"]"),
            r#"4: digests must be a list of digests, "md5" or "blake3", not "sha1". write, for example: digests = ["md5", "blake3"]"#.into(),
        ),
        (
            "[native]\nlisten = [\"127.0.0.1:1\"]\ntls = \"no\"".into(),
            "3: tls must be true or false, not \"no\". write, for example: tls = false".into(),
        ),
        (
            native_and("[limits]\nsessions = 0"),
            "5: sessions must be a whole number from 1 to 1000000, not 0. write, for example: sessions = 1000".into(),
        ),
        (
            native_and("[limits]\nsessions = -99999999999999999999"),
            "5: sessions must be a whole number from 1 to 1000000, not -99999999999999999999. write, for example: sessions = 1000".into(),
        ),
        (
            native_and("[limits]\npassword_hashes = 1.5"),
            "5: password_hashes must be a whole number from 1 to 1000, not a fraction. write, for example: password_hashes = 2".into(),
        ),
        (native_and("[limits]\nidle = 10"), format!("5: idle {time}, not 10. write, for example: idle = \"10m\"")),
        (native_and("[limits]\n\nstall = \"60\""), format!("6: stall {time}, not \"60\". write, for example: stall = \"60s\"")),
        (
            native_and("[limits]\nlogin_deadline = \"0s\""),
            format!("5: login_deadline {time}, not \"0s\". write, for example: login_deadline = \"30s\""),
        ),
        (native_and("limits = 3"), "4: unknown key \"limits\" in [native]. known here: listen, tls, certificate, key, digests".into()),
        (bob(&format!("password = \"{HASH}\"\n")), "4: home is missing in [users.bob]. add, for example: home = \"homes/alice\"".into()),
        (bob(&format!("password = \"{HASH}\"\nhome = \"\"")), format!("6: {home}, not \"\". {home_example}")),
        (bob(&format!("password = \"{HASH}\"\nhome = \"a\\u0000\"")), format!("6: {home}, not \"a\\x00\". {home_example}")),
        (
            bob(&format!("{user}access = \"raed\"")),
            r#"7: access must be "read", "write" or "drop", not "raed". write, for example: access = "read""#.into(),
        ),
        (
            bob(&format!("{user}quota = \"10 gallons\"")),
            r#"7: quota must be a size above zero, not "10 gallons". write, for example: quota = "10 GiB""#.into(),
        ),
        (
            bob(&format!("{user}quota = 10")),
            r#"7: quota must be a size above zero, not 10. write, for example: quota = "10 GiB""#.into(),
        ),
        (
            bob(&format!("{user}quota = \"{}\"", "9".repeat(200))),
            format!(r#"7: quota must be a size above zero, not "{}…". write, for example: quota = "10 GiB""#, "9".repeat(80)),
        ),
    ] {
        assert_eq!(mistake(&text), format!("users.toml:{expected}"));
    }
}

#[test]
fn names_that_no_user_can_have() {
    let long = "x".repeat(65);
    for (name, shown) in [
        ("", ""),
        ("a b", "a b"),
        ("ä", "ä"),
        ("-r", "-r"),
        ("a/b", "a/b"),
        ("a\\nb", "a\\nb"),
        (&long, &long),
    ] {
        let text = native_and(&format!("[users.\"{name}\"]\nhome = \"h\""));
        let allowed = "use 1 to 64 of a-z A-Z 0-9 . _ - @, and no - first";
        assert_eq!(
            mistake(&text),
            format!("users.toml:4: \"{shown}\" cannot be the name of a user. {allowed}")
        );
    }
    let section = "must be a section, not text. write, for example: [users.alice]";
    assert_eq!(mistake(&native_and("[users]\nbob = \"x\"")), format!("users.toml:5: [users.bob] {section}"));
    assert_eq!(mistake(&format!("users = \"x\"\n{NATIVE}")), format!("users.toml:1: [users] {section}"));
}

#[test]
fn passwords_that_cannot_be_served_are_not_repeated() {
    let run = "run: ftpd user passwd bob";
    for (line, expected) in [
        ("password = \"hunter2\"", "5: the password of bob is not a hash but plain text."),
        ("password = \"\"", "5: the password of bob is not a hash but plain text."),
        ("password = \"$2b$12$hunter2\"", "5: the password of bob is not an argon2id hash."),
        ("password = \"$argon2id$hunter2\"", "5: the password of bob is a damaged argon2id hash."),
        ("home = \"h\"", "4: bob has no password."),
    ] {
        let said = mistake(&bob(line));
        assert_eq!(said, format!("users.toml:{expected} {run}"));
    }
    let number = mistake(&bob("password = 31337"));
    assert_eq!(
        number,
        "users.toml:5: password must be a hash in quotes, not a number. write, for example: password = \"$argon2id$…\""
    );
    let secret = bob("password = \"hunter2\"");
    assert!(!format!("{:?}", parse(&secret)).contains("hunter2"));
    let elsewhere = Config::parse(Path::new("/etc/my users.toml"), &secret).unwrap_err().to_string();
    assert!(elsewhere.ends_with("run: ftpd --config '/etc/my users.toml' user passwd bob"), "{elsewhere}");
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
            "access", "quota", "users", "bob", "\"10 GiB\"", "\"127.0.0.1:0\"", "\"$argon2id$\"", "state", "\u{feff}",
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
