//! `ls`, and `lls` in the same clothes.

use std::fs::ReadDir;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::{fs, io};

use store::{Entry, EntryKind, Time};

use super::Session;
use crate::failure::Failure;
use crate::output::Output;
use crate::remote::Remote;
use crate::show::json;
use crate::show::listing::{self, Clock};

/// Entries that are collected and sorted. A longer listing is shown as it comes, in memory that does not grow.
const SORTED: usize = 10_000;

/// Entries that are read from a local directory at once.
const PAGE: usize = 1000;

impl Session {
    /// Shows a directory of the server.
    pub(super) async fn list(&mut self, path: &str, long: bool) -> Result<(), Failure> {
        let remote = self.link.remote(&self.output).await?;
        remote.list(path).await?;
        show(Pages::Remote(&mut *remote), long, &self.output).await?;
        remote.unsaid().map_or(Ok(()), Err)
    }

    /// Shows a directory of this computer.
    pub(super) async fn local_list(&mut self, path: &Path, long: bool) -> Result<(), Failure> {
        show(local_pages(path)?, long, &self.output).await
    }
}

/// Where entries come from, page by page.
enum Pages<'a> {
    Remote(&'a mut Remote),
    Directory(ReadDir),
    /// What is no directory is listed itself.
    File(Option<Entry>),
}

impl Pages<'_> {
    async fn next(&mut self) -> Result<Option<Vec<Entry>>, Failure> {
        match self {
            Pages::Remote(remote) => remote.next_page().await,
            Pages::Directory(directory) => {
                // What vanishes between its name and its facts was not there.
                let entries = directory.flatten().filter_map(|item| {
                    let metadata = item.metadata().ok()?;
                    Some(entry(item.file_name().into_vec(), &metadata))
                });
                let page: Vec<Entry> = entries.take(PAGE).collect();
                Ok((!page.is_empty()).then_some(page))
            }
            Pages::File(entry) => Ok(entry.take().map(|entry| vec![entry])),
        }
    }
}

/// Shows up to [`SORTED`] entries sorted, and more of them as they come.
async fn show(mut pages: Pages<'_>, long: bool, output: &Output) -> Result<(), Failure> {
    let (surface, clock) = (output.surface(), Clock::local());
    let objects = |entries: &[Entry]| entries.iter().map(|entry| json::entry(entry).line()).collect();
    let mut collected = Vec::new();
    let mut streaming = false;
    while let Some(page) = pages.next().await? {
        collected.extend(page);
        if !streaming && collected.len() > SORTED {
            output.say("more than 10,000 entries: shown as they come, not sorted");
            streaming = true;
        }
        if streaming {
            output.print(&if output.json() {
                objects(&collected)
            } else if long {
                listing::long(&collected, &surface, &clock)
            } else {
                listing::lines(&collected, &surface)
            })?;
            collected.clear();
        }
    }
    collected.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    output.print(&if output.json() {
        objects(&collected)
    } else if long {
        listing::long(&collected, &surface, &clock)
    } else {
        listing::short(&collected, &surface)
    })
}

fn local_pages(path: &Path) -> io::Result<Pages<'static>> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Ok(Pages::Directory(fs::read_dir(path)?));
    }
    let name = path.as_os_str().to_owned().into_vec();
    Ok(Pages::File(Some(entry(name, &metadata))))
}

fn entry(name: Vec<u8>, metadata: &fs::Metadata) -> Entry {
    let kind = match metadata.file_type() {
        kind if kind.is_file() => EntryKind::File,
        kind if kind.is_dir() => EntryKind::Directory,
        kind if kind.is_symlink() => EntryKind::Link,
        _ => EntryKind::Other,
    };
    let modified = Time { seconds: metadata.mtime(), nanoseconds: metadata.mtime_nsec() as u32 };
    Entry { name, kind, size: metadata.len(), modified, mode: metadata.permissions().mode() & 0o777 }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(mut pages: Pages<'_>) -> Vec<Vec<Entry>> {
        let mut seen = Vec::new();
        while let Some(page) = pages.next().await.unwrap() {
            seen.push(page);
        }
        seen
    }

    #[tokio::test]
    async fn a_local_directory_comes_in_pages_with_everything_in_it() {
        let directory = tempfile::tempdir().unwrap();
        assert!(all(local_pages(directory.path()).unwrap()).await.is_empty());
        fs::create_dir(directory.path().join("sub")).unwrap();
        std::os::unix::fs::symlink("nowhere", directory.path().join("link")).unwrap();
        for number in 2..=PAGE {
            fs::write(directory.path().join(format!(".{number}")), "12345").unwrap();
        }
        let pages = all(local_pages(directory.path()).unwrap()).await;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [PAGE, 1]);
        let kind = |name: &[u8]| pages.concat().into_iter().find(|entry| entry.name == name).unwrap();
        assert_eq!(kind(b"sub").kind, EntryKind::Directory);
        assert_eq!(kind(b"link").kind, EntryKind::Link);
        assert_eq!((kind(b".2").kind, kind(b".2").size), (EntryKind::File, 5));
    }

    #[tokio::test]
    async fn a_local_file_is_listed_itself_and_a_missing_one_is_not_found() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        fs::write(&path, "123").unwrap();
        let pages = all(local_pages(&path).unwrap()).await;
        assert_eq!((pages.len(), pages[0].len(), pages[0][0].size), (1, 1, 3));
        let missing = local_pages(&directory.path().join("b")).err().unwrap();
        assert_eq!(Failure::from(missing).code, crate::failure::Code::NotFound);
    }
}
