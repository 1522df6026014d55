//! Files of both ends compared by their roots: many are asked for ahead, while those here are hashed.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use digest::{Algorithm, BLOCK, Blocks, Digest, Gap, of_blocks};
use proto::{Command, Message, Reply};
use store::Outgoing;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::spawn_blocking;

use super::super::Native;
use super::{Whole, Window};
use crate::failure::Failure;
use crate::remote::Settle;
use crate::remote::tree::{Account, Paths, below};

/// Files that are hashed together, and bytes of them.
const FILES: usize = 128;
const BYTES: usize = 1024 * 1024;

/// Size and root of a file here.
type Ours = Result<(u64, Digest), Failure>;

impl Native {
    /// Compares files beneath `local` and `remote`, and tells of each, with what was noted of it, whether they are the same.
    pub(in crate::remote) async fn compare_roots(
        &mut self,
        (local, remote): (&Path, &str),
        files: Paths,
        account: &mut Account<'_>,
        settle: Settle<'_>,
    ) -> Result<(), Failure> {
        if files.is_empty() {
            return Ok(());
        }
        self.begin_many().await?;
        let whole = self.compare_all((local, remote), files, account, settle).await;
        self.end_many(whole)
    }

    async fn compare_all(
        &mut self,
        (local, remote): (&Path, &str),
        mut files: Paths,
        account: &mut Account<'_>,
        settle: Settle<'_>,
    ) -> Whole {
        let (ask, asked) = unbounded_channel();
        let (tell, mut told) = unbounded_channel();
        let (from, algorithm) = (local.to_owned(), self.settings.digest);
        drop(spawn_blocking(move || hash_all(&from, algorithm, asked, &tell)));
        let (mut window, mut due) = (Window::default(), VecDeque::new());
        loop {
            if window.is_low() {
                while window.is_open()
                    && let Some((path, note)) = files.pop_front()
                {
                    self.ask(&Command::Root { path: below(remote, &path) });
                    window.sent(&path);
                    let _ = ask.send(path.clone()); // it is there as long as there is something to be told
                    due.push_back((path, note));
                }
            }
            let Some((path, note)) = due.pop_front() else { return Ok(Ok(())) };
            self.flush_many().await?;
            let theirs = match self.answer().await? {
                Message::Reply(Reply::Root { size, root, .. }) => {
                    account.moved += root.len() as u64;
                    Ok((size, self.root(&root)?))
                }
                Message::Reply(Reply::Refused(refused)) => Err(self.refused_many(refused)?),
                _ => return self.out_of_turn(),
            };
            window.answered(&path);
            let ours = told.recv().await.unwrap_or_else(|| Err(store::Error::from(store::Kind::Io).into()));
            let same = theirs.and_then(|theirs| ours.map(|ours| ours == theirs));
            settle(path, note, same);
        }
    }
}

/// Hashes files in the order in which they are asked for, small ones many at once.
fn hash_all(
    root: &Path,
    algorithm: Algorithm,
    mut asked: UnboundedReceiver<Vec<u8>>,
    tell: &UnboundedSender<Ours>,
) {
    let mut bytes = Vec::new();
    while let Some(first) = asked.blocking_recv() {
        bytes.clear();
        let (mut found, mut blocks): (Vec<Option<Ours>>, _) = (Vec::new(), Vec::new());
        let mut next = Some(first);
        while let Some(path) = next.take() {
            match look(&place(root, &path), algorithm, &mut bytes) {
                Ok(Looked::Small(start)) => {
                    found.push(None);
                    blocks.push(start..bytes.len());
                }
                Ok(Looked::Hashed(size, root)) => found.push(Some(Ok((size, root)))),
                Err(failure) => found.push(Some(Err(failure))),
            }
            if found.len() < FILES && bytes.len() < BYTES {
                next = asked.try_recv().ok();
            }
        }
        let slices: Vec<&[u8]> = blocks.iter().map(|block| &bytes[block.clone()]).collect();
        let mut digests = slices.iter().map(|slice| slice.len() as u64).zip(of_blocks(algorithm, &slices));
        for found in found {
            let ours = found.unwrap_or_else(|| Ok(digests.next().expect("a digest for each block")));
            if tell.send(ours).is_err() {
                return; // nobody hears it any more
            }
        }
    }
}

/// What came of looking at a file.
enum Looked {
    /// It is a block that begins there, still to be hashed.
    Small(usize),
    Hashed(u64, Digest),
}

fn look(place: &Path, algorithm: Algorithm, bytes: &mut Vec<u8>) -> Result<Looked, Failure> {
    let mut file = Outgoing::local(place, algorithm)?;
    let size = file.size();
    if (1..=BLOCK as u64).contains(&size) {
        let start = bytes.len();
        file.read_to(bytes)?;
        return Ok(Looked::Small(start));
    }
    let mut blocks = Blocks::default();
    while file.read(&mut blocks, Gap::default())? > 0 {}
    Ok(Looked::Hashed(size, file.root().expect("opened with a digest")))
}

fn place(root: &Path, path: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    match path {
        b"" => root.to_owned(),
        path => root.join(std::ffi::OsStr::from_bytes(path)),
    }
}
