//! What a session asks of parts of files: their digests, their contents, and files that are assembled from them.

use std::ops::Range;
use std::sync::Arc;

use digest::{Algorithm, Digest, Gap};
use store::{Assembly, Attributes, Digests, Ranges, ReadAhead, Receipt, Version};

use super::Refusal;
use super::assemblies::{Assembled, Name};
use super::session::{Right, Session};

impl Session {
    /// Begins to compute the digests of a file's blocks, as far as it has them.
    pub async fn digests(
        &self,
        path: &[u8],
        algorithm: Algorithm,
        version: Option<Version>,
        blocks: Range<u64>,
    ) -> Result<Digests, Refusal> {
        let path = self.path(Right::Fetch, path)?;
        self.on_disk(move |home| home.digests(&path, algorithm, version, blocks)).await
    }

    /// Opens a file to send parts of it.
    pub async fn open_parts(
        &self,
        path: &[u8],
        algorithm: Algorithm,
        version: Option<Version>,
        parts: Ranges,
        gap: Gap,
    ) -> Result<ReadAhead, Refusal> {
        let path = self.path(Right::Fetch, path)?;
        self.on_disk(move |home| ReadAhead::begin(home.open_parts(&path, algorithm, version, &parts)?, gap))
            .await
    }

    /// Begins a file of `size` bytes that comes in parts; what none of them brings is that of the file that has the name, which must be
    /// of the version `onto`. It is given up at the end of this session.
    pub async fn assemble(
        &mut self,
        path: &[u8],
        size: u64,
        algorithm: Algorithm,
        onto: Option<Version>,
    ) -> Result<Name, Refusal> {
        let replace = self.replace();
        let right = if onto.is_some() { Right::Change } else { Right::Add };
        let place = self.path(right, path)?;
        let path = place.to_string().into_bytes();
        self.assemblies.check(&self.account)?;
        let owner = self.account.owner().map(str::to_owned);
        let upload = self.uploads.begin(owner.as_deref().unwrap_or_default(), place.clone());
        let begun = self.on_disk(move |home| {
            let assembly = Assembly { whom: owner.as_deref(), size, onto };
            home.assemble(&place, &assembly, algorithm, replace)
        });
        let assembled = Assembled::new(self.account.clone(), path, begun.await?, upload);
        self.assemblies.begin(assembled)
    }

    /// Whether such a file of this session is neither published nor given up.
    pub fn is_assembling(&self) -> bool {
        self.assemblies.is_any()
    }

    /// A file that comes in parts, by its name: one of this account.
    pub fn assembled(&self, name: &Name) -> Result<Arc<Assembled>, Refusal> {
        self.permit(Right::Add)?;
        self.assemblies.all().find(name, &self.account)
    }

    /// Publishes such a file, if its root is `root`. Dropped, it gives it up.
    pub async fn publish(
        &self,
        name: &Name,
        root: Digest,
        attributes: Attributes,
    ) -> Result<Receipt, Refusal> {
        self.permit(Right::Add)?;
        let assembled = self.assemblies.all().take(name, &self.account)?;
        self.while_wanted(move |_, go_on| {
            let published = assembled.parts.publish(root, attributes, &mut || {
                assembled.upload().moves();
                go_on()
            });
            assembled.upload().end();
            published
        })
        .await
    }

    /// Gives such a file up.
    pub async fn leave(&self, name: &Name) -> Result<(), Refusal> {
        self.permit(Right::Add)?;
        let assembled = self.assemblies.all().take(name, &self.account)?;
        self.on_disk(move |_| {
            assembled.leave();
            Ok(())
        })
        .await
    }

    /// Ends: when this returns, what it was assembling is given up.
    pub async fn end(mut self) {
        let left = self.assemblies.take();
        if !left.is_empty() {
            // What cannot be given up here is when it is dropped.
            let _ = tokio::task::spawn_blocking(move || left.iter().for_each(|one| one.leave())).await;
        }
    }
}
