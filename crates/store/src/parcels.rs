//! Small files that came whole, many at once: verified together, and stored as a group whose syncs are shared.

use std::collections::HashSet;
use std::ffi::OsString;
use std::iter;
use std::ops::Range;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use cap_std::fs::Dir;
use digest::{Algorithm, BATCH, BLOCK, Blocks, Digest, Root};
use rustix::fs::fstat;

use crate::complete::{Complete, Published, sync_directory};
use crate::count::Id;
use crate::entry::Attributes;
use crate::error::{Error, Kind};
use crate::home::Home;
use crate::incoming::{Incoming, Proof, Receipt, Replace};
use crate::path::HomePath;
use crate::place::{Near, Place};
use crate::quota::check_space;
use crate::stage::Durability;

/// A sync that takes longer waits for a disk: then several wait together.
const WAITS: Duration = Duration::from_micros(500);

/// Syncs that wait together.
const TOGETHER: usize = 8;

/// A file of at most [`BATCH`] blocks that came whole.
#[derive(Clone, Debug)]
pub struct Parcel<P> {
    /// Where it goes.
    pub path: P,
    /// Which of the blocks that came are its own.
    pub blocks: Range<usize>,
    /// What its sender states for the file as a whole.
    pub size: u64,
    /// As `size`.
    pub root: Digest,
    /// What it shall have.
    pub attributes: Attributes,
}

impl<P> Parcel<P> {
    /// The same to another place.
    pub fn to<Q>(self, path: Q) -> Parcel<Q> {
        let Parcel { blocks, size, root, attributes, .. } = self;
        Parcel { path, blocks, size, root, attributes }
    }

    /// Whether what is stated holds for a file of these blocks.
    fn holds(&self, file: &Contents<'_>, stated: &[Digest]) -> bool {
        let full = iter::repeat_n(BLOCK, file.blocks.len().saturating_sub(1));
        let fits = file.blocks.iter().map(|block| block.len()).zip(full).all(|(len, full)| len == full)
            && file.blocks.last().is_none_or(|last| (1..=BLOCK).contains(&last.len()))
            && file.blocks.len() <= BATCH;
        fits && self.size == file.size() && stated == file.digests && self.root == file.root
    }
}

/// What came of a file, its digests computed.
pub(crate) struct Contents<'a> {
    pub(crate) blocks: &'a [&'a [u8]],
    pub(crate) algorithm: Algorithm,
    pub(crate) digests: &'a [Digest],
    pub(crate) root: Digest,
}

impl Contents<'_> {
    /// Bytes of the file.
    pub(crate) fn size(&self) -> u64 {
        self.blocks.iter().map(|block| block.len() as u64).sum()
    }
}

impl Home {
    /// Stores files whose data are `blocks`: each as [`create`](Home::create) and [`commit`](Incoming::commit) would, and what comes
    /// of each, in their order. What is told to be stored is on disk as far as that is wanted. The first that is
    /// [`Kind::NotVerified`] is the last that anything is told of: those behind it are not touched.
    ///
    /// # Panics
    /// If there are fewer blocks than a file says.
    pub fn store(
        &self,
        parcels: &[Parcel<HomePath>],
        blocks: &Blocks,
        algorithm: Algorithm,
        replace: Replace,
    ) -> Vec<Result<Receipt, Error>> {
        let (all, stated): (Vec<&[u8]>, _) = (blocks.slices().collect(), blocks.digests());
        let data: Vec<&[u8]> =
            parcels.iter().flat_map(|parcel| &all[parcel.blocks.clone()]).copied().collect();
        let digests = digest::of_blocks(algorithm, &data);
        let mut digests = &digests[..];
        let mut group = Group {
            home: self,
            replace,
            left: data.iter().map(|block| block.len() as u64).sum(),
            near: Near::default(),
            spot: None,
            names: HashSet::new(),
            complete: Vec::new(),
            outcomes: Vec::with_capacity(parcels.len()),
        };
        for parcel in parcels {
            let digests = digests.split_off(..parcel.blocks.len()).expect("one of each block");
            let root = Root::of(algorithm, digests);
            let file = Contents { blocks: &all[parcel.blocks.clone()], algorithm, digests, root };
            if !parcel.holds(&file, &stated[parcel.blocks.clone()]) {
                group.outcomes.push(Some(Err(Kind::NotVerified.into())));
                break;
            }
            let at = group.outcomes.len();
            group.outcomes.push(None);
            match group.write(parcel, &file) {
                Ok(complete) => group.complete.push((at, complete)),
                Err(error) => group.outcomes[at] = Some(Err(error)),
            }
            group.left = group.left.saturating_sub(file.size());
        }
        group.publish();
        group.outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| Err(Kind::Io.into()))).collect()
    }
}

/// Files that are written and have no names yet.
struct Group<'a> {
    home: &'a Home,
    replace: Replace,
    /// Bytes of those that are not written yet.
    left: u64,
    near: Near,
    /// The directory of the last one.
    spot: Option<Spot>,
    /// The names that they will have.
    names: HashSet<(Id, OsString)>,
    /// Those that are written, each with its number.
    complete: Vec<(usize, Complete)>,
    /// What came of each, by number, once that is known.
    outcomes: Vec<Option<Result<Receipt, Error>>>,
}

