//! `sync`: makes a place like another one. Both are listed, a plan is made, and what is left of it is done.

mod act;
mod ends;
mod instead;
mod list;
mod plan;
mod rules;
mod show;
mod summary;
mod there;

use std::time::Instant;

use self::act::Act;
use self::ends::{Direction, Ends};
use self::plan::{Plan, Planner};
use self::rules::Rules;
use self::summary::Summary;
use self::there::There;
use super::again::TreeTries;
use super::{Link, Session};
use crate::commands::Sync;
use crate::failure::{Code, Failure};
use crate::remote::{Account, Links, Remote};
use crate::show::human;
use crate::terminal;

/// A `sync` under way, over as many connections as it takes.
struct Syncing<'a> {
    sync: &'a Sync,
    rules: Rules,
    ends: &'a Ends,
    links: Links,
    /// What the first comparison found to be done.
    first: Option<Summary>,
    /// Blocks that were moved on connections that were lost, and blocks that those files have.
    blocks: (u64, u64),
    /// Files and directories that its user agreed to have removed.
    agreed: (u64, u64),
    /// Something may have been done.
    acted: bool,
}

/// What came of it.
struct Synced {
    summary: Summary,
    kept_back: bool,
    skipped: u64,
    led_out: u64,
}

impl Session {
    /// Makes a directory, or a file, like another one.
    pub(super) async fn sync(&mut self, sync: &Sync) -> Result<(), Failure> {
        let began = Instant::now();
        if sync.delete && !sync.yes && !sync.dry_run && !terminal::is_there() {
            return Err(Failure::new(Code::Usage, "--delete asks, and there is no terminal to ask at")
                .with_remedy("--yes deletes without asking; -n shows what would be deleted."));
        }
        let rules = Rules::new(&sync.rules)?;
        let stood = self.link.stands();
        let ends = match Ends::find(self, &sync.way).await {
            // The server hung up while its user was away.
            Err(lost) if stood && lost.code == Code::Connection && !self.link.stands() => {
                Ends::find(self, &sync.way).await?
            }
            ends => ends?,
        };
        let mut account = Account::open(&ends.destination(), &self.output, &self.progress);
        account.hide();
        let mut syncing = Syncing {
            sync,
            rules,
            ends: &ends,
            links: self.links,
            first: None,
            blocks: (0, 0),
            agreed: (0, 0),
            acted: false,
        };
        let mut tries = TreeTries::of(&account);
        let Synced { mut summary, kept_back, skipped, led_out } = loop {
            let stood = self.link.stands();
            let failure = match syncing.once(&mut self.link, &mut account).await {
                Ok(synced) => break synced,
                Err(failure) => failure,
            };
            match tries.again(failure, stood, &mut self.link, &account).await {
                Ok(()) => account.again_from_the_start(),
                Err(failure) if !syncing.acted => {
                    account.cancel();
                    return Err(failure);
                }
                Err(failure) => {
                    let failure = account.cut(failure, "moved");
                    return Err(if failure.code == Code::Connection {
                        go_on_later(failure)
                    } else {
                        failure
                    });
                }
            }
        };
        account.hide();
        if skipped > 0 && !self.output.json() {
            self.output.say(&format!("{} links left out", human::count(skipped)));
        }
        if kept_back {
            self.output.warn("nothing was deleted, since not everything could be listed");
        }
        summary.moved = account.moved;
        summary.failed = account.failed;
        summary.elapsed = began.elapsed();
        summary.left_out = skipped + led_out;
        if !self.output.json() {
            self.output.say(&summary.words());
        }
        if let Some(unheard) = account.unheard() {
            return Err(unheard);
        }
        if self.output.json() {
            self.output.print(&summary.json())?;
        }
        match (summary.failed, kept_back) {
            (0, false) => Ok(()),
            (0, true) => Err(Failure::new(Code::PartFailed, "nothing was deleted")
                .with_remedy("Find out above what could not be listed.")),
            (failed, _) => Err(Failure::new(
                Code::PartFailed,
                format!("{} of {} could not be done", human::count(failed), human::count(summary.of())),
            )),
        }
    }
}

