//! `[classic]`, and the user who needs no password.

use super::*;

const LISTEN: &str = "listen = [\"127.0.0.1:2121\"]\n";

/// A file whose lines 5 and on are `more`, in `[classic]`.
fn classic_with(more: &str) -> String {
    native_and(&format!("[classic]\n{more}"))
}

fn classic(more: &str) -> Classic {
    parse(&classic_with(more)).unwrap().classic.unwrap()
}

#[test]
fn absent_unless_its_section_is_there() {
    assert_eq!(parse(NATIVE).unwrap().classic, None);
    let expected = Classic {
        listen: vec!["127.0.0.1:2121".parse().unwrap()],
        implicit: Vec::new(),
        passive_ports: 61_000..=61_199,
        external: None,
        tls: Demand::Required,
        resumption: Demand::Offered,
        lenient_eof: false,
    };
    assert_eq!(classic(LISTEN), expected);
}

#[test]
fn everything_that_can_be_said_of_it() {
    let said = classic(
        r#"
        listen = ["127.0.0.1:2121", "[::1]:0", "[::1]:0"]
        implicit = ["127.0.0.1:2990", "0.0.0.0:0"]
        passive_ports = "2122-2141"
        external = "203.0.113.7"
        tls = "offered"
        resumption = "required"
        lenient_eof = true
        "#,
    );
    let address = |text: &str| text.parse::<SocketAddr>().unwrap();
    assert_eq!(said.listen, [address("127.0.0.1:2121"), address("[::1]:0"), address("[::1]:0")]);
    assert_eq!(said.implicit, [address("127.0.0.1:2990"), address("0.0.0.0:0")]);
    assert_eq!(said.passive_ports, 2122..=2141);
    assert_eq!(said.external, Some([203, 0, 113, 7].into()));
    assert_eq!((said.tls, said.resumption), (Demand::Offered, Demand::Required));
    assert!(said.lenient_eof);
}

#[test]
fn ports_as_people_write_them() {
    for (text, expected) in [("2122", 2122..=2122), ("2122-2122", 2122..=2122), ("1-65535", 1..=65535)] {
        let said = classic(&format!("listen = [\"127.0.0.1:0\"]\npassive_ports = \"{text}\""));
        assert_eq!(said.passive_ports, expected);
    }
    for text in
        ["", "0", "0-9", "-", "1-", "-1", "1-2-3", "9-8", "65536", "1-65536", "+1-2", "1-+2", "1 - 2", "١"]
    {
        let expected = format!(
            "users.toml:6: passive_ports must be a port or a range of ports, in quotes, the lowest first, \
             not \"{text}\". write, for example: passive_ports = \"2122-2141\""
        );
        assert_eq!(mistake(&classic_with(&format!("{LISTEN}passive_ports = \"{text}\""))), expected);
    }
}

#[test]
fn its_mistakes_are_told_by_line() {
    let range = "a port or a range of ports, in quotes, the lowest first";
    let example = "write, for example:";
    for (more, expected) in [
        ("", format!("4: listen is missing in [classic]. add, for example: {}", LISTEN.trim_end())),
        (
            "tls = \"offered\"",
            format!("4: listen is missing in [classic]. add, for example: {}", LISTEN.trim_end()),
        ),
        (
            "listen = []\nimplicit = [\"127.0.0.1:1\"]",
            format!(
                "5: listen must be a list of addresses with ports, not an empty list. {example} {}",
                LISTEN.trim_end()
            ),
        ),
        (
            "implicit = \"127.0.0.1:1\"",
            format!(
                "5: implicit must be a list of addresses with ports, not \"127.0.0.1:1\". {example} \
                 implicit = [\"127.0.0.1:2990\"]"
            ),
        ),
        (
            "listen = [\"127.0.0.1:1\"]\nimplicit = [\n\"127.0.0.1:1\"]",
            "7: \"127.0.0.1:1\" is here a second time. keep one of the two".into(),
        ),
        (
            "listen = [\"127.0.0.1:1\"]\npassive_ports = 2122",
            format!("6: passive_ports must be {range}, not 2122. {example} passive_ports = \"2122-2141\""),
        ),
        (
            "listen = [\"127.0.0.1:1\"]\nexternal = \"ftp.example.org\"",
            format!(
                "6: external must be the IPv4 address that clients connect to, not \"ftp.example.org\". \
                 {example} external = \"203.0.113.7\""
            ),
        ),
        (
            "listen = [\"127.0.0.1:1\"]\nexternal = \"0.0.0.0\"",
            format!(
                "6: external must be the IPv4 address that clients connect to, not \"0.0.0.0\". \
                 {example} external = \"203.0.113.7\""
            ),
        ),
        (
            "listen = [\"127.0.0.1:1\"]\ntls = true",
            format!("6: tls must be \"required\" or \"offered\", not true. {example} tls = \"required\""),
        ),
        (
            "listen = [\"127.0.0.1:1\"]\nresumption = \"none\"",
            format!(
                "6: resumption must be \"required\" or \"offered\", not \"none\". {example} \
                 resumption = \"offered\""
            ),
        ),
        (
            "listen = [\"127.0.0.1:1\"]\nlenient_eof = \"yes\"",
            format!("6: lenient_eof must be true or false, not \"yes\". {example} lenient_eof = false"),
        ),
        (
            "passiv_ports = \"1-2\"",
            "5: unknown key \"passiv_ports\" in [classic]. did you mean \"passive_ports\"?".into(),
        ),
    ] {
        assert_eq!(mistake(&classic_with(more)), format!("users.toml:{expected}"));
    }
    assert_eq!(
        mistake(&format!("classic = 1\n{NATIVE}")),
        "users.toml:1: [classic] must be a section, not a number. write, for example: [classic]"
    );
}

