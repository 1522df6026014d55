//! A tree going: directories and files are sent back to back, and what the server says of them is heard as it comes.

mod ahead;
mod directories;
mod help;
mod large;
mod place;
mod target;

use std::collections::{HashSet, VecDeque};

use digest::BLOCK;
use proto::{Access, Command, Kind, Message, Reply};
use tokio::sync::mpsc::Receiver;
use tokio::sync::watch;

use super::super::Native;
use super::read::{Asked, Packet, begin, begin_again, begin_for_many};
use super::{Whole, Window};
use crate::failure::{Code, Failure};
use crate::remote::Verified;
use crate::remote::tree::{self, Account, Bring, Links, Paths, Source, Steps, below, note};

/// A tree under way.
struct Putting<'a, 'b> {
    native: &'a mut Native,
    bring: &'a Bring,
    /// What leads there in commands.
    to: &'a str,
    /// Where the session was before it went to where the tree goes.
    origin: Option<Vec<u8>>,
    account: &'a mut Account<'b>,
    asked: VecDeque<Asked>,
    window: Window,
    /// Directories in the order in which they were asked for, with what they are to have.
    directories: Paths,
    /// Those among them that are none.
    none: HashSet<Vec<u8>>,
    /// Why the directory is not there that all is to come into.
    nowhere: Option<Failure>,
    /// What could not be sent since it is in doubt whether that directory is one.
    doubtful: Option<Vec<(Vec<u8>, Failure)>>,
    /// The data of a large file are under way.
    amid: bool,
    /// How many of them have gone.
    went: u64,
    /// What is to be asked behind them.
    later: Vec<(Command, Asked)>,
    /// How many commands are answered that make room for files.
    answered: watch::Sender<u64>,
}

impl Native {
    /// Brings a tree.
    pub(in crate::remote) async fn put_tree(
        &mut self,
        bring: &Bring,
        links: Links,
        account: &mut Account<'_>,
    ) -> Result<(), Failure> {
        let (root, only) = (bring.from.clone(), bring.only.clone());
        let source = crate::remote::disk::on_disk(move || Source::open(&root, links, only)).await?;
        let _ahead = ahead::count(bring, links, account.progress());
        self.put_source(source, bring, account).await
    }

    /// Does steps at the server.
    pub(in crate::remote) async fn put_steps(
        &mut self,
        bring: &Bring,
        steps: Steps,
        account: &mut Account<'_>,
    ) -> Result<(), Failure> {
        self.put_source(Source::of_steps(&bring.from, steps), bring, account).await
    }

    async fn put_source(
        &mut self,
        source: Source,
        bring: &Bring,
        account: &mut Account<'_>,
    ) -> Result<(), Failure> {
        let bring = &self.placed(bring, account).await?;
        self.put_halves(bring, account).await?;
        let to = leading_to(bring).to_owned();
        let (algorithm, settled) = (self.settings.digest, account.left.settled.known());
        let more = self.settings.lanes_of_tree() - 1;
        let (invitations, missing) =
            if more > 0 { self.invitations(more).await? } else { Default::default() };
        if let Some(why) = missing {
            account.note(&super::super::crew::fewer(&why));
        }
        self.begin_many().await?;
        let whole = if invitations.is_empty() {
            let packets = begin(source, settled, to, algorithm);
            let mut putting = Putting::new(self, bring, account);
            let whole = putting.run(packets).await;
            putting.leave().await;
            whole
        } else {
            let (packets, pieces) = begin_for_many(source, settled, to, algorithm);
            let mut putting = Putting::new(self, bring, account);
            let whole = putting.run_with(invitations, packets, pieces).await;
            putting.leave().await;
            whole
        };
        self.end_many(whole)
    }
}

impl<'a, 'b> Putting<'a, 'b> {
    fn new(native: &'a mut Native, bring: &'a Bring, account: &'a mut Account<'b>) -> Putting<'a, 'b> {
        Putting {
            native,
            bring,
            to: leading_to(bring),
            origin: None,
            account,
            asked: VecDeque::new(),
            window: Window::beneath(leading_to(bring)),
            directories: Paths::default(),
            none: HashSet::new(),
            nowhere: None,
            doubtful: None,
            amid: false,
            went: 0,
            later: Vec::new(),
            answered: watch::Sender::new(0),
        }
    }

