//! Connections from more than one address: the whole of 127.0.0.0/8 is this machine's.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with};

/// An address of 127.128.0.0/9, where no server of these tests listens, by its number.
pub fn own_address(number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::new(127, 128, 0, 1).to_bits() + number % 0x7f_ff00)
}

/// Connects to `to` from the [`own_address`] of `number`.
pub fn dial(number: u32, to: SocketAddr) -> io::Result<TcpStream> {
    let own = own_address(number);
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    bind(&socket, &SocketAddr::from((own, 0)))?;
    connect(&socket, &to)?;
    Ok(socket.into())
}
