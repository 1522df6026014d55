//! Files of which only what differs is moved: digests of their blocks are compared, and the blocks that differ are brought.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use digest::{Algorithm, BLOCK, Blocks, Digest, Root};
use proto::{Command, Part, Reply};
use store::{Assembly, Attributes, Digests, Home, HomePath, Outgoing, Replace, Version};

use super::parts::{BYTES, PARTS};
use super::{Native, words};
use crate::failure::Failure;
use crate::remote::Changed;
use crate::remote::disk::on_disk;
use crate::remote::tree::Account;

/// The digests of a file of this computer, one by one.
struct Ours {
    coming: Digests,
    ready: VecDeque<Digest>,
}

impl Ours {
    async fn next(&mut self) -> Result<Option<Digest>, Failure> {
        while self.ready.is_empty() {
            match self.coming.next().await? {
                Some(digests) => self.ready.extend(digests),
                None => return Ok(None),
            }
        }
        Ok(self.ready.pop_front())
    }
}

/// Which blocks of the new file differ from those of the old one, a bit each.
#[derive(Debug, Default)]
struct Differing {
    bits: Vec<u64>,
    /// Blocks of the new file so far.
    blocks: u64,
    /// Those among them that differ.
    count: u64,
}

impl Differing {
    fn push(&mut self, differs: bool) {
        let (word, bit) = ((self.blocks / 64) as usize, self.blocks % 64);
        if word == self.bits.len() {
            self.bits.push(0);
        }
        self.bits[word] |= u64::from(differs) << bit;
        self.blocks += 1;
        self.count += u64::from(differs);
    }

    fn has(&self, block: u64) -> bool {
        self.bits[(block / 64) as usize] >> (block % 64) & 1 == 1
    }

    /// Bytes of the blocks that differ, in a file of `size` bytes.
    fn bytes(&self, size: u64) -> u64 {
        let block = BLOCK as u64;
        let last_is_short = self.blocks > 0 && !size.is_multiple_of(block) && self.has(self.blocks - 1);
        self.count * block - if last_is_short { block - size % block } else { 0 }
    }

    /// The parts that they are, some for each command.
    fn lists(&self) -> impl Iterator<Item = Vec<Part>> + Send {
        let mut parts = self.parts().peekable();
        std::iter::from_fn(move || {
            let (mut list, mut blocks) = (Vec::new(), 0);
            while let Some(part) =
                parts.next_if(|part| list.len() < PARTS && (blocks + part.blocks) * BLOCK as u64 <= BYTES)
            {
                blocks += part.blocks;
                list.push(part);
            }
            Some(list).filter(|list| !list.is_empty())
        })
    }

    /// Runs of blocks that differ, none longer than a command may bring.
    fn parts(&self) -> impl Iterator<Item = Part> + Send {
        let mut at = 0;
        std::iter::from_fn(move || {
            while at < self.blocks && !self.has(at) {
                // Many blocks are the same, and some files have many.
                at = if self.bits[(at / 64) as usize] == 0 { (at / 64 + 1) * 64 } else { at + 1 };
            }
            let first_block = at;
            while at < self.blocks && self.has(at) && (at - first_block) * (BLOCK as u64) < BYTES {
                at += 1;
            }
            (at > first_block).then(|| Part { first_block, blocks: at - first_block })
        })
    }
}

/// What came of a comparison.
struct Compared {
    differing: Differing,
    /// The root of the new file.
    root: Root,
    /// What the server has.
    theirs: super::parts::Remote,
    /// Its time and mode, as far as it told them.
    attributes: Attributes,
}

impl Native {
    /// Makes a file of the server like one of this computer, of which only the blocks are sent that differ.
    pub(in crate::remote) async fn put_changed(
        &mut self,
        local: &Path,
        path: &[u8],
        account: &mut Account<'_>,
    ) -> Result<Changed, Failure> {
        let (from, algorithm) = (local.to_owned(), self.settings.digest);
        let (ours, attributes) = on_disk(move || {
            let attributes = Outgoing::local(&from, algorithm)?.attributes();
            Ok((Digests::local(&from, algorithm, 0..u64::MAX)?, attributes))
        })
        .await?;
        let (size, version) = (ours.size(), ours.version());
        let Compared { differing, root, theirs, .. } = self.compare_blocks(path, ours, None, account).await?;
        let changed = Changed { moved: differing.count, blocks: differing.blocks, size, root: root.value() };
        if differing.count == 0 && size == theirs.size {
            let Attributes { modified, mode } = attributes;
            let modified = modified.map(words::to_wire);
            let asked = Command::SetAttributes { path: path.to_vec(), modified, mode };
            return match self.request(asked).await? {
                Reply::Done => Ok(changed),
                _ => Err(self.unexpected()),
            };
        }
        account.expect(differing.bytes(size));
        let assembling = self.assemble(path, size, Some(theirs.version)).await?;
        let mut moved = |blocks: &Blocks| {
            let bytes = blocks.data_len() as u64;
            account.moved += bytes;
            account.advance(bytes);
        };
        let put = self.put_parts(assembling, (local, version), &mut differing.lists(), &mut moved).await;
        let done = match put {
            Ok(()) => self.publish(assembling, root.value(), attributes).await,
            Err(failure) => Err(failure),
        };
        if done.is_err() && !self.lost {
            // It ends with the session at the latest.
            let _left = self.leave(assembling).await;
        }
        done.map(|()| changed)
    }

