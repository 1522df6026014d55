//! A tree going away: what is in a directory before the directory itself, many at once.

use std::collections::VecDeque;

use proto::{Command, Kind, Message, Reply};
use store::EntryKind;

use super::super::Native;
use super::{Whole, Window, too_many};
use crate::failure::Failure;
use crate::remote::tree::{self, Account, Paths, below};

/// What a path is, noted beside it.
const DIRECTORY: &[u8] = b"d";

impl Native {
    /// Removes a file, a link itself, or a directory with all that is in it.
    pub(in crate::remote) async fn remove_tree(
        &mut self,
        path: &str,
        account: &mut Account<'_>,
    ) -> Result<(), Failure> {
        self.begin_many().await?;
        let whole = self.remove_all(path, account).await;
        self.end_many(whole)
    }

    async fn remove_all(&mut self, path: &str, account: &mut Account<'_>) -> Whole {
        // A link to a directory must not be entered; asked as a file, it goes itself.
        self.ask(&Command::Remove { path: path.into() });
        self.flush_many().await?;
        match self.answer().await? {
            Message::Reply(Reply::Done) => {
                account.done(0);
                return Ok(Ok(()));
            }
            Message::Reply(Reply::Refused(refused)) if refused.kind == Kind::IsDirectory => {}
            Message::Reply(Reply::Refused(refused)) => return self.refused_many(refused).map(Err),
            _ => return self.out_of_turn(),
        }
        let all = match self.walk_all(path, account).await? {
            Ok(all) => all,
            Err(refused) => return Ok(Err(refused)),
        };
        self.remove_backwards(path, all, account).await?;
        Ok(Ok(()))
    }

    /// All that lies beneath a directory, and itself.
    async fn walk_all(
        &mut self,
        path: &str,
        account: &mut Account<'_>,
    ) -> Result<Result<Paths, Failure>, Failure> {
        self.ask(&Command::Walk { path: path.into() });
        self.flush_many().await?;
        match self.answer().await? {
            Message::Reply(Reply::Listing) => {}
            Message::Reply(Reply::Refused(refused)) => return self.refused_many(refused).map(Err),
            _ => return self.out_of_turn(),
        }
        let mut all = Paths::default();
        loop {
            let branch = match self.answer().await? {
                Message::Branch(branch) => self.branch(branch)?,
                Message::Abort(abort) => return self.refused_many(abort.failure).map(Err),
                _ => return self.out_of_turn(),
            };
            for found in branch.found {
                let note = if found.kind == EntryKind::Directory { DIRECTORY } else { b"" };
                all.push(&found.path, note);
            }
            too_many(all.bytes(), "Remove its directories one by one.")?;
            for missed in branch.missed {
                account.failed(&tree::shown(path, &missed.path), missed.failure);
            }
            if branch.last {
                return Ok(Ok(all));
            }
        }
    }

    /// Removes them, the last first: a directory comes after all that is in it.
    async fn remove_backwards(
        &mut self,
        root: &str,
        mut all: Paths,
        account: &mut Account<'_>,
    ) -> Result<(), Failure> {
        let (mut window, mut asked) = (Window::beneath(root), VecDeque::new());
        loop {
            if window.is_low() {
                while window.is_open()
                    && let Some((path, note)) = all.pop_back()
                {
                    let place = below(root, &path);
                    let directory = note == DIRECTORY;
                    self.ask(&match directory {
                        true => Command::Rmdir { path: place },
                        false => Command::Remove { path: place },
                    });
                    window.sent(&path);
                    asked.push_back((path, directory));
                }
            }
            let Some((path, directory)) = asked.pop_front() else { return Ok(()) };
            self.flush_many().await?;
            match self.answer().await? {
                Message::Reply(Reply::Done) if directory => account.directory_done(),
                Message::Reply(Reply::Done) => account.done(0),
                Message::Reply(Reply::Refused(refused)) => {
                    let failure = self.refused_many(refused)?;
                    account.failed(&tree::shown(root, &path), failure);
                }
                _ => return self.out_of_turn(),
            }
            window.answered(&path);
        }
    }
}
