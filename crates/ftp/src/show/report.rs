//! One line, or a few, on one file: receipts, `md5`, `stat`.

use digest::Digest;
use store::Entry;

use super::listing::{Clock, mode};
use super::{Surface, human};
use crate::remote::{Receipt, Sum, Verified};

/// What a transfer was: `big.iso  4.7 GB  0:42  112 MB/s  verified md5 root 5e88…`.
/// The speed is that of what was moved, which may be a part: `4.7 GB (1.2 GB moved)`. Of one block, the root is the digest of the file itself and is called so.
pub(crate) fn receipt(name: &str, receipt: &Receipt) -> String {
    let Receipt { size, moved, verified, elapsed } = *receipt;
    let (mut bytes, time, rate) = (human::size(size), human::time(elapsed), human::rate(moved, elapsed));
    if moved < size {
        bytes += &format!(" ({} moved)", human::size(moved));
    }
    let verified = match verified {
        Verified::Blocks { root, count: 2.. } => format!("verified {} root {root}", root.algorithm()),
        Verified::Blocks { root: digest, .. } | Verified::File(digest) => {
            format!("verified {} {digest}", digest.algorithm())
        }
        Verified::No => "not verified: the server offers no digest".to_owned(),
    };
    format!("{name}  {bytes}  {time}  {rate}  {verified}")
}

/// What a tree was: `photos  10000 files  41 MB  0:01  38 MB/s  verified`. What patterns match has no name.
pub(crate) fn tree(name: &str, sum: &Sum) -> String {
    let Sum { files, bytes, verified, elapsed } = *sum;
    let (size, time, rate) = (human::size(bytes), human::time(elapsed), human::rate(bytes, elapsed));
    let verified = if verified { "verified" } else { "not verified: the server offers no digest" };
    let files = if files == 1 { "1 file".to_owned() } else { format!("{files} files") };
    let name = if name.is_empty() { String::new() } else { format!("{name}  ") };
    format!("{name}{files}  {size}  {time}  {rate}  {verified}")
}

/// The line of `md5sum`, so that `md5sum -c` reads it: of a name with a backslash or an end of line, both are escaped
/// and the line begins with a backslash.
pub(crate) fn md5(name: &str, digest: &Digest, surface: &Surface) -> String {
    let special = name.contains(['\\', '\n', '\r']);
    let mark = if special { "\\" } else { "" };
    // A program compares names byte by byte; only a terminal must be spared other control characters.
    let name = match surface.width {
        Some(_) => surface.name(name.as_bytes()),
        None if special => name.replace('\\', r"\\").replace('\n', r"\n").replace('\r', r"\r").into(),
        None => name.into(),
    };
    format!("{mark}{digest}  {name}\n")
}

/// What is known of a file or directory, one fact a line.
pub(crate) fn stat(entry: &Entry, surface: &Surface, clock: &Clock) -> String {
    let kind = match entry.kind {
        store::EntryKind::File => "file",
        store::EntryKind::Directory => "directory",
        store::EntryKind::Link => "link",
        store::EntryKind::Other => "special file",
    };
    let (name, size, mode) = (surface.name(&entry.name), entry.size, mode(entry));
    let rounded = if size < 1000 { String::new() } else { format!(" ({})", human::size(size)) };
    format!(
        "name      {name}\nkind      {kind}\nsize      {size}{rounded}\nmode      {mode} ({:04o})\nmodified  {}\n",
        entry.mode & 0o777,
        clock.full(entry.modified),
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use digest::Algorithm;
    use jiff::Timestamp;
    use jiff::tz::TimeZone;
    use store::{EntryKind, Time};

    use super::super::tests::PIPE;
    use super::*;

    fn root(algorithm: Algorithm) -> Digest {
        Digest::new(algorithm, &vec![0x5e; algorithm.len()]).unwrap()
    }

    fn receipt_of(blocks: u64, algorithm: Algorithm) -> Receipt {
        of(Verified::Blocks { root: root(algorithm), count: blocks })
    }

    fn of(verified: Verified) -> Receipt {
        let size = 4_700_000_000;
        Receipt { size, moved: size, verified, elapsed: Duration::from_secs(42) }
    }

    #[test]
    fn a_receipt_names_bytes_time_rate_and_digest() {
        let md5 = "5e".repeat(16);
        assert_eq!(
            receipt("big.iso", &receipt_of(71_716, Algorithm::Md5)),
            format!("big.iso  4.7 GB  0:42  112 MB/s  verified md5 root {md5}"),
        );
        for blocks in [0, 1] {
            let line = receipt("a", &receipt_of(blocks, Algorithm::Md5));
            assert!(line.ends_with(&format!("  verified md5 {md5}")), "{line}");
        }
        let whole = receipt("a", &of(Verified::File(root(Algorithm::Md5))));
        assert!(whole.ends_with(&format!("  verified md5 {md5}")), "{whole}");
        let nothing = receipt("a", &of(Verified::No));
        assert!(nothing.ends_with("  not verified: the server offers no digest"), "{nothing}");
        let blake3 = receipt("a", &receipt_of(2, Algorithm::Blake3));
        assert!(blake3.ends_with(&format!("verified blake3 root {}", "5e".repeat(32))));
    }

    #[test]
    fn a_tree_has_a_name_and_what_patterns_match_none() {
        let sum = |files| Sum { files, bytes: 4_000_000, verified: true, elapsed: Duration::from_secs(2) };
        assert_eq!(tree("photos", &sum(20)), "photos  20 files  4.0 MB  0:02  2.0 MB/s  verified");
        assert_eq!(tree("", &sum(1)), "1 file  4.0 MB  0:02  2.0 MB/s  verified");
    }

    #[test]
    fn the_speed_is_that_of_what_was_moved() {
        let line = receipt("a", &Receipt { moved: 84_000_000, ..of(Verified::No) });
        assert!(line.starts_with("a  4.7 GB (84 MB moved)  0:42  2.0 MB/s  "), "{line}");
    }

    #[test]
    fn md5_writes_what_md5sum_reads() {
        let hex = "5e".repeat(16);
        let digest = root(Algorithm::Md5);
        assert_eq!(md5("a b", &digest, &PIPE), format!("{hex}  a b\n"));
        assert_eq!(md5("a\\b\nc", &digest, &PIPE), format!("\\{hex}  a\\\\b\\nc\n"));
        let terminal = Surface { width: Some(80), colour: false };
        assert_eq!(md5("\x1b[2J", &digest, &terminal), format!("{hex}  \\x1b[2J\n"));
    }

    #[test]
    fn stat_tells_one_fact_a_line() {
        let clock = Clock { now: Timestamp::UNIX_EPOCH, zone: TimeZone::UTC };
        let mut entry = Entry {
            name: b"a\nb".to_vec(),
            kind: EntryKind::File,
            size: 4_700_000_000,
            modified: Time { seconds: 86_400, nanoseconds: 5 },
            mode: 0o640,
        };
        let text = "name      a\\nb\nkind      file\nsize      4700000000 (4.7 GB)\nmode      -rw-r----- (0640)\n\
                    modified  1970-01-02 00:00:00 +0000\n";
        assert_eq!(stat(&entry, &PIPE, &clock), text);
        entry.size = 999;
        assert!(stat(&entry, &PIPE, &clock).contains("size      999\n"));
    }
}
