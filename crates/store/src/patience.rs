//! A socket on loan to a thread that may block: a fast peer is waited for in the kernel, and not by way of the runtime.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::io::ioctl_fionbio;
use rustix::net::sockopt::{Timeout, set_socket_timeout};

/// How long a peer may take for what it does anyway. A slower one is left to the runtime.
const PATIENCE: Duration = Duration::from_millis(10);

/// A socket that blocks, for a moment at most; as before once dropped.
#[derive(Debug)]
pub(crate) struct Patient<'a>(BorrowedFd<'a>);

impl<'a> Patient<'a> {
    /// Takes a socket that does not block, and that nobody else uses meanwhile.
    pub(crate) fn new(socket: &'a impl AsFd) -> rustix::io::Result<Patient<'a>> {
        let socket = socket.as_fd();
        for direction in [Timeout::Recv, Timeout::Send] {
            set_socket_timeout(socket, direction, Some(PATIENCE))?;
        }
        ioctl_fionbio(socket, false)?;
        Ok(Patient(socket))
    }
}

impl AsFd for Patient<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0
    }
}

impl Drop for Patient<'_> {
    fn drop(&mut self) {
        // What could be set to block can be set back.
        let _ = ioctl_fionbio(self.0, true);
    }
}
