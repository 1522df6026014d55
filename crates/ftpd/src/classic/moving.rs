//! File data over a data connection, either way. Everything here can be dropped half-way: a transfer that is broken off leaves
//! nothing.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use digest::Blocks;
use store::{Going, Outgoing, ReadAhead, Streamed};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::ascii::{FromWire, ToWire};
use super::command::Type;
use super::stream::Stream;

/// Bytes that a thread moves between file and socket before it asks whether it is to go on.
const PIECE: usize = 16 * 1024 * 1024;

/// Why file data does not get through.
#[derive(Debug, Error)]
pub(super) enum Stopped {
    /// The data connection broke.
    #[error("the data connection broke: {0}")]
    Peer(#[from] io::Error),
    /// TLS did not end as it must, and so perhaps not all has come.
    #[error("the data connection ended without close_notify")]
    Cut,
    /// Nobody reads or sends any more.
    #[error("nothing moved for {} s", .0.as_secs())]
    Stalled(Duration),
    /// The disk.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// How far a transfer is, for those who ask meanwhile.
#[derive(Clone, Debug, Default)]
pub(super) struct Moved(Arc<AtomicU64>);

impl Moved {
    pub(super) fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A file that comes in, shared with the thread that writes it, which may have it a moment longer than the transfer lives.
#[derive(Debug)]
pub(super) struct Held(Arc<Mutex<Option<Streamed>>>);

impl Held {
    pub(super) fn new(file: Streamed) -> Held {
        Held(Arc::new(Mutex::new(Some(file))))
    }

    async fn lock(&self) -> Holding {
        Holding(Arc::clone(&self.0).lock_owned().await)
    }

    /// The file itself, once nobody writes to it.
    pub(super) async fn take(self) -> Streamed {
        self.0.lock_owned().await.take().expect("taken once: by value, of the only one that lasts")
    }
}

/// A file that nobody else holds.
struct Holding(OwnedMutexGuard<Option<Streamed>>);

impl Holding {
    fn get(&mut self) -> &mut Streamed {
        self.0.as_mut().expect("taken only when its transfer is over")
    }
}

/// What a transfer keeps to.
#[derive(Clone, Debug)]
pub(super) struct Manner {
    pub(super) kind: Type,
    pub(super) stall: Duration,
    /// An upload may end without close_notify.
    pub(super) lenient: bool,
    pub(super) moved: Moved,
}

impl Manner {
    /// Writes all of `bytes`, as long as some of them go out from time to time.
    pub(super) async fn write(
        &self,
        stream: &mut (impl AsyncWrite + Unpin),
        bytes: &[u8],
    ) -> Result<(), Stopped> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.moving(stream.write(rest)).await? {
                0 => return Err(Stopped::Peer(io::ErrorKind::WriteZero.into())),
                written => rest = &rest[written..],
            }
        }
        Ok(())
    }

    /// Sends a file, and hands the connection back.
    pub(super) async fn send(&self, going: Going, stream: Stream) -> Result<Stream, Stopped> {
        let mut stream = match (going, stream) {
            (Going::Sent(outgoing), Stream::Plain(tcp)) => {
                Stream::Plain(self.send_by_kernel(outgoing, tcp).await?)
            }
            (Going::Read(file), mut stream) => {
                self.send_read(file, &mut stream).await?;
                stream
            }
            (Going::Sent(_), Stream::Tls(_)) => unreachable!("what is encrypted is read"),
        };
        self.flush(&mut stream).await?;
        Ok(stream)
    }

    /// Has all that was written go out.
    pub(super) async fn flush(&self, stream: &mut Stream) -> Result<(), Stopped> {
        self.moving(stream.flush()).await
    }

    async fn send_read(&self, mut file: ReadAhead, stream: &mut Stream) -> Result<(), Stopped> {
        let (mut spare, mut lines, mut converter) = (Blocks::default(), Vec::new(), ToWire::default());
        while let Some(blocks) = file.next(spare).await? {
            match self.kind {
                Type::Image => self.write(stream, blocks.buffer()).await?,
                Type::Ascii => {
                    lines.clear();
                    converter.convert(blocks.buffer(), &mut lines);
                    self.write(stream, &lines).await?;
                }
            }
            self.moved.add(blocks.data_len());
            spare = blocks;
        }
        Ok(())
    }

    /// The connection goes along to the thread that may block on the disk: only while the runtime sees the attempt does it know
    /// whether the socket is full, and misses no word that it has room again.
    async fn send_by_kernel(&self, mut outgoing: Outgoing, mut tcp: TcpStream) -> Result<TcpStream, Stopped> {
        while outgoing.remaining() > 0 {
            self.moving(tcp.writable()).await?;
            let turn = spawn_blocking(move || {
                let mut failure = None;
                let sent = tcp.try_io(Interest::WRITABLE, || match outgoing.send(&tcp, PIECE) {
                    Ok(Ok(0)) => Err(io::ErrorKind::WouldBlock.into()),
                    Ok(sent) => sent,
                    Err(error) => {
                        failure = Some(error);
                        Ok(0)
                    }
                });
                (sent, failure, outgoing, tcp)
            });
            let (sent, failure, file, connection) = turn.await.map_err(io::Error::from)?;
            (outgoing, tcp) = (file, connection);
            match (failure, sent) {
                (Some(error), _) => return Err(error.into()),
                (None, Ok(sent)) => self.moved.add(sent),
                (None, Err(full)) if full.kind() == io::ErrorKind::WouldBlock => {}
                (None, Err(error)) => return Err(error.into()),
            }
        }
        Ok(tcp)
    }

    /// Receives a file, up to the end of the connection, which it hands back.
    pub(super) async fn receive(&self, stream: Stream, file: &Held) -> Result<Stream, Stopped> {
        match (self.kind, stream) {
            (Type::Image, Stream::Plain(tcp)) => Ok(Stream::Plain(self.receive_here(tcp, file).await?)),
            (_, mut stream) => {
                self.receive_behind(&mut stream, file.lock().await.get()).await?;
                Ok(stream)
            }
        }
    }

    /// What fits into one buffer is read by the runtime, the rest by the thread that writes it: bytes that go from one core to another
    /// cost more than they gain by it.
    async fn receive_here(&self, mut tcp: TcpStream, file: &Held) -> Result<TcpStream, Stopped> {
        loop {
            let mut file = file.lock().await;
            let read = self.read(&mut tcp, file.get().room()).await?;
            self.moved.add(read);
            if read == 0 {
                return Ok(tcp);
            }
            if file.get().took(read) {
                break;
            }
        }
        loop {
            self.moving(tcp.readable()).await?;
            let mut file = file.lock().await;
            let turn = spawn_blocking(move || {
                let mut failure = None;
                let came = tcp.try_io(Interest::READABLE, || match file.get().pull(&tcp, PIECE) {
                    Ok(came) => came,
                    Err(error) => {
                        failure = Some(error);
                        Ok(0)
                    }
                });
                (came, failure, tcp)
            });
            let (came, failure, connection) = turn.await.map_err(io::Error::from)?;
            tcp = connection;
            match (failure, came) {
                (Some(error), _) => return Err(error.into()),
                (None, Ok(0)) => return Ok(tcp),
                (None, Ok(came)) => self.moved.add(came),
                (None, Err(nothing)) if nothing.kind() == io::ErrorKind::WouldBlock => {}
                (None, Err(error)) => return Err(error.into()),
            }
        }
    }

    async fn receive_behind(&self, stream: &mut Stream, file: &mut Streamed) -> Result<(), Stopped> {
        match self.kind {
            Type::Image => loop {
                match self.read(stream, file.room()).await? {
                    0 => return Ok(()),
                    read => {
                        self.moved.add(read);
                        file.came(read).await?;
                    }
                }
            },
            Type::Ascii => {
                let (mut piece, mut lines, mut converter) =
                    (vec![0; 64 * 1024], Vec::new(), FromWire::default());
                loop {
                    match self.read(stream, &mut piece).await? {
                        0 => return Ok(file.push(converter.finish()).await?),
                        read => {
                            self.moved.add(read);
                            lines.clear();
                            converter.convert(&piece[..read], &mut lines);
                            file.push(&lines).await?;
                        }
                    }
                }
            }
        }
    }

    async fn read(&self, stream: &mut (impl AsyncRead + Unpin), into: &mut [u8]) -> Result<usize, Stopped> {
        match self.moving(stream.read(into)).await {
            Err(Stopped::Peer(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                if self.lenient {
                    tracing::warn!(
                        "an upload ended without close_notify, and is taken for whole: lenient_eof"
                    );
                    return Ok(0);
                }
                Err(Stopped::Cut)
            }
            read => read,
        }
    }

    async fn moving<T>(&self, step: impl Future<Output = io::Result<T>>) -> Result<T, Stopped> {
        Ok(timeout(self.stall, step).await.map_err(|_| Stopped::Stalled(self.stall))??)
    }
}
