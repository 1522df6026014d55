//! A large file of a tree going: block after block, while answers to what went before are heard.

use digest::{Blocks, Root};
use proto::{Abort, Command, End, Failure as Refused, Kind, Message, Reply};
use store::ReadAhead;

use super::Putting;
use crate::failure::Failure;
use crate::remote::native::tree::read::Asked;
use crate::remote::native::words;
use crate::remote::tree::below;

impl Putting<'_, '_> {
    /// Sends a large file, hearing what comes of those before.
    pub(super) async fn large(&mut self, path: Vec<u8>, file: ReadAhead) -> Result<(), Failure> {
        (self.amid, self.went) = (true, 0);
        let (name, size) = (path.clone(), file.size());
        let sent = self.send_large(path, file).await;
        self.amid = false;
        match sent {
            Ok(()) => self.went = 0,
            Err(_) => self.account.left.went(name, size),
        }
        for (command, asked) in std::mem::take(&mut self.later) {
            self.ask(command, asked);
        }
        sent
    }

    async fn send_large(&mut self, path: Vec<u8>, mut file: ReadAhead) -> Result<(), Failure> {
        let (size, attributes) = (file.size(), file.attributes());
        let place = below(self.to, &path);
        if place.len() > proto::limits::PATH {
            self.fail(&path, words::long_path());
            return Ok(());
        }
        // What has come of it is kept there, should the connection be lost.
        let nothing = Root::new(self.native.settings.digest).value();
        let proof = nothing.as_bytes().to_vec();
        self.native.ask(&Command::PutRest { path: place, size, first_block: 0, proof });
        let number = self.native.sent - 1;
        let mut spare = Blocks::default();
        loop {
            match file.next(spare).await {
                Ok(Some(blocks)) => {
                    let bytes = blocks.data_len() as u64;
                    self.account.moved += bytes;
                    let sent = self.native.wire.send_blocks(blocks).await;
                    spare = self.native.told(sent)?;
                    self.account.advance(bytes);
                    self.went += bytes;
                }
                Ok(None) => break,
                Err(error) => return self.give_up(number, path, Some(error.into())).await,
            }
            self.hear_what_came().await?;
            if self.asked.is_empty() && !self.native.opening && self.native.wire.has_message() {
                return self.give_up(number, path, None).await;
            }
        }
        let root = match file.finish().await {
            Ok(outgoing) => outgoing.root().expect("opened with a digest"),
            Err(error) => return self.give_up(number, path, Some(error.into())).await,
        };
        self.native.wire.queue(&Message::End(End {
            size,
            root: root.as_bytes().to_vec(),
            modified: attributes.modified.map(words::to_wire),
            mode: attributes.mode,
        }));
        self.native.sent -= 1; // it is counted with the others
        self.sent(Asked::File { path, size, root });
        self.account.gone(1);
        self.went = 0; // it counts with what was asked
        self.native.flush_many().await
    }

    /// Breaks off the file under way: it cannot be read, or the server refuses it already.
    async fn give_up(&mut self, command: u64, path: Vec<u8>, why: Option<Failure>) -> Result<(), Failure> {
        let failure = Refused::new(Kind::Aborted, "the client broke it off");
        self.native.wire.queue(&Message::Abort(Abort { command, failure }));
        while !self.asked.is_empty() {
            self.hear().await?;
        }
        self.native.flush_many().await?;
        let failure = match (self.native.answer().await?, why) {
            (Message::Reply(Reply::Refused(refused)), None) => self.native.refused_many(refused)?,
            (Message::Reply(Reply::Refused(_)), Some(why)) => why,
            _ => return self.native.out_of_turn(),
        };
        self.fail(&path, failure);
        Ok(())
    }
}
