//! Trees over `ftpd/1`: many requests in flight within a window, their answers in order.

mod get;
mod halves;
mod put;
mod read;
mod remove;
mod roots;
mod walk;

use digest::Digest;
use proto::io::{Broken, Next};
use proto::{Command, Fault, Message};

use super::{Native, Owed};
use crate::failure::{Code, Failure};

/// Commands in flight.
const COMMANDS: usize = 1000;

/// Bytes of them: less than a server takes while it sends, so that neither side waits for the other.
const WINDOW: usize = 48 * 1024;

/// What a command counts for beside its path.
const COMMAND: usize = 16;

/// Bytes of memory that a list of what a server has may take: more than twenty million files.
const LIST: usize = 256 * 1024 * 1024;

/// Whether a list that a server goes on with is still one that can be kept.
fn too_many(bytes: usize, remedy: &str) -> Result<(), Failure> {
    if bytes <= LIST {
        return Ok(());
    }
    Err(Failure::new(Code::Other, "the tree has more files than can be kept in mind").with_remedy(remedy))
}

/// Commands that were sent and not yet answered.
#[derive(Debug)]
struct Window {
    /// What each counts for beside its path beneath the root.
    each: usize,
    commands: usize,
    bytes: usize,
}

impl Window {
    /// One for commands of which each names the remote directory `root` before a path beneath it.
    fn beneath(root: &str) -> Window {
        Window { each: COMMAND + root.len() + 1, commands: 0, bytes: 0 }
    }

    /// Whether there is room for another one.
    fn is_open(&self) -> bool {
        self.commands < COMMANDS && self.bytes < WINDOW
    }

    /// Whether it is worth while to send more: many at once make few packets.
    fn is_low(&self) -> bool {
        self.commands < COMMANDS / 2 && self.bytes < WINDOW / 2
    }

    fn sent(&mut self, path: &[u8]) {
        self.commands += 1;
        self.bytes += path.len() + self.each;
    }

    fn answered(&mut self, path: &[u8]) {
        self.commands -= 1;
        self.bytes -= path.len() + self.each;
    }
}

/// What came of a tree: that the session goes on, and what was wrong with the tree as a whole.
type Whole = Result<Result<(), Failure>, Failure>;

impl Native {
    /// Begins to send many commands. Whoever drops what is under way then gives the connection up.
    pub(super) async fn begin_many(&mut self) -> Result<(), Failure> {
        self.recover().await?;
        self.lost = true;
        Ok(())
    }

    /// Ends it: nothing is due any more.
    pub(super) fn end_many(&mut self, whole: Whole) -> Result<(), Failure> {
        self.lost = whole.is_err();
        self.owed = Owed::Nothing;
        whole.and_then(|tree| tree)
    }

    /// Puts one more command in line.
    pub(super) fn ask(&mut self, command: &Command) {
        self.wire.queue(&Message::Command(command.clone()));
        self.sent += 1;
    }

    /// Sends what is in line.
    pub(super) async fn flush_many(&mut self) -> Result<(), Failure> {
        if self.wire.has_line() {
            let flushed = self.wire.flush().await;
            self.told(flushed)?;
        }
        Ok(())
    }

    /// The next message, what is in line being sent before there is a wait for it.
    pub(super) async fn answer(&mut self) -> Result<Message, Failure> {
        match self.answer_or_block(&mut Vec::new(), 0).await? {
            Next::Message(message) => Ok(message),
            Next::Block(_) => Err(self.unexpected()),
        }
    }

    /// The next message, or the next block of a file.
    async fn answer_or_block(&mut self, into: &mut Vec<u8>, left: u64) -> Result<Next, Failure> {
        if self.opening {
            self.flush_many().await?;
            self.opened().await?;
        }
        loop {
            let next = self.wire.next_or_block(into, left, self.settings.timeout).await;
            match self.told(next)? {
                Next::Message(Message::Busy) => {}
                next => return Ok(next),
            }
        }
    }

    /// A root, as the end of a file tells it.
    pub(super) fn root(&mut self, bytes: &[u8]) -> Result<Digest, Failure> {
        Digest::new(self.settings.digest, bytes).ok_or_else(|| self.unexpected())
    }

    /// The failure that a message out of its turn is.
    pub(super) fn out_of_turn<T>(&mut self) -> Result<T, Failure> {
        Err(self.broken(Broken::Malformed(Fault::Turn)))
    }
}

#[cfg(test)]
mod tests {
    use proto::limits;

    use super::*;
    use crate::remote::tree::below;

    #[test]
    fn what_is_in_flight_is_less_than_a_server_takes_however_deep_the_root_lies() {
        for deep in [0, 1, 100, 2400, limits::PATH - 10] {
            let (root, mut window, mut bytes) =
                ("d".repeat(deep), Window::beneath(&"d".repeat(deep)), Vec::new());
            while window.is_open() {
                let command = Command::Get { path: below(&root, b"some/file"), first_block: 0 };
                Message::Command(command).encode(&mut bytes);
                window.sent(b"some/file");
            }
            assert!(bytes.len() <= limits::WINDOW, "{deep}: {}", bytes.len());
            (0..window.commands).for_each(|_| window.answered(b"some/file"));
            assert!(window.is_low() && window.bytes == 0);
        }
    }
}
