//! What is to be done to the things of a tree, in few bytes each.

use store::Attributes;

use super::Paths;
use super::notes::{note, noted};

/// What is to be done to a thing of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The directory is made, and has these once all is in it.
    Directory(Attributes),
    /// The file is moved.
    File { size: u64 },
    /// The link is made, in the place of whatever has its name.
    Link { target: Vec<u8> },
    /// What is there gets these.
    Attributes(Attributes),
    /// What is there goes; a directory is empty by then.
    Remove { directory: bool },
}

/// Steps, in their order, each for a path from the top of the tree on.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    paths: Paths,
    count: u64,
    /// How many of them move files, and the bytes of these.
    files: (u64, u64),
    /// How many files and links were added.
    moved: u64,
}

impl Steps {
    /// How many are left.
    pub(crate) fn len(&self) -> u64 {
        self.count
    }

    /// Files that are to be moved, and their bytes.
    pub(crate) fn files(&self) -> (u64, u64) {
        self.files
    }

    /// How many files and links are moved by all that were added.
    pub(crate) fn moved(&self) -> u64 {
        self.moved
    }

    /// Adds one.
    pub(crate) fn push(&mut self, path: &[u8], step: &Step) {
        let mut noted = Vec::with_capacity(16);
        match step {
            Step::Directory(attributes) => {
                noted.push(0);
                noted.extend(note(attributes));
            }
            Step::File { size } => {
                self.files = (self.files.0 + 1, self.files.1.saturating_add(*size));
                noted.push(1);
                noted.extend(size.to_le_bytes());
            }
            Step::Link { target } => {
                noted.push(2);
                noted.extend(target);
            }
            Step::Attributes(attributes) => {
                noted.push(3);
                noted.extend(note(attributes));
            }
            Step::Remove { directory } => noted.extend([4, u8::from(*directory)]),
        }
        self.paths.push(path, &noted);
        self.count += 1;
        self.moved += u64::from(matches!(step, Step::File { .. } | Step::Link { .. }));
    }

    /// Takes the first.
    pub(crate) fn pop_front(&mut self) -> Option<(Vec<u8>, Step)> {
        let (path, noted) = self.paths.pop_front()?;
        self.count -= 1;
        let step = step(&noted);
        if let Step::File { size } = step {
            self.files = (self.files.0 - 1, self.files.1.saturating_sub(size));
        }
        Some((path, step))
    }
}

fn step(bytes: &[u8]) -> Step {
    match bytes {
        [0, attributes @ ..] => Step::Directory(noted(attributes)),
        [1, size @ ..] => Step::File { size: size.first_chunk().map_or(0, |size| u64::from_le_bytes(*size)) },
        [2, target @ ..] => Step::Link { target: target.to_vec() },
        [3, attributes @ ..] => Step::Attributes(noted(attributes)),
        [_, directory, ..] => Step::Remove { directory: *directory == 1 },
        [_] | [] => unreachable!("a step is noted in two bytes or more"),
    }
}

#[cfg(test)]
mod tests {
    use store::Time;

    use super::*;

    #[test]
    fn steps_come_out_as_they_went_in() {
        let modified = Some(Time { seconds: -5, nanoseconds: 7 });
        let attributes = Attributes { modified, mode: Some(0o640) };
        let steps = [
            Step::Directory(attributes),
            Step::Directory(Attributes::default()),
            Step::File { size: u64::MAX },
            Step::Link { target: b"../x".to_vec() },
            Step::Link { target: Vec::new() },
            Step::Attributes(attributes),
            Step::Attributes(Attributes { modified: None, mode: Some(0o700) }),
            Step::Remove { directory: true },
            Step::Remove { directory: false },
        ];
        let mut all = Steps::default();
        steps.iter().for_each(|step| all.push(b"a/b", step));
        assert_eq!((all.len(), all.moved()), (steps.len() as u64, 3));
        for step in steps {
            assert_eq!(all.pop_front(), Some((b"a/b".to_vec(), step)));
        }
        assert_eq!((all.pop_front(), all.len()), (None, 0));
    }
}
