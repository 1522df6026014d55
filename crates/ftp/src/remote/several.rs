//! Over how many connections something is moved, where the server can have several.

use std::thread::available_parallelism;

use super::Settings;

/// A file of at least so many bytes goes in parts over several connections: of a smaller one, they would come too late.
pub(crate) const WIDE: u64 = 64 * 1024 * 1024;

/// The most that is taken for one file unless its user says otherwise.
const MOST: usize = 4;

impl Settings {
    /// For a tree: one connection has many files on their way already, and is as fast as most links.
    pub(super) fn lanes_of_tree(&self) -> usize {
        self.parallel.unwrap_or(1)
    }

    /// For one file of so many bytes. Each connection keeps a core busy at either end with its cipher, and the digests want some, too.
    pub(super) fn lanes_of_file(&self, size: u64) -> usize {
        match self.parallel {
            _ if size < WIDE => 1,
            Some(parallel) => parallel,
            None => by_cores(available_parallelism().map_or(1, usize::from)),
        }
    }
}

fn by_cores(cores: usize) -> usize {
    if cores <= 2 { 1 } else { (cores / 2).min(MOST) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_takes_half_of_the_cores_and_never_many() {
        let cores = [1, 2, 3, 4, 5, 6, 8, 64];
        assert_eq!(cores.map(by_cores), [1, 1, 1, 2, 2, 3, 4, 4]);
    }
}
