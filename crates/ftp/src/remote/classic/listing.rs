//! Listings: MLSD where the server offers it, else LIST, whose lines are for people and are read as well as may be.

mod people;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use store::{Entry, EntryKind, Time};
use suppaftp::FtpError;
use tokio::io::AsyncReadExt;

use people::Line;

use super::look::Needed;
use super::transfer::{Stream, Way};
use super::{Classic, Trouble, steadily};
use crate::failure::{Code, Failure};
use crate::remote::can_be_a_name;

/// Bytes that are read at once.
const READ: usize = 64 * 1024;

/// Bytes of a line: a path, and facts about it.
const LINE: usize = 16 * 1024;

/// What a server does not tell.
pub(super) const NO_TIME: Time = Time { seconds: 0, nanoseconds: 0 };

/// A listing under way.
pub(super) enum Listing {
    Lines(Box<Lines>),
    /// What is no directory is listed itself.
    Itself(Entry),
}

/// Lines that come from a server.
pub(super) struct Lines {
    stream: Stream,
    path: String,
    facts: bool,
    began: Timestamp,
    /// What came of a line so far.
    rest: Vec<u8>,
    /// Something was listed.
    some: bool,
    /// Names that are there and that no line can carry.
    unsaid: u64,
}

impl Classic {
    /// Begins a listing.
    pub(in crate::remote) async fn list(&mut self, path: &str) -> Result<(), Failure> {
        self.ready().await?;
        let answer = match self.begin_listing(path).await {
            Ok(()) => return Ok(()),
            Err(Trouble::Failed(failure)) => return Err(failure),
            Err(Trouble::Refused(answer)) => answer,
        };
        match self.stat(path).await {
            Ok(entry) if entry.kind != EntryKind::Directory => {
                self.listing = Some(Listing::Itself(entry));
                Ok(())
            }
            Err(failure) if failure.code == Code::NotFound || self.lost => Err(failure),
            _ => Err(self.explain(&answer, path, Needed::Directory).await),
        }
    }

    pub(super) async fn begin_listing(&mut self, path: &str) -> Result<(), Trouble> {
        let argument = if matches!(path, "" | ".") { String::new() } else { format!(" {path}") };
        let mut opened = Err(Trouble::Refused(super::Answer { code: 502, lines: Vec::new() }));
        if self.offers.facts {
            opened = self.open(Way::Down(format!("MLSD{argument}"))).await;
            if let Err(Trouble::Refused(answer)) = &opened
                && matches!(answer.code, 500 | 502)
            {
                self.offers.facts = false;
            }
        }
        if !self.offers.facts {
            // A name that begins with a dash would be read as options.
            let argument = argument.strip_prefix(" -").map_or(argument.clone(), |rest| format!(" ./-{rest}"));
            opened = self.open(Way::Down(format!("LIST{argument}"))).await;
        }
        let facts = self.offers.facts;
        let (stream, began) = (opened?, Timestamp::now());
        let (path, rest) = (path.into(), Vec::new());
        let lines = Lines { stream, path, facts, began, rest, some: false, unsaid: 0 };
        self.unsaid = 0;
        self.listing = Some(Listing::Lines(Box::new(lines)));
        Ok(())
    }

    /// The next entries of the listing; `None` at its end.
    pub(in crate::remote) async fn next_page(&mut self) -> Result<Option<Vec<Entry>>, Failure> {
        let mut lines = match self.listing.take() {
            None => return Ok(None),
            Some(Listing::Itself(entry)) => return Ok(Some(vec![entry])),
            Some(Listing::Lines(lines)) => lines,
        };
        loop {
            let mut buffer = vec![0; READ];
            let read = steadily(&mut self.busy, self.settings.timeout, lines.stream.read(&mut buffer)).await;
            let read = match read {
                Ok(Ok(read)) => read,
                Ok(Err(error)) => return Err(self.broken(&FtpError::ConnectionError(error))),
                Err(_) => return Err(self.silent()),
            };
            buffer.truncate(read);
            let page = match lines.take(&buffer) {
                Ok(page) => page,
                Err(failure) => {
                    self.lost = true;
                    return Err(failure);
                }
            };
            lines.some |= !page.is_empty();
            if read == 0 {
                return self.end(*lines, page).await;
            }
            if !page.is_empty() {
                self.listing = Some(Listing::Lines(lines));
                return Ok(Some(page));
            }
        }
    }

