//! Steps that are known beforehand, in the place of a walk.

use std::sync::Arc;

use super::Getting;
use super::pool::{Pool, Wanted};
use crate::failure::Failure;
use crate::remote::native::Native;
use crate::remote::tree::{Account, Fetch, Job, Links, Step, Steps, note};

/// Files that are noted together.
const TOGETHER: usize = 1000;

impl Native {
    /// Does steps on this computer.
    pub(in crate::remote) async fn get_steps(
        &mut self,
        fetch: &Fetch,
        steps: Steps,
        account: &mut Account<'_>,
    ) -> Result<(), Failure> {
        self.get_halves(fetch, account).await?;
        let pool = Arc::<Pool>::default();
        let mut helpers = self.helpers(fetch, Links::Copy, &pool, account).await?;
        self.begin_many().await?;
        let mut getting = Getting::new(self, fetch, Links::Copy, account, pool);
        getting.alone = helpers.are_none();
        let whole = match getting.prepare(steps).await {
            Ok(()) => getting.run().await,
            Err(failure) => Ok(Err(failure)),
        };
        helpers.finish(matches!(whole, Ok(Ok(()))), getting.account).await;
        getting.finish(whole.is_ok()).await;
        self.end_many(whole)
    }
}

impl Getting<'_, '_> {
    /// Does what needs no server, and takes note of what does.
    async fn prepare(&mut self, mut steps: Steps) -> Result<(), Failure> {
        self.settle()?;
        while let Some((path, step)) = steps.pop_front() {
            let job = match step {
                Step::File { .. } if self.account.is_settled(&path) => continue,
                Step::File { size } => {
                    self.found.push(Wanted { path, link: None, size });
                    if self.found.len() >= TOGETHER {
                        self.share_found();
                    }
                    continue;
                }
                Step::Directory(attributes) => {
                    self.directories.push(&path, &note(&attributes));
                    if path.is_empty() {
                        continue;
                    }
                    Job::Directories(vec![path])
                }
                Step::Link { target } => Job::Link { path, target },
                Step::Attributes(attributes) => Job::Attributes(vec![(path, attributes)]),
                Step::Remove { directory } => Job::Remove { path, directory },
            };
            self.give_counted(job).await;
        }
        self.share_found();
        Ok(())
    }
}
