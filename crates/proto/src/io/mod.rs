//! The wire on tokio: one connection, read and written by one task, without a lock or a channel.
//!
//! While it writes, a [`Wire`] goes on hearing, up to [`WINDOW`] bytes, so that two sides that both send never wait for
//! each other, and a refusal or an abort is known at once. Every method is safe to drop half-way: what was read stays in the
//! input, what was not yet sent goes out first with the next write.

mod ahead;
mod broken;
mod gulp;
mod input;
mod landing;
mod output;
mod possession;
mod stream;
pub mod tcp;
#[cfg(test)]
mod tests;
pub mod tls;
mod transfer;
mod turn;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use digest::Algorithm;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, interval_at, timeout};

use crate::frame::{Decoded, Fault, Frame, HEAD, Head, Message, Side, Type};
use crate::limits::WINDOW;
use crate::preamble::Preamble;
use crate::{Abort, Command};
use input::Input;
use output::Output;
use tcp::Start;
use turn::Turn;

pub use ahead::Next;
pub use broken::Broken;
pub use gulp::Gulping;
pub use landing::{Landed, Landing};
pub use stream::Stream;
pub use transfer::Arrived;

/// How long a side that ends a session goes on hearing.
const PARTING: Duration = Duration::from_secs(2);

/// How often a server that is at work says so.
const BUSY: Duration = Duration::from_secs(5);

/// How long a server may say that it is at work, and nothing else: an hour hashes or syncs terabytes.
pub const AT_WORK: Duration = Duration::from_secs(3600);

/// One connection.
#[derive(Debug)]
pub struct Wire {
    stream: Stream,
    peer: Side,
    algorithm: Algorithm,
    stall: Duration,
    input: Input,
    output: Output,
    start: Start,
    turn: Turn,
    /// Blocks that are received together at the most.
    batch: usize,
    /// Since when the peer says only that it is at work.
    busy: Option<Instant>,
}

impl Wire {
    /// A connection to `peer`, on which each 64 KiB, or a frame once begun, must move within `stall`.
    pub fn new(stream: Stream, peer: Side, stall: Duration) -> Wire {
        Wire {
            start: Start::of(stream.tcp()),
            turn: Turn::default(),
            stream,
            peer,
            algorithm: Algorithm::Md5,
            stall,
            input: Input::default(),
            output: Output::default(),
            batch: digest::BATCH,
            busy: None,
        }
    }

    /// The digest in use: MD5 until [`agree`](Wire::agree)d otherwise.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Settles the digest, before the first frame.
    pub fn agree(&mut self, algorithm: Algorithm) {
        self.algorithm = algorithm;
    }

    /// Puts bytes in line that are no frame: a preamble, or the refusal of one.
    pub fn queue_bytes(&mut self, bytes: &[u8]) {
        self.output.control().extend_from_slice(bytes);
    }

    /// Puts a message in line.
    pub fn queue(&mut self, message: &Message) {
        message.encode(self.output.control());
    }

    /// Puts frames in line that are encoded already.
    pub fn queue_frames(&mut self, frames: Vec<u8>) {
        self.output.append(frames);
    }

    /// A buffer of frames that were sent, to be used again; or a new one.
    pub fn spent(&mut self) -> Vec<u8> {
        self.output.spent()
    }

    /// Sends a message, and all that is in line before it.
    pub async fn send(&mut self, message: &Message) -> Result<(), Broken> {
        self.queue(message);
        self.flush().await
    }

    /// Sends all that is in line, hearing meanwhile.
    pub async fn flush(&mut self) -> Result<(), Broken> {
        let stall = self.stall;
        loop {
            let before = self.output.len();
            let more = timeout(stall, self.write_some(digest::BLOCK)).await;
            let more = more.map_err(|_| Broken::Stalled(stall))??;
            let sent = before - self.output.len();
            self.start.sent(sent, self.stream.tcp());
            if more == More::Nothing {
                return Ok(());
            }
            self.turn.moved(sent).await;
        }
    }

    /// Sends what is in line once it is much, so that answers to many small commands go in few packets and little memory.
    async fn relieve(&mut self) -> Result<(), Broken> {
        if self.output.len() > WINDOW { self.flush().await } else { Ok(()) }
    }

    /// Sends all that is in line, tells the peer that nothing will follow, and hears for a moment what it still says: a
    /// connection closed with bytes unread is reset, and the last words would be lost.
    pub async fn part(mut self) {
        let parting = async {
            self.flush().await?;
            self.stream.shutdown().await?;
            let mut unheard = vec![0; WINDOW];
            while self.stream.read(&mut unheard).await? > 0 {}
            Ok(())
        };
        let _unheard: Result<Result<(), Broken>, _> = timeout(PARTING, parting).await;
    }

