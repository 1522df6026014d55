#![doc = include_str!("../PROTOCOL.md")]

mod codec;
mod command;
mod data;
mod failure;
mod fingerprint;
mod frame;
pub mod io;
pub mod limits;
mod pack;
mod preamble;
mod reply;

pub use command::{Command, Part, Secret, Ticket};
pub use data::{block_frame, gap, seal};
pub use failure::{Failure, Kind};
pub use fingerprint::{Fingerprint, NotAFingerprint};
pub use frame::{Abort, Decoded, End, Fault, Frame, HEAD, Head, Message, Side, Type};
pub use pack::{Pack, SMALL};
pub use preamble::{MAGIC, PREAMBLE, Preamble, REFUSAL, VERSION, choose};
pub use reply::{Access, Branch, Entry, EntryKind, Found, Missed, Page, Reply, Time};
