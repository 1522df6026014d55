//! From where to where.

use std::fs;
use std::path::{Path, PathBuf};

use store::{Entry, EntryKind, Found};

use super::super::{Session, naming};
use super::there::{Fact, Standing, There};
use crate::commands::Way;
use crate::failure::{Code, Failure};
use crate::remote::{Remote, on_disk};

/// Which way things go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// To the server.
    Put,
    /// From it.
    Get,
}

/// Both ends.
#[derive(Debug)]
pub(super) struct Ends {
    pub(super) direction: Direction,
    /// On this computer.
    pub(super) local: PathBuf,
    /// On the server.
    pub(super) remote: String,
    /// It is one file, and not a directory.
    pub(super) single: bool,
    /// What is known of that.
    pub(super) source: Option<Fact>,
    /// The destination itself gets the time and the mode of the source: both have a name.
    pub(super) whole: bool,
}

impl Ends {
    /// Finds out what is named by its user.
    pub(super) async fn find(session: &mut Session, way: &Way) -> Result<Ends, Failure> {
        if session.link.is_classic() {
            return Err(crate::remote::no_sync());
        }
        match way {
            Way::Put { from, to } => put(session, from, to.as_deref()).await,
            Way::Get { from, to } => get(session, from, to.as_deref()).await,
        }
    }

    /// What its user calls the destination.
    pub(super) fn destination(&self) -> String {
        match self.direction {
            Direction::Put => self.remote.clone(),
            Direction::Get => self.local.to_string_lossy().into_owned(),
        }
    }

    /// What stands where one file is to go.
    pub(super) async fn stands_single(&self, remote: &mut Remote) -> Result<There, Failure> {
        let stands = match self.direction {
            Direction::Get => {
                let local = self.local.clone();
                on_disk(move || fact_of(&local)).await?
            }
            Direction::Put => match remote.stat(&self.remote).await {
                Ok(entry) => Some(fact(entry)),
                Err(failure) if failure.code == Code::NotFound => None,
                Err(failure) => return Err(failure),
            },
        };
        let mut there = There::default();
        if let Some(fact) = stands {
            there.all.insert(Box::default(), Standing { fact, met: false, held: false });
        }
        Ok(there)
    }
}

async fn put(session: &mut Session, from: &Path, to: Option<&str>) -> Result<Ends, Failure> {
    let path = from.to_owned();
    let source = on_disk(move || fact_of(&path)).await?.ok_or_else(naming::no_source)?;
    let single = !source.is_directory();
    let named = |to: &str| !matches!(naming::last_part(to), "" | "." | "..");
    let to = match to {
        None => naming::remote_name_for("sync put", from)?.to_owned(),
        Some(to) if !single => to.to_owned(),
        Some(to) if to.ends_with('/') => naming::into_directory(to, naming::remote_name(from)?),
        // Into a directory that is there it goes under its name.
        Some(to) => match session.remote().await?.stat(to).await {
            Ok(entry) if entry.kind == EntryKind::Directory => {
                naming::into_directory(to, naming::remote_name(from)?)
            }
            Err(failure) if failure.is_final() => return Err(failure),
            _ => to.to_owned(),
        },
    };
    Ok(Ends {
        direction: Direction::Put,
        local: from.to_owned(),
        whole: named(&to) && from.file_name().is_some(),
        remote: to,
        single,
        source: Some(source),
    })
}

async fn get(session: &mut Session, from: &str, to: Option<&Path>) -> Result<Ends, Failure> {
    let source = fact(session.remote().await?.stat(from).await?);
    let single = !source.is_directory();
    let local = match to {
        _ if single => naming::download(from, to)?,
        Some(to) => to.to_owned(),
        None => PathBuf::from(naming::local_name_for("sync get", from)?),
    };
    Ok(Ends {
        direction: Direction::Get,
        whole: naming::local_name(from).is_ok() && local.file_name().is_some(),
        local,
        remote: from.to_owned(),
        single,
        source: Some(source),
    })
}

fn fact(Entry { kind, size, modified, mode, .. }: Entry) -> Fact {
    Fact::from(Found { path: Vec::new(), kind, size, modified, mode, target: None })
}

/// What is known of a thing of this computer; a link is followed. It blocks.
fn fact_of(path: &Path) -> Result<Option<Fact>, Failure> {
    use std::os::unix::fs::MetadataExt;
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        metadata => metadata?,
    };
    let kind = match metadata.file_type() {
        kind if kind.is_dir() => EntryKind::Directory,
        kind if kind.is_file() => EntryKind::File,
        _ => EntryKind::Other,
    };
    let modified = store::Time { seconds: metadata.mtime(), nanoseconds: metadata.mtime_nsec() as u32 };
    let (size, mode) = (metadata.len(), metadata.mode());
    Ok(Some(Fact::from(Found { path: Vec::new(), kind, size, modified, mode, target: None })))
}
