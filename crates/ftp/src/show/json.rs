//! What `--json` writes for programs: one object (RFC 8259) a line.

use std::fmt::Write as _;
use std::time::Duration;

use store::{Entry, misleads};

use crate::failure::Failure;
use crate::remote::{Sum, Verified};

/// An object in the making, its members in the order in which they are added.
#[derive(Debug, Default)]
pub(crate) struct Object(String);

impl Object {
    /// A member whose value is text.
    pub(crate) fn text(self, name: &str, value: &str) -> Object {
        let value = string(value);
        self.member(name, format_args!("{value}"))
    }

    /// A member whose value is a number.
    pub(crate) fn number(self, name: &str, value: u64) -> Object {
        self.member(name, format_args!("{value}"))
    }

    /// A member whose value is true or false.
    pub(crate) fn truth(self, name: &str, value: bool) -> Object {
        self.member(name, format_args!("{value}"))
    }

    /// A member whose value is a time in seconds, to the millisecond.
    pub(crate) fn seconds(self, name: &str, value: Duration) -> Object {
        self.member(name, format_args!("{:.3}", value.as_secs_f64()))
    }

    /// The object on a line of its own.
    pub(crate) fn line(self) -> String {
        format!("{{{}}}\n", self.0)
    }

    fn member(mut self, name: &str, value: std::fmt::Arguments) -> Object {
        let apart = if self.0.is_empty() { "" } else { "," };
        write!(self.0, "{apart}\"{name}\":{value}").expect("a string takes all");
        self
    }

    /// With the failure that cut something short, if one did.
    fn cut(self, failure: Option<&Failure>) -> Object {
        match failure {
            Some(failure) => self.failure(failure),
            None => self,
        }
    }

    /// What is wrong, and where there is one, the remedy; `code` is the exit code of a run that ends so.
    fn failure(self, failure: &Failure) -> Object {
        let object = self.text("failed", &failure.message).number("code", failure.code as u64);
        match &failure.remedy {
            Some(remedy) => object.text("remedy", remedy),
            None => object,
        }
    }
}

/// A file that is in its place; where it was moved alone, how many bytes had to be moved, and how long that took:
/// `{"file":"a","size":7,"verified":"md5","digest":"5e88…"}`. Of one that could not be verified, nothing of the last two is there
/// but `"verified":false`.
pub(crate) fn file(name: &str, size: u64, verified: Verified, alone: Option<(u64, Duration)>) -> Object {
    let object = Object::default().text("file", name).number("size", size);
    let object = match verified {
        Verified::Blocks { root, count: 2.. } => {
            object.text("verified", &format!("{} root", root.algorithm())).text("digest", &root.to_string())
        }
        Verified::Blocks { root: digest, .. } | Verified::File(digest) => {
            object.text("verified", &digest.algorithm().to_string()).text("digest", &digest.to_string())
        }
        Verified::No => object.truth("verified", false),
    };
    match alone {
        Some((moved, elapsed)) => object.number("bytes_moved", moved).seconds("seconds", elapsed),
        None => object,
    }
}

/// A file, or whatever has that name, that could not be moved.
pub(crate) fn failed(name: &str, failure: &Failure) -> Object {
    Object::default().text("file", name).failure(failure)
}

/// The totals of a tree that was moved; with the failure that cut it short, if one did.
pub(crate) fn moved(sum: &Sum, failed: u64, left_out: u64, cut: Option<&Failure>) -> Object {
    Object::default()
        .number("files", sum.files)
        .number("bytes", sum.bytes)
        .number("not_done", failed)
        .number("links_left_out", left_out)
        .truth("verified", sum.verified)
        .seconds("seconds", sum.elapsed)
        .cut(cut)
}

/// The same of one that was listed, with files and directories in it.
pub(crate) fn listed(
    (files, directories): (u64, u64),
    bytes: u64,
    failed: u64,
    elapsed: Duration,
    cut: Option<&Failure>,
) -> Object {
    Object::default()
        .number("files", files)
        .number("directories", directories)
        .number("bytes", bytes)
        .number("not_done", failed)
        .seconds("seconds", elapsed)
        .cut(cut)
}

/// The same of one that was removed.
pub(crate) fn removed(
    (files, directories): (u64, u64),
    failed: u64,
    elapsed: Duration,
    cut: Option<&Failure>,
) -> Object {
    Object::default()
        .number("files", files)
        .number("directories", directories)
        .number("not_done", failed)
        .seconds("seconds", elapsed)
        .cut(cut)
}

/// What is known of a file or directory.
pub(crate) fn entry(entry: &Entry) -> Object {
    let kind = match entry.kind {
        store::EntryKind::File => "file",
        store::EntryKind::Directory => "directory",
        store::EntryKind::Link => "link",
        store::EntryKind::Other => "other",
    };
    let object = Object::default().text("name", &String::from_utf8_lossy(&entry.name)).text("kind", kind);
    let seconds = entry.modified.seconds;
    object
        .number("size", entry.size)
        .text("mode", &format!("{:04o}", entry.mode & 0o777))
        .member("modified", format_args!("{seconds}.{:09}", entry.modified.nanoseconds))
}

/// Text between quotation marks: they, backslashes, and what a terminal would obey or be misled by are escaped.
fn string(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            // DEL and what follows it is allowed, but a terminal would obey, or show another order.
            letter if letter.is_control() || misleads(letter) => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    write!(quoted, "\\u{unit:04x}").expect("a string takes all");
                }
            }
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use digest::{Algorithm, Digest};

    use super::*;
    use crate::failure::Code;

    #[test]
    fn a_file_tells_what_was_compared() {
        let digest = Digest::new(Algorithm::Md5, &[0x5e; 16]).unwrap();
        let hex = "5e".repeat(16);
        let object = |verified, alone| file("a", 7, verified, alone).line();
        assert_eq!(
            object(Verified::Blocks { root: digest, count: 1 }, None),
            format!("{{\"file\":\"a\",\"size\":7,\"verified\":\"md5\",\"digest\":\"{hex}\"}}\n")
        );
        assert_eq!(
            object(Verified::Blocks { root: digest, count: 2 }, Some((5, Duration::from_millis(1500)))),
            format!(
                "{{\"file\":\"a\",\"size\":7,\"verified\":\"md5 root\",\"digest\":\"{hex}\",\"bytes_moved\":5,\"seconds\":1.500}}\n"
            )
        );
        assert_eq!(object(Verified::No, None), "{\"file\":\"a\",\"size\":7,\"verified\":false}\n");
    }

    #[test]
    fn no_terminal_is_misled() {
        let object = Object::default().text("name", "a\u{202e}b\u{7f}\u{e0001}\u{e9}");
        assert_eq!(object.line(), "{\"name\":\"a\\u202eb\\u007f\\udb40\\udc01\u{e9}\"}\n");
    }

    #[test]
    fn a_failure_tells_its_code_and_its_remedy() {
        let failure = Failure::new(Code::NotFound, "not found");
        assert_eq!(failed("a", &failure).line(), "{\"file\":\"a\",\"failed\":\"not found\",\"code\":6}\n");
        let helped = failed("a", &failure.with_remedy("Look.")).line();
        assert_eq!(helped, "{\"file\":\"a\",\"failed\":\"not found\",\"code\":6,\"remedy\":\"Look.\"}\n");
    }

    #[test]
    fn names_stay_names() {
        assert_eq!(string("a\"b\\c\nd\u{1b}[2J\u{7f}é"), "\"a\\\"b\\\\c\\nd\\u001b[2J\\u007fé\"");
    }
}
