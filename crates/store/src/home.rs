//! A home: an opened directory, and everything that can be done beneath it.

mod counted;

use std::ffi::OsStr;
use std::fs::{DirBuilder, File};
use std::io;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cap_std::fs::Dir;
use digest::Algorithm;
use rustix::fs::{AtFlags, Mode, OFlags, fstat, fsync, mkdirat, renameat, unlinkat};
use rustix::io::Errno;

use crate::attributes;
use crate::beneath::Base;
use crate::book::Books;
use crate::digests::Digests;
use crate::entry::{Attributes, Entry};
use crate::error::{Error, Kind};
use crate::incoming::{Incoming, Replace};
use crate::listing::Listing;
use crate::outgoing::{Going, Outgoing};
use crate::path::HomePath;
use crate::place::{Place, entry_at};
use crate::quota::{Ledger, check_space, free_space};
use crate::ranges::Ranges;
use crate::roots::Roots;
use crate::source::Source;
use crate::stage::Durability;
use crate::streamed::{Keep, Streamed};
use crate::version::Version;

/// How a home is kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Bytes that its files may have in all, those that are coming in included, whoever stores them.
    pub quota: Option<u64>,
    /// Whether files and directories are on disk when a call returns.
    pub durability: Durability,
}

/// A directory that a user sees as `/`.
///
/// It is held by its handle, and the kernel resolves every path beneath it (openat2(2), `RESOLVE_BENEATH`): links that stay
/// inside are followed, one that leads out is [`Kind::Denied`], whatever happens to the directories meanwhile. An absolute
/// link leads out, wherever it ends.
#[derive(Debug)]
pub struct Home {
    directory: Arc<Dir>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) durability: Durability,
    /// How long what came of an upload is kept; zero is not at all.
    pub(crate) keep: Duration,
    /// Whether something may be kept here.
    pub(crate) holds: AtomicBool,
    /// What is known of files that were read before.
    pub(crate) roots: Arc<Roots>,
}

impl Home {
    /// Opens the directory `path`; a missing one is made, for its owner alone (0700), with those above it.
    ///
    /// With a quota, [`sweep`](Home::sweep) must count before files come in.
    ///
    /// # Errors
    /// [`Kind::NotDirectory`], [`Kind::Denied`], and what the system reports.
    pub fn at(path: &Path, options: &Options) -> Result<Home, Error> {
        Home::with(&Books::default(), path, options)
    }

    /// The same, where homes that are one directory count as one, each with its own quota.
    ///
    /// # Errors
    /// As [`at`](Home::at).
    pub fn with(books: &Books, path: &Path, options: &Options) -> Result<Home, Error> {
        let open =
            || File::options().read(true).custom_flags(OFlags::DIRECTORY.bits().cast_signed()).open(path);
        let directory = match open() {
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => {
                DirBuilder::new().recursive(true).mode(0o700).create(path)?;
                open()?
            }
            opened => opened?,
        };
        let stat = fstat(&directory)?;
        let book = books.of((stat.st_dev, stat.st_ino));
        Ok(Home {
            directory: Arc::new(Dir::from_std_file(directory)),
            ledger: Ledger::new(options.quota, book),
            durability: options.durability,
            keep: Duration::ZERO,
            holds: AtomicBool::new(false),
            roots: Arc::default(),
        })
    }

    /// Keeps for so long what came of uploads that were cut. Without, nothing is kept.
    pub fn keeping(self, keep: Duration) -> Home {
        Home { keep, ..self }
    }

    /// Shares with other homes what is known of files that were read before.
    pub fn knowing(self, roots: &Arc<Roots>) -> Home {
        Home { roots: roots.clone(), ..self }
    }

    /// Describes what `path` leads to.
    ///
    /// # Errors
    /// [`Kind::NotFound`], [`Kind::Denied`], [`Kind::TooManyLinks`], and what the system reports.
    pub fn stat(&self, path: &HomePath) -> Result<Entry, Error> {
        let handle = self.base().handle(&path.relative())?;
        let name = path.name().map_or("/", |name| name.as_str());
        Ok(Entry::new(name.into(), &fstat(&handle)?))
    }

