//! Where log lines go: standard error, the journal behind it, or a file that can be put aside while the server runs.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

use crate::files;

/// Where lines go, each whole. A disk that is full or a pipe that nobody reads loses lines, and disturbs nothing.
#[derive(Clone, Debug)]
pub struct Sink(Arc<Kind>);

#[derive(Debug)]
enum Kind {
    StandardError,
    /// systemd's journal is at the other end of standard error: it knows the time, and takes `<6>` for a level (sd-daemon(3)).
    Journal,
    File {
        path: PathBuf,
        open: Mutex<Open>,
    },
}

#[derive(Debug)]
struct Open {
    file: File,
    /// The last line is there in part only.
    torn: bool,
}

impl Sink {
    /// Standard error, and if that is the journal, in its way.
    pub fn standard_error() -> Sink {
        Sink(Arc::new(if is_journal() { Kind::Journal } else { Kind::StandardError }))
    }

    /// The end of a file, or a device such as a terminal; a new file is its owner's alone (0600).
    ///
    /// # Errors
    /// It cannot be opened, or is something else.
    pub fn file(path: &Path) -> io::Result<Sink> {
        let open = Mutex::new(Open { file: files::append(path)?, torn: false });
        Ok(Sink(Arc::new(Kind::File { path: path.to_owned(), open })))
    }

    /// The file, if it is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        match &*self.0 {
            Kind::File { path, .. } => Some(path),
            Kind::StandardError | Kind::Journal => None,
        }
    }

    /// Opens the file by its name again, for the one it was may have been put aside.
    ///
    /// # Errors
    /// It cannot be opened; lines go on to the one it was.
    pub(crate) fn reopen(&self) -> io::Result<()> {
        if let Kind::File { path, open } = &*self.0 {
            let file = files::append(path)?;
            *open.lock().unwrap_or_else(PoisonError::into_inner) = Open { file, torn: false };
        }
        Ok(())
    }

    /// Whether whoever keeps the lines adds the time.
    pub(super) fn is_journal(&self) -> bool {
        matches!(*self.0, Kind::Journal)
    }
}

/// One line's way to its sink.
pub struct Line<'a> {
    sink: &'a Sink,
    level: Level,
}

impl<'a> MakeWriter<'a> for Sink {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { sink: self, level: Level::INFO }
    }

    fn make_writer_for(&'a self, about: &Metadata<'_>) -> Line<'a> {
        Line { sink: self, level: *about.level() }
    }
}

impl Write for Line<'_> {
    /// Takes a whole line, and never fails: there is nobody left to tell.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match &*self.sink.0 {
            Kind::StandardError => _ = io::stderr().write_all(line),
            Kind::Journal => {
                let marked = [format!("<{}>", priority(self.level)).as_bytes(), line].concat();
                _ = io::stderr().write_all(&marked);
            }
            Kind::File { open, .. } => open.lock().unwrap_or_else(PoisonError::into_inner).append(line),
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Open {
    fn append(&mut self, line: &[u8]) {
        let ended;
        let mut rest = if self.torn {
            ended = [b"\n", line].concat();
            &ended[..]
        } else {
            line
        };
        while !rest.is_empty() {
            match self.file.write(rest) {
                Ok(written @ 1..) => {
                    rest = &rest[written..];
                    self.torn = !rest.is_empty();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => return,
            }
        }
    }
}

/// `JOURNAL_STREAM` names device and inode of what the journal reads (systemd.exec(5)); a child may have another standard error.
fn is_journal() -> bool {
    let Ok(told) = std::env::var("JOURNAL_STREAM") else { return false };
    rustix::fs::fstat(io::stderr()).is_ok_and(|stat| told == format!("{}:{}", stat.st_dev, stat.st_ino))
}

/// As syslog(3) numbers them.
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_disk_that_is_full_loses_lines_and_fails_nothing() {
        let sink = Sink::file(Path::new("/dev/full")).unwrap();
        let mut line = sink.make_writer();
        line.write_all(b"lost\n").unwrap();
    }

    #[test]
    fn a_line_that_is_there_in_part_is_ended_before_the_next() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let mut open = Open { file: files::append(&path).unwrap(), torn: true };
        open.append(b"whole\n");
        open.append(b"next\n");
        assert_eq!(fs::read(&path).unwrap(), b"\nwhole\nnext\n");
    }
}
