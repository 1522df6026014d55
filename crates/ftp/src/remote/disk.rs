//! Files of this computer, on their way from and to any server.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use digest::Algorithm;
use store::{Durability, Home, HomePath, Incoming, Parts, Prefix, Replace, WriteBehind};
use tokio::task::spawn_blocking;

use crate::failure::Failure;

/// This computer's disk, as one connection uses it.
#[derive(Debug, Default)]
pub(super) struct Disk {
    /// Directories where what an earlier run left was removed.
    swept: HashSet<PathBuf>,
}

impl Disk {
    /// Begins the file `path` of `size` bytes, if anybody knows how many.
    pub(super) async fn receive(
        &mut self,
        path: &Path,
        size: Option<u64>,
        algorithm: Algorithm,
    ) -> Result<WriteBehind, Failure> {
        let path = path.to_owned();
        let sweep = self.sweep(&path);
        let created = on_disk(move || {
            sweep();
            Ok(match size {
                Some(size) => Incoming::local(&path, size, algorithm, Durability::Full)?,
                None => Incoming::local_of_any_size(&path, algorithm, Durability::Full)?,
            })
        });
        Ok(WriteBehind::new(created.await?))
    }

    /// Begins the file `path` anew; what comes is kept for `whom` if it is cut.
    pub(super) async fn receive_to_keep(
        &mut self,
        path: &Path,
        whom: &[u8],
        size: Option<u64>,
        algorithm: Algorithm,
    ) -> Result<WriteBehind, Failure> {
        let (path, whom) = (path.to_owned(), whom.to_owned());
        let sweep = self.sweep(&path);
        let created = on_disk(move || {
            sweep();
            Ok(Incoming::local_to_keep(&path, &whom, size, algorithm, Durability::Full)?)
        });
        Ok(WriteBehind::new(created.await?))
    }

    /// The same for a file that comes in parts.
    pub(super) async fn receive_parts(
        &mut self,
        path: &Path,
        whom: &[u8],
        size: u64,
        algorithm: Algorithm,
    ) -> Result<Parts, Failure> {
        let (path, whom) = (path.to_owned(), whom.to_owned());
        let sweep = self.sweep(&path);
        on_disk(move || {
            sweep();
            Ok(Parts::local(&path, &whom, size, None, algorithm, Durability::Full)?)
        })
        .await
    }

    /// What is kept of the file `path`, if anything is.
    pub(super) async fn kept(
        &mut self,
        path: &Path,
        whom: &[u8],
        algorithm: Algorithm,
    ) -> Result<Option<(Incoming, Prefix)>, Failure> {
        let (path, whom) = (path.to_owned(), whom.to_owned());
        on_disk(move || Ok(Incoming::local_kept(&path, &whom, algorithm, Durability::Full)?)).await
    }

    /// A copy of the file `path` to go on with, if it has a block.
    pub(super) async fn copied(
        &mut self,
        path: &Path,
        whom: &[u8],
        algorithm: Algorithm,
    ) -> Result<Option<(Incoming, Prefix)>, Failure> {
        let (path, whom) = (path.to_owned(), whom.to_owned());
        let sweep = self.sweep(&path);
        on_disk(move || {
            sweep();
            Ok(Incoming::local_copied(&path, &whom, algorithm, Durability::Full)?)
        })
        .await
    }

    /// Removes what an earlier run left in the directory of `path`, the first time that something comes there.
    fn sweep(&mut self, path: &Path) -> impl FnOnce() + Send + use<> {
        let directory = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .map_or(PathBuf::from("."), Path::to_owned);
        let sweep = self.swept.insert(directory.clone());
        move || {
            if sweep {
                // What stays behind does no harm to this transfer.
                let _swept = store::sweep_directory(&directory);
            }
        }
    }
}

/// Begins the file `path` beneath `home`, of `size` bytes, if anybody knows how many.
pub(super) fn receive_beneath(
    home: &Home,
    path: &HomePath,
    size: Option<u64>,
    algorithm: Algorithm,
) -> Result<WriteBehind, Failure> {
    let created = match size {
        Some(size) => home.create(path, size, algorithm, Replace::Yes),
        None => home.create_of_any_size(path, algorithm, Replace::Yes),
    };
    Ok(WriteBehind::new(created?))
}

/// Does what may block on a disk where that is allowed.
pub(crate) async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    spawn_blocking(work).await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

/// Bytes of a file of this computer, if there is one.
pub(super) async fn size_of(path: &Path) -> Option<u64> {
    let path = path.to_owned();
    on_disk(move || Ok(std::fs::metadata(path).ok().filter(|file| file.is_file()).map(|file| file.len())))
        .await
        .ok()
        .flatten()
}