impl Syncing<'_> {
    /// Compares, and does what is to be done.
    async fn once(&mut self, link: &mut Link, account: &mut Account<'_>) -> Result<Synced, Failure> {
        let Syncing { sync, ends, .. } = *self;
        let (output, progress) = (account.output(), account.progress());
        let plan = self.compare(link.remote(output).await?, account).await?;
        let (sums, kept_back) = (plan.sums(), sync.delete && plan.incomplete);
        let (skipped, led_out) = (plan.skipped, plan.led_out);
        if sync.dry_run {
            let summary = show::plan(plan, ends, account, output)?;
            return Ok(Synced { summary, kept_back, skipped, led_out });
        }
        if !sync.yes && (plan.removed.0 > self.agreed.0 || plan.removed.1 > self.agreed.1) {
            if !agreed(&plan, ends).await? {
                let done = if self.acted { "nothing more was done" } else { "nothing was done" };
                return Err(Failure::new(Code::Other, done)
                    .with_remedy("-n shows what would be; without --delete nothing is deleted."));
            }
            self.agreed = plan.removed;
        }
        self.acted = true;
        let first = self.first.get_or_insert_with(|| sums.clone());
        let mut act = Act::new(link, output, progress, ends, account);
        let done = act.all(plan).await;
        let mut summary = act.summary();
        let blocks = (self.blocks.0 + summary.blocks.0, self.blocks.1 + summary.blocks.1);
        (summary.blocks, self.blocks) = (blocks, blocks);
        done?;
        summary.complete(first, &sums);
        Ok(Synced { summary, kept_back, skipped, led_out })
    }

    /// Finds out what is to be done.
    async fn compare(&self, remote: &mut Remote, account: &mut Account<'_>) -> Result<Plan, Failure> {
        let Syncing { sync, ref rules, ends, .. } = *self;
        let there = stands(remote, ends, rules).await?;
        let missing = there.missing && !ends.single && ends.direction == Direction::Put;
        let mut planner = Planner::new(rules.clone(), there, sync.checksum, sync.delete);
        meet(remote, ends, self.links, &mut planner).await?;
        let (unsure, bytes) = planner.unsure();
        account.progress().begin(&ends.destination(), bytes);
        let compared = remote
            .compare_roots((&ends.local, &ends.remote), unsure, account, &mut |path, noted, same| {
                planner.settle(path, &noted, same);
            })
            .await;
        account.progress().end();
        compared?;
        if missing && !sync.dry_run {
            // Without it, nothing could come of the rest.
            remote.mkdir(&ends.remote).await.map_err(|failure| failure.of(&ends.remote))?;
        }
        Ok(planner.finish())
    }
}

/// What its user can do after a connection was lost.
fn go_on_later(failure: Failure) -> Failure {
    let again = "What is done is not done again: run it once more.";
    let remedy: Vec<&str> = failure.remedy.iter().map(String::as_str).chain([again]).collect();
    let remedy = remedy.join(" ");
    failure.with_remedy(remedy)
}

/// What stands at the destination.
async fn stands(remote: &mut Remote, ends: &Ends, rules: &Rules) -> Result<There, Failure> {
    if ends.single {
        return ends.stands_single(remote).await;
    }
    match ends.direction {
        Direction::Get => {
            let to = ends.local.clone();
            let rules = rules.clone();
            crate::remote::on_disk(move || list::local(&to, &rules)).await
        }
        Direction::Put => list::remote(remote, &ends.remote, rules).await,
    }
}

/// Has the planner meet what the source has.
async fn meet(remote: &mut Remote, ends: &Ends, links: Links, planner: &mut Planner) -> Result<(), Failure> {
    if ends.single {
        planner.meet(b"", ends.source.as_ref().expect("of one file, it is known"));
        return Ok(());
    }
    match ends.direction {
        Direction::Get => list::meet_remote(remote, &ends.remote, links, planner).await,
        Direction::Put => {
            let from = ends.local.clone();
            let mut moved = std::mem::replace(planner, Planner::empty());
            let met = crate::remote::on_disk(move || {
                list::meet_local(&from, links, &mut moved)?;
                Ok(moved)
            });
            *planner = met.await?;
            Ok(())
        }
    }
}

/// Whether its user wants removed what would be.
async fn agreed(plan: &Plan, ends: &Ends) -> Result<bool, Failure> {
    let of = |count: u64, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        count => Some(format!("{} {many}", human::count(count))),
    };
    let (files, directories) = plan.removed;
    let what = [of(files, "file", "files"), of(directories, "directory", "directories")];
    let what: Vec<String> = what.into_iter().flatten().collect();
    if what.is_empty() {
        return Ok(true);
    }
    let place = store::escaped(ends.destination().as_bytes()).to_string();
    let answer = terminal::ask_line(format!("delete {} at {place}? [y/N] ", what.join(" and "))).await?;
    Ok(answer.is_some_and(|answer| matches!(answer.to_lowercase().as_str(), "y" | "yes")))
}
