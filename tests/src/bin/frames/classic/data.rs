//! The client's end of a data connection: it says something and hears to the end, or does not do its part.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use e2e::{Chance, bytes};
use rustix::event::PollFlags;
use rustix::net::sockopt::set_socket_linger;

use crate::script::SIZES;
use crate::talk::SECRET;

/// Bytes that are heard at once.
const PIECE: usize = 64 * 1024;

/// What a client does with a data connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// Says all, ends its side, hears to the end.
    Whole,
    /// Says some, and is gone.
    Closed,
    /// Says some, and resets the connection.
    Reset,
    /// Is there, and does nothing.
    Still,
    /// Does not come.
    Never,
}

impl Plan {
    /// Most often a whole one.
    pub(super) fn draw(chance: &mut Chance) -> Plan {
        match chance.below(48) {
            0 => Plan::Never,
            1 => Plan::Still,
            2..=5 => Plan::Closed,
            6..=9 => Plan::Reset,
            _ => Plan::Whole,
        }
    }
}

/// A data connection. Whichever way the files go, it says what an upload would be, and hears what a download would be.
#[derive(Debug)]
pub(super) struct Data {
    pub(super) stream: TcpStream,
    plan: Plan,
    content: Vec<u8>,
    said: usize,
    /// The end of what was heard, where a secret may lie across two pieces.
    heard: Vec<u8>,
}

impl Data {
    pub(super) fn new(stream: TcpStream, plan: Plan, chance: &mut Chance) -> Data {
        stream.set_nonblocking(true).unwrap();
        let size = if chance.one_in(30) { SIZES[SIZES.len() - 1] } else { chance.pick(&SIZES[..6]) };
        let content = bytes(size, chance.draw());
        Data { stream, plan, content, said: 0, heard: Vec::new() }
    }

    /// What is waited for; nothing for one that does nothing.
    pub(super) fn waits_for(&self) -> Option<PollFlags> {
        match self.plan {
            Plan::Still | Plan::Never => None,
            _ if self.said <= self.content.len() => Some(PollFlags::IN | PollFlags::OUT),
            _ => Some(PollFlags::IN),
        }
    }

    /// Goes on; `false` when it is over.
    pub(super) fn go_on(&mut self, ready: PollFlags) -> Result<bool, String> {
        if ready.intersects(PollFlags::OUT) && self.said <= self.content.len() && !self.say() {
            return Ok(false);
        }
        if !ready.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) {
            return Ok(true);
        }
        let kept = self.heard.len();
        self.heard.resize(kept + PIECE, 0);
        let read = self.stream.read(&mut self.heard[kept..]);
        self.heard.truncate(kept + *read.as_ref().unwrap_or(&0));
        if self.heard.windows(SECRET.len()).any(|part| part == SECRET) {
            return Err("the server sends what lies outside of every home".into());
        }
        self.heard.drain(..self.heard.len().saturating_sub(SECRET.len()));
        Ok(match read {
            Ok(read) => read > 0,
            Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
        })
    }

    /// Says more, and then does what it means to do; `false` when it is over.
    fn say(&mut self) -> bool {
        let rest = &self.content[self.said..];
        match self.stream.write(&rest[..rest.len().min(PIECE)]) {
            Ok(said) => self.said += said,
            Err(error) => return matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
        }
        if self.said < self.content.len() {
            return true;
        }
        self.said += 1; // it is past its last word
        match self.plan {
            Plan::Whole => self.stream.shutdown(Shutdown::Write).is_ok(),
            Plan::Reset => set_socket_linger(&self.stream, Some(Duration::ZERO)).is_err(),
            _ => false,
        }
    }
}
