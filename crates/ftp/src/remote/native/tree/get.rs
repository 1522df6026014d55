//! A tree coming: in one answer, its files behind each part of the walk; or, where not all of them are wanted, a walk, and a request
//! for each, sent before the walk has ended.

mod files;
mod grow;
mod help;
mod pool;
mod steps;

use std::collections::VecDeque;
use std::sync::Arc;

use proto::{Command, Message, Reply};
use tokio::time::timeout;

use super::super::Native;
use super::super::crew::BREATH;
use super::{COMMANDS, Whole, Window, too_many};
use crate::failure::Failure;
use crate::remote::tree::{
    self, Account, Chain, Fetch, Ground, Job, Links, Only, Paths, Small, below, noted,
};
use pool::{Next, Pool, Wanted};

/// Directories whose attributes are set together.
const DIRECTORIES: usize = 256;

/// What was asked.
enum Asked {
    /// For what lies beneath a directory.
    Walk { prefix: Vec<u8>, chain: Chain, begun: bool },
    /// For a file.
    File(Wanted),
    /// For none of its own: it is a file of a tree.
    Part(Wanted),
}

/// A tree under way.
struct Getting<'a, 'b> {
    native: &'a mut Native,
    fetch: &'a Fetch,
    links: Links,
    account: &'a mut Account<'b>,
    /// Nothing is made before the server has told that it is a directory.
    ground: Option<Ground>,
    asked: VecDeque<Asked>,
    window: Window,
    /// What is still to be asked for, by this session or another.
    pool: Arc<Pool>,
    /// Files that were found and are not yet in the pool.
    found: Vec<Wanted>,
    /// Bytes of files that were asked for and have not come.
    due: u64,
    /// Bytes that have come of the file under way.
    came: u64,
    /// Jobs of making directories so far; or those that what is asked for has waited for.
    jobs: u64,
    /// No other session is there.
    alone: bool,
    /// Directories that were made, with what they are to have.
    directories: Paths,
    /// The directory that was made last, where only some files are wanted.
    made: Vec<u8>,
    small: Small,
    /// It is no directory but one file.
    single: bool,
}

impl Native {
    /// Fetches a tree, or tells that it is a single file.
    pub(in crate::remote) async fn get_tree(
        &mut self,
        fetch: &Fetch,
        links: Links,
        account: &mut Account<'_>,
    ) -> Result<bool, Failure> {
        self.get_halves(fetch, account).await?;
        let pool = Arc::<Pool>::default();
        let mut helpers = self.helpers(fetch, links, &pool, account).await?;
        self.begin_many().await?;
        let mut getting = Getting::new(self, fetch, links, account, pool.clone());
        getting.alone = helpers.are_none();
        pool.walk_later(Vec::new(), Chain::default());
        let whole = getting.run().await;
        helpers.finish(whole.is_ok(), getting.account).await;
        getting.finish(whole.is_ok()).await;
        let single = getting.single;
        self.end_many(whole).map(|()| single)
    }
}

impl<'a, 'b> Getting<'a, 'b> {
    fn new(
        native: &'a mut Native,
        fetch: &'a Fetch,
        links: Links,
        account: &'a mut Account<'b>,
        pool: Arc<Pool>,
    ) -> Getting<'a, 'b> {
        Getting {
            native,
            fetch,
            links,
            account,
            ground: None,
            asked: VecDeque::new(),
            window: Window::beneath(&fetch.from),
            pool,
            found: Vec::new(),
            due: 0,
            came: 0,
            jobs: 0,
            alone: true,
            directories: Paths::default(),
            made: Vec::new(),
            small: Small::default(),
            single: false,
        }
    }

    async fn run(&mut self) -> Whole {
        loop {
            if self.is_low() {
                self.ask_for_files(false);
            }
            if self.asked.is_empty() {
                let (prefix, chain) = match self.pool.next_walk() {
                    Next::Walk(prefix, chain) => (prefix, chain),
                    Next::Files => continue,
                    Next::Wait => {
                        self.publish().await;
                        self.wait().await?;
                        continue;
                    }
                    Next::Over => return Ok(Ok(())),
                };
                let path = below(&self.fetch.from, &prefix);
                self.window.sent(&prefix);
                self.native.ask(&if self.is_flat() {
                    Command::List { path }
                } else if self.is_whole() {
                    Command::GetTree { path }
                } else {
                    Command::Walk { path }
                });
                self.asked.push_back(Asked::Walk { prefix, chain, begun: false });
            }
            self.native.flush_many().await?;
            let asked = self.asked.pop_front().expect("something was asked");
            match asked {
                Asked::Walk { prefix, chain, begun } => {
                    if let Err(refused) = self.hear_walk(prefix, chain, begun).await? {
                        return Ok(Err(refused));
                    }
                }
                Asked::File(wanted) => {
                    self.window.answered(&wanted.path);
                    self.due -= wanted.size;
                    self.hear_file(&wanted).await?;
                }
                Asked::Part(wanted) => self.hear_part(&wanted).await?,
            }
        }
    }

    /// Whether it is worth while to ask for more. Who is not alone leaves the others their share.
    fn is_low(&self) -> bool {
        let share = self.pool.share();
        let few = share.files >= COMMANDS || self.window.commands * 2 < share.files.max(2);
        self.window.is_low() && few && self.due <= share.bytes / 2
    }