/// A directory that files come into.
#[derive(Clone)]
struct Spot {
    directory: Arc<Dir>,
    id: Id,
    /// Whether there is space for all that are left.
    roomy: bool,
}

impl Group<'_> {
    /// Writes a file, as far as it can be without its name. Where there is no room for it beside those that others shall replace,
    /// these get their names first.
    fn write(&mut self, parcel: &Parcel<HomePath>, file: &Contents<'_>) -> Result<Complete, Error> {
        match self.stage(parcel, file) {
            Err(full) if matches!(full.kind(), Kind::Quota | Kind::NoSpace) && !self.complete.is_empty() => {
                self.publish();
                self.stage(parcel, file)
            }
            written => written,
        }
    }

    fn stage(&mut self, parcel: &Parcel<HomePath>, file: &Contents<'_>) -> Result<Complete, Error> {
        let mut place = self.place(parcel)?;
        let mut spot = self.spot(&place)?;
        if self.names.contains(&(spot.id, place.name.clone())) {
            // What comes later replaces what came before, and must find it.
            self.publish();
            place = self.place(parcel)?;
            spot = self.spot(&place)?;
        }
        if !spot.roomy {
            check_space(&spot.directory, parcel.size)?;
        }
        let name = place.name.clone();
        let reservation = self.home.ledger.reserve(parcel.size)?;
        let incoming = Incoming::whole(place, file, self.replace, reservation, self.home.durability)?;
        let incoming = incoming.known_to(&self.home.roots);
        let proof = Proof::Root { size: parcel.size, root: parcel.root };
        let complete = incoming.complete(proof, parcel.attributes)?;
        self.names.insert((spot.id, name));
        Ok(complete)
    }

    fn place(&mut self, parcel: &Parcel<HomePath>) -> Result<Place, Error> {
        Place::find_near(&mut self.near, self.home.base(), parcel.path.relative())
    }

    /// What is known of the directory of a place; of the one that was the last, it is known already.
    fn spot(&mut self, place: &Place) -> Result<Spot, Error> {
        if let Some(spot) = self.spot.as_ref().filter(|spot| Arc::ptr_eq(&spot.directory, &place.directory)) {
            return Ok(spot.clone());
        }
        let directory = place.directory.clone();
        let stat = fstat(&directory)?;
        let roomy = check_space(&directory, self.left).is_ok();
        Ok(self.spot.insert(Spot { directory, id: (stat.st_dev, stat.st_ino), roomy }).clone())
    }

    /// Gives all that are written their names, in their order: the files are on disk before that, their directories after it.
    fn publish(&mut self) {
        let mut named: Vec<(usize, Published)> = Vec::with_capacity(self.complete.len());
        let synced = sync_all(&self.complete, self.home.durability);
        for ((at, complete), synced) in self.complete.drain(..).zip(synced) {
            match synced.and_then(|()| complete.publish()) {
                Ok(published) => named.push((at, published)),
                Err(error) => self.outcomes[at] = Some(Err(error)),
            }
        }
        let directories =
            named.chunk_by(|(_, one), (_, next)| Arc::ptr_eq(one.directory(), next.directory()));
        let synced: Vec<_> = directories
            .map(|together| (together.len(), sync_directory(together[0].1.directory(), self.home.durability)))
            .collect();
        let mut named = named.into_iter();
        for (count, synced) in synced {
            for (at, published) in named.by_ref().take(count) {
                self.outcomes[at] = Some(match &synced {
                    Ok(()) => Ok(published.finish()),
                    Err(error) => Err(error.kind().into()),
                });
            }
        }
        self.names.clear();
    }
}

/// Has files on disk. Where two of them take their time, the others wait for the disk side by side: it takes them all at once. One
/// alone may have had to wait for a processor.
fn sync_all(files: &[(usize, Complete)], durability: Durability) -> Vec<Result<(), Error>> {
    if durability == Durability::None {
        return files.iter().map(|_| Ok(())).collect();
    }
    let mut synced = Vec::with_capacity(files.len());
    let mut waited = 0;
    for (_, file) in files {
        if waited == 2 {
            break;
        }
        let began = Instant::now();
        synced.push(file.sync());
        waited += u32::from(began.elapsed() > WAITS);
    }
    let rest = &files[synced.len()..];
    let share = rest.len().div_ceil(TOGETHER).max(1);
    thread::scope(|scope| {
        let sync = |part: &[(usize, Complete)]| part.iter().map(|(_, file)| file.sync()).collect::<Vec<_>>();
        let threads: Vec<_> = rest
            .chunks(share)
            .map(|part| (part, thread::Builder::new().spawn_scoped(scope, move || sync(part))))
            .collect();
        for (part, thread) in threads {
            // Without a thread, or with one that fell, it is done here.
            let done = thread.ok().and_then(|thread| thread.join().ok());
            synced.extend(done.unwrap_or_else(|| sync(part)));
        }
    });
    synced
}
