//! Transfers that outlive their connections: what was lost is connected again, and the transfer goes on where it stopped.

mod trees;

use std::path::Path;
use std::time::Duration;

use digest::BLOCK;
use tokio::time::{Instant, sleep};

use super::{Link, Session};
use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::progress::Progress;
use crate::remote::{Course, LARGE, Receipt};
use crate::show::human;

pub(super) use trees::{Tree, TreeTries, carry_tree};

/// The wait before the first try, doubled with each, up to the last.
const WAITS: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// The tries of something that outlives its connections.
#[derive(Debug, Default)]
pub(super) struct Tries {
    /// Since something was gained.
    vain: u32,
    /// It was tried on a connection that may have been dead before.
    afresh: bool,
}

/// How a try came to its end.
pub(super) struct Ended {
    /// There was a connection when it began.
    pub(super) stood: bool,
    /// It was in the middle by then.
    pub(super) begun: bool,
    /// More is done than when something was gained last.
    pub(super) gained: bool,
    /// How far it is.
    pub(super) at: String,
}

/// One file on its way.
struct Carrying {
    course: Course,
    tries: Tries,
    /// What was there when something was gained last.
    kept: u64,
}

/// Which way a file goes, and where it is or shall be here.
#[derive(Clone, Copy)]
pub(super) enum Way<'a> {
    Here(&'a Path),
    There(&'a Path),
}

impl Session {
    /// Fetches a file, over as many connections as it takes.
    pub(super) async fn fetch(&mut self, path: &str, place: &Path, go_on: bool) -> Result<Receipt, Failure> {
        self.carry(path, Way::Here(place), go_on).await
    }

    /// Brings a file, over as many connections as it takes.
    pub(super) async fn bring(&mut self, local: &Path, path: &str, go_on: bool) -> Result<Receipt, Failure> {
        self.carry(path, Way::There(local), go_on).await
    }

    async fn carry(&mut self, path: &str, way: Way<'_>, go_on: bool) -> Result<Receipt, Failure> {
        let carried = carry(&mut self.link, &self.output, &self.progress, path, way, go_on).await;
        carried.map(|(receipt, _)| receipt)
    }
}

/// Moves a file, over as many connections as it takes. With its receipt, the bytes that were moved, some of them perhaps in vain.
pub(super) async fn carry(
    link: &mut Link,
    output: &Output,
    progress: &Progress,
    path: &str,
    way: Way<'_>,
    go_on: bool,
) -> Result<(Receipt, u64), Failure> {
    let began = Instant::now();
    let (mut file, mut moved) = (Carrying::of(link, path, go_on), 0);
    loop {
        let stood = link.stands();
        let done = match (link.remote(output).await, way) {
            (Ok(remote), Way::Here(place)) => remote.get_on(path, place, &mut file.course, progress).await,
            (Ok(remote), Way::There(local)) => remote.put_on(local, path, &mut file.course, progress).await,
            (Err(failure), _) => Err(failure),
        };
        progress.end();
        moved += file.course.count();
        progress.aside(|| file.tell(output));
        match done {
            Ok(receipt) => {
                let moved = if file.course.begun { moved } else { receipt.size };
                return Ok((file.course.receipt(receipt, began.elapsed()), moved));
            }
            Err(failure) => match (file.again(failure, stood, link, (output, progress)).await, way) {
                (Ok(()), _) => {}
                (Err(failure), Way::Here(place)) => return Err(file.left_here(failure, place)),
                (Err(failure), Way::There(_)) => return Err(file.left_there(failure)),
            },
        }
    }
}

impl Tries {
    /// Waits for the next try; the failure, if there is none.
    pub(super) async fn again(
        &mut self,
        failure: Failure,
        ended: Ended,
        link: &mut Link,
        tell: impl FnOnce(&str),
    ) -> Result<(), Failure> {
        if failure.code != Code::Connection || link.stands() || !link.may_try_again() || link.is_given_up() {
            return Err(failure);
        }
        if !ended.begun {
            // The server hung up while its user was away: it is called again, once.
            let again = ended.stood && !std::mem::replace(&mut self.afresh, true);
            return if again { Ok(()) } else { Err(failure) };
        }
        if ended.gained {
            self.vain = 0;
        }
        if self.vain >= link.retries() {
            let vain = if self.vain == 0 { String::new() } else { format!(" ({} tries in vain)", self.vain) };
            link.give_up();
            return Err(Failure { message: failure.message + &vain, ..failure });
        }
        tell(&format!("{}; trying again at {}", failure.message, ended.at));
        sleep((WAITS.0 * 2_u32.saturating_pow(self.vain)).min(WAITS.1)).await;
        self.vain += 1;
        link.forget_lost();
        Ok(())
    }
}

impl Carrying {
    fn of(link: &Link, path: &str, go_on: bool) -> Carrying {
        Carrying { course: Course::new(link.mark(path), go_on), tries: Tries::default(), kept: 0 }
    }

    fn tell(&mut self, output: &Output) {
        self.course.take_notes().iter().for_each(|note| output.say(note));
    }

    async fn again(
        &mut self,
        failure: Failure,
        stood: bool,
        link: &mut Link,
        (output, progress): (&Output, &Progress),
    ) -> Result<(), Failure> {
        let Course { begun, kept, .. } = self.course;
        let ended =
            Ended { stood, begun, gained: kept > self.kept, at: format!("{} %", self.course.percent()) };
        self.tries.again(failure, ended, link, |words| progress.aside(|| output.say(words))).await?;
        self.kept = self.kept.max(kept);
        self.course.go_on |= begun;
        Ok(())
    }

    /// The failure of a get, which says what is kept.
    fn left_here(&self, failure: Failure, place: &Path) -> Failure {
        let kept = self.course.kept;
        if kept < BLOCK as u64 || self.course.size < LARGE {
            return failure;
        }
        let more =
            format!("{} of {} are kept: get -c goes on from there.", human::size(kept), place.display());
        let remedy = failure.remedy.iter().cloned().chain([more]).collect::<Vec<_>>().join(" ");
        failure.with_remedy(remedy)
    }

    /// The failure of a put, which says that something may be kept.
    fn left_there(&self, failure: Failure) -> Failure {
        let lost = failure.code == Code::Connection && self.course.begun;
        if !lost {
            return failure;
        }
        failure.with_remedy("What the server has is kept for a while: put -c goes on from there.")
    }
}