    /// Ends a connection on which nothing is due, without waiting: under TLS a peer can tell that from a cut.
    pub async fn hang_up(mut self) {
        let _gone: Result<io::Result<()>, _> = timeout(PARTING, self.stream.shutdown()).await;
    }

    /// Reads the preamble that the peer must open with, within the stall time.
    pub async fn preamble(&mut self) -> Result<Preamble, Broken> {
        let stall = self.stall;
        let heard = async {
            loop {
                match Preamble::decode(self.input.bytes()) {
                    Decoded::Message(preamble, used) => {
                        self.input.consume(used);
                        return Ok(preamble);
                    }
                    Decoded::Malformed(fault) => return Err(fault.into()),
                    // A stranger may have less to say than a preamble has bytes: each byte is looked at when it comes.
                    Decoded::NeedMore(need) => self.read_until(self.input.bytes().len() + 1, need).await?,
                }
            }
        };
        timeout(stall, heard).await.map_err(|_| Broken::Stalled(stall))?
    }

    /// The next message, which may begin up to `wait` from now; it may be [`Message::Busy`] for no longer than [`AT_WORK`]. File
    /// data is out of turn here. Much that is in line goes first.
    pub async fn next(&mut self, wait: Duration) -> Result<Message, Broken> {
        self.relieve().await?;
        if self.input.bytes().is_empty() {
            self.input.rest();
            drop(self.output.spent());
            timeout(wait, self.read_until(1, 1)).await.map_err(|_| Broken::Silent(wait))??;
        }
        loop {
            if let Decoded::Message(Head { kind: Type::Data, .. }, _) = self.head() {
                return Err(Fault::Turn.into());
            }
            match Frame::decode(self.input.bytes(), self.peer, self.algorithm) {
                Decoded::Message(Frame::Message(message), used) => {
                    self.input.consume(used);
                    match message {
                        Message::Busy => self.still_busy()?,
                        _ => self.busy = None,
                    }
                    return Ok(message);
                }
                Decoded::Message(Frame::Data(_), _) => return Err(Fault::Turn.into()),
                Decoded::Malformed(fault) => return Err(fault.into()),
                Decoded::NeedMore(need) => self.hear(need).await?,
            }
        }
    }

    /// The next message, if it is a command, was heard already, and is `wanted`.
    pub fn next_command_if(&mut self, wanted: impl FnOnce(&Command) -> bool) -> Option<Command> {
        match Frame::decode(self.input.bytes(), self.peer, self.algorithm) {
            Decoded::Message(Frame::Message(Message::Command(command)), used) if wanted(&command) => {
                self.input.consume(used);
                Some(command)
            }
            _ => None,
        }
    }

    /// Takes up what has come already, as far as the window goes. That the peer is gone shows when it is its turn to be read.
    pub fn hear_now(&mut self) {
        self.hear_now_up_to(WINDOW);
    }

    fn hear_now_up_to(&mut self, limit: usize) {
        let Wire { stream, input, .. } = self;
        let mut cx = Context::from_waker(Waker::noop());
        while let Poll::Ready(Ok(1..)) = input.poll_fill(stream, limit, &mut cx) {}
    }

    /// Whether the peer has said something that was not read yet.
    pub fn has_message(&self) -> bool {
        matches!(
            Frame::decode(self.input.bytes(), self.peer, self.algorithm),
            Decoded::Message(..) | Decoded::Malformed(_)
        )
    }

    /// Passes over what was heard already and says only that the peer is at work.
    ///
    /// # Errors
    /// [`Broken::Busy`] if it has said so for too long.
    pub fn pass_busy(&mut self) -> Result<(), Broken> {
        while let Decoded::Message(Head { kind: Type::Busy, .. }, _) = self.head() {
            self.still_busy()?;
            self.input.consume(HEAD);
        }
        Ok(())
    }

    /// The abort of command number `command`, if it lies among what was heard.
    pub fn aborted(&self, command: u64) -> Option<Abort> {
        let mut rest = self.input.bytes();
        while let Decoded::Message(head, start) = Head::decode(rest, self.peer, self.algorithm) {
            let frame = rest.get(..start + head.len)?;
            if head.kind == Type::Abort
                && let Decoded::Message(Frame::Message(Message::Abort(abort)), _) =
                    Frame::decode(frame, self.peer, self.algorithm)
                && abort.command == command
            {
                return Some(abort);
            }
            rest = &rest[frame.len()..];
        }
        None
    }

