//! What lies under a name: asked for by `stat`, and after a refusal that does not say why.

use store::{Entry, EntryKind, Time};

use super::listing::{self, Fact, Told};
use super::words::{self, Answer};
use super::{Classic, Trouble};
use crate::failure::{Code, Failure};

/// What a refused command needed under its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needed {
    /// A file that is there.
    File,
    /// A directory that is there.
    Directory,
    /// An empty directory that is there.
    EmptyDirectory,
    /// Anything that is there.
    Something,
    /// A place for a file.
    PlaceForFile,
    /// A place for something new.
    FreePlace,
}

impl Classic {
    /// The entry of `path`.
    pub(in crate::remote) async fn stat(&mut self, path: &str) -> Result<Entry, Failure> {
        self.ready().await?;
        if self.offers.facts {
            let answer = self.ask(&format!("MLST {path}")).await?;
            if let Some(entry) = facts_in(&answer) {
                return Ok(Entry { name: last_part(path).into(), ..entry });
            }
            if !answer.is_unknown() {
                return Err(self.explain(&answer, path, Needed::Something).await);
            }
        }
        let Some(kind) = self.kind(path).await? else {
            return Err(Failure::new(Code::NotFound, "no such file or directory")
                .with_remedy("List the directory to see what is there."));
        };
        let listed = self.listed(path, kind).await?;
        let size = self.size(path).await?.or(listed.as_ref().map(|entry| entry.size));
        let modified = self.modified(path).await?.or(listed.as_ref().map(|entry| entry.modified));
        Ok(Entry {
            name: last_part(path).into(),
            kind: listed.as_ref().map_or(kind, |entry| entry.kind),
            size: size.unwrap_or_default(),
            modified: modified.unwrap_or(listing::NO_TIME),
            mode: listed.map_or(0, |entry| entry.mode),
        })
    }

    /// What the server tells of a file that is to be fetched: all at once where it can.
    pub(super) async fn told_of(&mut self, path: &str) -> Result<Told, Failure> {
        let mut told = Told::default();
        if self.offers.facts {
            let answer = self.ask(&format!("MLST {path}")).await?;
            told = line_of_facts(&answer).and_then(|line| listing::told(line.as_bytes())).unwrap_or_default();
        }
        if told.size.is_none() {
            told.size = self.size(path).await?;
        }
        Ok(told)
    }

    /// The permission bits of what was brought, if the server tells.
    pub(super) async fn mode_of(&mut self, path: &str) -> Result<Option<u32>, Failure> {
        if !self.offers.facts {
            return Ok(None);
        }
        let answer = self.ask(&format!("MLST {path}")).await?;
        let told = line_of_facts(&answer).and_then(|line| listing::told_of_any(line.as_bytes()));
        Ok(told.and_then(|told| told.mode))
    }

    /// The line of LIST about `path`: of a file itself, of a directory in the one above.
    async fn listed(&mut self, path: &str, kind: EntryKind) -> Result<Option<Entry>, Failure> {
        let name = last_part(path);
        let place = match kind {
            EntryKind::Directory => above(path),
            _ => path,
        };
        match self.begin_listing(place).await {
            Ok(()) => {}
            Err(Trouble::Refused(_)) => return Ok(None),
            Err(Trouble::Failed(failure)) => return Err(failure),
        }
        let mut found = None;
        while let Some(page) = self.next_page().await? {
            found = found.or(page.into_iter().find(|entry| entry.name == name.as_bytes()));
        }
        Ok(found)
    }

    /// Bytes of a file, if the server tells.
    pub(super) async fn size(&mut self, path: &str) -> Result<Option<u64>, Failure> {
        if !self.offers.size {
            return Ok(None);
        }
        let answer = self.ask(&format!("SIZE {path}")).await?;
        Ok(if answer.code == 213 { answer.sentence().parse().ok() } else { None })
    }

    /// When a file last changed, if the server tells.
    pub(super) async fn modified(&mut self, path: &str) -> Result<Option<Time>, Failure> {
        if !self.offers.times {
            return Ok(None);
        }
        let answer = self.ask(&format!("MDTM {path}")).await?;
        Ok(if answer.code == 213 { listing::time(answer.sentence()) } else { None })
    }

