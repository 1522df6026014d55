//! How a connection comes to its end.

use std::io;
use std::time::Duration;

use thiserror::Error;

use crate::Fault;

/// Why a connection is of no more use.
#[derive(Debug, Error)]
pub enum Broken {
    /// The peer closed it between two frames.
    #[error("the connection was closed")]
    Closed,
    /// The peer closed it within a frame or a transfer, or without the end that TLS has.
    #[error("the connection was cut")]
    Cut,
    /// The peer broke the protocol.
    #[error(transparent)]
    Malformed(#[from] Fault),
    /// No frame began for as long as was allowed.
    #[error("nothing was heard for {} s", .0.as_secs())]
    Silent(Duration),
    /// The peer was at work for too long.
    #[error("the server said for {} s that it is at work, and nothing else", .0.as_secs())]
    Busy(Duration),
    /// A frame began and did not go on, in or out.
    #[error("nothing moved for {} s", .0.as_secs())]
    Stalled(Duration),
    /// The system says so.
    #[error("the connection broke: {0}")]
    Io(io::Error),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Broken {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Broken::Cut, // TLS that ends without close_notify (RFC 8446, section 6.1)
            _ => Broken::Io(error),
        }
    }
}