    async fn run(&mut self, packets: Receiver<Packet>) -> Whole {
        self.go();
        self.native.flush_many().await?; // a login takes the server a while, and so does reading what is sent
        self.send_all(packets).await?;
        self.settle_directories().await?;
        if self.nowhere.is_none() {
            self.set_attributes().await?;
        }
        self.go_back();
        self.hear_all().await?;
        Ok(self.nowhere.take().map_or(Ok(()), Err))
    }

    async fn send_all(&mut self, mut packets: Receiver<Packet>) -> Result<(), Failure> {
        while let Some(packet) = packets.recv().await {
            self.send(packet).await?;
            if self.nowhere.is_some() {
                break;
            }
        }
        Ok(())
    }

    async fn hear_all(&mut self) -> Result<(), Failure> {
        while !self.asked.is_empty() {
            self.hear().await?;
        }
        Ok(())
    }

    /// Takes in what has come when all ends early, and leaves large files whose answers have not for another try.
    async fn leave(&mut self) {
        self.native.wire.hear_now();
        while !self.asked.is_empty() && self.native.wire.has_message() {
            let heard = self.native.answer().await.and_then(|message| self.take(message));
            if heard.is_err() {
                break; // of the connection's end, there was word before
            }
        }
        for asked in &self.asked {
            if let Asked::File { path, size, .. } = asked {
                self.account.left.went(path.clone(), *size);
            }
        }
    }

    async fn send(&mut self, packet: Packet) -> Result<(), Failure> {
        match packet {
            Packet::Skipped => self.account.skipped(),
            Packet::LeadsOut(path) => self.account.leads_out(&self.shown(&path)),
            Packet::Failed(path, failure) => self.fail(&path, failure),
            Packet::Made { path, attributes } => self.directories.push(&path, &note(&attributes)),
            Packet::Frames { bytes, asked } => {
                self.native.wire.queue_frames(bytes);
                let files = asked.iter().filter(|asked| matches!(asked, Asked::File { .. }));
                let (files, bytes) = (files.count() as u64, asked.iter().map(Asked::bytes).sum::<u64>());
                self.account.moved += bytes;
                for asked in asked {
                    self.sent(asked);
                }
                // Before they have: what of them is lost is known by what was asked.
                self.account.gone(files);
                self.account.advance(bytes);
                self.native.flush_many().await?;
            }
            Packet::Large { path, file } => self.large(path, *file).await?,
        }
        self.hear_some().await
    }

    /// Takes note of a command that is in line.
    fn sent(&mut self, asked: Asked) {
        self.native.sent += 1;
        self.window.sent(asked.path());
        if let Asked::Directory { path, attributes } = &asked {
            self.directories.push(path, &note(attributes));
        }
        self.asked.push_back(asked);
    }

    /// Asks; in the middle of a file, where no command may stand, behind it.
    fn ask(&mut self, command: Command, asked: Asked) {
        if self.amid {
            self.later.push((command, asked));
            return;
        }
        self.native.wire.queue(&Message::Command(command));
        self.sent(asked);
    }

    /// Hears what is there, and more while the window is full.
    async fn hear_some(&mut self) -> Result<(), Failure> {
        self.hear_what_came().await?;
        while !self.asked.is_empty() && !self.window.is_open() {
            self.hear().await?;
        }
        Ok(())
    }

    /// Hears what is there already, and waits for nothing but the opening of the session: a server that waits for the rest of a
    /// file may keep its answers until then.
    async fn hear_what_came(&mut self) -> Result<(), Failure> {
        if self.native.opening && self.native.wire.has_message() {
            self.native.opened().await?;
        }
        while !self.asked.is_empty() && self.native.wire.has_message() {
            self.hear().await?;
        }
        Ok(())
    }

    /// Hears the answer to what was asked first.
    async fn hear(&mut self) -> Result<(), Failure> {
        self.native.flush_many().await?;
        let message = self.native.answer().await?;
        self.take(message)
    }