    /// That the listing that has ended lacks names, if it does: FTP can say none with an end of line in it.
    pub(in crate::remote) fn unsaid(&mut self) -> Option<Failure> {
        let what = match std::mem::take(&mut self.unsaid) {
            0 => return None,
            1 => "1 name in it cannot be said in FTP, and is left out".to_owned(),
            names => format!("{names} names in it cannot be said in FTP, and are left out"),
        };
        Some(
            Failure::new(Code::PartFailed, what)
                .with_remedy("The native door of ftpd can say every name: ftp HOST."),
        )
    }

    async fn end(&mut self, lines: Lines, page: Vec<Entry>) -> Result<Option<Vec<Entry>>, Failure> {
        let Lines { stream, path, facts, some, unsaid, .. } = lines;
        self.unsaid = unsaid;
        match self.finish(stream).await {
            Ok(()) => {}
            Err(Trouble::Failed(failure)) => return Err(failure),
            Err(Trouble::Refused(answer)) => {
                return Err(self.explain(&answer, &path, Needed::Directory).await);
            }
        }
        // LIST of what is not there is an empty listing for some.
        if !some && !facts && !matches!(path.as_str(), "" | ".") && self.is_nothing(&path).await? {
            return Err(Failure::new(Code::NotFound, "no such file or directory"));
        }
        Ok((!page.is_empty()).then_some(page))
    }
}

impl Lines {
    /// The entries in what is complete with `bytes`; with none, the last line is complete without an end, too.
    fn take(&mut self, bytes: &[u8]) -> Result<Vec<Entry>, Failure> {
        self.rest.extend_from_slice(bytes);
        let complete = match self.rest.iter().rposition(|byte| *byte == b'\n') {
            _ if bytes.is_empty() => self.rest.len(),
            last => last.map_or(0, |last| last + 1),
        };
        if self.rest.len() - complete > LINE {
            return Err(Failure::new(Code::Connection, "the server lists a line without an end"));
        }
        let rest = self.rest.split_off(complete);
        let complete = std::mem::replace(&mut self.rest, rest);
        let lines =
            complete.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let mut entries = Vec::new();
        for line in lines {
            self.unsaid += unsaid(line).filter(|_| self.facts).unwrap_or_default();
            entries.extend(self.entry(line)?);
        }
        // A script may do something with each.
        match entries.iter().find(|entry| !can_be_a_name(&entry.name)) {
            Some(odd) => {
                let odd = store::escaped(&odd.name);
                Err(Failure::new(Code::Connection, format!("the server lists {odd}, which cannot be a name")))
            }
            None => Ok(entries),
        }
    }

    fn entry(&self, line: &[u8]) -> Result<Option<Entry>, Failure> {
        let read = if self.facts {
            match facts(line) {
                Some(Fact::Entry(entry)) => Line::Entry(entry),
                Some(Fact::Directory(_)) => Line::Nothing,
                None if line.is_empty() => Line::Nothing,
                None => Line::Unreadable,
            }
        } else {
            people::read(line, self.began)
        };
        match read {
            Line::Entry(mut entry) if !self.facts => {
                if entry.name == self.path.as_bytes() {
                    // Some list a file under the path that was asked for.
                    entry.name = entry.name.rsplit(|byte| *byte == b'/').next().unwrap_or_default().to_vec();
                }
                Ok((entry.name != b"." && entry.name != b"..").then_some(entry))
            }
            Line::Entry(entry) => Ok(Some(entry)),
            Line::Nothing => Ok(None),
            Line::Unreadable => {
                let line = String::from_utf8_lossy(line);
                Err(Failure::new(Code::Other, format!("the server lists what cannot be read: {line}")))
            }
        }
    }
}

/// What a line of MLSD or MLST is about.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fact {
    /// Something with a name.
    Entry(Entry),
    /// The listed directory itself, or the one above.
    Directory(Entry),
}

