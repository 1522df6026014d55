//! A plan carried out, in such an order that nothing stands in the way of what comes after it.

use std::path::Path;
use std::sync::Arc;

use store::{Home, HomePath, Options};

use super::super::Link;
use super::super::again::{Way, carry};
use super::ends::{Direction, Ends};
use super::list::text;
use super::plan::{Large, Plan};
use super::summary::Summary;
use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::progress::Progress;
use crate::remote::{
    Account, Bring, Changed, Fetch, Into, Receipt, Step, Steps, Verified, below, on_disk, place_in, set_root,
    shown,
};

/// A plan under way.
pub(super) struct Act<'a, 'b> {
    pub(super) link: &'a mut Link,
    pub(super) output: &'a Output,
    pub(super) progress: &'a Progress,
    pub(super) ends: &'a Ends,
    account: &'a mut Account<'b>,
    pub(super) summary: Summary,
    /// Where files that are fetched go, once it was opened, and the name of one file there.
    ground: Option<(Arc<Home>, Vec<u8>)>,
}

impl<'a, 'b> Act<'a, 'b> {
    pub(super) fn new(
        link: &'a mut Link,
        output: &'a Output,
        progress: &'a Progress,
        ends: &'a Ends,
        account: &'a mut Account<'b>,
    ) -> Act<'a, 'b> {
        Act { link, output, progress, ends, account, summary: Summary::default(), ground: None }
    }

    /// What came of it.
    pub(super) fn summary(self) -> Summary {
        self.summary
    }

    /// Does all of it. What cannot be done is told, and the rest goes on.
    ///
    /// # Errors
    /// What ended it: most often, that the connection was lost.
    pub(super) async fn all(&mut self, mut plan: Plan) -> Result<(), Failure> {
        self.progress.begin_tree(&self.ends.destination());
        self.foresee(&plan);
        self.summary.looked_at = plan.looked_at;
        self.summary.unchanged = plan.unchanged;
        for (path, failure) in plan.failures {
            self.account.failed(&self.ends.shown(&path), failure);
        }
        self.summary.new += self.halves().await?;
        self.steps(plan.unlock).await?;
        self.summary.deleted += self.steps(plan.clear).await?;
        self.summary.new += self.steps(plan.fresh).await?;
        self.summary.new += self.long(plan.long).await?;
        self.summary.changed += self.steps(plan.changed).await?;
        while let Some((path, _)) = plan.replacing.pop_front() {
            self.replace(&path).await?;
        }
        for large in plan.by_blocks {
            self.large(&large).await?;
        }
        self.summary.deleted += self.steps(plan.extra).await?;
        let (wanted, failed) = (plan.attributes.len(), self.account.failed);
        self.steps(plan.attributes).await?;
        self.summary.attributes += wanted.saturating_sub(self.account.failed - failed);
        self.steps(plan.directories).await?;
        Ok(())
    }

    /// Tells whoever looks on how much there is to do: what differs of large files shows only when they are compared.
    fn foresee(&self, plan: &Plan) {
        let [fresh, long, changed] = [&plan.fresh, &plan.long, &plan.changed].map(Steps::files);
        self.progress.found(fresh.0 + long.0 + changed.0 + plan.by_blocks.len() as u64);
        // What is moved alone tells of its bytes itself.
        let Ends { direction, single, .. } = *self.ends;
        if direction == Direction::Put || !single {
            self.progress.expect(fresh.1 + changed.1);
        }
        if direction == Direction::Get && !single {
            self.progress.expect(long.1);
        }
        self.progress.all_found();
    }

    /// Does steps. How many files and links were moved, or things removed.
    async fn steps(&mut self, steps: Steps) -> Result<u64, Failure> {
        if steps.len() == 0 {
            return Ok(0);
        }
        let before = self.account.done + self.account.linked;
        match self.ends.direction {
            Direction::Put => self.put_steps(steps).await?,
            Direction::Get if self.ends.single => self.get_single(steps).await?,
            Direction::Get => self.get_steps(steps).await?,
        }
        Ok(self.account.done + self.account.linked - before)
    }

