//! The control connection: lines in, replies out, neither lost when a wait for them is dropped.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt::set_socket_oobinline;
use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::line::{Lines, Next};
use super::reply::Reply;
use super::stream::{PARTING, Stream};

/// Bytes of replies that may wait for more of them.
const WAITING: usize = 16 * 1024;

/// Lines that may wait for a transfer to end.
const AHEAD: usize = 64;

/// Why the connection is of no more use.
#[derive(Debug, Error)]
pub(super) enum Gone {
    #[error("the connection was closed")]
    Closed,
    #[error("the connection was cut")]
    Cut(#[source] io::Error),
    #[error("nothing was heard for {} s", .0.as_secs())]
    Silent(Duration),
    #[error("replies were not read for {} s", .0.as_secs())]
    Stalled(Duration),
}

/// A control connection.
#[derive(Debug)]
pub(super) struct Control {
    stream: Option<Stream>,
    lines: Lines,
    /// Lines that came while a transfer ran.
    ahead: VecDeque<Next>,
    replies: Vec<u8>,
    sent: usize,
    stall: Duration,
}

impl Control {
    /// On a connection that was just made. What a client sends as urgent data (RFC 959, 4.1.3) is read where it stands.
    pub(super) fn new(stream: Stream, stall: Duration) -> io::Result<Control> {
        set_socket_oobinline(stream.tcp(), true)?;
        let (lines, ahead) = (Lines::default(), VecDeque::new());
        Ok(Control { stream: Some(stream), lines, ahead, replies: Vec::new(), sent: 0, stall })
    }

    /// The next line; replies go out before it is waited for. Dropped while it waits, it loses nothing.
    pub(super) async fn next(&mut self, idle: Duration) -> Result<Next, Gone> {
        if let Some(next) = self.ahead.pop_front() {
            return Ok(next);
        }
        match self.lines.next() {
            Next::More => {}
            next => return Ok(next),
        }
        self.flush().await?;
        timeout(idle, self.fresh()).await.map_err(|_| Gone::Silent(idle))?
    }

    /// The next line that nobody has seen. Dropped while it waits, it loses nothing.
    pub(super) async fn fresh(&mut self) -> Result<Next, Gone> {
        let mut piece = [0; 1024];
        loop {
            match self.lines.next() {
                Next::More => {}
                next => return Ok(next),
            }
            let Some(stream) = &mut self.stream else { return Err(Gone::Closed) };
            let read = match stream {
                // A read stops before an urgent byte. The runtime's own would take that for all there is, and wait for more.
                Stream::Plain(tcp) => {
                    let read = || rustix::io::read(&*tcp, &mut piece).map_err(io::Error::from);
                    tcp.async_io(Interest::READABLE, read).await
                }
                Stream::Tls(tls) => tls.read(&mut piece).await,
            };
            match read {
                Ok(0) => return Err(Gone::Closed),
                Ok(read) => self.lines.push(&piece[..read]),
                Err(error) => return Err(Gone::Cut(error)),
            }
        }
    }

    /// Whether the client ends its side of the connection within `grace`, whatever else it said before.
    pub(super) async fn leaves_within(&self, grace: Duration) -> bool {
        let Some(tcp) = self.stream.as_ref().map(Stream::tcp) else { return true };
        let left = |tcp: BorrowedFd<'_>, grace: Duration| {
            let grace = Timespec::try_from(grace).unwrap_or_default();
            let gone = PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR;
            let mut polled = [PollFd::from_borrowed_fd(tcp, gone)];
            poll(&mut polled, Some(&grace)).is_ok() && polled[0].revents().intersects(gone)
        };
        if left(tcp.as_fd(), Duration::ZERO) {
            return true;
        }
        match rustix::io::dup(tcp) {
            Ok(tcp) if !grace.is_zero() => {
                spawn_blocking(move || left(tcp.as_fd(), grace)).await.unwrap_or(false)
            }
            _ => false,
        }
    }

    /// Keeps a line for later.
    pub(super) fn keep(&mut self, line: Next) {
        self.ahead.push_back(line);
    }

    /// Whether more lines can be kept.
    pub(super) fn has_room(&self) -> bool {
        self.ahead.len() < AHEAD
    }

    /// Lines that are kept.
    pub(super) fn kept(&self) -> impl Iterator<Item = &Next> {
        self.ahead.iter()
    }

    /// Puts a reply in line: it goes out with the next [`flush`](Control::flush), or when the next line is waited for.
    pub(super) fn queue(&mut self, reply: &Reply) {
        reply.encode(&mut self.replies);
    }

    /// Puts a reply in line, and sends what waits if that has become much.
    pub(super) async fn reply(&mut self, reply: &Reply) -> Result<(), Gone> {
        self.queue(reply);
        if self.replies.len() > WAITING { self.flush().await } else { Ok(()) }
    }

    /// Sends what waits. Dropped while it waits, it goes on the next time.
    pub(super) async fn flush(&mut self) -> Result<(), Gone> {
        let Some(stream) = &mut self.stream else { return Err(Gone::Closed) };
        while self.sent < self.replies.len() {
            let written = timeout(self.stall, stream.write(&self.replies[self.sent..])).await;
            match written.map_err(|_| Gone::Stalled(self.stall))? {
                Ok(0) => return Err(Gone::Closed),
                Ok(written) => self.sent += written,
                Err(error) => return Err(Gone::Cut(error)),
            }
        }
        if self.sent > 0 {
            self.replies.clear();
            self.replies.shrink_to(1024);
            self.sent = 0;
            timeout(self.stall, stream.flush())
                .await
                .map_err(|_| Gone::Stalled(self.stall))?
                .map_err(Gone::Cut)?;
        }
        Ok(())
    }

    /// The TCP connection, for a handshake on it. `None` if the peer said more before: that cannot be trusted to be the same peer
    /// as the one behind TLS, and the connection is of no more use.
    pub(super) async fn take_plain(&mut self) -> Result<Option<TcpStream>, Gone> {
        self.flush().await?;
        match self.stream.take() {
            Some(Stream::Plain(tcp)) if !self.lines.holds_more() && self.ahead.is_empty() => Ok(Some(tcp)),
            other => {
                self.stream = other;
                Ok(None)
            }
        }
    }

    /// Goes on with what came of the handshake.
    pub(super) fn secured(&mut self, stream: Stream) {
        self.stream = Some(stream);
    }

    /// Sends what waits, and ends the connection in peace.
    pub(super) async fn part(mut self) {
        if let Ok(Ok(())) = timeout(PARTING, self.flush()).await
            && let Some(stream) = self.stream
        {
            stream.part().await;
        }
    }
}
