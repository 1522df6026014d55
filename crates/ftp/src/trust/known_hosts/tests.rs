//! The file of known keys: its lines, its making, many writers, and all that can be wrong with it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

fn key(number: usize) -> Fingerprint {
    let letter = char::from(b'A' + number as u8);
    format!("SHA256:{letter}{}=", "A".repeat(42)).parse().unwrap()
}

fn place(text: &str) -> Place {
    text.parse().unwrap()
}

/// A file with this text, in a fresh directory.
fn file(text: &[u8]) -> (TempDir, KnownHosts) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("known_hosts");
    fs::write(&path, text).unwrap();
    (directory, KnownHosts { path: Some(path) })
}

fn text(known: &KnownHosts) -> String {
    fs::read_to_string(known.path.as_ref().unwrap()).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn all_keys_of_a_place_are_found_with_their_lines() {
    let (one, two, three) = (key(0), key(1), key(2));
    let (_directory, known) = file(
        format!(
            "# mine\n\nNAS:10600 {one}\r\nnas:10601 {two}\n  [0::1]:1\t{two} # the other\nnas:10600 {three}"
        )
        .as_bytes(),
    );
    let found = |of: &str| known.look_up(&place(of)).unwrap();
    assert_eq!(
        found("nas:10600"),
        [Entry { fingerprint: one, line: Some(3) }, Entry { fingerprint: three, line: Some(6) }]
    );
    assert_eq!(found("[::1]:1"), [Entry { fingerprint: two, line: Some(5) }]);
    assert_eq!(found("nas:1"), []);
}

#[test]
fn a_line_that_is_none_is_told_with_its_number() {
    let good = format!("nas:1 {}\n", key(0));
    for (line, what) in [
        ("nas", "port is missing"),
        ("nas:1", "nothing else"),
        ("nas:1 SHA256:AAAA", "not a fingerprint"),
        ("nas:1 ssh-ed25519 AAAA", "nothing else"),
        (&format!("nas {}", key(0)), "port is missing"),
        (&format!("\u{feff}nas:1 {}", key(0)), "the host is none"),
        (&format!("nas:1 {} {}", key(0), key(1)), "nothing else"),
        (&format!("::1:1 {}", key(0)), "brackets"),
        (&format!("nas:1 {}\0", key(0)), "not a fingerprint"),
    ] {
        let (_directory, known) = file(format!("{good}{line}\n{good}").as_bytes());
        let failure = known.look_up(&place("other:1")).unwrap_err();
        assert_eq!(failure.code, Code::ServerKey);
        assert!(failure.message.starts_with(&format!("{}:2: ", known.name())), "{failure}");
        assert!(failure.message.contains(what), "{line}: {failure}");
        assert!(matches!(known.record(&place("other:1"), key(0)), Err(Unrecorded::Failed(_))), "{line}");
    }
}

#[test]
fn what_cannot_be_read_is_told() {
    let (directory, _) = file(b"");
    let at = |name: &str| KnownHosts { path: Some(directory.path().join(name)) };
    fs::create_dir(directory.path().join("directory")).unwrap();
    fs::write(directory.path().join("bytes"), b"nas\xff:1").unwrap();
    fs::write(directory.path().join("large"), vec![b'#'; LARGEST as usize + 1]).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, directory.path().join("fifo"), 0o600.into()).unwrap();
    for (name, what) in
        [("directory", "directory"), ("bytes", "UTF-8"), ("large", "1 MiB"), ("fifo", "not a file")]
    {
        let failure = at(name).look_up(&place("nas:1")).unwrap_err();
        assert_eq!(failure.code, Code::ServerKey);
        assert!(failure.message.contains(what) && failure.message.contains(name), "{failure}");
        assert!(failure.remedy.unwrap().contains(VARIABLE));
    }
    assert_eq!(at("missing").look_up(&place("nas:1")).unwrap(), []);
    assert_eq!(at("missing/file").look_up(&place("nas:1")).unwrap(), []);
    let nowhere = KnownHosts { path: Some("/dev/null".into()) };
    nowhere.record(&place("nas:1"), key(0)).unwrap();
    assert_eq!(nowhere.look_up(&place("nas:1")).unwrap(), []);
}

#[test]
fn it_is_made_for_its_user_alone() {
    let directory = tempfile::tempdir().unwrap();
    let share = directory.path().join("share");
    let known = KnownHosts { path: Some(share.join("ftp/known_hosts")) };
    known.record(&place("nas:1"), key(0)).unwrap();
    assert_eq!(text(&known), format!("nas:1 {}\n", key(0)));
    assert_eq!((mode(&share), mode(&share.join("ftp"))), (0o700, 0o700));
    assert_eq!(mode(&share.join("ftp/known_hosts")), 0o600);
}

