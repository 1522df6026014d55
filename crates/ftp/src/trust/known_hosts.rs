//! The file of keys that are known: a line each, `host:port SHA256:…`. What stands behind `#` is a comment.

use std::env;
use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use proto::{Fingerprint, NotAFingerprint};
use rustix::fs::OFlags;

use super::place::Place;
use crate::failure::{Code, Failure};
use crate::session::home;

/// The variable that may name the file.
const VARIABLE: &str = "FTP_KNOWN_HOSTS";

/// Bytes that the file may have: more hosts than anybody knows.
const LARGEST: u64 = 1 << 20;

/// The file, which need not be there yet.
#[derive(Clone, Debug)]
pub(crate) struct KnownHosts {
    path: Option<PathBuf>,
}

/// A key that is known of the place that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) fingerprint: Fingerprint,
    /// Its line, from 1; `None` of a key that only this run knows.
    pub(super) line: Option<usize>,
}

/// How a key was not recorded.
#[derive(Debug)]
pub(super) enum Unrecorded {
    /// Another client had meanwhile recorded other keys for the same place.
    Changed(Vec<Entry>),
    /// The file cannot be written.
    Failed(Failure),
}

impl KnownHosts {
    /// The file that the environment names. It stays the same when the directory changes.
    pub(crate) fn of_the_user() -> KnownHosts {
        let path = chosen(env::var_os(VARIABLE), env::var_os("XDG_DATA_HOME"), home());
        KnownHosts { path: path.and_then(|path| std::path::absolute(path).ok()) }
    }

    /// The file, as its user is told of it.
    pub(super) fn name(&self) -> String {
        self.path
            .as_ref()
            .map_or_else(|| format!("the file that {VARIABLE} names"), |path| path.display().to_string())
    }

    /// The keys that are known of `place`. A file that is not there knows none.
    ///
    /// # Errors
    /// [`Code::ServerKey`] if it cannot be read, or a line is none: to pass over one could be to pass over a changed key.
    pub(super) fn look_up(&self, place: &Place) -> Result<Vec<Entry>, Failure> {
        let Some(path) = &self.path else { return Ok(Vec::new()) };
        // A FIFO would keep its reader waiting.
        let file = match OpenOptions::new()
            .read(true)
            .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
            .open(path)
        {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(path, error)),
        };
        let _unlocked = file.lock_shared(); // some file systems have no locks, and a line is written at once
        let text = text_of(&file).map_err(|error| unreadable(path, error))?;
        of_place(&text, place).map_err(|failure| located(path, failure))
    }

    /// Records a key, unless it is known by now. The file is made 0600, its directories 0700. Several clients may do so at once.
    pub(super) fn record(&self, place: &Place, fingerprint: Fingerprint) -> Result<(), Unrecorded> {
        let failed = |why: String| {
            Unrecorded::Failed(Failure::new(
                Code::ServerKey,
                format!("cannot record the key in {}: {why}", self.name()),
            ))
        };
        let Some(path) = &self.path else { return Err(failed("neither it nor HOME is set".into())) };
        if place.to_string().parse() != Ok(place.clone()) {
            return Err(failed("the host is none".into()));
        }
        let done = (|| {
            if let Some(directory) = path.parent() {
                DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
            }
            let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
            let _unlocked = file.lock(); // as above
            let text = text_of(&file)?;
            let known = match of_place(&text, place) {
                Ok(known) => known,
                Err((line, what)) => return Err(io::Error::other(format!("line {line}: {what}"))),
            };
            if !known.is_empty() {
                return Ok(known);
            }
            let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            append(&mut file, format!("{gap}{place} {fingerprint}\n").as_bytes(), text.len() as u64)?;
            Ok(known)
        })();
        match done {
            Ok(known) if known.is_empty() || known.iter().any(|entry| entry.fingerprint == fingerprint) => {
                Ok(())
            }
            Ok(known) => Err(Unrecorded::Changed(known)),
            Err(error) => Err(failed(words(&error))),
        }
    }
}

/// The file: what the variable names, else in the directory for data (XDG Base Directory Specification: a relative path there
/// counts as none), else in that of the home.
fn chosen(variable: Option<OsString>, data: Option<OsString>, home: Option<PathBuf>) -> Option<PathBuf> {
    let data = data.map(PathBuf::from).filter(|data| data.is_absolute());
    let data = data.or_else(|| home.map(|home| home.join(".local/share")));
    let named = variable.filter(|name| !name.is_empty()).map(PathBuf::from);
    named.or_else(|| data.map(|data| data.join("ftp/known_hosts")))
}

/// The whole file, if it is one, or a device such as `/dev/null`.
fn text_of(file: &File) -> io::Result<String> {
    let kind = file.metadata()?.file_type();
    if kind.is_fifo() || kind.is_socket() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut text = String::new();
    if file.take(LARGEST + 1).read_to_string(&mut text)? as u64 > LARGEST {
        return Err(io::Error::other("it has more than 1 MiB"));
    }
    Ok(text)
}

/// The keys of `place` in `text`, or the line that is none and why.
fn of_place(text: &str, place: &Place) -> Result<Vec<Entry>, (usize, String)> {
    let mut known = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        match read(content).map_err(|what| (line, what))? {
            Some((of, fingerprint)) if of == *place => known.push(Entry { fingerprint, line: Some(line) }),
            _ => {}
        }
    }
    Ok(known)
}

/// What a line says; `None` of a blank one or a comment.
fn read(line: &str) -> Result<Option<(Place, Fingerprint)>, String> {
    let content = line.split('#').next().unwrap_or_default();
    let mut words = content.split_ascii_whitespace();
    let Some(place) = words.next() else { return Ok(None) };
    let place = place.parse()?;
    let (Some(key), None) = (words.next(), words.next()) else {
        return Err("a line is HOST:PORT SHA256:…, and nothing else".into());
    };
    let fingerprint = key.parse().map_err(|error: NotAFingerprint| error.to_string())?;
    Ok(Some((place, fingerprint)))
}

/// Adds a line in one write, so that no reader meets half of it; a disk that takes half of it takes none.
fn append(file: &mut File, line: &[u8], before: u64) -> io::Result<()> {
    let done = match file.write(line) {
        Ok(written) if written == line.len() => return Ok(()),
        Ok(_) => io::Error::from(io::ErrorKind::StorageFull),
        Err(error) => error,
    };
    let _half = file.set_len(before); // a half line is told when it is read
    Err(done)
}

fn located(path: &Path, (line, what): (usize, String)) -> Failure {
    Failure::new(Code::ServerKey, format!("{}:{line}: {what}", path.display()))
        .with_remedy("Correct the line, or remove it; nothing was sent.")
}

fn unreadable(path: &Path, error: io::Error) -> Failure {
    Failure::new(Code::ServerKey, format!("{}: {}", path.display(), words(&error)))
        .with_remedy(format!("The keys that are known cannot be read, and nothing was sent. Mend the file, or name another one in {VARIABLE}."))
}

/// An error of a disk without its number, or one of ours.
fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::InvalidData => "it is not text in UTF-8".into(),
        io::ErrorKind::Other => error.to_string(),
        kind => kind.to_string(),
    }
}

#[cfg(test)]
mod tests;
