//! Files that go on where they stopped: what is there is proven at both ends before anything is added to it.

use std::path::Path;

use digest::{BLOCK, Blocks, Digest};
use proto::io::Arrived;
use proto::{Command, Reply, gap};
use store::{Incoming, Outgoing, Prefix, Proof, ReadAhead, WriteBehind};
use tokio::time::Instant;

use super::transfer::receipt;
use super::{Broken, Native, Owed, words};
use crate::failure::{Code, Failure};
use crate::progress::Progress;
use crate::remote::disk::{on_disk, size_of};
use crate::remote::{Course, LARGE, Receipt};

/// What there is of a file here.
enum Here {
    /// Nothing that could be gone on with.
    Nothing,
    /// The first blocks, in a stage.
    Part(Box<Incoming>, Prefix),
    /// The whole, as the server has it.
    All(Receipt),
}

impl Native {
    /// Fetches a file, or what is missing of it.
    pub(in crate::remote) async fn get_on(
        &mut self,
        path: &str,
        place: &Path,
        course: &mut Course,
        progress: &Progress,
    ) -> Result<Receipt, Failure> {
        let began = Instant::now();
        if course.go_on {
            match self.here(path, place, course, began).await? {
                Here::Nothing => {}
                Here::All(receipt) => {
                    course.begin(receipt.size, receipt.size);
                    course.note(format!("{} is complete already", place.display()));
                    return Ok(receipt);
                }
                Here::Part(incoming, prefix) => {
                    if let Some(receipt) =
                        self.get_rest(path, incoming, prefix, course, progress, began).await?
                    {
                        return Ok(receipt);
                    }
                    course.note(format!(
                        "what is here of {path} is not what the server has: it is fetched anew"
                    ));
                }
            }
        }
        let asked = Command::Get { path: path.into(), first_block: 0 };
        let Reply::Sending { size } = self.request(asked).await? else { return Err(self.unexpected()) };
        if self.settings.lanes_of_file(size) > 1 {
            self.recover().await?; // it comes in parts instead
            return self.get_wide(path, place, course, progress, began).await;
        }
        let begun = if size >= LARGE || course.go_on {
            self.disk.receive_to_keep(place, &course.mark, Some(size), self.settings.digest).await
        } else {
            self.disk.receive(place, Some(size), self.settings.digest).await
        };
        match begun {
            Ok(file) => {
                course.begin(size, 0);
                let received = self.receive_on(file, path, course, progress).await;
                self.received(received, size, began).await
            }
            Err(failure) => self.received(Err(failure), size, began).await,
        }
    }

    /// What there is of a file here that the server has as well.
    async fn here(
        &mut self,
        path: &str,
        place: &Path,
        course: &mut Course,
        began: Instant,
    ) -> Result<Here, Failure> {
        let algorithm = self.settings.digest;
        if let Some((incoming, prefix)) = self.disk.kept(place, &course.mark, algorithm).await? {
            return Ok(Here::Part(Box::new(incoming), prefix));
        }
        let Some(size) = size_of(place).await else { return Ok(Here::Nothing) };
        let theirs = self.stat(path).await?.size;
        if size == theirs {
            return match self.compare(path, place, size).await? {
                Some(root) => Ok(Here::All(receipt(size, root, began))),
                None => {
                    course
                        .note(format!("{} is not what the server has: it is fetched anew", place.display()));
                    Ok(Here::Nothing)
                }
            };
        }
        if size > theirs {
            course
                .note(format!("{} is longer than what the server has: it is fetched anew", place.display()));
            return Ok(Here::Nothing);
        }
        let copied = self.disk.copied(place, &course.mark, algorithm).await?;
        Ok(copied.map_or(Here::Nothing, |(incoming, prefix)| Here::Part(Box::new(incoming), prefix)))
    }

