//! Buffers that go round between an async task and a thread that may block.
//!
//! The task gives buffers, the thread works on them in their order, the task takes them back. While buffers wait, the thread
//! goes from one to the next by itself, and the task finds several done: to wake somebody takes long, so neither side should
//! sleep while there is something to do.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use digest::Blocks;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::spawn_blocking;

use crate::error::{Error, Kind};

/// Buffers that are away while the task has another in hand. More of them gain nothing that can be measured.
pub(crate) const DEPTH: usize = 1;

/// What buffers are read from or written to.
pub trait Work: Send + 'static {
    /// Does what is to be done with one buffer.
    fn work(&mut self, blocks: &mut Blocks) -> Result<(), Error>;
}

/// A file, and the buffers on their way to and from it. Dropped, it stops after the buffer under way, and the file is dropped
/// where blocking is allowed.
#[derive(Debug)]
pub(crate) struct Round<W: Work> {
    shared: Arc<Shared<W>>,
    away: usize,
}

#[derive(Debug)]
struct Shared<W> {
    state: Mutex<State<W>>,
    /// A buffer is done, or the file has another place.
    stirred: Notify,
}

#[derive(Debug)]
struct State<W> {
    file: Place<W>,
    waiting: VecDeque<Blocks>,
    done: VecDeque<Blocks>,
    failure: Option<Error>,
    abandoned: bool,
}

/// Where the file is.
#[derive(Debug)]
enum Place<W> {
    /// Here; nothing waits.
    Idle(W),
    /// On a thread.
    Working,
    /// Dropped after a failure, or handed out.
    Gone,
}

impl<W: Work> Round<W> {
    /// Nothing begins before a buffer is given.
    pub(crate) fn new(file: W) -> Round<W> {
        let state = State {
            file: Place::Idle(file),
            waiting: VecDeque::new(),
            done: VecDeque::new(),
            failure: None,
            abandoned: false,
        };
        Round { shared: Arc::new(Shared { state: Mutex::new(state), stirred: Notify::new() }), away: 0 }
    }

    /// How many buffers were given and not taken back.
    pub(crate) fn away(&self) -> usize {
        self.away
    }

    /// Gives a buffer to be worked on. Panics outside of a tokio runtime.
    pub(crate) fn give(&mut self, blocks: Blocks) {
        self.away += 1;
        let mut state = self.shared.lock();
        state.waiting.push_back(blocks);
        match mem::replace(&mut state.file, Place::Working) {
            Place::Idle(file) => {
                drop(state);
                let shared = Arc::clone(&self.shared);
                drop(spawn_blocking(move || shared.run(file)));
            }
            elsewhere => state.file = elsewhere,
        }
    }

    /// Takes back the buffer that was given first, when it is done. Dropped while it waits, it loses nothing.
    pub(crate) async fn take(&mut self) -> Result<Blocks, Error> {
        loop {
            if let Some(blocks) = self.take_done()? {
                return Ok(blocks);
            }
            self.shared.stirred.notified().await;
        }
    }

    /// The same, if it is done already.
    pub(crate) fn take_done(&mut self) -> Result<Option<Blocks>, Error> {
        let mut state = self.shared.lock();
        let done = state.done.pop_front();
        match state.file {
            Place::Gone if done.is_none() => Err(state.failed()),
            _ => {
                self.away -= usize::from(done.is_some());
                Ok(done)
            }
        }
    }

    /// Works on the file on this thread, which may block. Only while no buffer is away.
    pub(crate) fn here<T>(&mut self, work: impl FnOnce(&mut W) -> Result<T, Error>) -> Result<T, Error> {
        let mut state = self.shared.lock();
        match &mut state.file {
            Place::Idle(file) => work(file),
            Place::Working | Place::Gone => Err(state.failed()),
        }
    }

    /// Waits until every buffer is done, and hands out the file.
    pub(crate) async fn finish(&mut self) -> Result<W, Error> {
        loop {
            {
                let mut state = self.shared.lock();
                match mem::replace(&mut state.file, Place::Gone) {
                    Place::Idle(file) => return Ok(file),
                    Place::Working => state.file = Place::Working,
                    Place::Gone => return Err(state.failed()),
                }
            }
            self.shared.stirred.notified().await;
        }
    }

    /// Takes nothing more up, and waits until the file is dropped.
    pub(crate) async fn discard(mut self) {
        self.shared.lock().waiting.clear();
        if let Ok(file) = self.finish().await {
            // Its drop has nobody to tell of a failure either.
            let _ = spawn_blocking(move || drop(file)).await;
        }
    }
}

impl<W: Work> Drop for Round<W> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.abandoned = true;
        if let Place::Idle(file) = mem::replace(&mut state.file, Place::Working) {
            drop(state);
            // To close a large file that has no name any more takes its time.
            match Handle::try_current() {
                Ok(runtime) => drop(runtime.spawn_blocking(move || drop(file))),
                Err(_) => drop(file),
            }
        }
    }
}

impl<W> Shared<W> {
    fn lock(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Work> Shared<W> {
    /// Works on what waits, on a thread that may block.
    fn run(&self, file: W) {
        let mut ended = Ended { shared: self, with_file: true };
        let mut file = file; // so that it is dropped before anybody is told of the end
        loop {
            let mut state = self.lock();
            if state.abandoned {
                return;
            }
            let Some(mut blocks) = state.waiting.pop_front() else {
                state.file = Place::Idle(file);
                ended.with_file = false;
                return;
            };
            drop(state);
            match file.work(&mut blocks) {
                Ok(()) => self.lock().done.push_back(blocks),
                Err(error) => {
                    self.lock().failure = Some(error);
                    return;
                }
            }
            self.stirred.notify_one();
        }
    }
}

/// Tells the task that the thread has ended, a panic included.
struct Ended<'a, W> {
    shared: &'a Shared<W>,
    /// The thread did not hand the file back. If it did, another may have it by now.
    with_file: bool,
}

impl<W> Drop for Ended<'_, W> {
    fn drop(&mut self) {
        if self.with_file {
            self.shared.lock().file = Place::Gone;
        }
        self.shared.stirred.notify_one();
    }
}

impl<W> State<W> {
    /// Why nothing goes on: told once as it was.
    fn failed(&mut self) -> Error {
        self.failure.take().unwrap_or(FAILED)
    }
}

const FAILED: Error = Error::new(
    Kind::Io,
    "an earlier part of the file could not be read or written",
    "Begin the transfer anew.",
);

#[cfg(test)]
mod tests {
    use super::*;

    /// Does nothing, at once.
    struct Nothing;

    impl Work for Nothing {
        fn work(&mut self, _: &mut Blocks) -> Result<(), Error> {
            Ok(())
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_thread_that_ends_takes_no_file_from_the_next_one() {
        let mut round = Round::new(Nothing);
        for _ in 0..20_000 {
            round.give(Blocks::default());
            round.take().await.unwrap();
        }
        round.finish().await.unwrap();
    }

    #[tokio::test]
    async fn a_panic_is_a_failure_and_no_wait() {
        struct Panics;
        impl Work for Panics {
            fn work(&mut self, _: &mut Blocks) -> Result<(), Error> {
                panic!("as it must")
            }
        }
        let mut round = Round::new(Panics);
        round.give(Blocks::default());
        assert_eq!(round.take().await.unwrap_err().kind(), Kind::Io);
        assert_eq!(round.finish().await.map(drop).unwrap_err().kind(), Kind::Io);
    }
}
