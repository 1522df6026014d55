//! The connection of a session: made when it is first needed, and again when it was lost.

use secrecy::SecretString;

use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::remote::{Door, Login, Remote, Scheme, Settings, Target};
use crate::trust::Trust;
use crate::{password, terminal};

/// How often a password is asked for.
const TRIES: usize = 3;

/// A connection, or what it takes to make one.
#[derive(Debug)]
pub(crate) struct Link {
    target: Target,
    settings: Settings,
    /// Whom the user trusts; `None` speaks in the clear.
    trust: Option<Trust>,
    /// A password that need not be asked for.
    given: Option<SecretString>,
    /// Who logs in, once that is known.
    login: Option<(String, SecretString)>,
    remote: Option<Remote>,
    /// It was connected in vain as often as it may be: what a file did not get, the tree that it is of does not get either.
    given_up: bool,
    /// Where the user has gone, to go there again with the next connection.
    directory: Option<String>,
}

impl Link {
    /// A link that is not yet made.
    pub(crate) fn new(
        mut target: Target,
        settings: Settings,
        trust: Option<Trust>,
        mut given: Option<SecretString>,
    ) -> Link {
        if target.scheme != Scheme::Native && target.user.is_none() {
            // As classic clients do (RFC 1635): whoever has an account names it.
            target.user = Some("anonymous".into());
            given = Some("anonymous@".into());
        }
        Link { target, settings, trust, given, login: None, remote: None, given_up: false, directory: None }
    }

    /// Whether the server speaks classic FTP.
    pub(crate) fn is_classic(&self) -> bool {
        self.target.scheme != Scheme::Native
    }

