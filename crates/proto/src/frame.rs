//! Frames: a fixed head, a body of the type that the head tells. Bytes in, three outcomes out.

use std::ops::Range;

use bincode::{Decode, Encode};
use digest::Algorithm;
use thiserror::Error;

use crate::{Branch, Command, Failure, Page, Reply, Time, codec, limits};

/// Bytes in a head: the body's length (u32, little-endian), then the type (u8).
pub const HEAD: usize = 5;

/// What came of reading at the start of some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded<T> {
    /// Not whole yet: this many bytes, from the start, are needed at least.
    NeedMore(usize),
    /// A message, and how many bytes it took.
    Message(T, usize),
    /// It will never be one.
    Malformed(Fault),
}

/// How a peer broke the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// Not a preamble.
    #[error("the peer does not speak ftpd/1")]
    Magic,
    /// A version that does not exist.
    #[error("the peer speaks a version of the protocol that does not exist")]
    Version,
    /// A type that is unknown, or that this side never sends.
    #[error("a frame of type {0} has no place here")]
    Type(u8),
    /// A body longer than its type allows.
    #[error("a frame of {0} bytes is longer than its type allows")]
    Length(u32),
    /// A body that is not the message it should be, or has bytes left over.
    #[error("a frame does not hold the message that its type announces")]
    Body,
    /// A data frame whose block is not as long as it must be.
    #[error("a data frame does not hold a whole block and its digest")]
    BlockLength,
    /// More data than the size that was announced.
    #[error("more bytes came than were announced")]
    MoreThanAnnounced,
    /// An end before all that was announced came.
    #[error("fewer bytes came than were announced")]
    FewerThanAnnounced,
    /// A frame that is none of those due.
    #[error("a frame came out of its turn")]
    Turn,
}

/// Which side a frame comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// It connected.
    Client,
    /// It listened.
    Server,
}

/// The type of a frame, by its number on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Type {
    /// A [`Command`], from the client.
    Command = 1,
    /// A [`Reply`], from the server.
    Reply = 2,
    /// A [`Page`], from the server.
    Page = 3,
    /// A block and its digest, from either side.
    Data = 4,
    /// An [`End`], from either side.
    End = 5,
    /// An [`Abort`], from either side.
    Abort = 6,
    /// Nothing but a sign of life from a server that is at work on the next reply.
    Busy = 7,
    /// A [`Branch`], from the server.
    Branch = 8,
    /// Digests of blocks, from the server.
    Digests = 9,
}

/// The head of a frame whose type and length are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// What the body is.
    pub kind: Type,
    /// Bytes in the body.
    pub len: usize,
}

impl Head {
    /// Reads a head at the start of `bytes`, and refuses what `from` may not send.
    pub fn decode(bytes: &[u8], from: Side, algorithm: Algorithm) -> Decoded<Head> {
        let Some(&[a, b, c, d, number]) = bytes.first_chunk::<HEAD>() else { return Decoded::NeedMore(HEAD) };
        let (kind, cap) = match (number, from) {
            (1, Side::Client) => (Type::Command, limits::CONTROL),
            (2, Side::Server) => (Type::Reply, limits::CONTROL),
            (3, Side::Server) => (Type::Page, limits::PAGE),
            (4, _) => (Type::Data, limits::data(algorithm)),
            (5, _) => (Type::End, limits::END),
            (6, _) => (Type::Abort, limits::CONTROL),
            (7, Side::Server) => (Type::Busy, 0),
            (8, Side::Server) => (Type::Branch, limits::PAGE),
            (9, Side::Server) => (Type::Digests, limits::PAGE),
            _ => return Decoded::Malformed(Fault::Type(number)),
        };
        let stated = u32::from_le_bytes([a, b, c, d]);
        match usize::try_from(stated) {
            Ok(len) if len <= cap => Decoded::Message(Head { kind, len }, HEAD),
            _ => Decoded::Malformed(Fault::Length(stated)),
        }
    }