/// Reads a line of facts and a name (RFC 3659, section 7.2): `type=file;size=12; name`.
pub(super) fn facts(line: &[u8]) -> Option<Fact> {
    let (facts, name) = match line.strip_prefix(b" ") {
        Some(name) => (&b""[..], name),
        None => {
            let end = line.windows(2).position(|two| two == b"; ")?;
            (&line[..end], &line[end + 2..])
        }
    };
    let facts = String::from_utf8_lossy(facts).to_ascii_lowercase();
    let mut entry = Entry { name: name.into(), kind: EntryKind::Other, size: 0, modified: NO_TIME, mode: 0 };
    let mut itself = false;
    for (fact, value) in facts.split(';').filter_map(|fact| fact.split_once('=')) {
        match fact {
            "type" => {
                itself = matches!(value, "cdir" | "pdir");
                entry.kind = match value {
                    "file" => EntryKind::File,
                    "dir" | "cdir" | "pdir" => EntryKind::Directory,
                    _ if value.contains("link") => EntryKind::Link, // OS.unix=slink:target
                    _ => EntryKind::Other,
                };
            }
            "size" => entry.size = value.parse().ok()?,
            "modify" => entry.modified = time(value).unwrap_or(NO_TIME),
            "unix.mode" => entry.mode = mode(value).unwrap_or_default(),
            _ => {}
        }
    }
    Some(if itself { Fact::Directory(entry) } else { Fact::Entry(entry) })
}

/// What a server tells of a file; it may leave anything out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) size: Option<u64>,
    pub(super) modified: Option<Time>,
    pub(super) mode: Option<u32>,
}

/// What a line of facts tells of a file; `None` if it is about anything else. That nothing is told of its mode is not the mode 000.
pub(super) fn told(line: &[u8]) -> Option<Told> {
    let Some(Fact::Entry(Entry { kind: EntryKind::File, .. })) = facts(line) else { return None };
    told_of_any(line)
}

/// The same of whatever it is about.
pub(super) fn told_of_any(line: &[u8]) -> Option<Told> {
    let line = String::from_utf8_lossy(line);
    let (facts, _name) = line.split_once("; ")?;
    let mut told = Told::default();
    for (fact, value) in facts.split(';').filter_map(|fact| fact.split_once('=')) {
        match fact.to_ascii_lowercase().as_str() {
            "size" => told.size = value.parse().ok(),
            "modify" => told.modified = time(value),
            "unix.mode" => told.mode = mode(value),
            _ => {}
        }
    }
    Some(told)
}

/// How many names a directory has that no line can carry, as our own server tells in a line about the directory itself.
fn unsaid(line: &[u8]) -> Option<u64> {
    let rest = line.strip_prefix(b"type=cdir;X.unsaid=")?;
    let end = rest.iter().position(|byte| *byte == b';')?;
    str::from_utf8(&rest[..end]).ok()?.parse().ok()
}

/// Permission bits in octal; pyftpdlib writes `0o644`.
fn mode(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("0o").unwrap_or(text);
    u32::from_str_radix(digits, 8).ok().map(|mode| mode & 0o777)
}

/// Reads `YYYYMMDDHHMMSS`, perhaps with a fraction (RFC 3659, section 2.3), in UTC.
pub(super) fn time(text: &str) -> Option<Time> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.len() != 14 || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |range: std::ops::Range<usize>| whole[range].parse::<i8>().ok();
    let moment = DateTime::new(
        whole[..4].parse().ok()?,
        number(4..6)?,
        number(6..8)?,
        number(8..10)?,
        number(10..12)?,
        number(12..14)?,
        0,
    );
    let seconds = TimeZone::UTC.to_timestamp(moment.ok()?).ok()?.as_second();
    let nanoseconds = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    Some(Time { seconds, nanoseconds })
}

/// The same, the other way round.
pub(super) fn time_text(time: Time) -> Option<String> {
    let moment = Timestamp::from_second(time.seconds).ok()?;
    Some(moment.strftime("%Y%m%d%H%M%S").to_string())
}

#[cfg(test)]
mod tests;
