//! Where every test stands: a home, and beside it something that is none of its business.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use digest::{Algorithm, BLOCK, Blocks, Gap};
use rustix::fs::inotify;
use store::{
    Attributes, Durability, Error, Home, HomePath, Incoming, Kind, Options, Proof, Receipt, Replace,
};
use tempfile::TempDir;

/// What the file outside holds; nothing that any test writes or expects is as long.
pub(crate) const SECRET: &[u8] = b"nobody in the home may see this";

pub(crate) struct Ground {
    directory: TempDir,
    pub(crate) home: Home,
}

impl Ground {
    pub(crate) fn new() -> Ground {
        Ground::with(&Options::default())
    }

    /// `home/`, empty, and `outside/` with `file`, `gone`, and the empty directory `sub`.
    pub(crate) fn with(options: &Options) -> Ground {
        let directory = tempfile::tempdir().unwrap();
        let outside = directory.path().join("outside");
        fs::create_dir_all(outside.join("sub")).unwrap();
        fs::write(outside.join("file"), SECRET).unwrap();
        fs::write(outside.join("gone"), SECRET).unwrap();
        let home = Home::at(&directory.path().join("home"), options).unwrap();
        Ground { directory, home }
    }

    /// Where `name` lies in the home.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join("home").join(name)
    }

    pub(crate) fn outside(&self) -> PathBuf {
        self.directory.path().join("outside")
    }

    pub(crate) fn write(&self, name: &str, data: &[u8]) {
        fs::write(self.at(name), data).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.at(name)).unwrap()
    }

    /// Every name in the home's root, stages included.
    pub(crate) fn names(&self) -> Vec<String> {
        names_in(&self.at(""))
    }

    /// Watches what is outside, and everything in it.
    pub(crate) fn watch(&self) -> Watch {
        let events = inotify::init(inotify::CreateFlags::NONBLOCK).unwrap();
        for path in [self.outside(), self.outside().join("sub")] {
            inotify::add_watch(&events, path, inotify::WatchFlags::ALL_EVENTS).unwrap();
        }
        Watch(events)
    }

    /// Puts `data` at `path` as a whole.
    pub(crate) fn put(&self, path: &str, data: &[u8]) -> Result<Receipt, Error> {
        let mut incoming = self.home.create(&at(path), data.len() as u64, Algorithm::Md5, Replace::Yes)?;
        write(&mut incoming, data)?;
        incoming.commit(proof(Algorithm::Md5, data), Attributes::default())
    }

    /// Gets `path` as a whole.
    pub(crate) fn get(&self, path: &str) -> Result<Vec<u8>, Error> {
        let mut outgoing = self.home.open(&at(path), Algorithm::Md5, 0)?;
        let (mut blocks, mut data) = (Blocks::default(), Vec::new());
        while outgoing.read(&mut blocks, Gap::default())? > 0 {
            blocks.slices().for_each(|block| data.extend_from_slice(block));
        }
        Ok(data)
    }

    /// The names that a listing of `path` tells.
    pub(crate) fn list(&self, path: &str) -> Result<Vec<String>, Error> {
        let mut listing = self.home.list(&at(path))?;
        let mut names = Vec::new();
        while let Some(page) = listing.next_page(3)? {
            assert!((1..=3).contains(&page.len()));
            names.extend(page.into_iter().map(|entry| String::from_utf8(entry.name).unwrap()));
        }
        names.sort();
        Ok(names)
    }
}

/// A witness of everything that is opened, read, changed, made or removed outside.
pub(crate) struct Watch(OwnedFd);

impl Watch {
    pub(crate) fn saw_nothing(&self) {
        let mut events = [0; 4096];
        let seen = rustix::io::read(&self.0, &mut events);
        assert_eq!(seen, Err(rustix::io::Errno::AGAIN), "something outside was touched");
    }

    pub(crate) fn saw_something(&self) {
        assert!(rustix::io::read(&self.0, &mut [0; 4096]).is_ok());
    }
}

pub(crate) fn names_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

pub(crate) fn at(path: &str) -> HomePath {
    HomePath::root().resolve(path.as_bytes()).unwrap()
}

/// Blocks as they arrive: with the digests of `data`.
pub(crate) fn blocks(algorithm: Algorithm, data: &[u8]) -> Blocks {
    let mut blocks = bare(data);
    blocks.hash(algorithm);
    blocks
}

/// Blocks whose digests nobody stated.
pub(crate) fn bare(data: &[u8]) -> Blocks {
    let mut blocks = Blocks::default();
    blocks.lay_out(data.len(), Gap { before: 3, after: 5 });
    for (block, chunk) in blocks.slices_mut().into_iter().zip(data.chunks(BLOCK)) {
        block.copy_from_slice(chunk);
    }
    blocks
}

/// Writes all of `data`, at most 16 blocks at a time.
pub(crate) fn write(incoming: &mut Incoming, data: &[u8]) -> Result<(), Error> {
    data.chunks(digest::BATCH * BLOCK).try_for_each(|part| incoming.write(&blocks(Algorithm::Md5, part)))
}

/// What the sender of `data` states at its end.
pub(crate) fn proof(algorithm: Algorithm, data: &[u8]) -> Proof {
    let mut root = digest::Root::new(algorithm);
    data.chunks(BLOCK).for_each(|block| root.push(&digest::of_block(algorithm, block)));
    Proof::Root { size: data.len() as u64, root: root.value() }
}

/// A file coming into the directory of a user.
pub(crate) fn local(path: &Path, size: u64) -> Result<Incoming, Error> {
    Incoming::local(path, size, Algorithm::Md5, Durability::Full)
}

pub(crate) fn kind<T>(result: Result<T, Error>) -> Result<(), Kind> {
    result.map(drop).map_err(|error| error.kind())
}

/// Bytes of which no two blocks are alike.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at ^ at >> 8 ^ at >> 16) as u8).collect()
}
