//! Files that take the place of links and special files: each is brought beside it, and then gets its name at once.

use digest::{Algorithm, of_block};

use super::act::Act;
use super::ends::Direction;
use super::list::text;
use crate::failure::Failure;
use crate::remote::{Course, Into, Receipt, below, on_disk, place_in};

impl Act<'_, '_> {
    /// Brings a file in the place of a link or a special file, which has its name until the new one is there whole.
    pub(super) async fn replace(&mut self, path: &[u8]) -> Result<(), Failure> {
        let done = match self.bring(path, beside).await {
            Ok(receipt) => self.publish(path).await.map(|()| receipt),
            Err(failure) => Err(failure),
        };
        let done = match done {
            Ok(receipt) => {
                self.summary.changed += 1;
                self.came(path, &receipt, receipt.size);
                Ok(())
            }
            // Who runs it once more brings it to the same place beside.
            Err(failure) if failure.is_final() => Err(failure),
            Err(failure) => match self.discard(path).await {
                Err(lost) if lost.is_final() => Err(lost),
                _ => Err(failure),
            },
        };
        self.judge(path, done)
    }

    /// Brings a whole file; where it goes is `placed` elsewhere.
    pub(super) async fn bring(
        &mut self,
        path: &[u8],
        placed: fn(&[u8]) -> Vec<u8>,
    ) -> Result<Receipt, Failure> {
        let there = below(&self.ends.remote, path);
        match self.ends.direction {
            Direction::Put => {
                // As one that may be gone on with: what the server kept of its parts goes then.
                let (place, to, mut course) =
                    (place_in(&self.ends.local, path), text(&placed(&there))?, Course::default());
                let remote = self.link.remote(self.output).await?;
                remote.put_on(&place, &to, &mut course, self.progress).await
            }
            Direction::Get => {
                let (home, at) = self.at(path, placed).await?;
                let remote = self.link.remote(self.output).await?;
                remote.get(&text(&there)?, Into::Beneath(&home, &at), self.progress).await
            }
        }
    }

    /// Gives a file that was brought beside its place its name, whatever file or link has that.
    async fn publish(&mut self, path: &[u8]) -> Result<(), Failure> {
        match self.ends.direction {
            Direction::Put => {
                let there = below(&self.ends.remote, path);
                let (from, to) = (text(&beside(&there))?, text(&there)?);
                self.link.remote(self.output).await?.rename(&from, &to).await
            }
            Direction::Get => {
                let (_, from) = self.at(path, beside).await?;
                let (home, to) = self.at(path, <[u8]>::to_vec).await?;
                on_disk(move || Ok(home.rename(&from, &to)?)).await
            }
        }
    }

    /// Removes what was brought beside a place, if it came to that.
    async fn discard(&mut self, path: &[u8]) -> Result<(), Failure> {
        match self.ends.direction {
            Direction::Put => {
                let from = text(&beside(&below(&self.ends.remote, path)))?;
                self.link.remote(self.output).await?.remove(&from).await
            }
            Direction::Get => {
                let (home, from) = self.at(path, beside).await?;
                on_disk(move || Ok(home.remove(&from)?)).await
            }
        }
    }
}

/// A place in the same directory for a file that is to get the name `path` later: hidden, of a name that nobody gives, and the same each
/// time, so that the next run takes up what a lost connection left there.
fn beside(path: &[u8]) -> Vec<u8> {
    let name = path.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
    let (directory, name) = path.split_at(name);
    let digest = of_block(Algorithm::Md5, name);
    [directory, format!(".sync~{digest}").as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beside_lies_in_the_same_directory_and_each_name_has_its_own() {
        for (path, directory) in [("x", ""), ("d/x", "d/"), ("/x", "/"), ("d/e/\u{e4}", "d/e/")] {
            let place = String::from_utf8(beside(path.as_bytes())).unwrap();
            let name = place.strip_prefix(directory).unwrap();
            assert!(name.starts_with(".sync~") && name.len() == 38 && !name.contains('/'), "{place}");
        }
        assert_eq!(beside(b"d/x"), beside(b"d/x"));
        assert_ne!(beside(b"x"), beside(b"y"));
    }
}