    /// What `path` is; `None` if there is nothing.
    pub(super) async fn kind(&mut self, path: &str) -> Result<Option<EntryKind>, Failure> {
        if self.offers.facts {
            let answer = self.ask(&format!("MLST {path}")).await?;
            if !answer.is_unknown() {
                return Ok(facts_in(&answer).map(|entry| entry.kind));
            }
        }
        if self.is_directory(path).await? {
            return Ok(Some(EntryKind::Directory));
        }
        Ok(self.size(path).await?.map(|_| EntryKind::File))
    }

    /// Whether one can go to `path`. The way back comes before anything else.
    pub(super) async fn is_directory(&mut self, path: &str) -> Result<bool, Failure> {
        let here = self.directory().await?;
        if !self.ask(&format!("CWD {path}")).await?.is_done() {
            return Ok(false);
        }
        let back = self.ask(&format!("CWD {here}")).await?;
        if !back.is_done() {
            self.lost = true; // whatever follows could hit what it was not meant for
            return Err(words::refused(&back, Code::Connection));
        }
        Ok(true)
    }

    /// Whether nothing lies under `path`.
    pub(super) async fn is_nothing(&mut self, path: &str) -> Result<bool, Failure> {
        Ok(self.kind(path).await?.is_none())
    }

    /// The failure that a refusal is. If it does not say why, what lies under the name does.
    pub(super) async fn explain(&mut self, answer: &Answer, path: &str, needed: Needed) -> Failure {
        if let Some(code) = words::meaning(answer, path) {
            return words::refused(answer, code);
        }
        self.look_why(answer, path, needed).await.unwrap_or_else(|failure| failure)
    }

    async fn look_why(&mut self, answer: &Answer, path: &str, needed: Needed) -> Result<Failure, Failure> {
        let found = self.kind(path).await?;
        let is_directory = found == Some(EntryKind::Directory);
        let refused = |code| words::refused(answer, code);
        let because = |why| words::because(why, answer);
        Ok(match (needed, found) {
            (Needed::FreePlace, Some(_)) => because("it exists already"),
            (Needed::FreePlace | Needed::PlaceForFile, None) => match self.kind(above(path)).await? {
                Some(EntryKind::Directory) => refused(Code::Denied),
                _ => refused(Code::NotFound),
            },
            (_, None) => refused(Code::NotFound),
            (Needed::File | Needed::PlaceForFile, Some(_)) if is_directory => because("it is a directory"),
            (Needed::Directory | Needed::EmptyDirectory, Some(_)) if !is_directory => {
                because("it is not a directory")
            }
            (Needed::EmptyDirectory, Some(_)) => because("it is not empty, or the server denies it"),
            (Needed::File | Needed::Directory | Needed::Something | Needed::PlaceForFile, Some(_)) => {
                refused(Code::Denied)
            }
        })
    }
}

/// The entry that an answer to MLST tells: in it, the line that begins with a space (RFC 3659, section 7.2).
fn facts_in(answer: &Answer) -> Option<Entry> {
    match listing::facts(line_of_facts(answer)?.as_bytes()) {
        Some(Fact::Entry(entry) | Fact::Directory(entry)) => Some(entry),
        None => None,
    }
}

fn line_of_facts(answer: &Answer) -> Option<&str> {
    let line = answer.lines.iter().find_map(|line| line.strip_prefix(' '));
    line.filter(|_| answer.code == 250)
}

fn last_part(path: &str) -> &str {
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if name.is_empty() { "/" } else { name }
}

/// The directory above the last part of `path`.
fn above(path: &str) -> &str {
    match path.trim_end_matches('/').rsplit_once('/') {
        Some(("", _)) => "/",
        Some((directory, _)) => directory,
        None if path.starts_with('/') => "/",
        None => ".",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_a_last_part_and_one_above() {
        for (path, name, directory) in
            [("a", "a", "."), ("a/b", "b", "a"), ("/a", "a", "/"), ("/a/b/", "b", "/a"), ("/", "/", "/")]
        {
            assert_eq!((last_part(path), above(path)), (name, directory), "{path}");
        }
    }

    #[test]
    fn the_entry_of_mlst_is_the_line_with_the_space() {
        let answer = Answer::read(
            b"250-Listing a\r\n type=file;size=12;modify=20260102030405; /home/a\r\n250 End\r\n",
        );
        let entry = facts_in(&answer).unwrap();
        assert_eq!((entry.kind, entry.size), (EntryKind::File, 12));
        assert!(facts_in(&Answer::read(b"550 no\r\n")).is_none());
    }
}
