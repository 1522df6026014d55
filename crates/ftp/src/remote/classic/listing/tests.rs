//! Lines of listings as servers send them.

use super::*;

#[test]
fn facts_are_read_in_any_order_and_case() {
    let line = "Type=file;Size=1024990;Modify=20260130123456.250;UNIX.mode=0644;Perm=r; a; b c";
    let Some(Fact::Entry(entry)) = facts(line.as_bytes()) else { panic!("{line}") };
    assert_eq!((entry.name.as_slice(), entry.kind, entry.size), (&b"a; b c"[..], EntryKind::File, 1_024_990));
    assert_eq!(entry.modified, Time { seconds: 1_769_776_496, nanoseconds: 250_000_000 });
    assert_eq!(entry.mode, 0o644);
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

#[test]
fn lines_of_ls_and_of_dir_are_read() {
    for (line, name, kind, size, mode) in [
        ("-rw-r--r--    1 1000     1000         1234 Jan 30  2020 a b", "a b", EntryKind::File, 1234, 0o644),
        (
            "drwxr-x---    2 ftp      ftp          4096 Jan 30 12:34 sub",
            "sub",
            EntryKind::Directory,
            4096,
            0o750,
        ),
        (
            "lrwxrwxrwx    1 0        0               7 Jan 30  2020 l -> target",
            "l",
            EntryKind::Link,
            7,
            0o777,
        ),
        ("01-30-20  03:19PM       <DIR>          pub", "pub", EntryKind::Directory, 0, 0),
        ("01-30-20  03:19PM                  403 read me.txt", "read me.txt", EntryKind::File, 403, 0),
    ] {
        let entry = listed(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
        assert_eq!(String::from_utf8_lossy(&entry.name), name);
        assert_eq!((entry.kind, entry.size, entry.mode), (kind, size, mode), "{line}");
    }
    for line in ["total 12", "", "nonsense"] {
        assert_eq!(listed(line.as_bytes()), None, "{line}");
    }
}
