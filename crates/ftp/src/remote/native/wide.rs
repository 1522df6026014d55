//! One large file over several sessions: its chunks are handed out in order to whoever is free, and it is published once, by the first
//! session, with the root over all blocks.

mod chunks;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use digest::{Blocks, Digest};
use proto::{Command, Message, Part, Reply};
use store::{Attributes, Parts, Version};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::crew::{BREATH, Invitation, fewer, hands};
use super::parts::{Assembling, Remote};
use super::transfer::receipt;
use super::{Native, words};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::remote::disk::on_disk;
use crate::remote::{Course, Receipt};
use chunks::Chunks;

/// What each session does with the chunks that it takes.
#[derive(Clone)]
enum Work {
    Get { of: Remote, into: Arc<Parts> },
    Put { to: Assembling, from: Arc<PathBuf>, version: Version },
}

impl Native {
    /// Fetches a file of at least [`WIDE`](crate::remote::several::WIDE) bytes; what came without a gap is kept if it is cut.
    pub(super) async fn get_wide(
        &mut self,
        path: &str,
        place: &Path,
        course: &mut Course,
        progress: &Progress,
        began: Instant,
    ) -> Result<Receipt, Failure> {
        let (of, attributes) = self.look(path).await?;
        let size = of.size;
        let invitations = self.invite(self.settings.lanes_of_file(size), course).await?;
        let into = Arc::new(self.disk.receive_parts(place, &course.mark, size, self.settings.digest).await?);
        course.begin(size, 0);
        progress.begin(path, size);
        let work = Work::Get { of, into: into.clone() };
        let root = match self.share(&work, size, invitations, course, progress).await {
            Ok(root) => root,
            Err(failure) => {
                drop(work);
                // Now: whoever tries again looks for what is kept.
                on_disk(move || {
                    into.leave();
                    Ok(())
                })
                .await?;
                return Err(failure);
            }
        };
        course.kept = 0; // whole, or nothing
        on_disk(move || Ok(into.publish(root, attributes, &mut || true)?)).await?;
        Ok(receipt(size, root, began))
    }

    /// Brings such a file.
    pub(super) async fn put_wide(
        &mut self,
        local: &Path,
        path: &str,
        (size, version, attributes): (u64, Version, Attributes),
        course: &mut Course,
        progress: &Progress,
        began: Instant,
    ) -> Result<Receipt, Failure> {
        let invitations = self.invite(self.settings.lanes_of_file(size), course).await?;
        let to = self.assemble(path.as_bytes(), size, None).await?;
        course.begin(size, 0);
        progress.begin(path, size);
        let work = Work::Put { to, from: Arc::new(local.to_owned()), version };
        let done = match self.share(&work, size, invitations, course, progress).await {
            Ok(root) => {
                progress.end();
                self.publish(to, root, attributes).await.map(|()| root)
            }
            Err(failure) => Err(failure),
        };
        if done.is_err() && !self.lost {
            // It ends with the session at the latest.
            let _left = self.leave(to).await;
        }
        Ok(receipt(size, done?, began))
    }

    /// Calls for the other ones of so many sessions. The user is told where there are fewer.
    async fn invite(&mut self, lanes: usize, course: &mut Course) -> Result<Vec<Invitation>, Failure> {
        let (invitations, missing) = self.invitations(lanes.saturating_sub(1)).await?;
        if let Some(why) = missing {
            course.note(fewer(&why));
        }
        Ok(invitations)
    }

    /// Which file has a name, and what a copy of it is to have.
    async fn look(&mut self, path: &str) -> Result<(Remote, Attributes), Failure> {
        let part = Part { first_block: 0, blocks: 0 };
        let asked = Command::Digests { path: path.into(), part, version: None };
        self.begin_many().await?;
        let looked = self.hear_of(asked).await;
        let whole = looked.as_ref().map(|looked| looked.as_ref().map(drop).map_err(Clone::clone));
        self.end_many(whole.map_err(Clone::clone))?;
        looked?
    }

