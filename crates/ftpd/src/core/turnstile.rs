//! Who may have a password hashed, and when: few at a time, those first who failed least, and those who failed much one after
//! the other.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

use super::failures::Failures;
use super::source::Source;

/// The longest gap between two attempts from one address.
const ADDRESS: Duration = Duration::from_secs(1);

/// The longest gap between two attempts from one address for one user.
const PAIR: Duration = Duration::from_secs(2);

/// The longest that an attempt waits because of what others, elsewhere, did to its user.
const USER: Duration = Duration::from_millis(250);

/// When more than this wait, nobody waits because of what others did to a user: the crowd is slow enough, and who waits in one
/// may have to go.
const CROWD: usize = 32;

/// Lets login attempts through to the hash of their password.
///
/// Failures are remembered by address, by user and by both; names that nobody has are treated as any others. After three, the
/// attempts of an address are let through with a gap between them that grows, and likewise those for one user from one address.
/// For one user from all addresses together there is no gap, or a stranger could keep the user out: each attempt waits for a
/// moment by itself. Of those that wait, the first is who failed least for this user from this address, then from this
/// address, connections that came to nothing included, then in this session; then who came last, who is the least likely to have
/// given up.
#[derive(Debug)]
pub(super) struct Turnstile {
    inside: Mutex<Inside>,
    names: RandomState,
}

#[derive(Debug)]
struct Inside {
    most: usize,
    busy: usize,
    next: u64,
    waiting: BTreeMap<u64, Waiting>,
    addresses: Failures<Source>,
    users: Failures<u64>,
    pairs: Failures<(Source, u64)>,
    /// When somebody's gap is over, and what looks then who is next.
    alarm: Option<(Instant, AbortHandle)>,
}

#[derive(Debug)]
struct Waiting {
    attempt: Attempt,
    not_before: Instant,
    turn: oneshot::Sender<Turn>,
}

#[derive(Clone, Copy, Debug)]
struct Attempt {
    source: Source,
    /// A number for the name: names can be long.
    user: u64,
    tries: u32,
    vain: f64,
}

/// The right to have one password hashed; dropping it lets the next one through.
#[derive(Debug)]
pub(super) struct Turn {
    turnstile: Arc<Turnstile>,
    attempt: Attempt,
}

/// Who waits no more, because the session is gone.
struct Leaving<'a>(&'a Arc<Turnstile>, u64);

impl Turnstile {
    /// Lets up to `most` through at a time.
    pub(super) fn new(most: usize) -> Arc<Turnstile> {
        let inside = Inside {
            most,
            busy: 0,
            next: 0,
            waiting: BTreeMap::new(),
            addresses: Failures::new(ADDRESS),
            users: Failures::new(USER),
            pairs: Failures::new(PAIR),
            alarm: None,
        };
        Arc::new(Turnstile { inside: Mutex::new(inside), names: RandomState::new() })
    }

    /// Lets up to `most` through at a time from now on.
    pub(super) fn set_most(self: &Arc<Turnstile>, most: usize) {
        self.inside().most = most;
        self.let_through();
    }

    /// Waits for its turn, in a session that failed `tries` times so far, from a source of which `vain` connections came to
    /// nothing lately. Who stops waiting is forgotten.
    pub(super) async fn turn(
        self: &Arc<Turnstile>,
        source: Source,
        user: &str,
        tries: u32,
        vain: f64,
    ) -> Turn {
        let (turn, came) = oneshot::channel();
        let attempt = Attempt { source, user: self.names.hash_one(user), tries, vain };
        let number = {
            let mut inside = self.inside();
            let (number, now) = (inside.next, Instant::now());
            inside.next += 1;
            let not_before = now + inside.users.gap(&attempt.user, now);
            inside.waiting.insert(number, Waiting { attempt, not_before, turn });
            number
        };
        let _leaving = Leaving(self, number);
        self.let_through();
        came.await.expect("only a turn that was sent, or who leaves, takes it out of the waiting")
    }

    /// Gives turns to whoever may have one.
    fn let_through(self: &Arc<Turnstile>) {
        let mut unheard = Vec::new(); // dropped behind the lock: each lets the next one through
        let mut inside = self.inside();
        let now = Instant::now();
        while inside.busy < inside.most
            && let Some(Waiting { attempt, turn, .. }) = inside.take_first(now)
        {
            inside.busy += 1;
            inside.addresses.pass(&attempt.source, now);
            inside.pairs.pass(&attempt.pair(), now);
            unheard.extend(turn.send(Turn { turnstile: self.clone(), attempt }).err());
        }
        if inside.busy < inside.most
            && let Some(next) = inside.waiting.values().map(|waiting| inside.ready(waiting, now)).min()
        {
            self.look_again(&mut inside, next);
        }
        drop(inside);
        drop(unheard);
    }

    fn look_again(self: &Arc<Turnstile>, inside: &mut Inside, at: Instant) {
        if inside.alarm.as_ref().is_some_and(|(set, _)| *set <= at) {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return }; // the server ends
        let turnstile = self.clone();
        let alarm = runtime.spawn(async move {
            sleep_until(at).await;
            turnstile.inside().alarm = None;
            turnstile.let_through();
        });
        if let Some((_, later)) = inside.alarm.replace((at, alarm.abort_handle())) {
            later.abort();
        }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    /// When the gaps before an attempt are over.
    fn ready(&self, Waiting { attempt, not_before, .. }: &Waiting, now: Instant) -> Instant {
        let address = self.addresses.ready(&attempt.source, now);
        let pair = self.pairs.ready(&attempt.pair(), now);
        let user = if self.waiting.len() > CROWD { now } else { *not_before };
        [address, pair].into_iter().flatten().fold(user, Instant::max)
    }

    fn take_first(&mut self, now: Instant) -> Option<Waiting> {
        let ready = self.waiting.iter().filter(|(_, waiting)| self.ready(waiting, now) <= now);
        let ranked = ready.map(|(number, Waiting { attempt, .. })| {
            let pair = self.pairs.count(&attempt.pair(), now);
            let address = self.addresses.count(&attempt.source, now) + attempt.vain;
            (pair, address, attempt.tries, Reverse(*number))
        });
        let first = ranked.min_by(|a, b| {
            a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)).then_with(|| (a.2, a.3).cmp(&(b.2, b.3)))
        });
        let (.., Reverse(number)) = first?;
        self.waiting.remove(&number)
    }
}

impl Attempt {
    fn pair(&self) -> (Source, u64) {
        (self.source, self.user)
    }
}

impl Turn {
    /// Takes note of what came of the attempt. A login that succeeds clears its user at its address, but not the address: else
    /// who has one account could guess at the others without a gap.
    pub(super) fn end(self, succeeded: bool) {
        let mut inside = self.turnstile.inside();
        let now = Instant::now();
        if succeeded {
            inside.pairs.forget(&self.attempt.pair());
        } else {
            inside.addresses.fail(self.attempt.source, now);
            inside.users.fail(self.attempt.user, now);
            inside.pairs.fail(self.attempt.pair(), now);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turnstile.inside().busy -= 1;
        self.turnstile.let_through();
    }
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        let Leaving(turnstile, number) = self;
        let left = turnstile.inside().waiting.remove(number);
        drop(left);
    }
}

#[cfg(test)]
mod tests;
