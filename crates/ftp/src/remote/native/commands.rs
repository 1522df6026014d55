//! Commands that are answered by a word, a line or a listing.

use digest::{Algorithm, Digest};
use proto::{Command, Reply};
use store::{Attributes, Entry};

use super::{Native, Owed, words};
use crate::failure::Failure;

impl Native {
    pub(in crate::remote) async fn pwd(&mut self) -> Result<String, Failure> {
        self.directory(Command::Pwd).await
    }

    pub(in crate::remote) async fn cd(&mut self, path: &str) -> Result<String, Failure> {
        self.directory(Command::Cd { path: path.into() }).await
    }

    pub(in crate::remote) async fn cd_up(&mut self) -> Result<String, Failure> {
        self.directory(Command::CdUp).await
    }

    pub(in crate::remote) async fn mkdir(&mut self, path: &str) -> Result<(), Failure> {
        self.done(Command::Mkdir { path: path.into() }).await
    }

    pub(in crate::remote) async fn rmdir(&mut self, path: &str) -> Result<(), Failure> {
        self.done(Command::Rmdir { path: path.into() }).await
    }

    pub(in crate::remote) async fn remove(&mut self, path: &str) -> Result<(), Failure> {
        self.done(Command::Remove { path: path.into() }).await
    }

    pub(in crate::remote) async fn rename(&mut self, from: &str, to: &str) -> Result<(), Failure> {
        self.done(Command::Rename { from: from.into(), to: to.into() }).await
    }

    pub(in crate::remote) async fn set_attributes(
        &mut self,
        path: &str,
        attributes: Attributes,
    ) -> Result<(), Failure> {
        let Attributes { modified, mode } = attributes;
        self.done(Command::SetAttributes { path: path.into(), modified: modified.map(words::to_wire), mode })
            .await
    }

    pub(in crate::remote) async fn stat(&mut self, path: &str) -> Result<Entry, Failure> {
        match self.request(Command::Stat { path: path.into() }).await? {
            Reply::Entry(entry) => Ok(words::entry(entry)),
            _ => Err(self.unexpected()),
        }
    }

    pub(in crate::remote) async fn md5(&mut self, path: &str) -> Result<(u64, Digest), Failure> {
        match self.request(Command::Md5 { path: path.into() }).await? {
            Reply::Md5 { size, digest } => {
                Ok((size, Digest::new(Algorithm::Md5, &digest).expect("an MD5 has 16 bytes")))
            }
            _ => Err(self.unexpected()),
        }
    }

    pub(in crate::remote) async fn list(&mut self, path: &str) -> Result<(), Failure> {
        match self.request(Command::List { path: path.into() }).await? {
            Reply::Listing => Ok(()),
            _ => Err(self.unexpected()),
        }
    }

    pub(in crate::remote) async fn next_page(&mut self) -> Result<Option<Vec<Entry>>, Failure> {
        if self.owed != Owed::Pages {
            return Ok(None);
        }
        Ok(Some(self.page().await?.entries.into_iter().map(words::entry).collect()))
    }

    pub(super) async fn directory(&mut self, command: Command) -> Result<String, Failure> {
        match self.request(command).await? {
            Reply::Directory { path } => Ok(String::from_utf8_lossy(&path).into_owned()),
            _ => Err(self.unexpected()),
        }
    }

    async fn done(&mut self, command: Command) -> Result<(), Failure> {
        match self.request(command).await? {
            Reply::Done => Ok(()),
            _ => Err(self.unexpected()),
        }
    }
}
