//! Large files of a tree that were under way when the connection was lost: each goes on where it stopped, as a single one would.
//! Where that cannot be, the tree meets it anew.

use digest::{BLOCK, Digest};
use store::{Incoming, Prefix, Proof, WriteBehind};
use tokio::time::Instant;

use super::super::transfer::receipt;
use super::super::{Native, words};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::remote::disk::on_disk;
use crate::remote::tree::{Account, Bring, Fetch, Half, below, place_in, shown};
use crate::remote::{Course, Receipt};

/// What came of going on with a file that was coming.
type Came = Result<Receipt, (Failure, Option<Incoming>)>;

impl Native {
    /// Fetches what is missing of files that were coming.
    pub(in crate::remote) async fn get_halves(
        &mut self,
        fetch: &Fetch,
        account: &mut Account<'_>,
    ) -> Result<(), Failure> {
        while let Some(mut half) = account.left.next_half() {
            let Ok(path) = String::from_utf8(below(&fetch.from, &half.path)) else { continue };
            let Some(came) = half.came.take() else { continue };
            let came = self.get_half(&path, came, &mut half.course, account.progress()).await;
            let done = match came {
                Ok(receipt) => Ok(receipt),
                Err((failure, came)) => {
                    half.came = came;
                    Err(failure)
                }
            };
            self.halved(half, done, &fetch.to.to_string_lossy(), account)?;
        }
        Ok(())
    }

    /// Brings what the server does not keep of files that were going.
    pub(in crate::remote) async fn put_halves(
        &mut self,
        bring: &Bring,
        account: &mut Account<'_>,
    ) -> Result<(), Failure> {
        while let Some(mut half) = account.left.next_half() {
            let Ok(path) = String::from_utf8(below(&bring.to, &half.path)) else { continue };
            let place = place_in(&bring.from, &half.path);
            let done = self.put_on(&place, &path, &mut half.course, account.progress()).await;
            half.course.take_notes().iter().for_each(|note| account.note(note));
            self.halved(half, done, &bring.to, account)?;
        }
        Ok(())
    }

    /// Takes note of what came of one. What went wrong with it shows when it is met anew; unless the connection is lost again.
    fn halved(
        &mut self,
        mut half: Half,
        done: Result<Receipt, Failure>,
        root: &str,
        account: &mut Account<'_>,
    ) -> Result<(), Failure> {
        account.moved += half.course.moved.saturating_sub(half.course.kept);
        match done {
            Ok(receipt) => {
                account.found(1);
                account.left.settle_beforehand(&half.path);
                account.file(|| shown(root, &half.path), receipt.size, receipt.verified);
                Ok(())
            }
            Err(failure) if self.lost => {
                if let Some(came) = &half.came {
                    half.course.kept = came.written();
                }
                account.left.keep(half);
                Err(failure)
            }
            Err(_) => Ok(()),
        }
    }

    /// Fetches what is missing of a file. After a failure, what is there by then comes back if there is more to be fetched.
    async fn get_half(
        &mut self,
        path: &str,
        mut came: Incoming,
        course: &mut Course,
        progress: &Progress,
    ) -> Came {
        let began = Instant::now();
        let read = on_disk(move || Ok(came.again().map(|prefix| (came, prefix))?)).await;
        let (mut came, prefix) = read.map_err(|failure| (failure, None))?;
        let Prefix { blocks, .. } = prefix;
        let there = blocks * BLOCK as u64;
        let size = match self.ask_for_rest(path, prefix).await {
            Ok(Some(size)) => size,
            Ok(None) => return Err((store::Error::from(store::Kind::Changed).into(), None)),
            Err(failure) => return Err((failure, Some(came))),
        };
        course.begin(size, there);
        let announced = on_disk(move || Ok(came.announce(size).map(|()| came)?)).await;
        let mut file = match announced {
            Ok(came) => WriteBehind::new(came),
            Err(failure) => {
                let _lost = self.recover().await;
                return Err((failure, None));
            }
        };
        progress.begin(path, size);
        progress.advance(there);
        match self.receive_blocks(&mut file, course, progress).await {
            Ok((end, root)) => {
                let proof = Proof::Root { size: end.size, root };
                let done = file.commit(proof, words::attributes(&end)).await;
                let root: Result<Digest, _> = done.map(|done| done.root.expect("of hashed blocks"));
                root.map(|root| receipt(size, root, began)).map_err(|error| (error.into(), None))
            }
            Err(failure) if self.lost => Err((failure, file.finish().await.ok())),
            Err(failure) => {
                let _lost = self.recover().await;
                Err((failure, None))
            }
        }
    }
}