#[test]
fn no_listener_is_where_data_connections_arrive() {
    let native = "[native]\nlisten = [\"127.0.0.1:10600\"]\n[classic]\n";
    for (more, listener) in [
        ("listen = [\"127.0.0.1:2130\"]\npassive_ports = \"2122-2141\"", "127.0.0.1:2130"),
        ("implicit = [\"[::]:2141\"]\npassive_ports = \"2122-2141\"", "[::]:2141"),
        ("listen = [\"127.0.0.1:21\"]\npassive_ports = \"10600\"", "127.0.0.1:10600"),
    ] {
        assert_eq!(
            mistake(&format!("{native}{more}")),
            format!(
                "users.toml:5: {listener} is listened on, with a port among these. choose ports beside it"
            )
        );
    }
    let both = format!("{native}listen = [\"127.0.0.1:10600\"]");
    assert_eq!(
        mistake(&both),
        "users.toml:4: \"127.0.0.1:10600\" is here a second time. keep one of the two"
    );
}

#[test]
fn it_may_be_the_only_door() {
    let config = parse(&format!("[classic]\n{LISTEN}implicit = [\"127.0.0.1:2990\"]")).unwrap();
    assert!(config.native.listen.is_empty() && !config.native.tls);
    let listeners: Vec<String> = config.listeners().map(|address| address.to_string()).collect();
    assert_eq!(listeners, ["127.0.0.1:2121", "127.0.0.1:2990"]);
    assert_eq!(config.tls, Some(Tls { files: None }));
    let implicit = parse("[classic]\nimplicit = [\"127.0.0.1:2990\"]").unwrap();
    assert!(implicit.classic.unwrap().listen.is_empty());
}

#[test]
fn one_key_is_for_both_doors_also_where_only_this_one_speaks_tls() {
    let files = "certificate = \"c.pem\"\nkey = \"k.pem\"\n";
    let config = parse(&native_and(&format!("{files}[classic]\n{LISTEN}"))).unwrap();
    assert!(!config.native.tls);
    assert_eq!(config.tls, Some(Tls { files: Some(("c.pem".into(), "k.pem".into())) }));
    assert_eq!(parse(NATIVE).unwrap().tls, None);
}

fn anonymous(more: &str) -> Result<User, String> {
    let config = parse(&native_and(&format!("[users.anonymous]\nhome = \"pub\"\n{more}")));
    config.map(|mut config| config.users.remove(ANONYMOUS).unwrap()).map_err(|problem| problem.to_string())
}

#[test]
fn everybody_needs_no_password_and_may_not_do_everything() {
    let user = anonymous("quota = \"1 GiB\"").unwrap();
    assert!(user.password.is_none());
    assert_eq!((user.access, user.quota), (Access::Read, Some(1 << 30)));
    assert_eq!(anonymous("access = \"drop\"").unwrap().access, Access::Drop);
    for (more, expected) in [
        (
            "access = \"write\"",
            "anonymous is everybody, who could change and remove all there is. write access = \"read\", \
             or \"drop\" to let them upload and see nothing",
        ),
        (
            &format!("password = \"{HASH}\""),
            "anonymous has a password, and is the name by which everybody logs in. remove the line, \
             or give the user another name",
        ),
        (
            "password = \"hunter2\"",
            "anonymous has a password, and is the name by which everybody logs in. remove the line, \
             or give the user another name",
        ),
    ] {
        assert_eq!(anonymous(more).unwrap_err(), format!("users.toml:6: {expected}"));
    }
    let ftp = mistake(&native_and("[users.ftp]\nhome = \"pub\""));
    assert_eq!(ftp, "users.toml:4: ftp has no password. run: ftpd user passwd ftp", "that is somebody");
}
