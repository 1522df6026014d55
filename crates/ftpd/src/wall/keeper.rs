//! The keeper: one thread that may open what no session may, and takes its work from nobody outside.
//!
//! A server that reloads must open users.toml again, by its name, since editors put another file in its place; a rule for its
//! directory would let every session read what lies there. Landlock is per thread: so this one has rules of its own, made
//! before the wall for all others stands.

use std::any::Any;
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

type Job = Box<dyn FnOnce() -> Box<dyn Any + Send> + Send>;

/// The way to that thread, which ends with it.
#[derive(Debug)]
pub struct Keeper {
    jobs: Sender<(Job, Sender<Box<dyn Any + Send>>)>,
}

impl Keeper {
    /// Starts the thread, which begins with `restrict`.
    pub(super) fn start<E: Send + 'static>(
        restrict: impl FnOnce() -> Result<(), E> + Send + 'static,
    ) -> io::Result<Result<Keeper, E>> {
        let (jobs, waiting) = channel();
        let (said, restricted) = channel();
        thread::Builder::new().name("keeper".into()).spawn(move || {
            let outcome = restrict();
            let well = outcome.is_ok();
            if said.send(outcome).is_ok() && well {
                work(&waiting);
            }
        })?;
        let outcome = restricted.recv().map_err(|_| gone())?;
        Ok(outcome.map(|()| Keeper { jobs }))
    }

    /// Does `work` on that thread, after what others gave it, and waits for it. Blocks.
    ///
    /// # Errors
    /// The thread is gone, or the work panicked.
    pub fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
        let (done, answer) = channel();
        self.jobs.send((Box::new(move || Box::new(work())), done)).map_err(|_| gone())?;
        let answer = answer.recv().map_err(|_| gone())?;
        Ok(*answer.downcast().expect("work answers with its own type"))
    }
}

fn work(waiting: &Receiver<(Job, Sender<Box<dyn Any + Send>>)>) {
    while let Ok((job, done)) = waiting.recv() {
        if let Ok(answer) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)) {
            _ = done.send(answer); // whoever asked may be gone
        }
    }
}

fn gone() -> io::Error {
    io::Error::other("the thread that reads users.toml failed. start ftpd again")
}
