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
use crate::show::Surface;
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
        show(Pages::Remote(remote), long, &self.output).await
    }

    /// Shows a directory of this computer.
    pub(super) async fn local_list(&mut self, path: &Path, long: bool) -> Result<(), Failure> {
        let pages = local_pages(path).map_err(|error| {
            Failure::from(error).of(&path.display().to_string())
        })?;
        show(pages, long, &self.output).await
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
    let mut collected = Vec::new();
    while let Some(page) = pages.next().await? {
        collected.extend(page);
        if collected.len() > SORTED {
            output.say("more than 10,000 entries: shown as they come, not sorted");
            return stream(pages, collected, &|entries| page_text(entries, long, &surface, &clock), output).await;
        }
    }
    collected.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    output.print(&if long { listing::long(&collected, &surface, &clock) } else { listing::short(&collected, &surface) })
}

async fn stream(
    mut pages: Pages<'_>,
    first: Vec<Entry>,
    text: &dyn Fn(&[Entry]) -> String,
    output: &Output,
) -> Result<(), Failure> {
    output.print(&text(&first))?;
    drop(first);
    while let Some(page) = pages.next().await? {
        output.print(&text(&page))?;
    }
    Ok(())
}

fn page_text(entries: &[Entry], long: bool, surface: &Surface, clock: &Clock) -> String {
    if long { listing::long(entries, surface, clock) } else { listing::lines(entries, surface) }
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
