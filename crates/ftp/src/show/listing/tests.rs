//! Listings on terminals and pipes, with names of every width.

use proptest::prelude::*;

use super::super::tests::PIPE;
use super::*;

fn entry(name: &str, kind: EntryKind) -> Entry {
    let modified = Time { seconds: 1_000_000_000, nanoseconds: 0 };
    Entry { name: name.into(), kind, size: 0, modified, mode: 0o755 }
}

fn files(names: &[&str]) -> Vec<Entry> {
    names.iter().map(|name| entry(name, EntryKind::File)).collect()
}

fn terminal(width: usize) -> Surface {
    Surface { width: Some(width), colour: false }
}

fn clock() -> Clock {
    Clock { now: Timestamp::from_second(1_000_100_000).unwrap(), zone: TimeZone::UTC }
}

#[test]
fn a_pipe_gets_one_bare_name_a_line() {
    let entries =
        [entry("sub", EntryKind::Directory), entry("link", EntryKind::Link), entry("a b", EntryKind::File)];
    assert_eq!(short(&entries, &PIPE), "sub\nlink\na b\n");
    assert_eq!(short(&[], &PIPE), "");
    assert_eq!(short(&[], &terminal(80)), "");
}

#[test]
fn a_terminal_gets_columns_filled_from_the_top() {
    let entries = files(&["a", "bb", "ccc", "dddd", "e"]);
    assert_eq!(short(&entries, &terminal(80)), "a  bb  ccc  dddd  e\n");
    assert_eq!(short(&entries, &terminal(11)), "a   ccc   e\nbb  dddd\n");
    assert_eq!(short(&entries, &terminal(10)), "a    dddd\nbb   e\nccc\n");
    assert_eq!(short(&entries, &terminal(3)), "a\nbb\nccc\ndddd\ne\n");
    assert_eq!(lines(&entries, &terminal(80)), "a\nbb\nccc\ndddd\ne\n");
}

#[test]
fn wide_letters_take_two_columns() {
    let entries = files(&["日本語", "b", "ä", "d"]);
    assert_eq!(short(&entries, &terminal(10)), "日本語  ä\nb       d\n");
}

#[test]
fn directories_and_links_are_marked_and_coloured_on_a_terminal() {
    let entries =
        [entry("sub", EntryKind::Directory), entry("to", EntryKind::Link), entry("f", EntryKind::File)];
    assert_eq!(short(&entries, &terminal(80)), "sub/  to@  f\n");
    let colourful = Surface { width: Some(80), colour: true };
    let shown = short(&entries, &colourful);
    assert_eq!(shown, "\x1b[1m\x1b[34msub\x1b[0m/  \x1b[36mto\x1b[0m@  f\n");
}

#[test]
fn a_hostile_name_stays_one_harmless_line() {
    let shown = short(&files(&["a\n\x1b[2Jb"]), &terminal(80));
    assert_eq!(shown.lines().count(), 1);
    assert!(!shown.contains('\x1b'));
}

#[test]
fn long_lines_have_mode_size_time_and_name() {
    let mut entries = [entry("sub", EntryKind::Directory), entry("f", EntryKind::File)];
    entries[1] = Entry { size: 4_700_000_000, mode: 0o640, ..entries[1].clone() };
    assert_eq!(
        long(&entries, &PIPE, &clock()),
        "drwxr-xr-x          0 Sep  9 01:46 sub\n-rw-r----- 4700000000 Sep  9 01:46 f\n",
    );
}

#[test]
fn times_within_half_a_year_have_an_hour_and_others_a_year() {
    let at = |seconds| clock().short(Time { seconds, nanoseconds: 0 });
    assert_eq!(at(1_000_099_999), "Sep 10 05:33");
    assert_eq!(at(1_000_100_000 - 4380 * 3600), "Mar 11 17:33");
    assert_eq!(at(1_000_100_000 - 4380 * 3600 - 1), "Mar 11  2001");
    assert_eq!(at(1_000_100_001), "Sep 10  2001"); // from the future
    assert_eq!(at(-1), "Dec 31  1969");
    assert_eq!(at(i64::MAX), format!("@{}", i64::MAX));
}

#[test]
fn times_are_those_of_the_local_zone() {
    let clock = Clock { zone: TimeZone::fixed(jiff::tz::offset(2)), ..clock() };
    let time = Time { seconds: 1_000_000_000, nanoseconds: 0 };
    assert_eq!(clock.full(time), "2001-09-09 03:46:40 +0200");
}

proptest! {
    #[test]
    fn no_line_is_wider_than_the_terminal_and_no_name_is_lost(
        names in prop::collection::vec("[a-zäß日本 ]{1,12}", 0..40),
        width in 1usize..100,
    ) {
        let entries: Vec<Entry> = names.iter().map(|name| entry(name, EntryKind::File)).collect();
        let shown = short(&entries, &terminal(width));
        let widest = names.iter().map(|name| name.width()).max().unwrap_or(0);
        for line in shown.lines() {
            prop_assert!(line.width() <= width.max(widest), "{line:?}");
        }
        for name in &names {
            prop_assert!(shown.contains(name.as_str()));
        }
    }

    #[test]
    fn any_time_can_be_shown(seconds: i64) {
        let time = Time { seconds, nanoseconds: 0 };
        prop_assert!(!clock().short(time).is_empty() && !clock().full(time).is_empty());
    }
}