    /// Whether `path` is a directory that can be entered.
    ///
    /// # Errors
    /// [`Kind::NotDirectory`], [`Kind::NotFound`], [`Kind::Denied`], and what the system reports.
    pub fn check_directory(&self, path: &HomePath) -> Result<(), Error> {
        // Only a directory that can be searched has a `.` that can be reached.
        self.base().handle(&path.relative().join(".")).map(drop)
    }

    /// Begins to list the directory `path`; of anything else, one entry.
    ///
    /// # Errors
    /// [`Kind::NotFound`], [`Kind::Denied`], and what the system reports.
    pub fn list(&self, path: &HomePath) -> Result<Listing, Error> {
        match self.base().entries(&path.relative(), true) {
            Ok(directory) => Ok(Listing::of_directory(directory)),
            Err(error) if error.kind() == Kind::NotDirectory => Ok(Listing::of_entry(self.stat(path)?)),
            Err(error) => Err(error),
        }
    }

    /// Opens a file to send it, from block number `first_block` on; its size is fixed now.
    ///
    /// # Errors
    /// [`Kind::IsDirectory`], [`Kind::Special`] for anything but a regular file, without waiting for it; [`Kind::BeyondTheEnd`]
    /// if it has not so many blocks; [`Kind::NotFound`], [`Kind::Denied`], and what the system reports.
    pub fn open(&self, path: &HomePath, algorithm: Algorithm, first_block: u64) -> Result<Outgoing, Error> {
        Outgoing::known_to(&self.roots, self.base().file(&path.relative())?, algorithm, first_block)
    }

    /// Opens a file to send the blocks of `parts`; its size is fixed now.
    ///
    /// # Errors
    /// As [`open`](Home::open); [`Kind::Changed`] if it is of another version than asked for, or ends before they do.
    pub fn open_parts(
        &self,
        path: &HomePath,
        algorithm: Algorithm,
        version: Option<Version>,
        parts: &Ranges,
    ) -> Result<Outgoing, Error> {
        Outgoing::in_parts(self.base().file(&path.relative())?, algorithm, version, parts)
    }