    /// Makes a file of this computer, beneath `home`, like one of the server, which has `size` bytes: only the blocks are fetched that
    /// differ.
    pub(in crate::remote) async fn get_changed(
        &mut self,
        path: &[u8],
        (size, attributes): (u64, Attributes),
        home: &Arc<Home>,
        at: &HomePath,
        account: &mut Account<'_>,
    ) -> Result<Changed, Failure> {
        let algorithm = self.settings.digest;
        let (here, place) = (home.clone(), at.clone());
        let ours = on_disk(move || Ok(here.digests(&place, algorithm, None, 0..u64::MAX)?)).await?;
        let (old_size, version) = (ours.size(), ours.version());
        let compared = self.compare_blocks(path, ours, Some(size), account).await?;
        let Compared { differing, root, theirs, attributes: told } = compared;
        // The time is that of the contents, should the file have changed since it was listed.
        let attributes = Attributes {
            modified: told.modified.or(attributes.modified),
            mode: told.mode.or(attributes.mode),
        };
        let changed = Changed { moved: differing.count, blocks: differing.blocks, size, root: root.value() };
        let (here, place) = (home.clone(), at.clone());
        if differing.count == 0 && size == old_size {
            on_disk(move || Ok(here.set_attributes(&place, &attributes)?)).await?;
            return Ok(changed);
        }
        account.expect(differing.bytes(size));
        let parts = on_disk(move || begin(&here, &place, size, version, algorithm)).await?;
        let parts = Arc::new(parts);
        let mut moved = |blocks: &Blocks| {
            let bytes = blocks.data_len() as u64;
            account.moved += bytes;
            account.advance(bytes);
        };
        self.get_parts(&theirs, &mut differing.lists(), &parts, &mut moved).await?;
        on_disk(move || Ok(parts.publish(root.value(), attributes, &mut || true)?)).await?;
        Ok(changed)
    }

    /// Compares the digests of a file's blocks at both ends, while both are at work on them. Ours is the new file, unless theirs is,
    /// which has `wanted` bytes.
    async fn compare_blocks(
        &mut self,
        path: &[u8],
        ours: Digests,
        wanted: Option<u64>,
        account: &mut Account<'_>,
    ) -> Result<Compared, Failure> {
        self.begin_many().await?;
        let ours = Ours { coming: ours, ready: VecDeque::new() };
        let whole = self.compare_many(path, ours, wanted, account).await;
        let ended = self.end_many(whole.as_ref().map(|_| Ok(())).map_err(Clone::clone));
        ended.and_then(|()| whole?)
    }

    async fn compare_many(
        &mut self,
        path: &[u8],
        mut ours: Ours,
        wanted: Option<u64>,
        account: &mut Account<'_>,
    ) -> Result<Result<Compared, Failure>, Failure> {
        let algorithm = self.settings.digest;
        let mut coming = match self.begin_digests(path).await? {
            Ok(coming) => coming,
            Err(refused) => return Ok(Err(refused)),
        };
        let to_them = wanted.is_none();
        if wanted.is_some_and(|size| size != coming.file.size) {
            self.stop_digests(&coming).await?;
            return Ok(Err(store::Error::from(store::Kind::Changed).into()));
        }
        let (mut differing, mut root) = (Differing::default(), Root::new(algorithm));
        // What is compared takes as long as what is moved, or longer.
        let mut uncompared = ours.coming.size().max(coming.file.size);
        let progress = account.progress();
        progress.expect(uncompared);
        let mut compared = |blocks: usize| {
            let bytes = uncompared.min((blocks * BLOCK) as u64);
            uncompared -= bytes;
            progress.advance(bytes);
        };
        loop {
            let digests = match self.next_digests(&mut coming).await? {
                Ok(Some(digests)) => digests,
                Ok(None) => break,
                Err(refused) => return Ok(Err(refused)),
            };
            account.moved += digests.len() as u64;
            for theirs in digests.chunks_exact(algorithm.len()) {
                let theirs = Digest::new(algorithm, theirs).expect("as long as one is");
                let ours = match ours.next().await {
                    Ok(ours) => ours,
                    Err(failure) => {
                        self.stop_digests(&coming).await?;
                        return Ok(Err(failure));
                    }
                };
                let new = if to_them { ours } else { Some(theirs) };
                if let Some(new) = new {
                    differing.push(ours != Some(theirs));
                    root.push(&new);
                }
            }
            compared(digests.len() / algorithm.len());
        }
        // The end of ours tells whether it is still what it was; what of it is beyond theirs is new. It may be far.
        loop {
            let next = self.breathing(ours.next()).await?;
            compared(1);
            match next {
                Ok(Some(digest)) if to_them => {
                    differing.push(true);
                    root.push(&digest);
                }
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(failure) => return Ok(Err(failure)),
            }
        }
        Ok(Ok(Compared { differing, root, theirs: coming.file, attributes: coming.attributes }))
    }
}