    async fn hear_of(&mut self, asked: Command) -> Result<Result<(Remote, Attributes), Failure>, Failure> {
        self.ask(&asked);
        self.flush_many().await?;
        let (size, version) = match self.answer().await? {
            Message::Reply(Reply::Reading { size, version }) => (size, version),
            Message::Reply(Reply::Refused(refused)) => return self.refused_many(refused).map(Err),
            _ => return self.out_of_turn(),
        };
        match self.answer().await? {
            Message::End(end) => {
                let remote = Remote { path: asked.path().to_vec(), size, version };
                Ok(Ok((remote, words::attributes(&end))))
            }
            Message::Abort(abort) => self.refused_many(abort.failure).map(Err),
            _ => self.out_of_turn(),
        }
    }

    /// Has all chunks of a file of `size` bytes moved by this session and others: the root of the whole.
    async fn share(
        &mut self,
        work: &Work,
        size: u64,
        invitations: Vec<Invitation>,
        course: &mut Course,
        progress: &Progress,
    ) -> Result<Digest, Failure> {
        let chunks = Arc::new(Chunks::new(size, invitations.len() + 1, self.settings.digest));
        // They end when this is dropped.
        let mut helpers = JoinSet::new();
        for invitation in invitations {
            let help = help(invitation, work.clone(), chunks.clone(), progress.clone());
            helpers.spawn_on(help, &hands());
        }
        let moved = self.move_all(work, &chunks, &mut helpers, progress).await;
        helpers.shutdown().await;
        progress.end();
        chunks.take_notes().into_iter().for_each(|note| course.note(note));
        match moved {
            Ok(()) => {
                course.moved = size;
                Ok(chunks.root())
            }
            Err(failure) => {
                let there = chunks.there();
                (course.moved, course.kept) = (there, there);
                Err(failure)
            }
        }
    }

    /// Has the server see that the session is in use, and learns whether it still is.
    async fn stays(&mut self) -> Result<(), Failure> {
        self.begin_many().await?;
        let breathed = self.breathe().await;
        self.end_many(breathed.map(Ok))
    }

    /// Moves chunks until there are no more, those of lost sessions included.
    async fn move_all(
        &mut self,
        work: &Work,
        chunks: &Arc<Chunks>,
        helpers: &mut JoinSet<()>,
        progress: &Progress,
    ) -> Result<(), Failure> {
        loop {
            work.run(self, chunks, progress).await?;
            loop {
                match timeout(BREATH, helpers.join_next()).await {
                    Ok(None) => break,
                    Ok(Some(Err(error))) if error.is_panic() => {
                        std::panic::resume_unwind(error.into_panic());
                    }
                    Ok(Some(_)) => {}
                    Err(_) => self.stays().await?,
                }
            }
            if let Some(failure) = chunks.failure() {
                // If this session was lost meanwhile, what it had begun has ended with it, and that is all that the others know.
                self.stays().await?;
                return Err(failure);
            }
            if chunks.are_done() {
                return Ok(());
            }
        }
    }
}

/// Moves chunks over one more session, until there are no more. What it leaves behind is for others.
async fn help(invitation: Invitation, work: Work, chunks: Arc<Chunks>, progress: Progress) {
    let mut native = match invitation.accept().await {
        Ok(native) => native,
        Err(failure) => return chunks.is_missing(&failure),
    };
    match work.run(&mut native, &chunks, &progress).await {
        Ok(()) => native.hang_up().await,
        Err(failure) if native.is_lost() => chunks.is_missing(&failure),
        Err(failure) => chunks.fail(failure),
    }
}

impl Work {
    /// Moves chunks over a session, until there are no more.
    async fn run(
        &self,
        native: &mut Native,
        chunks: &Arc<Chunks>,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let lane = chunks.lane(matches!(self, Work::Put { .. }), progress);
        let mut lists = std::iter::from_fn(|| lane.take());
        let mut moved = |blocks: &Blocks| {
            lane.moved(blocks);
            progress.advance(blocks.data_len() as u64);
        };
        let done = match self {
            Work::Get { of, into } => native.get_parts(of, &mut lists, into, &mut moved).await,
            Work::Put { to, from, version } => {
                native.put_parts(*to, (from, *version), &mut lists, &mut moved).await
            }
        };
        if done.is_ok() {
            lane.done();
        }
        done
    }
}
