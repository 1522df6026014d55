//! Sockets to listen on: those that a supervisor passes on (sd_listen_fds(3)), and else our own.

use std::io;
use std::net::{SocketAddr, TcpListener};

use listenfd::ListenFd;
use proto::io::tcp;
use thiserror::Error;

use crate::listen;

/// Why the server cannot listen.
#[derive(Debug, Error)]
pub enum Error {
    /// An address that cannot be listened on.
    #[error(
        "cannot listen on {address}: {source}. Is another server on that port? `listen` in users.toml names it"
    )]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// A socket was passed on that nobody asked for.
    #[error(
        "socket {number} that the supervisor passes on listens on {address}, and users.toml does not. \
         add \"{address}\" to `listen`, or take it out of ftpd.socket"
    )]
    Unasked {
        /// Its number, counted from 1.
        number: usize,
        /// Where it listens.
        address: SocketAddr,
    },
    /// A descriptor was passed on that cannot be used.
    #[error(
        "socket {number} that the supervisor passes on is no listening TCP socket: {source}. \
         give ftpd.socket only ListenStream=ADDRESS:PORT"
    )]
    Unfit {
        /// Its number, counted from 1.
        number: usize,
        /// What is wrong with it.
        source: io::Error,
    },
}

/// A listener for each of `addresses`, in their order. One that is passed on is used for the address that it has; which
/// fits none, is an error.
pub(crate) fn listeners(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, Error> {
    let mut passed = passed_on(ListenFd::from_env())?;
    let listener = |&address| match passed.iter().position(|(_, other, _)| *other == address) {
        Some(at) => Ok(passed.swap_remove(at).2),
        None => listen::bind(address).map_err(|source| Error::Bind { address, source }),
    };
    let listeners: Vec<TcpListener> = addresses.iter().map(listener).collect::<Result<_, _>>()?;
    listeners.iter().for_each(tcp::listen);
    match passed.first() {
        Some(&(number, address, _)) => Err(Error::Unasked { number, address }),
        None => Ok(listeners),
    }
}

fn passed_on(mut sockets: ListenFd) -> Result<Vec<(usize, SocketAddr, TcpListener)>, Error> {
    let mut passed = Vec::with_capacity(sockets.len());
    for at in 0..sockets.len() {
        let number = at + 1;
        let taken = || {
            let Some(listener) = sockets.take_tcp_listener(at)? else { return Ok(None) };
            if !rustix::net::sockopt::socket_acceptconn(&listener)? {
                return Err(io::Error::other("it does not listen"));
            }
            listener.set_nonblocking(true)?;
            Ok(Some((number, listener.local_addr()?, listener)))
        };
        passed.extend({ taken }().map_err(|source| Error::Unfit { number, source })?);
    }
    Ok(passed)
}
