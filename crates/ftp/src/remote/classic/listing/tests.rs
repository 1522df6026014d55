//! Lines of listings as servers send them.

use super::*;

#[test]
fn facts_are_read_in_any_order_and_case() {
    let line = "Type=file;Size=1024990;Modify=20260130123456.250;UNIX.mode=0644;Perm=r; a; b c";
    let Some(Fact::Entry(entry)) = facts(line.as_bytes()) else { panic!("{line}") };
    assert_eq!((entry.name.as_slice(), entry.kind, entry.size), (&b"a; b c"[..], EntryKind::File, 1_024_990));
    assert_eq!(entry.modified, Time { seconds: 1_769_776_496, nanoseconds: 250_000_000 });
    assert_eq!(entry.mode, 0o644);
    let Some(Fact::Entry(entry)) = facts(b"unix.mode=0o750; a") else { panic!("pyftpdlib") };
    assert_eq!(entry.mode, 0o750);
    for (text, kind) in [
        ("type=dir; d", EntryKind::Directory),
        ("type=OS.unix=slink:/etc/passwd; l", EntryKind::Link),
        ("type=OS.unix=chr-1/3; n", EntryKind::Other),
        (" n", EntryKind::Other),
    ] {
        let Some(Fact::Entry(entry)) = facts(text.as_bytes()) else { panic!("{text}") };
        assert_eq!((entry.kind, entry.name.len()), (kind, 1), "{text}");
    }
}

#[test]
fn of_a_file_is_told_what_is_told_and_nothing_else() {
    let line = b"Type=file;Size=0;UNIX.mode=0000;Modify=20260130123456; a; b";
    let modified = Some(Time { seconds: 1_769_776_496, nanoseconds: 0 });
    assert_eq!(told(line), Some(Told { size: Some(0), modified, mode: Some(0) }));
    for line in [&b"type=file; size=1;UNIX.mode=0000; a"[..], b"type=file;modify=x;UNIX.mode=rw-; a"] {
        assert_eq!(told(line), Some(Told::default()), "{}", String::from_utf8_lossy(line));
    }
    for line in [&b"type=OS.unix=slink;size=5;UNIX.mode=0777; a"[..], b"type=dir;UNIX.mode=0755; a", b" a"] {
        assert_eq!(told(line), None, "{}", String::from_utf8_lossy(line));
    }
}

#[test]
fn a_directory_does_not_list_itself() {
    for text in ["type=cdir; .", "type=pdir;modify=20260101000000; .."] {
        assert!(matches!(facts(text.as_bytes()), Some(Fact::Directory(_))), "{text}");
    }
}

#[test]
fn what_has_no_facts_is_no_entry() {
    for text in ["", "total 3", "type=file", "type=file;size=-1; a", "type=file;size=99999999999999999999; a"]
    {
        assert_eq!(facts(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn times_are_those_of_rfc_3659_and_no_others() {
    let time_of = |text: &str| time(text).map(|time| (time.seconds, time.nanoseconds));
    assert_eq!(time_of("19700101000000"), Some((0, 0)));
    assert_eq!(time_of("20260228235959.5"), Some((1_772_323_199, 500_000_000)));
    assert_eq!(time_of("19691231235959"), Some((-1, 0)));
    for text in ["", "2026", "20260230000000", "2026013012345", "+2026013012345", "20260130123456.x"] {
        assert_eq!(time_of(text), None, "{text}");
    }
    let told = Time { seconds: 1_769_776_496, nanoseconds: 9 };
    assert_eq!(time_text(told).as_deref(), Some("20260130123456"));
}

/// 2026-03-01 12:00 UTC.
fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

#[test]
fn lines_of_ls_and_of_dir_are_read() {
    for (line, name, kind, size, mode) in [
        ("-rw-r--r--    1 1000     1000         1234 Jan 30  2020 a b", "a b", EntryKind::File, 1234, 0o644),
        ("-rw-r--r--.   1 ana      staff          12 Jan 30  2020  a ", " a ", EntryKind::File, 12, 0o644),
        (
            "drwxr-x---+   2 ftp      ftp          4096 Jan 30 12:34 sub",
            "sub",
            EntryKind::Directory,
            4096,
            0o750,
        ),
        (
            "lrwxrwxrwx    1 0        0               7 Jan 30  2020 l -> x -> y",
            "l",
            EntryKind::Link,
            7,
            0o777,
        ),
        ("crw-rw----    1 0        6            6, 0 Jan 30  2020 lp0", "lp0", EntryKind::Other, 0, 0o660),
        ("-rwsr-Sr-T    1 ana                     1 Jan 30  2020 s", "s", EntryKind::File, 1, 0o744),
        ("-rw-------    1 a b 1 2026-01-30 12:34 iso", "iso", EntryKind::File, 1, 0o600),
        ("-rw-------    1 1 jan 30 5 Jan 30 12:34 jan 30 2020", "jan 30 2020", EntryKind::File, 5, 0o600),
        ("01-30-20  03:19PM       <DIR>          pub", "pub", EntryKind::Directory, 0, 0),
        ("01-30-2020  15:19            1,403 read me.txt", "read me.txt", EntryKind::File, 1403, 0),
    ] {
        let Line::Entry(entry) = people::read(line.as_bytes(), now()) else { panic!("{line}") };
        assert_eq!(String::from_utf8_lossy(&entry.name), name);
        assert_eq!((entry.kind, entry.size, entry.mode), (kind, size, mode), "{line}");
    }
}

#[test]
fn a_missing_year_is_the_one_that_makes_it_past() {
    for (told, wanted) in [
        ("Jan 30 12:34", "2026-01-30T12:34:00Z"),
        ("Mar  2 01:00", "2026-03-02T01:00:00Z"), // its clock is ahead
        ("Mar  3 01:00", "2025-03-03T01:00:00Z"),
        ("Dec 31 23:59", "2025-12-31T23:59:00Z"),
        ("Jan 30  1999", "1999-01-30T00:00:00Z"),
    ] {
        let line = format!("-rw-r--r-- 1 a b 1 {told} name");
        let Line::Entry(entry) = people::read(line.as_bytes(), now()) else { panic!("{line}") };
        let wanted: Timestamp = wanted.parse().unwrap();
        assert_eq!(entry.modified.seconds, wanted.as_second(), "{told}");
    }
    let line = b"03-09-26  12:05AM  1 a";
    let Line::Entry(entry) = people::read(line, now()) else { panic!("dir") };
    assert_eq!(entry.modified.seconds, "2026-03-09T00:05:00Z".parse::<Timestamp>().unwrap().as_second());
}

#[test]
fn what_is_no_entry_is_told_from_what_cannot_be_read() {
    for line in ["total 12", "", "  "] {
        assert_eq!(people::read(line.as_bytes(), now()), Line::Nothing, "{line}");
    }
    for line in [
        "nonsense",
        "-rw-r--r-- 1 a b 1 Foo 30 2020 a",
        "-rw-r--r-- 1 a b x Jan 30 2020 a",
        "d",
        "-\u{e9}",
        "-rw-r--r-- 1 a b 1 Jan 30 2020",
        "99-99-99 12:00AM 1 a",
        "01-30-20 13:00PM 1 a",
    ] {
        assert_eq!(people::read(line.as_bytes(), now()), Line::Unreadable, "{line}");
    }
}

proptest::proptest! {
    #[test]
    fn no_line_is_too_odd(line: Vec<u8>, tail in "[-dl][rwx-]{0,9}.{0,40}") {
        people::read(&line, now());
        people::read(tail.as_bytes(), now());
        facts(&line);
        time(&tail);
    }
}