fn begin(
    home: &Home,
    at: &HomePath,
    size: u64,
    version: Version,
    algorithm: Algorithm,
) -> Result<store::Parts, Failure> {
    let assembly = Assembly { whom: None, size, onto: Some(version) };
    Ok(home.assemble(at, &assembly, algorithm, Replace::Yes)?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::collection::vec;
    use proptest::prelude::*;
    use proto::{End, Message};

    use super::super::fake::session;
    use super::*;
    use crate::output::Output;
    use crate::progress::Progress;

    fn of(bits: &[bool]) -> Differing {
        let mut differing = Differing::default();
        bits.iter().for_each(|&bit| differing.push(bit));
        differing
    }

    proptest! {
        #[test]
        fn the_lists_are_the_blocks_that_differ(bits in vec(any::<bool>(), 0..3000), calm in 0..200_usize) {
            let mut bits = bits;
            let end = bits.len();
            bits[end / 3..(end / 3 + calm).min(end)].fill(false);
            bits[end / 2..(end / 2 + calm * 7).min(end)].fill(true);
            let mut seen = vec![false; bits.len()];
            let differing = of(&bits);
            for list in differing.lists() {
                prop_assert!((1..=PARTS).contains(&list.len()));
                prop_assert!(list.iter().map(|part| part.blocks).sum::<u64>() * BLOCK as u64 <= BYTES);
                for Part { first_block, blocks } in list {
                    prop_assert!(blocks > 0);
                    for block in first_block..first_block + blocks {
                        prop_assert!(!std::mem::replace(&mut seen[block as usize], true));
                    }
                }
            }
            prop_assert_eq!(differing.count, bits.iter().filter(|bit| **bit).count() as u64);
            prop_assert_eq!(seen, bits);
        }
    }

    #[tokio::test]
    async fn what_is_compared_is_seen_to_go() {
        let (mut native, mut server) = session().await;
        let file = tempfile::NamedTempFile::new().unwrap();
        let (ours, theirs) = (vec![7; 5 * BLOCK + 3], vec![7; 3 * BLOCK]);
        std::fs::write(file.path(), &ours).unwrap();
        let (output, progress) = (Output::new(true, false), Progress::visible());
        let mut account = Account::open("to", &output, &progress);
        let play = async {
            let asked = server.next(Duration::from_secs(60)).await.unwrap();
            assert!(matches!(asked, Message::Command(Command::Digests { .. })), "{asked:?}");
            let digests = digest::of_blocks(Algorithm::Md5, &theirs.chunks(BLOCK).collect::<Vec<_>>());
            let mut root = Root::new(Algorithm::Md5);
            digests.iter().for_each(|digest| root.push(digest));
            let (size, root) = (theirs.len() as u64, root.value().as_bytes().to_vec());
            let told = digests.iter().flat_map(|digest| digest.as_bytes().to_vec()).collect();
            server.queue(&Message::Reply(Reply::Reading { size, version: Default::default() }));
            server.queue(&Message::Digests(told));
            server.send(&Message::End(End { size, root, modified: None, mode: None })).await.unwrap();
        };
        let coming = Digests::local(file.path(), Algorithm::Md5, 0..u64::MAX).unwrap();
        let compare = native.compare_blocks(b"file", coming, None, &mut account);
        let ((), compared) = tokio::join!(play, compare);
        let size = ours.len() as u64;
        assert_eq!(compared.unwrap().differing.bytes(size), 2 * BLOCK as u64 + 3);
        assert_eq!(progress.seen(), Some((size, size)));
    }

    #[test]
    fn the_last_block_counts_as_long_as_it_is() {
        let block = BLOCK as u64;
        assert_eq!(of(&[true, false, true]).bytes(2 * block + 5), block + 5);
        assert_eq!(of(&[true, false, false]).bytes(2 * block + 5), block);
        assert_eq!(of(&[false, true]).bytes(2 * block), block);
        assert_eq!(of(&[]).bytes(0), 0);
    }
}
