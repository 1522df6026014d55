//! What a server answers.

use bincode::de::Decoder;
use bincode::error::DecodeError;
use bincode::{Decode, Encode};

use crate::{Failure, Ticket};

/// The answer to a command.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Reply {
    /// The server heard the greeting.
    Hello {
        /// Name and version of the server's software.
        server: String,
    },
    /// The login holds.
    Welcome {
        /// What the account may do.
        access: Access,
    },
    /// What was asked is done, and on disk where it changed something.
    Done,
    /// The current directory, beginning with `/`.
    Directory {
        /// From the home on.
        path: Vec<u8>,
    },
    /// Pages follow, up to one that is the last, or an abort frame.
    Listing,
    /// One file or directory.
    Entry(Entry),
    /// Data frames follow, then an end frame, or an abort frame.
    Sending {
        /// Bytes of the whole file.
        size: u64,
    },
    /// The file is verified, published and on disk.
    Stored {
        /// Bytes of the file.
        size: u64,
        /// The root that the server computed.
        root: Vec<u8>,
    },
    /// The plain MD5 (RFC 1321) of a whole file.
    Md5 {
        /// Bytes of the file.
        size: u64,
        /// What `md5sum` prints, as bytes.
        digest: [u8; 16],
    },
    /// The command was not carried out.
    Refused(Failure),
    /// The session ends.
    Goodbye,
    /// What is kept of an upload that was cut; no block where nothing is.
    Kept {
        /// Whole blocks.
        blocks: u64,
        /// Their root.
        root: Vec<u8>,
    },
    /// A word that lets one more connection in, for the same account.
    Ticket {
        /// The word.
        ticket: Ticket,
        /// Seconds for which it holds.
        seconds: u32,
    },
    /// The root of a whole file.
    Root {
        /// Bytes of the file.
        size: u64,
        /// What differs when the file does.
        version: [u8; 16],
        /// The root of its blocks.
        root: Vec<u8>,
    },
    /// Digests or data frames follow, then an end frame, or an abort frame.
    Reading {
        /// Bytes of the whole file.
        size: u64,
        /// What differs when the file does.
        version: [u8; 16],
    },
    /// Parts of a file may come.
    Assembling {
        /// What names it, to the account's sessions.
        assembly: [u8; 16],
    },
    /// Where a tree is to come: the current directory.
    Target {
        /// From the home on, beginning with `/`.
        path: Vec<u8>,
        /// Whether it was made.
        made: bool,
    },
}

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Access {
    /// List and get.
    Read,
    /// Everything.
    Write,
    /// Put new files and make directories; see nothing.
    Drop,
}

/// Entries of a listing, in no promised order.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Page {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Whether the listing ends here.
    pub last: bool,
}

/// A part of what a walk tells: each directory comes before what is in it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Branch {
    /// What was found.
    pub found: Vec<Found>,
    /// Where the server could not look.
    pub missed: Vec<Missed>,
    /// Whether the walk ends here.
    pub last: bool,
}

/// The thing that a walk begins at, or one beneath it. No link beneath is followed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Found {
    /// From the path of the command on, without a `/` before or after; empty for that path itself.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes of a file.
    pub size: u64,
    /// Time of the last change to its data.
    pub modified: Time,
    /// Permission bits (POSIX), the lower nine.
    pub mode: u32,
    /// What a link says.
    pub target: Option<Vec<u8>>,
}

/// Where a walk could not look: a directory that could not be read, which is found all the same, or something whose path is longer
/// than a path may be.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Missed {
    /// As of [`Found`].
    pub path: Vec<u8>,
    /// Why.
    pub failure: Failure,
}

/// A file, directory or other thing that has a name.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Entry {
    /// The last part of its path, as the disk has it: most often UTF-8, never empty; `/` for the home itself.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes of a file.
    pub size: u64,
    /// Time of the last change to its data.
    pub modified: Time,
    /// Permission bits (POSIX), the lower nine.
    pub mode: u32,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// Something that cannot be transferred: a device, a FIFO, a socket.
    Other,
}

/// A moment: seconds since 1970-01-01 00:00 UTC (POSIX), before it negative, and nanoseconds after that second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode)]
pub struct Time {
    /// Whole seconds.
    pub seconds: i64,
    /// 0 to 999,999,999; more is refused by the decoder.
    pub nanoseconds: u32,
}

impl<Context> Decode<Context> for Time {
    fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Time, DecodeError> {
        let time = Time { seconds: i64::decode(decoder)?, nanoseconds: u32::decode(decoder)? };
        if time.nanoseconds < 1_000_000_000 {
            Ok(time)
        } else {
            Err(DecodeError::Other("a second has no more nanoseconds"))
        }
    }
}

bincode::impl_borrow_decode!(Time);