    /// Goes on with large files that were under way when a connection was lost.
    async fn halves(&mut self) -> Result<u64, Failure> {
        let before = self.account.done;
        let (bring, fetch) = (self.bringing(), self.fetching());
        let remote = self.link.remote(self.output).await?;
        match self.ends.direction {
            Direction::Put => remote.put_halves(&bring, self.account).await?,
            Direction::Get => remote.get_halves(&fetch, self.account).await?,
        }
        Ok(self.account.done - before)
    }

    fn bringing(&self) -> Bring {
        let Ends { local, remote, whole, .. } = self.ends;
        Bring { from: local.clone(), to: remote.clone(), inside: None, whole: *whole, only: None }
    }

    fn fetching(&self) -> Fetch {
        let Ends { local, remote, whole, .. } = self.ends;
        Fetch { from: remote.clone(), to: local.clone(), whole: *whole, only: None }
    }

    async fn put_steps(&mut self, steps: Steps) -> Result<(), Failure> {
        let Ends { whole, single, .. } = self.ends;
        let steps = if *whole || *single { steps } else { without_top(steps) };
        let bring = self.bringing();
        self.link.remote(self.output).await?.put_steps(&bring, steps, self.account).await
    }

    async fn get_steps(&mut self, mut steps: Steps) -> Result<(), Failure> {
        let Ends { local, whole, .. } = self.ends;
        let mut rest = Steps::default();
        let mut top = None;
        while let Some((path, step)) = steps.pop_front() {
            match step {
                // The top is no thing beneath itself.
                Step::Attributes(attributes) if path.is_empty() => top = Some(attributes).filter(|_| *whole),
                step => rest.push(&path, &step),
            }
        }
        let fetch = self.fetching();
        if rest.len() > 0 {
            self.link.remote(self.output).await?.get_steps(&fetch, rest, self.account).await?;
        }
        if let Some(attributes) = top
            && let Err(failure) = set_root(local, attributes).await
        {
            self.account.failed(&local.to_string_lossy(), failure);
        }
        Ok(())
    }

    /// The steps of one file: it is fetched, or gets its attributes.
    async fn get_single(&mut self, mut steps: Steps) -> Result<(), Failure> {
        let place = self.ends.local.clone();
        while let Some((_, step)) = steps.pop_front() {
            let done = match step {
                Step::File { .. } => {
                    let remote = self.link.remote(self.output).await?;
                    let receipt = remote.get(&self.ends.remote, Into::File(&place), self.progress).await;
                    receipt.map(|receipt| {
                        self.account.moved += receipt.size;
                        self.account.file(|| self.ends.destination(), receipt.size, receipt.verified);
                    })
                }
                Step::Attributes(attributes) => match self.at(&[], <[u8]>::to_vec).await {
                    Ok((home, at)) => on_disk(move || Ok(home.set_attributes(&at, &attributes)?)).await,
                    Err(failure) => Err(failure),
                },
                Step::Directory(_) | Step::Link { .. } | Step::Remove { .. } => Ok(()), // one file has none
            };
            self.judge(&[], done)?;
        }
        Ok(())
    }

    /// Brings new files, one after the other, each over as many connections as it takes; of one that was cut in an earlier run, what
    /// is missing. How many were brought.
    async fn long(&mut self, mut files: Steps) -> Result<u64, Failure> {
        let Ends { direction, local, remote, single, .. } = self.ends;
        if *direction == Direction::Get && !single {
            // What is kept of a file here is not looked for beneath an opened directory.
            return self.steps(files).await;
        }
        let mut done = 0;
        while let Some((path, _)) = files.pop_front() {
            let place = place_in(local, &path);
            let way = match direction {
                Direction::Put => Way::There(&place),
                Direction::Get => Way::Here(&place),
            };
            let carried = match text(&below(remote, &path)) {
                Ok(there) => carry(self.link, self.output, self.progress, &there, way, true).await,
                Err(failure) => Err(failure),
            };
            match carried {
                Ok((receipt, moved)) => {
                    done += 1;
                    self.came(&path, &receipt, moved);
                }
                Err(failure) => self.judge(&path, Err(failure))?,
            }
        }
        Ok(done)
    }

