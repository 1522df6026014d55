//! Where the files lie: in memory if there is room, so that no disk is measured.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::Outcome;
use super::sizes::said;

/// What every such directory is called; the number of the process that made it follows.
const PREFIX: &str = "ftpd-peers-";

/// A directory of its own, gone when dropped.
#[derive(Debug)]
pub(super) struct Place(TempDir);

impl Place {
    /// One with so many bytes of room. What a measurement left that was interrupted is removed.
    pub(super) fn fresh(room: u64) -> Outcome<Place> {
        let memory = PathBuf::from("/dev/shm");
        let usual = std::env::temp_dir();
        for place in [&memory, &usual] {
            remove_left_over(place);
        }
        let place = [memory, usual]
            .into_iter()
            .find(|place| free(place).is_some_and(|free| free >= room))
            .ok_or_else(|| {
                format!(
                    "neither /dev/shm nor the directory for temporary files has {} of room. Free some, name \
                     another directory in TMPDIR, or move less.",
                    said(room)
                )
            })?;
        let prefix = format!("{PREFIX}{}-", std::process::id());
        let directory = tempfile::Builder::new().prefix(&prefix).tempdir_in(place)?;
        let place = Place(directory);
        for made in [place.served(), place.up(), place.here(), place.told()] {
            fs::create_dir(made)?;
        }
        // Servers change to users of their own.
        for open in [place.root(), &place.served()] {
            fs::set_permissions(open, Permissions::from_mode(0o755))?;
        }
        fs::set_permissions(place.up(), Permissions::from_mode(0o777))?;
        Ok(place)
    }

    pub(super) fn root(&self) -> &Path {
        self.0.path()
    }

    /// What all servers serve; what is put is read from here, too.
    pub(super) fn served(&self) -> PathBuf {
        self.root().join("served")
    }

    /// Where uploads go.
    pub(super) fn up(&self) -> PathBuf {
        self.served().join("up")
    }

    /// Where clients put what they get.
    pub(super) fn here(&self) -> PathBuf {
        self.root().join("here")
    }

    /// What servers are told, and what they and clients tell.
    pub(super) fn told(&self) -> PathBuf {
        self.root().join("told")
    }

    /// Removes what arrived.
    pub(super) fn clear(&self) -> Outcome<()> {
        for directory in [self.here(), self.up()] {
            for entry in fs::read_dir(directory)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    fs::remove_dir_all(entry.path())?;
                } else {
                    fs::remove_file(entry.path())?;
                }
            }
        }
        Ok(())
    }
}

/// Bytes that are free there.
fn free(place: &Path) -> Option<u64> {
    let system = rustix::fs::statvfs(place).ok()?;
    Some(system.f_bavail.saturating_mul(system.f_frsize))
}

fn remove_left_over(place: &Path) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let made_by = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next());
        let gone = |process: &str| !Path::new("/proc").join(process).exists();
        if made_by.is_some_and(|process| process.parse::<u32>().is_ok() && gone(process)) {
            drop(fs::remove_dir_all(entry.path())); // of another user, perhaps
        }
    }
}
