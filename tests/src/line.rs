//! What a hand-made client speaks on: TCP, or TLS that takes any key.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, LazyLock};

use proto::io::tls::client_config;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::DEADLINE;

/// A connection.
#[derive(Debug)]
pub(crate) enum Line {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Line {
    /// Over TCP.
    #[track_caller]
    pub(crate) fn plain(address: SocketAddr) -> Line {
        Line::over(TcpStream::connect(address).unwrap())
    }

    /// On a connection that is there.
    pub(crate) fn over(tcp: TcpStream) -> Line {
        tcp.set_nodelay(true).unwrap();
        tcp.set_read_timeout(Some(DEADLINE)).unwrap();
        tcp.set_write_timeout(Some(DEADLINE)).unwrap();
        Line::Plain(tcp)
    }

    /// Over TLS, whoever the server is.
    #[track_caller]
    pub(crate) fn tls(address: SocketAddr) -> Line {
        Line::plain(address).secure()
    }

    /// Goes on under TLS, whoever the server is.
    #[track_caller]
    pub(crate) fn secure(self) -> Line {
        static CONFIG: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| Arc::new(client_config()));
        let Line::Plain(tcp) = self else { panic!("TLS is there already") };
        let server = ServerName::from(tcp.peer_addr().unwrap().ip());
        Line::Tls(Box::new(StreamOwned::new(ClientConnection::new(CONFIG.clone(), server).unwrap(), tcp)))
    }

    /// The connection under it.
    pub(crate) fn tcp(&self) -> &TcpStream {
        match self {
            Line::Plain(tcp) => tcp,
            Line::Tls(tls) => &tls.sock,
        }
    }

    /// Another handle on a connection without TLS.
    #[track_caller]
    pub(crate) fn again(&self) -> Line {
        match self {
            Line::Plain(tcp) => Line::Plain(tcp.try_clone().unwrap()),
            Line::Tls(_) => panic!("TLS has one hand"),
        }
    }

    /// Says that nothing will follow: to a server that has ended the connection already, nothing.
    pub(crate) fn finish(&mut self) {
        match self {
            Line::Plain(tcp) => drop(tcp.shutdown(Shutdown::Write)),
            Line::Tls(tls) => {
                tls.conn.send_close_notify();
                drop(tls.flush());
            }
        }
    }
}

impl Read for Line {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Line::Plain(tcp) => tcp.read(into),
            Line::Tls(tls) => tls.read(into),
        }
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Line::Plain(tcp) => tcp.write(bytes),
            Line::Tls(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Line::Plain(tcp) => tcp.flush(),
            Line::Tls(tls) => tls.flush(),
        }
    }
}
