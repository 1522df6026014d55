//! Ctrl-C and SIGTERM, as something to wait for.

use std::io;
use std::task::{Context, Waker};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::{Code, Failure};

/// The signals that end a command or the program.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// From now on these signals are only heard here.
    pub(crate) fn listen() -> io::Result<Signals> {
        let interrupt = signal(SignalKind::interrupt())?;
        let terminate = signal(SignalKind::terminate())?;
        Ok(Signals { interrupt, terminate })
    }

    /// Waits for the next signal: [`Code::Interrupted`] or [`Code::Terminated`].
    pub(crate) async fn next(&mut self) -> Failure {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Failure::new(Code::Terminated, "terminated"),
            _ = self.interrupt.recv() => Failure::new(Code::Interrupted, "interrupted"),
        }
    }

    /// Waits for SIGTERM alone, while Ctrl-C is a key of the line editor.
    pub(crate) async fn terminated(&mut self) -> Failure {
        self.terminate.recv().await;
        Failure::new(Code::Terminated, "terminated")
    }

    /// A Ctrl-C that was meant for the shell of `!`, or for a command that had just ended, must not meet the next one.
    pub(crate) fn forget_interrupts(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        while self.interrupt.poll_recv(&mut context).is_ready() {}
    }
}