    /// Brings what differs of a large file; all of it where that fails, since something changes meanwhile.
    async fn large(&mut self, large: &Large) -> Result<(), Failure> {
        let done = match self.changed(large).await {
            Err(failure) if failure.code == Code::NotVerified => {
                let name = self.ends.shown(&large.path);
                self.output.say(&format!("{name}: {}; it is moved as a whole", failure.message));
                self.as_a_whole(large).await.map(|()| None)
            }
            done => done.map(Some),
        };
        match done {
            Ok(changed) => {
                self.summary.changed += 1;
                if let Some(Changed { moved, blocks, size, root }) = changed {
                    let name = || shown(&self.ends.destination(), &large.path);
                    self.account.file(name, size, Verified::Blocks { root, count: blocks });
                    self.summary.blocks.0 += moved;
                    self.summary.blocks.1 += blocks;
                }
                Ok(())
            }
            Err(failure) => self.judge(&large.path, Err(failure)),
        }
    }

    async fn changed(&mut self, large: &Large) -> Result<Changed, Failure> {
        let there = below(&self.ends.remote, &large.path);
        match self.ends.direction {
            Direction::Put => {
                let place = place_in(&self.ends.local, &large.path);
                let remote = self.link.remote(self.output).await?;
                remote.put_changed(&place, &there, self.account).await
            }
            Direction::Get => {
                let (home, at) = self.at(&large.path, <[u8]>::to_vec).await?;
                let what = (large.size, large.attributes);
                let remote = self.link.remote(self.output).await?;
                remote.get_changed(&there, what, (&home, &at), self.account).await
            }
        }
    }

    async fn as_a_whole(&mut self, large: &Large) -> Result<(), Failure> {
        let receipt = self.bring(&large.path, <[u8]>::to_vec).await?;
        self.came(&large.path, &receipt, receipt.size);
        Ok(())
    }

    /// A file has come as a whole, for which so many bytes were moved.
    pub(super) fn came(&mut self, path: &[u8], receipt: &Receipt, moved: u64) {
        self.account.moved += moved;
        self.account.file(|| shown(&self.ends.destination(), path), receipt.size, receipt.verified);
    }

    /// The directory that files are fetched to, and where a file lies beneath it, or goes if it is `placed` elsewhere.
    pub(super) async fn at(
        &mut self,
        path: &[u8],
        placed: fn(&[u8]) -> Vec<u8>,
    ) -> Result<(Arc<Home>, HomePath), Failure> {
        let (home, name) = match self.ground.take() {
            Some(ground) => ground,
            None => {
                let (local, single) = (self.ends.local.clone(), self.ends.single);
                on_disk(move || ground(&local, single)).await?
            }
        };
        let path = if self.ends.single { &name } else { path };
        let at = HomePath::root().resolve(&placed(path));
        self.ground = Some((home.clone(), name));
        Ok((home, at?))
    }

    /// What is wrong with one thing is told, and the rest goes on; unless nothing can.
    pub(super) fn judge(&mut self, path: &[u8], done: Result<(), Failure>) -> Result<(), Failure> {
        match done {
            Err(failure) if failure.is_final() => Err(failure),
            Err(failure) => {
                self.account.failed(&self.ends.shown(path), failure);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }
}

/// The same without what is to be done to the top.
fn without_top(mut steps: Steps) -> Steps {
    let mut rest = Steps::default();
    while let Some((path, step)) = steps.pop_front() {
        if !path.is_empty() || !matches!(step, Step::Attributes(_)) {
            rest.push(&path, &step);
        }
    }
    rest
}

/// The directory that files are fetched to. Of one file, it is the one in which that lies, wherever links lead to it, as for a get; and
/// its name there. It blocks.
fn ground(local: &Path, single: bool) -> Result<(Arc<Home>, Vec<u8>), Failure> {
    let options = Options { quota: None, durability: store::Durability::Full };
    if !single {
        return Ok((Arc::new(Home::at(local, &options)?), Vec::new()));
    }
    let place = std::fs::canonicalize(local)?;
    let name = place.file_name().unwrap_or_default().as_encoded_bytes().to_vec();
    Ok((Arc::new(Home::at(place.parent().unwrap_or(Path::new("/")), &options)?), name))
}
