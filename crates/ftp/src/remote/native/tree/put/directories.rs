//! Directories of a tree that goes: they get their times and permission bits once all is in them.

use proto::{Access, Command};

use super::Putting;
use crate::failure::Failure;
use crate::remote::native::tree::read::Asked;
use crate::remote::native::words;
use crate::remote::tree::{below, noted};

impl Putting<'_, '_> {
    /// Hears until nothing but files is unanswered: which directories are none is known then, and nothing more happens in them
    /// than files of which the server heard before it hears what the directories are to have.
    pub(super) async fn settle_directories(&mut self) -> Result<(), Failure> {
        while self.asked.iter().any(|asked| matches!(asked, Asked::Target)) {
            self.hear().await?;
        }
        if self.is_new() && self.account.is_first_try() {
            return Ok(()); // what is new holds nothing that could stand in the way
        }
        while let Some(last) = self.asked.iter().rposition(|asked| !matches!(asked, Asked::File { .. })) {
            for _ in 0..=last {
                self.hear().await?;
            }
        }
        Ok(())
    }

    /// Gives directories, which are settled, what they are to have, the deepest first.
    pub(super) async fn set_attributes(&mut self) -> Result<(), Failure> {
        while let Some((path, note)) = self.directories.pop_back() {
            let attributes = noted(&note);
            if attributes.mode.is_none() || path.is_empty() && !self.bring.whole || self.none.contains(&path)
            {
                continue;
            }
            if self.native.access == Some(Access::Drop) {
                self.account.not_kept(1); // it adds, and changes nothing
                continue;
            }
            while !self.window.is_open() {
                self.hear().await?;
            }
            let command = Command::SetAttributes {
                path: below(self.to, &path),
                modified: attributes.modified.map(words::to_wire),
                mode: attributes.mode,
            };
            self.ask(command, Asked::Attributes { path });
        }
        Ok(())
    }
}
