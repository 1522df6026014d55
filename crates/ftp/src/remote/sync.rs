//! What a place needs to be made like another one: only native servers know it.

use std::path::Path;
use std::sync::Arc;

use digest::Digest;
use store::{Attributes, Home, HomePath};

use super::{Account, Bring, Fetch, Paths, Remote, Steps};
use crate::failure::{Code, Failure};

/// What was moved of a file that was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Changed {
    /// Blocks that differed.
    pub(crate) moved: u64,
    /// Blocks that it has, and bytes.
    pub(crate) blocks: u64,
    pub(crate) size: u64,
    /// The root of the blocks.
    pub(crate) root: Digest,
}

/// Told of a file whether it is the same at both ends: its path, what was noted of it, and that.
pub(crate) type Settle<'a> = &'a mut (dyn FnMut(Vec<u8>, Vec<u8>, Result<bool, Failure>) + Send);

impl Remote {
    /// Goes on with large files that were going when an earlier connection was lost.
    pub(crate) async fn put_halves(
        &mut self,
        bring: &Bring,
        account: &mut Account<'_>,
    ) -> Result<(), Failure> {
        match self {
            Remote::Native(native) => native.put_halves(bring, account).await,
            Remote::Classic(_) => Err(no_sync()),
        }
    }

    /// Goes on with those that were coming.
    pub(crate) async fn get_halves(
        &mut self,
        fetch: &Fetch,
        account: &mut Account<'_>,
    ) -> Result<(), Failure> {
        match self {
            Remote::Native(native) => native.get_halves(fetch, account).await,
            Remote::Classic(_) => Err(no_sync()),
        }
    }

    /// Does steps at the server, as the tree that is brought needs them.
    pub(crate) async fn put_steps(
        &mut self,
        bring: &Bring,
        steps: Steps,
        account: &mut Account<'_>,
    ) -> Result<(), Failure> {
        match self {
            Remote::Native(native) => native.put_steps(bring, steps, account).await,
            Remote::Classic(_) => Err(no_sync()),
        }
    }

    /// Does steps on this computer, as the tree that is fetched needs them.
    pub(crate) async fn get_steps(
        &mut self,
        fetch: &Fetch,
        steps: Steps,
        account: &mut Account<'_>,
    ) -> Result<(), Failure> {
        match self {
            Remote::Native(native) => native.get_steps(fetch, steps, account).await,
            Remote::Classic(_) => Err(no_sync()),
        }
    }

    /// Compares the contents of files beneath a local and a remote directory.
    pub(crate) async fn compare_roots(
        &mut self,
        ends: (&Path, &str),
        files: Paths,
        account: &mut Account<'_>,
        settle: Settle<'_>,
    ) -> Result<(), Failure> {
        match self {
            Remote::Native(native) => native.compare_roots(ends, files, account, settle).await,
            Remote::Classic(_) => Err(no_sync()),
        }
    }

    /// Makes a file of the server like one of this computer, of which only what differs is sent.
    pub(crate) async fn put_changed(
        &mut self,
        local: &Path,
        path: &[u8],
        account: &mut Account<'_>,
    ) -> Result<Changed, Failure> {
        match self {
            Remote::Native(native) => native.put_changed(local, path, account).await,
            Remote::Classic(_) => Err(no_sync()),
        }
    }

    /// Makes a file of this computer, which lies at `at` beneath `home`, like one of the server that has such a size and such
    /// attributes: only what differs is fetched.
    pub(crate) async fn get_changed(
        &mut self,
        path: &[u8],
        what: (u64, Attributes),
        (home, at): (&Arc<Home>, &HomePath),
        account: &mut Account<'_>,
    ) -> Result<Changed, Failure> {
        match self {
            Remote::Native(native) => native.get_changed(path, what, home, at, account).await,
            Remote::Classic(_) => Err(no_sync()),
        }
    }
}

/// Classic servers know neither blocks nor exact times.
pub(crate) fn no_sync() -> Failure {
    Failure::new(Code::Usage, "a classic server cannot be synchronised with")
        .with_remedy("put -r and get -r move whole trees; ftpd's native door knows sync.")
}
