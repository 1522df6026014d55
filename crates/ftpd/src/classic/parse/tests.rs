//! Lines as clients send them, lines as nobody should, and any bytes at all.

use proptest::prelude::*;
use secrecy::ExposeSecret;

use super::*;

/// The command as text; a password is shown, which only a test may.
fn told(line: &[u8]) -> String {
    match command(line) {
        Ok(Command::Pass(password)) => format!("Pass({:?})", password.expose_secret()),
        Ok(command) => format!("{command:?}"),
        Err(Malformed(code, _)) => code.to_string(),
    }
}

#[test]
fn verbs_are_known_in_any_case_and_arguments_kept_as_they_are() {
    let cases: [(&[u8], &str); 58] = [
        (b"NOOP", "Noop"),
        (b"noop whatever", "Noop"),
        (b"  QUIT", "Quit"),
        (b"PASS  a b ", "Pass(\" a b \")"),
        (b"PASS", "Pass(\"\")"),
        (b"USER", "501"),
        (b"TYPE a n", "Type(Ascii)"),
        (b"TYPE L 8", "Type(Image)"),
        (b"TYPE E", "504"),
        (b"TYPE", "501"),
        (b"MODE s", "AsItIs"),
        (b"MODE Z", "504"),
        (b"STRU R", "504"),
        (b"PORT 127,0,0,1,4,1", "Port(127.0.0.1:1025)"),
        (b"PORT 127,0,0,1,4", "501"),
        (b"PORT 127,0,0,1,4,1,9", "501"),
        (b"PORT 127,0,0,256,4,1", "501"),
        (b"PORT -1,0,0,1,4,1", "501"),
        (b"EPRT |1|192.0.2.1|1025|", "Port(192.0.2.1:1025)"),
        (b"EPRT !2!::1!1025!", "Port([::1]:1025)"),
        (b"EPRT |1|::1|1025|", "501"),
        (b"EPRT |3|x|1025|", "522"),
        (b"EPRT |1|192.0.2.1|65536|", "501"),
        (b"EPRT |1|192.0.2.1|1025", "501"),
        (b"EPSV", "Epsv(Same)"),
        (b"EPSV 2", "Epsv(V6)"),
        (b"EPSV all", "EpsvAll"),
        (b"EPSV 3", "522"),
        (b"REST 9223372036854775808", "Rest(9223372036854775808)"),
        (b"REST 99999999999999999999", "501"),
        (b"REST -1", "501"),
        (b"REST +1", "501"),
        (b"REST", "501"),
        (b"RANG 0 9", "Rang(Some(0..10))"),
        (b"RANG 1 0", "Rang(None)"),
        (b"RANG 9 2", "501"),
        (b"ALLO 10 R 5", "Allo(10)"),
        (b"RETR", "501"),
        (b"STAT", "Status"),
        (b"LIST", "List(Long, Options { long: false, recursive: false }, [])"),
        (b"NLST -la", "List(Long, Options { long: true, recursive: false }, [])"),
        (b"NLST -R -- -x", "List(Names, Options { long: false, recursive: true }, [45, 120])"),
        (b"SITE CHMOD 0644 a", "Chmod(420, [97])"),
        (b"SITE CHMOD 888 a", "501"),
        (b"SITE CHMOD 644", "501"),
        (b"SITE EXEC rm", "504"),
        (b"MFMT 19700101000001 a", "Mfmt(Time { seconds: 1, nanoseconds: 0 }, [97])"),
        (b"MFMT 197001010000 a", "Mfmt(Time { seconds: 0, nanoseconds: 0 }, [97])"),
        (
            b"SITE UTIME a 19700101000000 19700101000001 19700101000000 UTC",
            "Mfmt(Time { seconds: 1, nanoseconds: 0 }, [97])",
        ),
        (b"MFMT yesterday a", "501"),
        (b"XMD5 \"a\"", "HashAs(Md5, [97])"),
        (b"OPTS HASH sha-256", "UseHash(Some(Sha256))"),
        (b"OPTS HASH CRC32", "504"),
        (b"OPTS UTF8 OFF", "504"),
        (b"AUTH SSL", "504"),
        (b"PROT E", "536"),
        (b"SMNT x", "502"),
        (b"VERYLONGVERB", "500"),
    ];
    for (line, wanted) in cases {
        assert_eq!(told(line), wanted, "{}", String::from_utf8_lossy(line));
    }
    for line in ["", " ", "X", "GET / HTTP/1.1", "\u{fc}bel", "USERx a"] {
        assert_eq!(told(line.as_bytes()), "500", "{line}");
    }
}

#[test]
fn a_path_is_whatever_follows_the_space() {
    for verb in [
        "RETR", "STOR", "APPE", "DELE", "MKD", "RMD", "CWD", "RNFR", "RNTO", "SIZE", "MDTM", "MLST", "MLSD",
        "HASH",
    ] {
        let line = format!("{verb}  a  \u{fc} -x ");
        assert_eq!(command(line.as_bytes()).unwrap().path(), " a  \u{fc} -x ".as_bytes(), "{verb}");
    }
}

#[test]
fn no_password_is_shown_by_chance() {
    assert!(!format!("{:?}", command(b"PASS secret").unwrap()).contains("secret"));
}

proptest! {
    #[test]
    fn no_line_is_too_strange(verb in "[A-Za-z]{3,4}|SITE UTIME|SITE CHMOD|OPTS HASH", rest in prop::collection::vec(any::<u8>(), 0..40), bare in any::<bool>()) {
        let line = if bare { rest.clone() } else { [verb.as_bytes(), b" ", &rest].concat() };
        if let Err(Malformed(code, text)) = command(&line) {
            prop_assert!((500..560).contains(&code) && !text.is_empty());
        }
    }
}