    /// The bytes of the head.
    pub fn encode(&self) -> [u8; HEAD] {
        let len = u32::try_from(self.len).expect("the caps are far below 4 GiB");
        let [a, b, c, d] = len.to_le_bytes();
        [a, b, c, d, self.kind as u8]
    }
}

/// A frame that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Anything but file data.
    Message(Message),
    /// A block of a file: where it lies, from the frame's start. The rest, to the frame's end, is its digest as its sender states it.
    Data(Range<usize>),
}

/// What a frame can say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A client asks.
    Command(Command),
    /// A server answers.
    Reply(Reply),
    /// A part of a listing.
    Page(Page),
    /// A file is complete.
    End(End),
    /// A transfer is broken off.
    Abort(Abort),
    /// The server is at work.
    Busy,
    /// A part of what a walk tells.
    Branch(Branch),
    /// Digests of blocks that follow one another: one or more, whole, end to end.
    Digests(Vec<u8>),
}

/// What ends the data of a file.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct End {
    /// Bytes of the whole file.
    pub size: u64,
    /// The root of the blocks that were sent.
    pub root: Vec<u8>,
    /// When the file was modified.
    pub modified: Option<Time>,
    /// Its permission bits (POSIX), the lower nine.
    pub mode: Option<u32>,
}

/// What breaks a transfer off, without ending the session.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Abort {
    /// The number of the command, counted from 0 in its session.
    pub command: u64,
    /// Why.
    pub failure: Failure,
}

impl Frame {
    /// Reads a frame at the start of `bytes`.
    pub fn decode(bytes: &[u8], from: Side, algorithm: Algorithm) -> Decoded<Frame> {
        let head = match Head::decode(bytes, from, algorithm) {
            Decoded::Message(head, _) => head,
            Decoded::NeedMore(bytes) => return Decoded::NeedMore(bytes),
            Decoded::Malformed(fault) => return Decoded::Malformed(fault),
        };
        let used = HEAD + head.len;
        let Some(body) = bytes.get(HEAD..used) else { return Decoded::NeedMore(used) };
        let message = match head.kind {
            Type::Command => codec::decode(body).map(Message::Command),
            Type::Reply => codec::decode(body).map(Message::Reply),
            Type::Page => codec::decode(body).map(Message::Page),
            Type::End => codec::decode(body).map(Message::End),
            Type::Abort => codec::decode(body).map(Message::Abort),
            Type::Busy => Some(Message::Busy),
            Type::Branch => codec::decode(body).map(Message::Branch),
            Type::Digests => (!body.is_empty() && body.len().is_multiple_of(algorithm.len()))
                .then(|| Message::Digests(body.to_vec())),
            Type::Data => {
                return match body.len().checked_sub(algorithm.len()) {
                    None | Some(0) => Decoded::Malformed(Fault::BlockLength),
                    Some(len) => Decoded::Message(Frame::Data(HEAD..HEAD + len), used),
                };
            }
        };
        message.map_or(Decoded::Malformed(Fault::Body), |message| {
            Decoded::Message(Frame::Message(message), used)
        })
    }
}

impl Message {
    /// Appends the bytes of the frame that says this.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&[0; HEAD]);
        let kind = match self {
            Message::Command(command) => codec::encode(command, out, Type::Command),
            Message::Reply(reply) => codec::encode(reply, out, Type::Reply),
            Message::Page(page) => codec::encode(page, out, Type::Page),
            Message::End(end) => codec::encode(end, out, Type::End),
            Message::Abort(abort) => codec::encode(abort, out, Type::Abort),
            Message::Busy => Type::Busy,
            Message::Branch(branch) => codec::encode(branch, out, Type::Branch),
            Message::Digests(digests) => {
                out.extend_from_slice(digests);
                Type::Digests
            }
        };
        let head = Head { kind, len: out.len() - start - HEAD };
        out[start..start + HEAD].copy_from_slice(&head.encode());
    }
}
