//! `get`, `put` and `cat`.

use std::path::Path;

use super::{Session, naming};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::remote::{Into, Receipt};
use crate::show::{json, report};

impl Session {
    /// Fetches a file; it appears under its local name when it is whole and verified.
    pub(super) async fn get(&mut self, path: &str, local: Option<&Path>, go_on: bool) -> Result<(), Failure> {
        let place = naming::download(path, local)?;
        let receipt = self.fetch(path, &place, go_on).await?;
        self.tell(&place.to_string_lossy(), &receipt)
    }

    /// Sends a file; where `path` turns out to be a directory, into it.
    pub(super) async fn put(&mut self, local: &Path, path: Option<&str>, go_on: bool) -> Result<(), Failure> {
        naming::check_source(local)?;
        let place = naming::upload(local, path)?;
        match self.put_at(local, &place, go_on).await {
            Err(refused) if path.is_some() && self.is_refused_directory(&refused, &place).await => {
                let inside = naming::into_directory(&place, naming::remote_name(local)?);
                self.put_at(local, &inside, go_on).await
            }
            done => done,
        }
    }

    /// Writes a file to standard output, block by verified block.
    pub(super) async fn cat(&mut self, path: &str) -> Result<(), Failure> {
        // On one terminal, the bar would draw into the file.
        let hidden = Progress::hidden();
        let on_terminal = self.output.surface().width.is_some();
        let progress = if on_terminal { &hidden } else { &self.progress };
        let remote = self.link.remote(&self.output).await?;
        remote.get(path, Into::Output, progress).await.map(drop)
    }

    async fn put_at(&mut self, local: &Path, place: &str, go_on: bool) -> Result<(), Failure> {
        let receipt = self.bring(local, place, go_on).await?;
        self.tell(place, &receipt)
    }

    /// Tells what a transfer was.
    pub(super) fn tell(&self, name: &str, receipt: &Receipt) -> Result<(), Failure> {
        if self.output.json() {
            let Receipt { size, moved, verified, elapsed } = *receipt;
            return self.output.print(&json::file(name, size, verified, Some((moved, elapsed))).line());
        }
        self.output.say(&report::receipt(name, receipt));
        Ok(())
    }
}