    /// The root of a whole file here, if the server has the same.
    async fn compare(&mut self, path: &str, place: &Path, size: u64) -> Result<Option<Digest>, Failure> {
        let (place, algorithm) = (place.to_owned(), self.settings.digest);
        let (prefix, rest, whole) = on_disk(move || {
            let (mut file, prefix) = Outgoing::local_behind(&place, algorithm, size / BLOCK as u64)?;
            file.read(&mut Blocks::default(), gap(algorithm))?;
            Ok((prefix, file.root(), file.whole()))
        })
        .await?;
        let Some(told) = self.ask_for_rest(path, prefix).await? else { return Ok(None) };
        let (mut spare, mut left) = (Blocks::default(), told.saturating_sub(prefix.blocks * BLOCK as u64));
        loop {
            let arrived = self.wire.arrive(spare, left).await;
            match self.told(arrived)? {
                Arrived::Blocks(blocks) => {
                    left -= blocks.data_len() as u64;
                    self.owed = Owed::File(left);
                    spare = blocks;
                }
                Arrived::End(end) => {
                    self.owed = Owed::Nothing;
                    let same = told == size && rest.is_some_and(|rest| rest.as_bytes() == end.root);
                    return Ok(whole.filter(|_| same));
                }
                Arrived::Abort(abort) => {
                    self.owed = Owed::Nothing;
                    return Err(self.refused(abort.failure));
                }
            }
        }
    }