    /// Begins to compute the digests of `blocks` of a file, as far as it has them.
    ///
    /// # Errors
    /// As [`open`](Home::open); [`Kind::Changed`] if it is of another version than asked for.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn digests(
        &self,
        path: &HomePath,
        algorithm: Algorithm,
        version: Option<Version>,
        blocks: Range<u64>,
    ) -> Result<Digests, Error> {
        let source = Source::new(self.base().file(&path.relative())?, 0)?;
        Ok(Digests::begin(source.of(version)?, algorithm, blocks))
    }

    /// Opens a file to send the bytes of `range`, as far as it has them, to a peer that verifies nothing; `touched` says whether
    /// they are needed on the way, to be encrypted or changed.
    ///
    /// # Errors
    /// As [`open`](Home::open); [`Kind::BeyondTheEnd`] if it ends before the range.
    pub fn open_plain(&self, path: &HomePath, range: Range<u64>, touched: bool) -> Result<Going, Error> {
        Going::begin(Outgoing::plain(self.base().file(&path.relative())?, range)?, touched)
    }

    /// Begins to receive a file of `size` bytes at `path`, where nothing is to be seen of it until it is committed. Where
    /// `path` is a link, the file behind it is replaced.
    ///
    /// # Errors
    /// [`Kind::Exists`], [`Kind::IsDirectory`], [`Kind::Special`], [`Kind::NoSpace`], [`Kind::Quota`]; [`Kind::NotFound`] of
    /// its directory; [`Kind::Denied`], and what the system reports.
    pub fn create(
        &self,
        path: &HomePath,
        size: u64,
        algorithm: Algorithm,
        replace: Replace,
    ) -> Result<Incoming, Error> {
        let place = Place::find(self.base(), path.relative())?;
        let reservation = self.ledger.reserve(size)?;
        let begun =
            Incoming::begin(place, Some(size), Some(algorithm), replace, reservation, self.durability)?;
        Ok(begun.known_to(&self.roots))
    }

    /// The same for a file of which nobody knows the size before its end.
    ///
    /// # Errors
    /// As [`create`](Home::create).
    pub fn create_of_any_size(
        &self,
        path: &HomePath,
        algorithm: Algorithm,
        replace: Replace,
    ) -> Result<Incoming, Error> {
        let place = Place::find(self.base(), path.relative())?;
        let reservation = self.ledger.reserve(0)?;
        Incoming::begin(place, None, Some(algorithm), replace, reservation, self.durability)
    }

    /// Begins to receive at `path` a file whose length nobody knows, behind what is kept of the one that is there; otherwise as
    /// [`create`](Home::create). `expected` bytes must fit in now, and more may come. What is kept is copied here, while `go_on` says
    /// so; should the file change until the new one is committed, that is [`Kind::Changed`].
    ///
    /// # Errors
    /// As [`create`](Home::create); [`Kind::BeyondTheEnd`] where less is there than is to be kept; [`Kind::Io`] if it was not to go
    /// on; and what reading reports.
    pub fn receive(
        &self,
        path: &HomePath,
        keep: Keep,
        expected: u64,
        replace: Replace,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Streamed, Error> {
        let place = Place::find(self.base(), path.relative())?;
        check_space(&place.directory, expected)?;
        let reservation = self.ledger.reserve(expected)?;
        let (onto, replace) = match (keep, place.old) {
            (Keep::Nothing, _) => (None, replace),
            (_, Some(old)) => (Some(old), replace),
            (_, None) => (None, Replace::No), // what appears meanwhile is not what this goes on with
        };
        let begun = Incoming::begin(place, None, None, replace, reservation, self.durability)?;
        let mut kept = keep.of(|| self.base().file(&path.relative()))?;
        Streamed::begin(begun.known_to(&self.roots).with_md5().onto(onto), kept.as_mut(), go_on)
    }

    /// Describes what has the name `path`: of a link, the link.
    ///
    /// # Errors
    /// [`Kind::NotFound`], [`Kind::Denied`], and what the system reports.
    pub fn describe(&self, path: &HomePath) -> Result<Entry, Error> {
        let (parent, name) = match path.name() {
            Some(_) => self.parent(path)?,
            None => return self.stat(path),
        };
        let stat = entry_at(&parent, name)?.ok_or(Kind::NotFound)?;
        Ok(Entry::new(name.as_bytes().to_vec(), &stat))
    }

    /// Bytes that may still be stored where the directory `path` is: of the quota, and of the disk. `None` where nobody knows.
    ///
    /// # Errors
    /// [`Kind::NotFound`], [`Kind::NotDirectory`], [`Kind::Denied`], and what the system reports.
    pub fn available(&self, path: &HomePath) -> Result<Option<u64>, Error> {
        let free = free_space(&*self.base().directory(&path.relative())?)?;
        Ok(free.into_iter().chain(self.ledger.left()).min())
    }

    /// Makes a directory.
    ///
    /// # Errors
    /// [`Kind::Exists`], [`Kind::NotFound`] of the directory above, [`Kind::Denied`], and what the system reports.
    pub fn mkdir(&self, path: &HomePath) -> Result<(), Error> {
        if path.name().is_none() {
            return Err(Kind::Exists.into());
        }
        let (parent, name) = self.parent(path)?;
        mkdirat(&parent, name, Mode::from_raw_mode(0o777))?;
        self.sync(&parent)
    }

    /// Removes an empty directory. That it is gone is not synced: after a power cut it may be back.
    ///
    /// # Errors
    /// [`Kind::NotEmpty`], [`Kind::NotDirectory`], [`Kind::NotFound`], [`Kind::Denied`], and what the system reports.
    pub fn rmdir(&self, path: &HomePath) -> Result<(), Error> {
        let (parent, name) = self.parent(path)?;
        match unlinkat(&parent, name, AtFlags::REMOVEDIR) {
            // Nobody sees what is kept, so that nobody could remove it.
            Err(Errno::NOTEMPTY | Errno::EXIST) if self.remove_kept(path)? => {
                Ok(unlinkat(&parent, name, AtFlags::REMOVEDIR)?)
            }
            removed => Ok(removed?),
        }
    }

    /// Removes a file, or a link itself; never a directory. Synced as little as [`rmdir`](Home::rmdir).
    ///
    /// # Errors
    /// [`Kind::IsDirectory`], [`Kind::NotFound`], [`Kind::Denied`], and what the system reports.
    pub fn remove(&self, path: &HomePath) -> Result<(), Error> {
        let (parent, name) = self.parent(path)?;
        self.ledger.free((&parent, name), || Ok(unlinkat(&parent, name, AtFlags::empty())?))
    }

    /// Gives a file, a link itself or a directory another name; a file or an empty directory that had it is replaced.
    ///
    /// # Errors
    /// [`Kind::NotFound`], [`Kind::IsDirectory`] and [`Kind::NotDirectory`] where a file would replace a directory or the
    /// reverse, [`Kind::NotEmpty`], [`Kind::InvalidName`] for a directory moved into itself, [`Kind::Denied`], and what the
    /// system reports.
    pub fn rename(&self, from: &HomePath, to: &HomePath) -> Result<(), Error> {
        let (old, old_name) = self.parent(from)?;
        let (new, new_name) = self.parent(to)?;
        let change = || match renameat(&old, old_name, &new, new_name) {
            Err(Errno::INVAL) => Err(INTO_ITSELF),
            Err(Errno::XDEV) => Err(ACROSS),
            renamed => Ok(renamed?),
        };
        self.ledger.rename((&old, old_name), (&new, new_name), change)?;
        self.sync(&new)?;
        if Arc::ptr_eq(&old, &new) { Ok(()) } else { self.sync(&old) }
    }

    /// Sets time and permission bits of a file or directory, whatever its bits are now; where `path` is a link, of what it
    /// leads to.
    ///
    /// # Errors
    /// [`Kind::Special`], [`Kind::NotFound`], [`Kind::Denied`], and what the system reports.
    pub fn set_attributes(&self, path: &HomePath, attributes: &Attributes) -> Result<(), Error> {
        path.name().ok_or(THE_HOME_ITSELF)?;
        attributes::set(&self.base().handle(&path.relative())?, attributes)
    }

    /// Reads the bytes of `range`, as far as the file has them: `each` is given them piece by piece, and says whether to go on. The
    /// size of the whole file.
    ///
    /// # Errors
    /// As [`open`](Home::open); [`Kind::Changed`] if the file changed meanwhile; [`Kind::Io`] if it was not to go on.
    pub fn read(
        &self,
        path: &HomePath,
        range: Range<u64>,
        each: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<u64, Error> {
        let mut source = Source::new(self.base().file(&path.relative())?, range.start)?.up_to(range.end);
        source.pieces(each)?;
        Ok(source.size())
    }

    /// Whether there may be something that is kept, and that a later [`sweep`](Home::sweep) has to remove.
    pub fn holds_kept(&self) -> bool {
        self.holds.load(Ordering::Relaxed)
    }

    pub(crate) fn base(&self) -> Base<'_> {
        Base::Home(&self.directory)
    }

    /// The directory that holds `path`, opened, and its name there.
    pub(crate) fn parent<'a>(&self, path: &'a HomePath) -> Result<(Arc<Dir>, &'a OsStr), Error> {
        let name = path.name().ok_or(THE_HOME_ITSELF)?;
        Ok((self.base().directory(&path.relative_parent())?, OsStr::new(name.as_str())))
    }

    pub(crate) fn sync(&self, directory: &Dir) -> Result<(), Error> {
        if self.durability == Durability::Full {
            fsync(directory)?;
        }
        Ok(())
    }
}

const THE_HOME_ITSELF: Error = Error::new(
    Kind::Denied,
    "the home itself cannot be removed, renamed or changed",
    "Name something in it.",
);

const INTO_ITSELF: Error =
    Error::new(Kind::InvalidName, "a directory cannot be moved into itself", "Choose another place.");

const ACROSS: Error = Error::new(
    Kind::Denied,
    "the two places are on different file systems",
    "Copy it there, then remove it here.",
);

pub(crate) const STOPPED: Error = Error::new(Kind::Io, "it was stopped", "");
