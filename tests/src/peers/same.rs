//! Whether what arrived is what was sent, so that nobody is fast who does not work.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::Outcome;
use crate::Chance;

/// Bytes that are compared at once.
const PIECE: usize = 64 * 1024;
/// Of a large file, so many pieces are a sample.
const PIECES: usize = 64;
/// Of a tree, one file of so many is in the sample.
const ONE_IN: usize = 16;

/// How closely to look. Names and sizes are always compared, all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Every byte.
    Whole,
    /// Some of the content, another part each time.
    Sample,
}

/// Holds a file or a tree against another.
pub(super) fn compare(sent: &Path, arrived: &Path, look: Look, chance: &mut Chance) -> Outcome<()> {
    let (want, got) = (sizes(sent)?, sizes(arrived)?);
    if want.len() != got.len() {
        return Err(format!("{} files were sent, and {} arrived", want.len(), got.len()).into());
    }
    for ((name, &size), (other, &other_size)) in want.iter().zip(&got) {
        if name != other {
            return Err(format!("{} was sent, and {} arrived", name.display(), other.display()).into());
        }
        if size != other_size {
            return Err(
                format!("{size} bytes of {} were sent, and {other_size} arrived", name.display()).into()
            );
        }
    }
    for (name, &size) in &want {
        if look == Look::Sample && want.len() > 1 && !chance.one_in(ONE_IN) {
            continue;
        }
        let (one, other) = if name.as_os_str().is_empty() {
            (sent.to_owned(), arrived.to_owned())
        } else {
            (sent.join(name), arrived.join(name))
        };
        if !same(&one, &other, size, look, chance)? {
            return Err(format!("other bytes arrived than those of {}", one.display()).into());
        }
    }
    Ok(())
}

/// All files beneath `root` by their paths there; of a file itself, the path is empty.
fn sizes(root: &Path) -> Outcome<BTreeMap<PathBuf, u64>> {
    let mut sizes = BTreeMap::new();
    let mut ways = vec![PathBuf::new()];
    while let Some(way) = ways.pop() {
        let path = if way.as_os_str().is_empty() { root.to_owned() } else { root.join(&way) };
        let found = fs::symlink_metadata(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        if found.is_dir() {
            for entry in fs::read_dir(&path)? {
                ways.push(way.join(entry?.file_name()));
            }
        } else {
            sizes.insert(way, found.len());
        }
    }
    Ok(sizes)
}

fn same(one: &Path, other: &Path, size: u64, look: Look, chance: &mut Chance) -> io::Result<bool> {
    let (one, other) = (File::open(one)?, File::open(other)?);
    let all = size.div_ceil(PIECE as u64);
    let places: Vec<u64> = if look == Look::Whole || all <= PIECES as u64 {
        (0..all).collect()
    } else {
        let somewhere = (2..PIECES).map(|_| chance.draw() % all);
        [0, all - 1].into_iter().chain(somewhere).collect()
    };
    let (mut here, mut there) = (vec![0; PIECE], vec![0; PIECE]);
    for place in places {
        let from = place * PIECE as u64;
        let len = (size - from).min(PIECE as u64) as usize;
        one.read_exact_at(&mut here[..len], from)?;
        other.read_exact_at(&mut there[..len], from)?;
        if here[..len] != there[..len] {
            return Ok(false);
        }
    }
    Ok(true)
}