    /// Asks for what lies behind a prefix. The size of the whole; nothing, if the server has another file.
    pub(super) async fn ask_for_rest(&mut self, path: &str, prefix: Prefix) -> Result<Option<u64>, Failure> {
        let Prefix { blocks, root } = prefix;
        let asked =
            Command::Resume { path: path.into(), first_block: blocks, proof: root.as_bytes().to_vec() };
        match self.request(asked).await {
            Ok(Reply::Sending { size }) => match size.checked_sub(blocks * BLOCK as u64) {
                Some(left) => {
                    self.owed = Owed::File(left);
                    Ok(Some(size))
                }
                None => Err(self.broken(Broken::Malformed(proto::Fault::Body))),
            },
            Ok(_) => Err(self.unexpected()),
            Err(refused) if refused.code == Code::NotVerified && !self.lost => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Fetches what lies behind a prefix; nothing, if the server has another file.
    async fn get_rest(
        &mut self,
        path: &str,
        mut incoming: Box<Incoming>,
        prefix: Prefix,
        course: &mut Course,
        progress: &Progress,
        began: Instant,
    ) -> Result<Option<Receipt>, Failure> {
        let there = prefix.blocks * BLOCK as u64;
        course.begin(course.size.max(there), there);
        let Some(size) = self.ask_for_rest(path, prefix).await? else { return Ok(None) };
        course.begin(size, there);
        let announced = on_disk(move || Ok(incoming.announce(size).map(|()| incoming)?)).await;
        let received = match announced {
            Ok(incoming) => self.receive_on(WriteBehind::new(*incoming), path, course, progress).await,
            Err(failure) => Err(failure),
        };
        self.received(received, size, began).await.map(Some)
    }

    /// Receives a file to its end and publishes it; what came is kept if it does not come to that.
    async fn receive_on(
        &mut self,
        mut file: WriteBehind,
        path: &str,
        course: &mut Course,
        progress: &Progress,
    ) -> Result<Digest, Failure> {
        progress.begin(path, course.size);
        progress.there(course.moved);
        self.wire.gather_less(true);
        let received = self.receive_blocks(&mut file, course, progress).await;
        self.wire.gather_less(false);
        let (end, root) = match received {
            Ok(end) => end,
            Err(failure) => {
                file.leave().await;
                course.kept = course.moved - course.moved % BLOCK as u64;
                return Err(failure);
            }
        };
        course.kept = 0; // whole, or nothing
        let attributes = words::attributes(&end);
        Ok(file
            .commit(Proof::Root { size: end.size, root }, attributes)
            .await?
            .root
            .expect("of hashed blocks"))
    }

    pub(super) async fn receive_blocks(
        &mut self,
        file: &mut WriteBehind,
        course: &mut Course,
        progress: &Progress,
    ) -> Result<(proto::End, Digest), Failure> {
        let mut spare = Blocks::default();
        let mut left = course.size - course.moved;
        loop {
            let arrived = self.wire.arrive(spare, left).await;
            match self.told(arrived)? {
                Arrived::Blocks(blocks) => {
                    let bytes = blocks.data_len() as u64;
                    left -= bytes;
                    self.owed = Owed::File(left);
                    spare = file.write(blocks).await?;
                    course.moved += bytes;
                    progress.advance(bytes);
                }
                Arrived::End(end) => {
                    self.owed = Owed::Nothing;
                    let root = Digest::new(self.settings.digest, &end.root);
                    return root.map(|root| (end, root)).ok_or_else(|| self.unexpected());
                }
                Arrived::Abort(abort) => {
                    self.owed = Owed::Nothing;
                    return Err(self.refused(abort.failure));
                }
            }
        }
    }

    /// What a get came to; after a failure, the connection is in step again.
    async fn received(
        &mut self,
        received: Result<Digest, Failure>,
        size: u64,
        began: Instant,
    ) -> Result<Receipt, Failure> {
        match received {
            Ok(root) => Ok(receipt(size, root, began)),
            Err(failure) => {
                // Should that fail, too, the connection is lost and the next command says so; this failure came first.
                let _lost = self.recover().await;
                Err(failure)
            }
        }
    }

    /// Brings a file, or what the server does not keep of it.
    pub(in crate::remote) async fn put_on(
        &mut self,
        local: &Path,
        path: &str,
        course: &mut Course,
        progress: &Progress,
    ) -> Result<Receipt, Failure> {
        let began = Instant::now();
        let size = size_of(local).await.unwrap_or_default();
        if size < LARGE {
            return self.put(local, path, progress).await;
        }
        let (outgoing, prefix) = self.behind_kept(local, path, course).await?;
        if prefix.blocks == 0 && self.settings.lanes_of_file(outgoing.size()) > 1 {
            let file = (outgoing.size(), outgoing.version(), outgoing.attributes());
            drop(outgoing);
            return self.put_wide(local, path, file, course, progress, began).await;
        }
        let (algorithm, there) = (self.settings.digest, prefix.blocks * BLOCK as u64);
        let file = on_disk(move || Ok(ReadAhead::begin(outgoing, gap(algorithm))?)).await?;
        let size = file.size();
        course.begin(size, there);
        let Prefix { blocks: first_block, root } = prefix;
        let proof = root.as_bytes().to_vec();
        let asked = Command::PutRest { path: path.into(), size, first_block, proof };
        self.bring(asked, file, there, &mut course.moved, progress, began).await
    }

    /// The file from where the server needs it, if it is to go on.
    async fn behind_kept(
        &mut self,
        local: &Path,
        path: &str,
        course: &mut Course,
    ) -> Result<(Outgoing, Prefix), Failure> {
        let (source, algorithm) = (local.to_owned(), self.settings.digest);
        if course.go_on {
            let Reply::Kept { blocks, root } = self.request(Command::Kept { path: path.into() }).await?
            else {
                return Err(self.unexpected());
            };
            if blocks > 0 {
                let source = source.clone();
                let opened = on_disk(move || Ok(Outgoing::local_behind(&source, algorithm, blocks)?)).await;
                match opened {
                    Ok((outgoing, prefix)) if prefix.root.as_bytes() == root => {
                        return Ok((outgoing, prefix));
                    }
                    Err(failure) if failure.code != Code::NotVerified => return Err(failure),
                    Ok(_) | Err(_) => {
                        course.note(format!(
                            "what the server keeps of {path} is not what is here: it is sent anew"
                        ));
                    }
                }
            }
        }
        on_disk(move || Ok(Outgoing::local_behind(&source, algorithm, 0)?)).await
    }
}
