//! Data connections: to the host of the control connection, and under its key.

mod get;
mod going_on;
mod put;

use suppaftp::tokio::TransferStream;
use suppaftp::{Mode, Status};

use super::stream::Tls;
use super::{Classic, Trouble, steadily};

pub(super) use get::Sink;

/// A data connection and the answer that comes at its end.
pub(super) type Stream = TransferStream<Tls>;

/// What is said when data is about to come or go.
const OPENING: [Status; 2] = [Status::AboutToSend, Status::AlreadyOpen];

/// Bytes that are offered to the system at once.
const CHUNK: usize = 256 * 1024;

/// What a data connection is for.
pub(super) enum Way<'a> {
    /// A command whose answer comes on it.
    Down(String),
    /// The file of this path, from a byte on.
    From(&'a str, u64),
    /// A file to this path.
    Up(&'a str),
    /// Behind what has this path.
    Behind(&'a str),
}

impl Classic {
    /// Opens a data connection: by EPSV, or by PASV where the server does not know that. Either leads to the host of the control
    /// connection, whatever address the server names.
    pub(super) async fn open(&mut self, way: Way<'_>) -> Result<Stream, Trouble> {
        match &way {
            Way::Down(command) => self.check(command)?,
            Way::From(path, _) | Way::Up(path) | Way::Behind(path) => self.check(path)?,
        }
        loop {
            let patience = self.settings.timeout;
            let opened = match &way {
                Way::Down(command) => {
                    let opened = self.ftp.custom_data_command(command, &OPENING);
                    steadily(&mut self.busy, patience, opened)
                        .await
                        .map(|done| done.map(|(_, stream)| stream))
                }
                Way::From(path, byte) => {
                    let rest = usize::try_from(*byte).unwrap_or(usize::MAX);
                    let opened = async {
                        self.ftp.resume_transfer(rest).await?;
                        self.ftp.retr_as_stream(path).await
                    };
                    steadily(&mut self.busy, patience, opened).await
                }
                Way::Up(path) => steadily(&mut self.busy, patience, self.ftp.put_with_stream(path)).await,
                Way::Behind(path) => {
                    steadily(&mut self.busy, patience, self.ftp.append_with_stream(path)).await
                }
            };
            match self.told(opened) {
                Err(Trouble::Refused(answer)) if !self.settled && answer.is_unknown() => {
                    self.settled = true;
                    self.ftp.set_mode(Mode::Passive);
                }
                opened => {
                    self.settled |= opened.is_ok();
                    return opened;
                }
            }
        }
    }

    /// Ends a data connection, and hears what the server says of it.
    pub(super) async fn finish(&mut self, stream: Stream) -> Result<(), Trouble> {
        let finished = steadily(&mut self.busy, self.settings.timeout, stream.finish()).await;
        self.told(finished)
    }
}