    /// Asks for files, as a `helper` or not.
    fn ask_for_files(&mut self, helper: bool) {
        let share = self.pool.share();
        while self.window.is_open() && self.window.commands < share.files && self.due < share.bytes {
            let Some(wanted) = self.pool.take(helper) else { return };
            self.window.sent(&wanted.path);
            self.due += wanted.size;
            self.native.ask(&Command::Get { path: below(&self.fetch.from, &wanted.path), first_block: 0 });
            self.asked.push_back(Asked::File(wanted));
        }
    }

    /// Waits for something to do, while others are at the rest of the files.
    async fn wait(&mut self) -> Result<(), Failure> {
        match timeout(BREATH, self.pool.stirred()).await {
            Ok(()) => Ok(()),
            Err(_) => self.native.breathe().await,
        }
    }

    /// Hears one message of a walk.
    async fn hear_walk(&mut self, prefix: Vec<u8>, chain: Chain, begun: bool) -> Whole {
        let failure = match self.native.answer().await? {
            Message::Reply(Reply::Listing) if !begun => {
                self.asked.push_front(Asked::Walk { prefix, chain, begun: true });
                return Ok(Ok(()));
            }
            Message::Branch(_) | Message::Page(_) if !begun => return self.native.out_of_turn(),
            part @ (Message::Branch(_) | Message::Page(_)) => {
                let branch = match part {
                    Message::Branch(branch) if !self.is_flat() => self.native.branch(branch)?,
                    Message::Page(page) if self.is_flat() => self.native.page_as_branch(page)?,
                    _ => return self.native.out_of_turn(),
                };
                let last = branch.last;
                if self.is_flat() && self.ground.is_none() {
                    self.settle()?;
                }
                self.grow(&prefix, &chain, branch).await?;
                too_many(self.pool.bytes(), "Fetch its directories one by one.")?;
                if last {
                    self.window.answered(&prefix);
                    let links = self.found.iter().any(|found| found.link.is_some());
                    if !links && !self.pool.has_links() {
                        self.account.all_found();
                    }
                } else {
                    self.asked.push_front(Asked::Walk { prefix, chain, begun });
                }
                if self.is_whole() {
                    self.hear_found();
                }
                self.share_found();
                return Ok(Ok(()));
            }
            Message::Reply(Reply::Refused(refused)) if !begun => refused,
            Message::Abort(abort) if begun => abort.failure,
            _ => return self.native.out_of_turn(),
        };
        self.window.answered(&prefix);
        let failure = self.native.refused_many(failure)?;
        if prefix.is_empty() && self.ground.is_none() {
            return Ok(Err(failure));
        }
        self.account.failed(&tree::shown(&self.fetch.from, &prefix), failure);
        Ok(Ok(()))
    }

    /// Whether only what lies in the directory itself is asked for, and no walk is needed.
    fn is_flat(&self) -> bool {
        self.fetch.only.as_ref().is_some_and(Only::is_flat)
    }

    /// Whether all that is in it is asked for, and comes here.
    fn is_whole(&self) -> bool {
        self.fetch.only.is_none() && self.alone && !self.account.left.again
    }

    /// Opens the place where the tree is to grow.
    fn settle(&mut self) -> Result<(), Failure> {
        let home = tree::destination(&self.fetch.to)?;
        self.ground = Some(Ground::new(
            self.fetch.to.to_string_lossy().into_owned(),
            home,
            self.native.settings.digest,
            self.account.tells_each(),
        ));
        Ok(())
    }

    /// Has the files that were found asked for. Whoever takes one lets it wait for the directories of until now.
    fn share_found(&mut self) {
        let found = std::mem::take(&mut self.found);
        self.pool.add(found, self.jobs, self.ground.as_ref().map(Ground::made));
    }

    /// Has the files heard that come behind the part of the walk that has told of them.
    fn hear_found(&mut self) {
        let (parts, links): (Vec<_>, _) =
            std::mem::take(&mut self.found).into_iter().partition(|found| found.link.is_none());
        self.found = links;
        parts.into_iter().rev().for_each(|part| self.asked.push_front(Asked::Part(part)));
    }

    /// Gives a job, and counts it where what follows may need that it is done.
    async fn give_counted(&mut self, job: Job) {
        self.jobs += u64::from(job.makes_room());
        self.give(job).await;
    }

    async fn give(&mut self, job: Job) {
        if let Some(ground) = &mut self.ground {
            ground.give(job, self.account).await;
        }
    }

    fn refused(&mut self, path: &[u8], refused: proto::Failure) -> Result<(), Failure> {
        let failure = self.native.refused_many(refused)?;
        self.account.settle(path);
        self.account.failed(&tree::shown(&self.fetch.from, path), failure);
        Ok(())
    }

    /// Publishes what has come, and gives directories what they are to have if the tree is there.
    async fn finish(&mut self, whole: bool) {
        self.publish().await;
        if whole {
            self.account.left.forget_halves();
        }
        let mut some = Vec::new();
        let mut root = None;
        while whole && let Some((path, note)) = self.directories.pop_back() {
            if path.is_empty() {
                root = Some(noted(&note)).filter(|_| self.fetch.whole);
                continue;
            }
            some.push((path, noted(&note)));
            if some.len() == DIRECTORIES {
                self.give(Job::Attributes(std::mem::take(&mut some))).await;
            }
        }
        self.give(Job::Attributes(some)).await;
        if let Some(ground) = self.ground.take() {
            ground.finish(self.account).await;
            if let Some(root) = root
                && let Err(failure) = tree::set_root(&self.fetch.to, root).await
            {
                self.account.failed(&self.fetch.to.to_string_lossy(), failure);
            }
        }
    }
}
