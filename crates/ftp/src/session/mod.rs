//! One user at one server: what every command does, whoever typed it.

mod again;
mod link;
mod list;
mod local;
mod naming;
mod sync;
mod transfer;
mod tree;

use crate::commands::Command;
use crate::failure::{Code, Failure};
use crate::output::Output;
use crate::progress::Progress;
use crate::remote::Links;
use crate::show::json::Object;
use crate::show::listing::Clock;
use crate::show::{help, json, report};

pub(crate) use link::Link;
pub(crate) use local::home;

/// A user's session. It connects when a command first needs the server.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) link: Link,
    pub(crate) output: Output,
    pub(crate) progress: Progress,
    /// Whether commands come from a terminal, which the shell of `!` then shares.
    pub(crate) interactive: bool,
    /// What becomes of links in trees.
    pub(crate) links: Links,
}

impl Session {
    /// Does `command` and writes what it has to show. A server that hung up while its user was away is called again, once.
    ///
    /// # Errors
    /// What went wrong, without the name of the command.
    pub(crate) async fn run(&mut self, command: &Command) -> Result<(), Failure> {
        let stood = self.link.stands();
        let done = match self.attempt(command).await {
            Err(failure)
                if stood
                    && failure.code == Code::Connection
                    && !self.link.stands()
                    && command.bears_repetition() =>
            {
                self.attempt(command).await
            }
            done => done,
        };
        if self.output.json()
            && let Err(failure) = &done
            && !failure.is_silent()
            && let Some(name) = command.file()
        {
            self.output.print(&json::failed(&name, failure).line())?;
        }
        done
    }

    async fn attempt(&mut self, command: &Command) -> Result<(), Failure> {
        match command {
            Command::Cat(_) | Command::Shell(_) | Command::Help(_) if self.output.json() => {
                Err(Failure::new(Code::Usage, "what this writes is no JSON").with_remedy("Leave --json out."))
            }
            Command::List { path, long } => self.list(path, *long).await,
            Command::ChangeDirectory(path) => self.link.change_directory(path, &self.output).await,
            Command::Climb => self.link.climb(&self.output).await,
            Command::WorkingDirectory => {
                let directory = self.remote().await?.pwd().await?;
                self.print_directory(directory.as_bytes())
            }
            Command::ListTree { path, long } => self.list_tree(path, *long).await,
            Command::GetTree { remote, local } => self.get_tree(remote, local.as_deref()).await,
            Command::PutTree { local, remote } => self.put_tree(local, remote.as_deref()).await,
            Command::GetMany(patterns) => self.get_many(patterns).await,
            Command::PutMany(patterns) => self.put_many(patterns).await,
            Command::RemoveTree(path) => self.remove_tree(path).await,
            Command::Get { remote, local, go_on } => self.get(remote, local.as_deref(), *go_on).await,
            Command::Put { local, remote, go_on } => self.put(local, remote.as_deref(), *go_on).await,
            Command::Sync(sync) => self.sync(sync).await,
            Command::Cat(path) => self.cat(path).await,
            Command::MakeDirectory(path) => self.remote().await?.mkdir(path).await,
            Command::RemoveDirectory(path) => self.remote().await?.rmdir(path).await,
            Command::Remove(path) => self.remote().await?.remove(path).await,
            Command::Rename { from, to } => self.rename(from, to).await,
            Command::Stat(path) => {
                let entry = self.remote().await?.stat(path).await?;
                self.output.print(&if self.output.json() {
                    json::entry(&entry).line()
                } else {
                    report::stat(&entry, &self.output.surface(), &Clock::local())
                })
            }
            Command::Md5(path) => {
                let (_, digest) = self.remote().await?.md5(path).await?;
                self.output.print(&if self.output.json() {
                    Object::default().text("file", path).text("md5", &digest.to_string()).line()
                } else {
                    report::md5(path, &digest, &self.output.surface())
                })
            }
            Command::LocalChangeDirectory(path) => local::change_directory(path.as_deref()),
            Command::LocalWorkingDirectory => self.local_working_directory(),
            Command::LocalList { path, long } => self.local_list(path, *long).await,
            Command::Shell(script) => local::shell(script, self.interactive),
            Command::Help(None) => self.output.print(&help::all()),
            Command::Help(Some(row)) => self.output.print(&help::one(row)),
            Command::Quit => Ok(()),
        }
    }

    /// After the future of a command was dropped: brings the connection back in step, or gives it up.
    pub(crate) async fn recover(&mut self) {
        self.progress.end_tree();
        if let Err(failure) = self.link.recover().await {
            self.output.say(&format!("the connection is lost: {failure}"));
        }
    }

    async fn remote(&mut self) -> Result<&mut crate::remote::Remote, Failure> {
        self.link.remote(&self.output).await
    }

    /// Renames; into `to`, if that is written as a directory or turns out to be one.
    async fn rename(&mut self, from: &str, to: &str) -> Result<(), Failure> {
        let name = naming::last_part(from);
        if to.ends_with('/') {
            return self.remote().await?.rename(from, &naming::into_directory(to, name)).await;
        }
        match self.remote().await?.rename(from, to).await {
            Err(refused) if self.is_refused_directory(&refused, to).await => {
                self.remote().await?.rename(from, &naming::into_directory(to, name)).await
            }
            done => done,
        }
    }

    /// Whether `refused` can be understood from `path` being a directory. Asked only after a refusal, so that a command
    /// that succeeds costs no extra round trip.
    async fn is_refused_directory(&mut self, refused: &Failure, path: &str) -> bool {
        if refused.code != Code::Other {
            return false;
        }
        let Ok(remote) = self.remote().await else { return false };
        remote.stat(path).await.is_ok_and(|entry| entry.kind == store::EntryKind::Directory)
    }

    fn print_directory(&self, name: &[u8]) -> Result<(), Failure> {
        if self.output.json() {
            let name = String::from_utf8_lossy(name);
            return self.output.print(&Object::default().text("directory", &name).line());
        }
        self.output.print(&format!("{}\n", self.output.surface().name(name)))
    }
}
