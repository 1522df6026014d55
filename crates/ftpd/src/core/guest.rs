//! Somebody who has connected and is not logged in: a place that may be lost, and a time that ends.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use secrecy::SecretString;
use store::HomePath;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};

use super::accounts::Account;
use super::doorstep::Place;
use super::source::Source;
use super::tickets::Given;
use super::{Core, Refusal, Session};
use crate::password;

/// Whose failures those of tickets count as: no account has that name.
const NOBODY: &str = "";

/// A connection on which nobody is logged in.
#[derive(Debug)]
pub struct Guest {
    core: Arc<Core>,
    address: IpAddr,
    source: Source,
    place: Place,
    deadline: Instant,
    failed: AtomicU32,
}

impl Guest {
    pub(super) fn new(core: Arc<Core>, address: IpAddr) -> Result<Guest, Refusal> {
        let (source, limits) = (Source::from(address), core.limits());
        core.admission.check(source, &limits)?;
        let place = core.doorstep.enter(source, limits.half_open);
        let deadline = Instant::now() + limits.login_deadline;
        Ok(Guest { core, address, source, place, deadline, failed: AtomicU32::new(0) })
    }

    /// Does all that leads to a login, or part of it: the deadline is one for everything since the connection came.
    ///
    /// # Errors
    /// [`Refusal::Late`] at the deadline; [`Refusal::Crowded`] when the place goes to somebody else. `work` is dropped then.
    pub async fn within<T>(&self, work: impl Future<Output = T>) -> Result<T, Refusal> {
        tokio::select! {
            biased;
            done = work => Ok(done),
            () = self.place.closed() => Err(Refusal::Crowded),
            () = sleep_until(self.deadline) => Err(Refusal::Late),
        }
    }

    /// Does what ends the connection, if the place is not needed meanwhile. When somebody is logged in, it never is.
    pub async fn parting(&self, work: impl Future<Output = ()>) {
        tokio::select! {
            biased;
            () = work => {}
            () = self.place.closed() => {}
        }
    }

    /// Begins the session of `user`. The work, the words and the wait are the same whether the name or the password is wrong.
    /// Who needs no password has nothing to guess, and does not wait for those who have.
    ///
    /// # Errors
    /// [`Refusal::BadLogin`]; [`Refusal::TooManySessions`] if there is no place for one more.
    pub async fn login(&self, user: &str, password: SecretString) -> Result<Session, Refusal> {
        let Guest { core, source, place, failed, .. } = self;
        if let Some(account) = core.rules().accounts.find(user)
            && account.password.is_none()
        {
            return self.admit(account.clone(), HomePath::root());
        }
        let vain = place.asks(*source);
        let turn = core.turnstile.turn(*source, user, failed.load(Ordering::Relaxed), vain).await;
        let rules = core.rules(); // as they are when the turn has come
        let account = rules.accounts.find(user).cloned();
        let verified = spawn_blocking(move || {
            let verified = match account.as_deref() {
                Some(Account { password: Some(hash), recent, .. }) => recent.verify(&password, hash),
                Some(_) => true,
                None => password::verify(&password, &rules.nobody),
            };
            let account = account.filter(|_| verified);
            turn.end(account.is_some()); // also when the session is gone meanwhile
            account
        });
        match verified.await {
            Ok(Some(account)) => self.admit(account, HomePath::root()),
            Ok(None) => {
                failed.fetch_add(1, Ordering::Relaxed);
                Err(Refusal::BadLogin)
            }
            Err(_) => Err(Refusal::Failed),
        }
    }

    /// Begins another session of whoever was given the ticket with this word, where that one was then. A wrong word is a failed
    /// login, and waits its turn as one; a right one is no guess, and waits for nobody.
    ///
    /// # Errors
    /// [`Refusal::BadTicket`]; [`Refusal::TooManySessions`] if there is no place for one more.
    pub async fn enter(&self, word: &[u8; 32]) -> Result<Session, Refusal> {
        let Guest { core, address, source, place, failed, .. } = self;
        if let Some(Given { account, directory, .. }) = core.tickets.take(word, *address)
            && let Some(now) = core.rules().accounts.find(&account.name)
            && now.is_as(&account)
        {
            return self.admit(now.clone(), directory);
        }
        let vain = place.asks(*source);
        let turn = core.turnstile.turn(*source, NOBODY, failed.load(Ordering::Relaxed), vain).await;
        turn.end(false);
        failed.fetch_add(1, Ordering::Relaxed);
        Err(Refusal::BadTicket)
    }

    /// Lets somebody in who has shown what an account asks for.
    fn admit(&self, account: Arc<Account>, directory: HomePath) -> Result<Session, Refusal> {
        let Guest { core, address, source, place, .. } = self;
        let permit = core.admission.admit(*source, &core.limits())?;
        place.leave();
        Ok(Session::new(core, account, directory, permit, *address))
    }
}