    /// Host and directory, as the prompt shows them.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.target.host, self.directory.as_deref().unwrap_or("/"))
    }

    /// Connects, and waits until the server has let the user in.
    pub(crate) async fn enter(&mut self, output: &Output) -> Result<(), Failure> {
        self.remote(output).await?.ready().await
    }

    /// Learns where the user is.
    pub(crate) async fn find_place(&mut self, output: &Output) -> Result<(), Failure> {
        let directory = self.remote(output).await?.pwd().await?;
        self.directory = Some(directory);
        Ok(())
    }

    /// Whether there is a connection, as far as is known.
    pub(crate) fn stands(&self) -> bool {
        self.remote.as_ref().is_some_and(|remote| !remote.is_lost())
    }

    /// Whether another connection may do better than the last one: it was lost by chance, or there was none.
    pub(crate) fn may_try_again(&self) -> bool {
        self.remote.as_ref().is_none_or(Remote::was_cut)
    }

    /// Whether the server has let its user in on the last connection, as far as is known.
    pub(crate) fn was_entered(&self) -> bool {
        self.remote.as_ref().is_some_and(Remote::was_entered)
    }

    /// It is not to be connected again by whoever is at it.
    pub(crate) fn give_up(&mut self) {
        self.given_up = true;
    }

    /// Whether that is so.
    pub(crate) fn is_given_up(&self) -> bool {
        self.given_up
    }

    /// Lets go of a connection that was lost.
    pub(crate) fn forget_lost(&mut self) {
        self.remote.take_if(|remote| remote.is_lost());
    }

    /// How often to connect again in a transfer.
    pub(crate) fn retries(&self) -> u32 {
        self.settings.retries
    }

    /// By what a file of this server is known again: where it is, and for whom.
    pub(crate) fn mark(&self, path: &str) -> Vec<u8> {
        let Target { scheme, user, host, port, .. } = &self.target;
        let user = self.login.as_ref().map(|(user, _)| user).or(user.as_ref());
        let directory = self.directory.as_deref().or(self.target.path.as_deref()).unwrap_or("/");
        let path = if path.starts_with('/') { path.to_owned() } else { format!("{directory}/{path}") };
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        format!("{scheme:?}\0{user:?}\0{host}\0{port:?}\0{}", parts.join("/")).into_bytes()
    }

    /// The connection, made now if there is none.
    pub(crate) async fn remote(&mut self, output: &Output) -> Result<&mut Remote, Failure> {
        if let Some(remote) = &mut self.remote {
            remote.notice();
        }
        if self.remote.as_ref().is_some_and(Remote::is_lost) {
            output.say("the connection was lost; connecting again");
            self.remote = None;
        }
        let remote = match self.remote.take() {
            Some(remote) => remote,
            None => {
                let remote = self.connect(output).await?;
                self.given_up = false;
                remote
            }
        };
        Ok(self.remote.insert(remote))
    }

    /// `cd`.
    pub(crate) async fn change_directory(&mut self, path: &str, output: &Output) -> Result<(), Failure> {
        let directory = self.remote(output).await?.cd(path).await?;
        self.directory = Some(directory);
        Ok(())
    }

    /// `cd..`.
    pub(crate) async fn climb(&mut self, output: &Output) -> Result<(), Failure> {
        let directory = self.remote(output).await?.cd_up().await?;
        self.directory = Some(directory);
        Ok(())
    }

    /// Brings the connection back in step after a command was dropped; gives it up if that fails.
    pub(crate) async fn recover(&mut self) -> Result<(), Failure> {
        // Out of its place meanwhile: if this future is dropped too, the connection goes with it.
        let Some(mut remote) = self.remote.take() else { return Ok(()) };
        remote.recover().await?;
        self.remote = Some(remote);
        Ok(())
    }

    /// Takes leave. The connection may be gone already; then there is nothing to leave.
    pub(crate) async fn quit(&mut self) {
        if let Some(mut remote) = self.remote.take().filter(|remote| !remote.is_lost()) {
            let _ = remote.quit().await;
        }
    }

    /// Ends the connection without a word.
    pub(crate) async fn hang_up(&mut self) {
        if let Some(remote) = self.remote.take() {
            remote.hang_up().await;
        }
    }

    async fn connect(&mut self, output: &Output) -> Result<Remote, Failure> {
        let mut remote = match self.login.clone() {
            Some((user, password)) => {
                let door = self.reach(output).await?;
                Remote::log_in(door, Login { user, password })?
            }
            None => self.log_in(output).await?,
        };
        let began_elsewhere = self.directory.is_none();
        let Some(directory) = self.directory.clone().or_else(|| self.target.path.clone()) else {
            return Ok(remote);
        };
        // Elsewhere, a command could hit what it was not meant for: the user is told, and does it again.
        match remote.cd(&directory).await {
            Ok(there) => {
                self.directory = Some(there);
                Ok(remote)
            }
            Err(failure) if failure.is_final() => Err(failure),
            Err(failure) => {
                let there = if began_elsewhere { "where the login leads to" } else { "in / now" };
                self.directory = None;
                self.target.path = None;
                self.remote = Some(remote);
                let remedy = format!("You are {there}, and the command was not done.");
                // Nobody may be there who is told: what is left of a batch was meant for the directory that was lost.
                let code = if began_elsewhere { failure.code } else { Code::Connection };
                Err(Failure { code, ..failure }.of(&directory).with_remedy(remedy))
            }
        }
    }

    /// The first login: finds the user and the password, and remembers them. Whoever has to type them knows by then that the
    /// server is the right one.
    async fn log_in(&mut self, output: &Output) -> Result<Remote, Failure> {
        let asked = self.target.user.is_none() || self.given.is_none();
        if asked && !terminal::is_there() {
            return Err(self.nobody_to_ask());
        }
        let mut door = Some(self.reach(output).await?);
        let user = match self.target.user.clone() {
            Some(user) => user,
            None => terminal::ask_user(&self.target.host, std::env::var("USER").ok()).await?,
        };
        let mut tries = 1;
        loop {
            let password = match self.given.clone() {
                Some(given) => given,
                None => {
                    let question = format!("Password of {user} at {}: ", self.target.host);
                    terminal::ask_password(question).await?
                }
            };
            let door = match door.take() {
                Some(door) if !asked => door,
                Some(door) => self.again_if_gone(door, output).await?,
                None => self.reach(output).await?,
            };
            let login = Login { user: user.clone(), password: password.clone() };
            let mut remote = Remote::log_in(door, login)?;
            if self.given.is_none() {
                // Otherwise the answer comes with that to the first command.
                match remote.ready().await {
                    Err(failure) if failure.code == Code::Login && tries < TRIES => {
                        output.warn(&failure.to_string());
                        tries += 1;
                        continue;
                    }
                    ready => ready?,
                }
            }
            self.login = Some((user, password));
            return Ok(remote);
        }
    }

    fn nobody_to_ask(&self) -> Failure {
        if self.target.user.is_some() {
            return password::missing();
        }
        Failure::new(Code::Usage, "no user was named, and there is no terminal to ask at")
            .with_remedy(format!("Write USER@{}.", self.target.host))
    }

    /// A connection to a server that is trusted.
    async fn reach(&mut self, output: &Output) -> Result<Door, Failure> {
        let door = Door::open(&self.target, &self.settings, self.trust.as_mut(), output).await?;
        if door.was_asked_about() { self.again_if_gone(door, output).await } else { Ok(door) }
    }

    /// The same connection, or another one if the server did not wait so long for its user.
    async fn again_if_gone(&mut self, mut door: Door, output: &Output) -> Result<Door, Failure> {
        if door.stands() {
            return Ok(door);
        }
        Door::open(&self.target, &self.settings, self.trust.as_mut(), output).await
    }
}
