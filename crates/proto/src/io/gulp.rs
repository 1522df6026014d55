//! TCP beneath TLS, read in gulps: TLS asks for one record after the other, and a system call for each would be the most of
//! the work.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::io::poll_read_buf;

/// What is read at once while much comes.
const GULP: usize = 256 * 1024;

/// A TCP connection that reads ahead while more comes than is asked for, and holds no memory while nothing comes.
#[derive(Debug)]
pub struct Gulping {
    tcp: TcpStream,
    ahead: Vec<u8>,
    start: usize,
    /// The last read brought all that was asked for: there is more.
    much: bool,
}

impl Gulping {
    /// Reads from `tcp`, of which nothing was read ahead yet.
    pub fn new(tcp: TcpStream) -> Gulping {
        Gulping { tcp, ahead: Vec::new(), start: 0, much: false }
    }

    /// The connection, not to be read from: something may have been read ahead.
    pub fn tcp(&self) -> &TcpStream {
        &self.tcp
    }
}

impl AsyncRead for Gulping {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Gulping { tcp, ahead, start, much } = self.get_mut();
        if *start == ahead.len() {
            if !*much {
                let asked = buf.remaining();
                ready!(Pin::new(tcp).poll_read(cx, buf))?;
                *much = asked > 0 && buf.remaining() == 0;
                return Poll::Ready(Ok(()));
            }
            *start = 0;
            ahead.clear();
            ahead.reserve_exact(GULP);
            let read = poll_read_buf(Pin::new(tcp), cx, ahead);
            *much = matches!(read, Poll::Ready(Ok(1..)));
            if !*much {
                *ahead = Vec::new();
            }
            ready!(read)?;
        }
        let next = &ahead[*start..];
        let taken = next.len().min(buf.remaining());
        buf.put_slice(&next[..taken]);
        *start += taken;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Gulping {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().tcp).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().tcp).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_shutdown(cx)
    }
}
