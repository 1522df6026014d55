//! Trees, and many small files in one flight, on the raw wire.

mod gets;
mod puts;
mod roots;
mod walks;
mod whole;

use proto::{Abort, Failure, Kind, Message};

/// Breaks off a command by its number.
fn abort(command: u64) -> Message {
    Message::Abort(Abort { command, failure: Failure::new(Kind::Aborted, "never mind") })
}
