//! The files of a tree that comes: small ones are gathered, so that many go to the disk together.

use proto::io::{Arrived, Next};
use proto::{End, Fault, Kind, Message, Reply, SMALL};
use store::Proof;

use super::{Asked, Getting, Wanted};
use crate::failure::Failure;
use crate::remote::native::{Broken, words};
use crate::remote::tree::{self, Ground, Job, Whole as Stated};

/// Files that go to the disk together, and bytes of them.
const FILES: usize = 128;
const BYTES: usize = 1024 * 1024;

impl Getting<'_, '_> {
    /// Hears all of a file that comes with its tree.
    pub(super) async fn hear_part(&mut self, wanted: &Wanted) -> Result<(), Failure> {
        match self.native.answer().await? {
            Message::Abort(abort) => self.broken_off(wanted, abort.failure),
            begin => self.hear_begun(wanted, begin).await,
        }
    }

    /// Takes note that the server has broken off the tree before a file of it: neither that nor anything behind it comes.
    fn broken_off(&mut self, wanted: &Wanted, why: proto::Failure) -> Result<(), Failure> {
        let failure = self.native.refused_many(why)?;
        let mut missing = vec![wanted.path.clone()];
        while let Some(Asked::Part(part)) = self.asked.front_mut() {
            missing.push(std::mem::take(&mut part.path));
            self.asked.pop_front();
        }
        if let Some(Asked::Walk { prefix, begun: true, .. }) = self.asked.front_mut() {
            self.window.answered(prefix);
            missing.push(std::mem::take(prefix));
            self.asked.pop_front();
        }
        for path in missing {
            self.account.failed(&tree::shown(&self.fetch.from, &path), failure.clone());
        }
        Ok(())
    }

    /// Hears all of a file.
    pub(super) async fn hear_file(&mut self, wanted: &Wanted) -> Result<(), Failure> {
        let begin = self.native.answer().await?;
        self.hear_begun(wanted, begin).await
    }

    /// Hears all of a file that begins so.
    async fn hear_begun(&mut self, wanted: &Wanted, begin: Message) -> Result<(), Failure> {
        let path = wanted.path.clone();
        self.came = 0;
        let size = match begin {
            Message::Reply(Reply::Sending { size }) => {
                self.account.found(u64::from(wanted.link.is_some()));
                size
            }
            Message::Reply(Reply::Refused(refused)) => {
                match &wanted.link {
                    // A pattern is for files: what else it matches is passed over, behind a link as well.
                    Some(_) if self.is_flat() => match refused.kind {
                        Kind::IsDirectory => self.release(&path),
                        Kind::NotFound => {
                            self.release(&path);
                            self.account.failed(&tree::shown(&self.fetch.from, &path), tree::leads_nowhere());
                        }
                        _ => self.refused(&path, refused)?,
                    },
                    Some(chain) if refused.kind == Kind::IsDirectory => {
                        self.pool.walk_later(path, chain.clone());
                    }
                    _ => self.refused(&path, refused)?,
                }
                return Ok(());
            }
            _ => return self.native.out_of_turn(),
        };
        if size > SMALL { self.hear_large(path, size).await } else { self.hear_small(path, size).await }
    }

    /// Leaves the name at `path` to a file of another directory.
    fn release(&self, path: &[u8]) {
        self.fetch.only.iter().for_each(|only| only.release(path));
    }

    async fn hear_small(&mut self, path: Vec<u8>, size: u64) -> Result<(), Failure> {
        let mut left = size;
        let end = loop {
            let before = self.small.bytes();
            match self.native.answer_or_block(self.small.room(), left).await? {
                Next::Block(digest) => {
                    let bytes = (self.small.bytes() - before) as u64;
                    left -= bytes;
                    self.small.block(digest);
                    self.count(bytes);
                }
                Next::Message(Message::End(_)) if left > 0 => {
                    return Err(self.native.broken(Broken::Malformed(Fault::FewerThanAnnounced)));
                }
                Next::Message(Message::End(end)) => break end,
                Next::Message(Message::Abort(abort)) => {
                    self.small.forget();
                    return self.refused(&path, abort.failure);
                }
                Next::Message(_) => return self.native.out_of_turn(),
            }
        };
        let root = self.native.root(&end.root)?;
        match tree::resolve(&path) {
            Ok(at) => {
                self.small.end(at, Stated { size: end.size, root, attributes: words::attributes(&end) });
            }
            Err(error) => {
                self.small.forget();
                self.account.settle(&path);
                self.account.failed(&tree::shown(&self.fetch.from, &path), error.into());
            }
        }
        if self.small.len() >= FILES || self.small.bytes() >= BYTES {
            self.publish().await;
        }
        Ok(())
    }

    /// Takes note that bytes of the file have come.
    fn count(&mut self, bytes: u64) {
        self.account.advance(bytes);
        self.account.moved += bytes;
        self.came += bytes;
    }

    async fn hear_large(&mut self, path: Vec<u8>, size: u64) -> Result<(), Failure> {
        self.give(Job::Begin { path: path.clone(), size }).await;
        let mut left = size;
        loop {
            let spare = self.ground.as_mut().map(Ground::spare).unwrap_or_default();
            let arrived = self.native.wire.arrive(spare, left).await;
            match self.native.told(arrived)? {
                Arrived::Blocks(blocks) => {
                    let bytes = blocks.data_len() as u64;
                    left -= bytes;
                    self.count(bytes);
                    self.give(Job::Write(blocks)).await;
                }
                Arrived::End(end) => {
                    let proof = self.proof(size, &end)?;
                    self.give(Job::Commit { proof, attributes: words::attributes(&end) }).await;
                    return Ok(());
                }
                Arrived::Abort(abort) => {
                    self.give(Job::Drop).await;
                    return self.refused(&path, abort.failure);
                }
            }
        }
    }

    /// What the end of a file proves. Of another size than was announced, it proves nothing.
    fn proof(&mut self, size: u64, end: &End) -> Result<Proof, Failure> {
        let root = self.native.root(&end.root)?;
        let size = if end.size == size { size } else { u64::MAX };
        Ok(Proof::Root { size, root })
    }

    pub(super) async fn publish(&mut self) {
        let Some(ground) = &mut self.ground else { return };
        let full = std::mem::replace(&mut self.small, ground.small());
        ground.give(Job::Small(full), self.account).await;
    }
}
