//! Other sessions that fetch files of a tree, which the first one walks through.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Asked, Getting, Pool, Wanted};
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;
use crate::remote::native::Native;
use crate::remote::native::crew::{BREATH, Invitation, fewer, hands};
use crate::remote::tree::{Account, Fetch, Job, Links, Portion};

/// They end when this is dropped.
pub(super) struct Helpers {
    pool: Arc<Pool>,
    tasks: JoinSet<Portion>,
}

impl Native {
    /// Calls for as many as are wanted. Who cannot come is told of, once.
    pub(super) async fn helpers(
        &mut self,
        fetch: &Fetch,
        links: Links,
        pool: &Arc<Pool>,
        account: &Account<'_>,
    ) -> Result<Helpers, Failure> {
        let mut helpers = Helpers { pool: pool.clone(), tasks: JoinSet::new() };
        let more = self.settings.lanes_of_tree() - 1;
        if more > 0 {
            let (invitations, why) = self.invitations(more).await?;
            let (output, progress) = (*account.output(), account.progress().clone());
            let helper = Helper { fetch: fetch.clone(), links, pool: pool.clone(), output, progress };
            if let Some(why) = why {
                helper.is_missing(&why);
            }
            for invitation in invitations {
                pool.join();
                helpers.tasks.spawn_on(helper.clone().run(invitation), &hands());
            }
        }
        Ok(helpers)
    }
}

impl Helpers {
    pub(super) fn are_none(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Waits until all have put what they have in its place, and adds what they did; if it is not `whole`, at once.
    pub(super) async fn finish(&mut self, whole: bool, account: &mut Account<'_>) {
        self.pool.end(whole);
        while let Some(portion) = self.tasks.join_next().await {
            match portion {
                Ok(portion) => account.add(portion),
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Err(_) => {}
            }
        }
    }
}

/// What a helper needs to know.
#[derive(Clone)]
struct Helper {
    fetch: Fetch,
    links: Links,
    pool: Arc<Pool>,
    output: Output,
    progress: Progress,
}

impl Helper {
    async fn run(self, invitation: Invitation) -> Portion {
        let mut native = match invitation.accept().await {
            Ok(native) => native,
            Err(failure) => {
                self.is_missing(&failure);
                self.pool.leave(Vec::new());
                return Portion::default();
            }
        };
        let mut account = Account::of_a_portion(&self.output, &self.progress);
        let mut getting = Getting::new(&mut native, &self.fetch, self.links, &mut account, self.pool.clone());
        let _here = Here(&self.pool);
        let helped = tokio::select! {
            helped = getting.help() => helped,
            () = self.pool.is_cut() => Ok(()),
        };
        let rest: Vec<_> = getting.asked.drain(..).filter_map(Asked::file).collect();
        getting.account.expect(std::mem::take(&mut getting.came)); // that comes once more
        getting.finish(false).await;
        self.pool.leave(rest);
        match helped {
            Ok(()) => native.hang_up().await,
            Err(failure) => self.is_missing(&failure),
        }
        account.portion()
    }

    /// Tells that there is one session less, if nobody has told before.
    fn is_missing(&self, why: &Failure) {
        if self.pool.tell() {
            self.progress.aside(|| self.output.say(&fewer(why)));
        }
    }
}

/// Nobody waits for a helper that ends by a panic.
struct Here<'a>(&'a Pool);

impl Drop for Here<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.give_up();
        }
    }
}

impl Getting<'_, '_> {
    /// Fetches files, until there are no more.
    async fn help(&mut self) -> Result<(), Failure> {
        loop {
            if self.is_low() {
                self.ask_for_files(true);
            }
            let Some(asked) = self.asked.pop_front() else {
                self.publish().await;
                match timeout(BREATH, self.pool.work()).await {
                    Ok(true) => {}
                    Ok(false) => return Ok(()),
                    Err(_) => self.native.breathe().await?,
                }
                continue;
            };
            let Asked::File(wanted) = asked else { unreachable!("a helper walks through nothing") };
            self.window.answered(&wanted.path);
            self.due -= wanted.size;
            if let Err(failure) = self.fetch_one(&wanted).await {
                self.asked.push_front(Asked::File(wanted)); // for somebody else
                return Err(failure);
            }
            self.came = 0;
            self.pool.heard();
        }
    }

    async fn fetch_one(&mut self, wanted: &Wanted) -> Result<(), Failure> {
        self.native.flush_many().await?;
        self.follow_directories().await?;
        self.hear_file(wanted).await
    }

    /// Has what is put in its place from now on wait for the directories that it lies in.
    async fn follow_directories(&mut self) -> Result<(), Failure> {
        if self.ground.is_none() {
            self.settle()?;
        }
        let (jobs, made) = self.pool.needs();
        if let Some(made) = made.filter(|_| jobs > self.jobs) {
            self.jobs = jobs;
            self.give(Job::After(made, jobs)).await;
        }
        Ok(())
    }
}

impl Asked {
    fn file(self) -> Option<Wanted> {
        match self {
            Asked::File(wanted) | Asked::Part(wanted) => Some(wanted),
            Asked::Walk { .. } => None,
        }
    }
}