    /// Takes in the answer to what was asked first.
    fn take(&mut self, message: Message) -> Result<(), Failure> {
        let asked = self.asked.pop_front().expect("something was asked");
        self.window.answered(asked.path());
        let mut room = asked.makes_room();
        match (asked, message) {
            (
                Asked::File { path, size, root },
                Message::Reply(Reply::Stored { size: stored, root: theirs }),
            ) if stored == size && theirs == root.as_bytes() => {
                self.account.settle(&path);
                let verified = Verified::Blocks { root, count: size.div_ceil(BLOCK as u64) };
                let shown = tree::shown(self.named(), &path);
                self.account.stored(|| shown, size, verified);
            }
            (Asked::File { path, .. }, Message::Reply(Reply::Stored { .. })) => {
                let other = Failure::new(Code::NotVerified, "the server stored something else");
                self.fail(&path, other.with_remedy("Put the file again."));
            }
            (Asked::Directory { path, .. }, Message::Reply(Reply::Done)) => self.account.settle(&path),
            (Asked::Remove { .. } | Asked::Attributes { .. }, Message::Reply(Reply::Done)) => {}
            (Asked::Link { path, .. }, Message::Reply(Reply::Done)) => {
                self.account.settle(&path);
                self.account.linked += 1;
            }
            (Asked::Origin, Message::Reply(Reply::Directory { path })) => self.origin = Some(path),
            (Asked::Target, Message::Reply(Reply::Target { path, made })) => self.arrived(&path, made)?,
            (Asked::Target, Message::Reply(Reply::Refused(refused))) => self.no_target(refused)?,
            (Asked::Back, Message::Reply(Reply::Directory { .. })) => {}
            (Asked::Back, Message::Reply(Reply::Refused(refused))) => return Err(self.stranded(refused)),
            (Asked::What { path }, Message::Reply(Reply::Entry(entry))) => {
                self.what_is_there(path, entry.kind);
            }
            (Asked::Directory { path, .. }, Message::Reply(Reply::Refused(refused)))
                if refused.kind == Kind::Exists =>
            {
                room = false; // until it is known to be one
                if path.is_empty() {
                    self.doubtful = Some(Vec::new());
                }
                self.ask(Command::Stat { path: below(self.to, &path) }, Asked::What { path });
            }
            (Asked::Link { path, target, again: false }, Message::Reply(Reply::Refused(refused)))
                if refused.kind == Kind::Exists =>
            {
                let place = below(self.to, &path);
                self.ask(Command::Remove { path: place.clone() }, Asked::Remove { path: path.clone() });
                self.ask(
                    Command::Link { path: place, target: target.clone() },
                    Asked::Link { path, target, again: true },
                );
            }
            (Asked::Delete { .. }, Message::Reply(Reply::Done)) => self.account.done(0),
            // It is gone already.
            (Asked::Delete { .. }, Message::Reply(Reply::Refused(refused)))
                if refused.kind == Kind::NotFound => {}
            // What is wrong shows when the link is made.
            (Asked::Remove { .. }, Message::Reply(Reply::Refused(_))) => {}
            // It was asked for before the welcome was heard, which says that the account only adds.
            (Asked::Attributes { .. }, Message::Reply(Reply::Refused(refused)))
                if refused.kind == Kind::Denied && self.native.access == Some(Access::Drop) =>
            {
                self.account.not_kept(1);
            }
            // That it was not made is told.
            (Asked::Attributes { path }, Message::Reply(Reply::Refused(_))) if self.none.contains(&path) => {}
            (asked, Message::Reply(Reply::Refused(refused))) => {
                let failure = self.native.refused_many(refused)?;
                if matches!(asked, Asked::File { .. } | Asked::Link { .. }) {
                    self.settle(asked.path());
                }
                if matches!(asked, Asked::Directory { .. } | Asked::What { .. }) {
                    self.none.insert(asked.path().to_vec());
                }
                match &asked {
                    Asked::Directory { path, .. } if path.is_empty() => {
                        self.nowhere = Some(tree::no_place(failure));
                    }
                    Asked::What { path } if path.is_empty() => {
                        self.end_doubt();
                        self.failed(path, failure);
                    }
                    _ => self.failed(asked.path(), failure),
                }
            }
            _ => return self.native.out_of_turn(),
        }
        if room && self.nowhere.is_none() {
            self.answered.send_modify(|answered| *answered += 1);
        }
        Ok(())
    }

    /// Tells that a thing cannot be brought.
    fn fail(&mut self, path: &[u8], failure: Failure) {
        self.settle(path);
        self.failed(path, failure);
    }

    /// Another try need not see to it; unless all is refused for want of a place, which that may find.
    fn settle(&mut self, path: &[u8]) {
        if self.doubtful.is_none() && self.nowhere.is_none() {
            self.account.settle(path);
        }
    }

    fn shown(&self, path: &[u8]) -> String {
        tree::shown(&self.bring.from.to_string_lossy(), path)
    }
}

/// What leads to where a tree goes; the session may go there.
fn leading_to(bring: &Bring) -> &str {
    if bring.inside.is_some() { "." } else { &bring.to }
}
