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
use self::there::There;
use super::Session;
use crate::commands::Sync;
use crate::failure::{Code, Failure};
use crate::remote::{Account, Remote};
use crate::show::human;
use crate::terminal;

impl Session {
    /// Makes a directory, or a file, like another one.
    pub(super) async fn sync(&mut self, sync: &Sync) -> Result<(), Failure> {
        let began = Instant::now();
        if sync.delete && !sync.yes && !sync.dry_run && !terminal::is_there() {
            return Err(Failure::new(Code::Usage, "--delete asks, and there is no terminal to ask at")
                .with_remedy("--yes deletes without asking; -n shows what would be deleted."));
        }
        let rules = Rules::new(&sync.rules)?;
        let ends = Ends::find(self, &sync.way).await?;
        let mut account = Account::open(&ends.destination(), &self.output, &self.progress);
        account.hide();
        let plan = {
            let remote = self.link.remote(&self.output).await?;
            let there = stands(remote, &ends, &rules).await?;
            let missing = there.missing && !ends.single && ends.direction == Direction::Put;
            let mut planner = Planner::new(rules, there, sync.checksum, sync.delete);
            meet(remote, &ends, self.links, &mut planner).await?;
            let (unsure, bytes) = planner.unsure();
            self.progress.begin(&ends.destination(), bytes);
            let compared = remote
                .compare_roots((&ends.local, &ends.remote), unsure, &mut account, &mut |path, noted, same| {
                    planner.settle(path, &noted, same);
                })
                .await;
            self.progress.end();
            compared?;
            if missing && !sync.dry_run {
                // Without it, nothing could come of the rest.
                remote.mkdir(&ends.remote).await.map_err(|failure| failure.of(&ends.remote))?;
            }
            planner.finish()
        };
        if !sync.dry_run && !sync.yes && !agreed(&plan, &ends).await? {
            account.cancel();
            return Err(Failure::new(Code::Other, "nothing was done")
                .with_remedy("-n shows what would be; without --delete nothing is deleted."));
        }
        let kept_back = sync.delete && plan.incomplete;
        let (skipped, led_out) = (plan.skipped, plan.led_out);
        let mut summary = if sync.dry_run {
            show::plan(plan, &ends, &mut account, &self.output)?
        } else {
            let mut act = Act::new(&mut self.link, &self.output, &self.progress, &ends, &mut account);
            match act.all(plan).await {
                Ok(()) => act.summary(),
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
async fn meet(
    remote: &mut Remote,
    ends: &Ends,
    links: crate::remote::Links,
    planner: &mut Planner,
) -> Result<(), Failure> {
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