    /// Whether the peer said something, or went, while nothing was due from it.
    pub fn is_stirred(&mut self) -> bool {
        let Wire { stream, input, .. } = self;
        let heard = input.poll_fill(stream, WINDOW, &mut Context::from_waker(Waker::noop()));
        heard.is_ready() || !self.input.bytes().is_empty()
    }

    /// Waits for `work`, showing signs of life to the peer; ends early, dropping `work`, when the peer is gone.
    pub async fn busy_while<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Broken> {
        self.busy(None, WINDOW, work).await.map(|done| done.expect("only an abort drops the work"))
    }

    /// The same, but for an abort of command number `command`, which drops `work`: then there is nothing.
    pub async fn busy_unless_aborted<T>(
        &mut self,
        command: u64,
        work: impl Future<Output = T>,
    ) -> Result<Option<T>, Broken> {
        self.busy(Some(command), WINDOW, work).await
    }

    async fn busy<T>(
        &mut self,
        abort: Option<u64>,
        window: usize,
        work: impl Future<Output = T>,
    ) -> Result<Option<T>, Broken> {
        let mut work = std::pin::pin!(work);
        let mut sign = interval_at(Instant::now() + BUSY, BUSY);
        loop {
            // The abort may have been heard long before: it was sent ahead.
            if abort.is_some_and(|command| self.aborted(command).is_some()) {
                return Ok(None);
            }
            tokio::select! {
                biased;
                done = &mut work => return Ok(Some(done)),
                heard = self.hear_window(window) => heard?,
                _ = sign.tick() => self.send(&Message::Busy).await?,
            }
        }
    }

    /// Takes note of a sign of life, if there were not enough of them.
    fn still_busy(&mut self) -> Result<(), Broken> {
        let since = *self.busy.get_or_insert_with(Instant::now);
        if since.elapsed() > AT_WORK { Err(Broken::Busy(AT_WORK)) } else { Ok(()) }
    }

    fn head(&self) -> Decoded<Head> {
        Head::decode(self.input.bytes(), self.peer, self.algorithm)
    }

    /// Reads until `need` bytes are there, each 64 KiB of them within the stall time.
    async fn hear(&mut self, need: usize) -> Result<(), Broken> {
        while self.input.bytes().len() < need {
            let stall = self.stall;
            let step = need.min(self.input.bytes().len() + digest::BLOCK);
            timeout(stall, self.read_until(step, need)).await.map_err(|_| Broken::Stalled(stall))??;
        }
        Ok(())
    }

    /// Reads until `enough` bytes are there, and takes up to `limit` when they are there anyway.
    async fn read_until(&mut self, enough: usize, limit: usize) -> Result<(), Broken> {
        while self.input.bytes().len() < enough {
            let Wire { stream, input, .. } = self;
            let heard = std::future::poll_fn(|cx| input.poll_fill(stream, limit, cx)).await?;
            self.turn.moved(heard).await;
            if heard == 0 {
                return Err(if self.input.bytes().is_empty() { Broken::Closed } else { Broken::Cut });
            }
        }
        Ok(())
    }

    /// Hears something more, up to the window. A peer that has nothing more to say may still wait for an answer: its end is
    /// nothing heard.
    async fn hear_window(&mut self, window: usize) -> Result<(), Broken> {
        let Wire { stream, input, .. } = self;
        let heard = std::future::poll_fn(|cx| match input.poll_fill(stream, window, cx) {
            Poll::Ready(Ok(1..)) => Poll::Ready(Ok(())),
            Poll::Ready(Ok(0)) | Poll::Pending => Poll::Pending,
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        });
        Ok(heard.await?)
    }

    /// Writes until `enough` bytes moved or all is out of our hands, hearing whenever the peer takes no more.
    async fn write_some(&mut self, enough: usize) -> io::Result<More> {
        let Wire { stream, input, output, .. } = self;
        let mut moved = 0;
        std::future::poll_fn(|cx| {
            // An error or an end met here shows again when it is that side's turn to be read.
            while let Poll::Ready(Ok(1..)) = input.poll_fill(stream, WINDOW, cx) {}
            while !output.is_empty() {
                moved += ready!(output.poll_drain(stream, cx))?;
                if moved >= enough {
                    return Poll::Ready(Ok(More::InLine));
                }
            }
            Pin::new(&mut *stream).poll_flush(cx).map_ok(|()| More::Nothing)
        })
        .await
    }
}

/// What is left to write.
#[derive(PartialEq, Eq)]
enum More {
    InLine,
    Nothing,
}