#[test]
fn what_stands_there_stays() {
    let (_directory, known) = file(b"# no end");
    fs::set_permissions(known.path.as_ref().unwrap(), Permissions::from_mode(0o640)).unwrap();
    known.record(&place("nas:1"), key(0)).unwrap();
    known.record(&place("nas:1"), key(0)).unwrap();
    known.record(&place("nas:2"), key(1)).unwrap();
    assert_eq!(text(&known), format!("# no end\nnas:1 {}\nnas:2 {}\n", key(0), key(1)));
    assert_eq!(mode(known.path.as_ref().unwrap()), 0o640);
}

#[test]
fn a_key_that_another_client_recorded_meanwhile_rules() {
    let (_directory, known) = file(format!("nas:1 {}\n", key(1)).as_bytes());
    match known.record(&place("nas:1"), key(0)) {
        Err(Unrecorded::Changed(entries)) => {
            assert_eq!(entries, [Entry { fingerprint: key(1), line: Some(1) }])
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(text(&known), format!("nas:1 {}\n", key(1)));
}

#[test]
fn many_at_once_record_each_place_once_and_whole() {
    let directory = tempfile::tempdir().unwrap();
    let known = KnownHosts { path: Some(directory.path().join("share/ftp/known_hosts")) };
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let known = &known;
            scope.spawn(move || {
                for number in 0..50 {
                    let number = (number * 7 + thread) % 50;
                    let port = 1 + number;
                    known.record(&place(&format!("nas:{port}")), key(number % 20)).unwrap();
                    known.look_up(&place("nas:1")).unwrap();
                }
            });
        }
    });
    assert_eq!(text(&known).lines().count(), 50);
    for number in 0..50 {
        let found = known.look_up(&place(&format!("nas:{}", 1 + number))).unwrap();
        assert_eq!(found.iter().map(|entry| entry.fingerprint).collect::<Vec<_>>(), [key(number % 20)]);
    }
}

#[test]
fn a_place_that_could_not_be_read_again_is_not_recorded() {
    let (_directory, known) = file(b"");
    for host in ["na#s", "a,b", "nas\u{200b}"] {
        assert!(matches!(known.record(&Place::new(host, 1), key(0)), Err(Unrecorded::Failed(_))), "{host}");
    }
    assert_eq!(text(&known), "");
    let nowhere = KnownHosts { path: None };
    assert!(matches!(nowhere.record(&place("nas:1"), key(0)), Err(Unrecorded::Failed(_))));
    assert_eq!(nowhere.look_up(&place("nas:1")).unwrap(), []);
}

#[test]
fn the_environment_says_where() {
    for (variable, data, home, wanted) in [
        ("here", "/data", Some("/home/ana"), Some("here")),
        ("", "/data", Some("/home/ana"), Some("/data/ftp/known_hosts")),
        ("", "", Some("/home/ana"), Some("/home/ana/.local/share/ftp/known_hosts")),
        ("", "relative", Some("/home/ana"), Some("/home/ana/.local/share/ftp/known_hosts")),
        ("", "", None, None),
    ] {
        let found = chosen(Some(variable.into()), Some(data.into()), home.map(PathBuf::from));
        assert_eq!(found, wanted.map(PathBuf::from), "{variable} {data} {home:?}");
    }
}

proptest! {
    #[test]
    fn what_is_recorded_is_found(places in proptest::collection::vec(("[a-zA-Z][a-z0-9.-]{0,20}|::[1-9a-f]", 1u16..), 1..20)) {
        let (_directory, known) = file(b"");
        let mut seen: Vec<Place> = Vec::new();
        for (host, port) in &places {
            let place = Place::new(host, *port);
            known.record(&place, key(0)).unwrap();
            if !seen.contains(&place) {
                seen.push(place);
            }
        }
        prop_assert_eq!(text(&known).lines().count(), seen.len());
        for place in seen {
            prop_assert_eq!(known.look_up(&place).unwrap().len(), 1);
        }
    }

    #[test]
    fn any_text_is_lines_or_a_failure(text: String) {
        match of_place(&text, &place("nas:1")) {
            Ok(_) => {}
            Err((line, _)) => prop_assert!((1..=text.lines().count()).contains(&line)),
        }
    }
}
