//! A directory's entries as lines: as `ls -l` writes them, as names, and as facts (RFC 3659, 7.5).

use jiff::Timestamp;
use store::{Entry, EntryKind};

use super::command::Form;
use super::reply::breaks_line;
use super::time;
use crate::config::Access;

/// How lines are written for one session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lines {
    pub(super) form: Form,
    pub(super) access: Access,
    pub(super) now: Timestamp,
}

impl Lines {
    /// Appends the line of an entry, called `name`, as it is on the disk. A name that would break its line is left out, and that is
    /// told: no client could ask for it.
    pub(super) fn add(&self, entry: &Entry, name: &[u8], out: &mut Vec<u8>) -> bool {
        if name.iter().any(breaks_line) {
            return false;
        }
        match self.form {
            Form::Names => {}
            Form::Long => out.extend_from_slice(self.long(entry).as_bytes()),
            Form::Facts => {
                out.extend_from_slice(facts(entry, self.access).as_bytes());
                out.push(b' ');
            }
        }
        out.extend_from_slice(name);
        out.extend_from_slice(b"\r\n");
        true
    }

    fn long(&self, entry: &Entry) -> String {
        let kind = match entry.kind {
            EntryKind::File | EntryKind::Other => '-',
            EntryKind::Directory => 'd',
            EntryKind::Link => 'l',
        };
        let bit =
            |at: u32| if entry.mode & (0o400 >> at) == 0 { '-' } else { ['r', 'w', 'x'][at as usize % 3] };
        let mode: String = (0..9).map(bit).collect();
        let date = time::short(entry.modified, self.now);
        format!("{kind}{mode}   1 ftp      ftp      {:>13} {date} ", entry.size)
    }
}

/// `type=file;size=4;modify=20261121144500;UNIX.mode=0644;perm=r;`
pub(super) fn facts(entry: &Entry, access: Access) -> String {
    let kind = match entry.kind {
        EntryKind::File => "file",
        EntryKind::Directory => "dir",
        EntryKind::Link => "OS.unix=slink",
        EntryKind::Other => "OS.unix=special",
    };
    // RFC 3659, 7.5.5: what may be tried; whether the file system lets it is seen then.
    let perm = match (access, entry.kind) {
        (Access::Read, EntryKind::Directory) => "el",
        (Access::Read, _) => "r",
        (Access::Write, EntryKind::Directory) => "cdeflmp",
        (Access::Write, _) => "adfrw",
        (Access::Drop, EntryKind::Directory) => "cem",
        (Access::Drop, _) => "",
    };
    let size = match entry.kind {
        EntryKind::File => format!("size={};", entry.size),
        _ => String::new(),
    };
    let modified = time::stamp(entry.modified);
    format!("type={kind};{size}modify={modified};UNIX.mode=0{:03o};perm={perm};", entry.mode)
}

/// The line of MLSD that tells how many names of the directory no line can carry: a fact of its own (RFC 3659, 7.5.9) about what is
/// listed, which a client that does not know it passes over.
pub(super) fn unsaid(names: usize) -> String {
    format!("type=cdir;X.unsaid={names}; .\r\n")
}

#[cfg(test)]
mod tests {
    use store::Time;

    use super::*;

    fn entry(kind: EntryKind) -> Entry {
        let modified = Time { seconds: 1_795_272_300, nanoseconds: 0 };
        Entry { name: b"a b".to_vec(), kind, size: 12345, modified, mode: 0o754 }
    }

    fn line(form: Form, entry: &Entry) -> String {
        let lines =
            Lines { form, access: Access::Write, now: Timestamp::from_second(1_795_272_300).unwrap() };
        let mut out = Vec::new();
        lines.add(entry, &entry.name, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_form_has_its_lines() {
        let file = entry(EntryKind::File);
        assert_eq!(
            line(Form::Long, &file),
            "-rwxr-xr--   1 ftp      ftp              12345 Nov 21 14:45 a b\r\n"
        );
        assert_eq!(line(Form::Names, &file), "a b\r\n");
        assert_eq!(
            line(Form::Facts, &file),
            "type=file;size=12345;modify=20261121144500;UNIX.mode=0754;perm=adfrw; a b\r\n"
        );
        let directory = line(Form::Facts, &entry(EntryKind::Directory));
        assert_eq!(directory, "type=dir;modify=20261121144500;UNIX.mode=0754;perm=cdeflmp; a b\r\n");
        assert!(line(Form::Long, &entry(EntryKind::Link)).starts_with('l'));
    }

    #[test]
    fn a_name_that_would_break_its_line_is_left_out_and_no_other_one() {
        for name in ["a\r\nb", "a\rb", "\n"] {
            let odd = Entry { name: name.into(), ..entry(EntryKind::File) };
            assert_eq!(line(Form::Names, &odd), "", "{name:?}");
        }
        let odd = Entry { name: "\x1b[2J\t\x7f\u{85}".into(), ..entry(EntryKind::File) };
        assert_eq!(line(Form::Names, &odd), "\x1b[2J\t\x7f\u{85}\r\n");
    }
}
