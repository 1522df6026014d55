//! What is moved: made once, the same for all.

use std::f64::consts::TAU;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::args::Workload;
use super::place::Place;
use super::sizes::{MIB, said};
use super::{Args, Outcome};
use crate::{Chance, bytes};

/// Bytes of a small file.
const SMALL: u64 = 4096;
/// Directories that a tree has.
const DIRECTORIES: u64 = 100;
/// Of the sizes of `mixed`: half of the files are smaller.
const MEDIAN: f64 = 16.0 * 1024.0;
/// How far they are apart: the logarithm's standard deviation.
const SPREAD: f64 = 2.0;
/// None is larger than this part of all.
const LARGEST_PART: u64 = 4;

/// A file or a tree among what is served.
#[derive(Debug)]
pub(super) struct Load {
    /// Its name there.
    pub(super) name: String,
    /// What to call it in a title.
    pub(super) said: String,
    /// Whether it is a directory.
    pub(super) tree: bool,
    /// Bytes in all.
    pub(super) bytes: u64,
    /// Files in all.
    pub(super) files: u64,
}

impl Load {
    /// Makes what the command line asks for.
    pub(super) fn make(args: &Args, place: &Place) -> Outcome<Load> {
        match args.workload {
            Workload::Big => Load::file(place, args.bytes()),
            Workload::Small | Workload::Growth | Workload::All => Load::file(place, SMALL),
            Workload::Tree => {
                let said = format!("{} files of {}", args.files, said(SMALL));
                let sizes = vec![SMALL; args.files.try_into()?];
                Load::tree(place, said, &sizes, args.seed)
            }
            Workload::Mixed => {
                let sizes = mixed(args.bytes(), args.seed);
                let said = format!("{} in {} files of all sizes", said(args.bytes()), sizes.len());
                Load::tree(place, said, &sizes, args.seed)
            }
        }
    }

    /// One file.
    pub(super) fn file(place: &Place, bytes: u64) -> Outcome<Load> {
        let name = format!("file-{bytes}");
        write(&place.served().join(&name), bytes, 1)?;
        Ok(Load { name, said: said(bytes), tree: false, bytes, files: 1 })
    }

    fn tree(place: &Place, said: String, sizes: &[u64], seed: u64) -> Outcome<Load> {
        let name = "tree".to_owned();
        let root = place.served().join(&name);
        let directory = |number: u64| root.join(format!("directory-{:02}", number % DIRECTORIES));
        for number in 0..DIRECTORIES.min(sizes.len() as u64) {
            fs::create_dir_all(directory(number))?;
        }
        for (number, &bytes) in (0..).zip(sizes) {
            write(&directory(number).join(format!("file-{number:05}")), bytes, seed.wrapping_add(number))?;
        }
        Ok(Load { name, said, tree: true, bytes: sizes.iter().sum(), files: sizes.len() as u64 })
    }

    /// Where it lies, served and to be put.
    pub(super) fn source(&self, place: &Place) -> PathBuf {
        place.served().join(&self.name)
    }
}

/// Sizes whose logarithms are normally distributed (Box and Muller 1958), `total` in all.
fn mixed(total: u64, seed: u64) -> Vec<u64> {
    let mut chance = Chance::of_round(seed, 0);
    let mut sizes = Vec::new();
    let mut left = total;
    while left > 0 {
        let (one, other) = (1.0 - chance.fraction(), chance.fraction()); // never the logarithm of 0
        let normal = (-2.0 * one.ln()).sqrt() * (TAU * other).cos();
        let size = (MEDIAN * (SPREAD * normal).exp()) as u64;
        let size = size.min(total / LARGEST_PART).min(left).max(1);
        sizes.push(size);
        left -= size;
    }
    sizes
}

/// Writes a file in which no MiB is like another.
fn write(path: &Path, len: u64, seed: u64) -> Outcome<()> {
    let mut piece = bytes(len.min(MIB) as usize, seed);
    let mut file = File::create(path)?;
    let mut left = len;
    while left > 0 {
        let some = left.min(MIB) as usize;
        if len > MIB {
            piece[..8].copy_from_slice(&left.to_le_bytes());
        }
        file.write_all(&piece[..some])?;
        left -= some as u64;
    }
    Ok(())
}
