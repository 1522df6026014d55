//! Each mistake is told by its line and word, with its remedy.

use super::*;

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
        ("[share]", r#"1: unknown section "share" at the top. known here: native, classic, limits, users"#),
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
