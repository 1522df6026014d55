//! Many paths in little memory: of each, what it does not share with the one before, so that a file of a large tree costs some
//! ten bytes until its turn comes.

use std::collections::VecDeque;

/// Bytes after which a new chunk begins.
const CHUNK: usize = 32 * 1024;

/// The longest path that is taken, and the most that may be noted beside it.
const MOST: usize = 0xffff;

/// Paths in the order in which they came, each with a note, taken from either end.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    chunks: VecDeque<Chunk>,
    /// The path that was added last.
    last: Vec<u8>,
    /// What was read back of the last chunk, to be taken from its end.
    tail: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Paths that are read from the first on.
#[derive(Debug, Default)]
struct Chunk {
    bytes: Vec<u8>,
    read: usize,
    /// The path that was read last.
    path: Vec<u8>,
}

impl Paths {
    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.chunks.is_empty() && self.tail.is_empty()
    }

    /// Bytes of memory that they take.
    pub(crate) fn bytes(&self) -> usize {
        self.chunks.len() * CHUNK
    }

    /// Adds a path. What is too long to be one is cut: no server takes it.
    pub(crate) fn push(&mut self, path: &[u8], note: &[u8]) {
        let (path, note) = (&path[..path.len().min(MOST)], &note[..note.len().min(MOST)]);
        if self.chunks.back().is_none_or(|chunk| chunk.bytes.len() >= CHUNK) {
            self.chunks.push_back(Chunk::default());
            self.last.clear();
        }
        let chunk = self.chunks.back_mut().expect("there is one by now");
        let common = self.last.iter().zip(path).take_while(|(a, b)| a == b).count();
        for number in [common, path.len() - common, note.len()] {
            put(&mut chunk.bytes, number);
        }
        chunk.bytes.extend_from_slice(&path[common..]);
        chunk.bytes.extend_from_slice(note);
        self.last.clear();
        self.last.extend_from_slice(path);
    }

    /// Takes the first one, with its note.
    pub(crate) fn pop_front(&mut self) -> Option<(Vec<u8>, Vec<u8>)> {
        while let Some(chunk) = self.chunks.front_mut() {
            if let Some(note) = chunk.next() {
                return Some((chunk.path.clone(), note));
            }
            self.chunks.pop_front();
        }
        None
    }

    /// Takes the last one, with its note. From then on, all are taken so.
    pub(crate) fn pop_back(&mut self) -> Option<(Vec<u8>, Vec<u8>)> {
        while self.tail.is_empty() {
            let mut chunk = self.chunks.pop_back()?;
            while let Some(note) = chunk.next() {
                self.tail.push((chunk.path.clone(), note));
            }
        }
        self.tail.pop()
    }
}

impl Chunk {
    /// Reads on: the note, the path then being in its place.
    fn next(&mut self) -> Option<Vec<u8>> {
        if self.read == self.bytes.len() {
            return None;
        }
        let [common, rest, note] = std::array::from_fn(|_| self.number());
        self.path.truncate(common);
        self.path.extend_from_slice(&self.bytes[self.read..self.read + rest]);
        self.read += rest + note;
        Some(self.bytes[self.read - note..self.read].to_vec())
    }

    fn number(&mut self) -> usize {
        let mut number = 0;
        for shift in (0..).step_by(7) {
            let byte = self.bytes[self.read];
            self.read += 1;
            number |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        number
    }
}

/// The path from the top of a tree on of what was told from `prefix` on.
pub(crate) fn join(prefix: &[u8], path: &[u8]) -> Vec<u8> {
    match (prefix, path) {
        (b"", path) => path.to_vec(),
        (prefix, b"") => prefix.to_vec(),
        (prefix, path) => [prefix, b"/", path].concat(),
    }
}

/// A number in as many bytes as it needs, seven bits in each.
fn put(bytes: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_goes_in_comes_out_from_either_end(
            given in vec((vec(97..100u8, 0..300), vec(any::<u8>(), 0..20)), 0..600), taken in 0..600usize,
        ) {
            let mut paths = Paths::default();
            given.iter().for_each(|(path, note)| paths.push(path, note));
            let taken = taken.min(given.len());
            for pair in &given[..taken] {
                prop_assert_eq!(paths.pop_front(), Some(pair.clone()));
            }
            for pair in given[taken..].iter().rev() {
                prop_assert_eq!(paths.pop_back(), Some(pair.clone()));
            }
            prop_assert_eq!(paths.pop_back(), None);
        }
    }

    #[test]
    fn a_path_of_a_large_tree_takes_some_ten_bytes() {
        let mut paths = Paths::default();
        for number in 0..100_000 {
            paths.push(format!("some/tree/d{:02}/file-{number:05}.dat", number / 1000).as_bytes(), &[]);
        }
        assert!(paths.bytes() < 1_500_000, "{}", paths.bytes());
        let mut front = 0;
        while paths.pop_front().is_some() {
            front += 1;
        }
        assert_eq!(front, 100_000);
        assert_eq!(paths.bytes(), 0);
    }
}
