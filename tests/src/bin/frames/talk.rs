//! One session over a real socket: all of it said, all that the server answers held against the protocol.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;

use digest::Algorithm;
use e2e::{Chance, DEADLINE};
use proto::{Decoded, Frame, Message, Preamble, REFUSAL, Reply, Side};

use crate::script::Script;

/// What no server may ever send: it lies outside of every home.
pub(crate) const SECRET: &[u8] = b"this lies outside of every home";

/// How a session ended, as its client heard it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The last reply was `Goodbye`.
    Goodbye,
    /// Anything else that the protocol knows.
    Other,
}

/// Says a session, and hears the server to its end. One client in eight hangs up without hearing.
///
/// # Errors
/// What the server did that it must not do.
pub(crate) fn talk(
    address: SocketAddr,
    script: &Script,
    may_hang_up: bool,
    chance: &mut Chance,
) -> Result<End, String> {
    // From an address of its own, for the same reason that a wrong login has a name of its own.
    let number = u32::try_from(chance.below(1 << 22)).unwrap();
    let mut stream =
        e2e::dial(number, address).map_err(|error| format!("the server does not accept: {error}"))?;
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.set_write_timeout(Some(DEADLINE)).unwrap();
    let said = script.concat();
    if may_hang_up && chance.one_in(8) {
        let heard = chance.below(said.len() + 1);
        drop(stream.write_all(&said[..heard])); // a server may hang up, too
        return Ok(End::Other);
    }
    let piece = chance.pick(&[1, 7, 4096, usize::MAX, usize::MAX, usize::MAX]).max(said.len() / 1000);
    let mut speaker = stream.try_clone().unwrap();
    thread::scope(|scope| {
        scope.spawn(move || {
            // What a server that has hung up does not hear any more is its own choice.
            for piece in said.chunks(piece) {
                if speaker.write_all(piece).is_err() {
                    return;
                }
            }
            drop(speaker.shutdown(Shutdown::Write));
        });
        hear(&mut stream)
    })
}

fn hear(stream: &mut TcpStream) -> Result<End, String> {
    let mut heard = Heard::default();
    let mut piece = vec![0; 256 * 1024];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return heard.end(),
            Ok(read) => heard.take(&piece[..read])?,
            // A connection that is closed with words unread is reset, and its last words may be lost.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(End::Other),
            Err(error) => return Err(format!("the server leaves a session hanging: {error}")),
        }
    }
}

/// What a server said so far.
#[derive(Default)]
struct Heard {
    rest: Vec<u8>,
    opened: bool,
    refused: bool,
    goodbye: bool,
}

impl Heard {
    fn take(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.rest.extend_from_slice(bytes);
        if self.rest.windows(SECRET.len()).any(|window| window == SECRET) {
            return Err("the server sends what lies outside of every home".into());
        }
        self.refused |= !self.opened && REFUSAL.starts_with(&self.rest);
        if self.refused {
            return if REFUSAL.starts_with(&self.rest) {
                Ok(())
            } else {
                Err("words after the refusal".into())
            };
        }
        if !self.opened {
            match Preamble::decode(&self.rest) {
                Decoded::Message(_, used) => drop(self.rest.drain(..used)),
                Decoded::NeedMore(_) => return Ok(()),
                Decoded::Malformed(_) => return Err(format!("no preamble but {:x?}", self.rest)),
            }
            self.opened = true;
        }
        let mut at = 0;
        loop {
            match Frame::decode(&self.rest[at..], Side::Server, Algorithm::Md5) {
                Decoded::Message(frame, used) => {
                    self.goodbye = frame == Frame::Message(Message::Reply(Reply::Goodbye));
                    at += used;
                }
                Decoded::NeedMore(_) => break,
                Decoded::Malformed(fault) => {
                    return Err(format!("the server sends what is no frame: {fault}"));
                }
            }
        }
        self.rest.drain(..at);
        Ok(())
    }

    fn end(self) -> Result<End, String> {
        match self {
            Heard { refused: true, rest, .. } if rest == REFUSAL => Ok(End::Other),
            Heard { refused: false, rest, goodbye, .. } if rest.is_empty() => {
                Ok(if goodbye { End::Goodbye } else { End::Other })
            }
            Heard { rest, .. } => Err(format!("the server ends in the middle of a message: {rest:x?}")),
        }
    }
}
