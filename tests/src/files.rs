//! Contents, and what lies on the disk.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use digest::{Algorithm, BLOCK, Digest, PlainMd5, Root};

/// `len` bytes in which no two places look alike; another `seed` gives others.
pub fn bytes(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        // xorshift64 (Marsaglia 2003)
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes: Vec<u8> = (0..len.div_ceil(8)).flat_map(|_| next()).collect();
    bytes.truncate(len);
    bytes
}

/// The plain MD5 of bytes.
pub fn md5(bytes: &[u8]) -> Digest {
    let mut md5 = PlainMd5::new();
    md5.update(bytes);
    md5.finish()
}

/// The root of a file's bytes.
pub fn root(algorithm: Algorithm, bytes: &[u8]) -> Digest {
    let mut root = Root::new(algorithm);
    bytes.chunks(BLOCK).for_each(|block| root.push(&digest::of_block(algorithm, block)));
    root.value()
}

/// What can be seen of something on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Kind and permission bits (POSIX, st_mode).
    pub mode: u32,
    /// Which file it is.
    pub inode: u64,
    /// Seconds and nanoseconds.
    pub modified: (i64, i64),
    /// The MD5 of a file, the target of a link, else nothing.
    pub content: String,
}

/// Everything beneath `directory`, no link followed; two snapshots that are equal saw the same.
pub fn snapshot(directory: impl AsRef<Path>) -> BTreeMap<PathBuf, Seen> {
    walk(directory.as_ref()).into_iter().map(|path| (path.clone(), seen(&path))).collect()
}

/// Every stage beneath `directory`: a file on its way, or what a crash left of one.
pub fn stages(directory: impl AsRef<Path>) -> Vec<PathBuf> {
    let named = |path: &PathBuf| path.file_name().is_some_and(|name| name.as_bytes().starts_with(b".ftpd~"));
    walk(directory.as_ref()).into_iter().filter(named).collect()
}

/// `directory` and all paths beneath it. What vanishes meanwhile is left out.
fn walk(directory: &Path) -> Vec<PathBuf> {
    let mut all = vec![directory.to_owned()];
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    for entry in entries {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => all.extend(walk(&entry.path())),
            Ok(_) => all.push(entry.path()),
            Err(_) => {}
        }
    }
    all
}

fn seen(path: &Path) -> Seen {
    let metadata = fs::symlink_metadata(path).unwrap();
    let content = match metadata.file_type() {
        kind if kind.is_file() => md5(&fs::read(path).unwrap()).to_string(),
        kind if kind.is_symlink() => fs::read_link(path).unwrap().display().to_string(),
        _ => String::new(),
    };
    Seen {
        mode: metadata.mode(),
        inode: metadata.ino(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
        content,
    }
}
