//! Waiting for files to come and go (inotify(7)).

use std::fs::File;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{CreateFlags, Reader, WatchFlags, add_watch, init};
use rustix::fs::{FlockOperation, flock};
use rustix::io::{Errno, retry_on_intr};

use crate::{DEADLINE, stages};

/// An eye on one directory.
#[derive(Debug)]
pub struct Watch {
    directory: PathBuf,
    events: OwnedFd,
}

impl Watch {
    /// Looks at what comes to and goes from `directory` from now on.
    pub fn new(directory: impl AsRef<Path>) -> Watch {
        let directory = directory.as_ref().to_owned();
        let events = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).unwrap();
        let watch = Watch { directory, events };
        watch.look_at(&watch.directory).unwrap();
        watch
    }

    /// The first stage there, as soon as there is one.
    #[track_caller]
    pub fn wait_for_stage(&self) -> PathBuf {
        self.wait_until("a stage", |stages| stages.first().cloned())
    }

    /// Waits until there is no stage, neither there nor in directories below, but those that are kept, to be gone on with, and have
    /// no writer.
    #[track_caller]
    pub fn wait_for_no_stage(&self) {
        self.wait_until("the end of all stages", |stages| {
            stages.iter().all(|stage| is_kept(stage) && has_no_writer(stage)).then_some(())
        });
    }

    #[track_caller]
    fn wait_until<T>(&self, what: &str, look: impl Fn(&[PathBuf]) -> Option<T>) -> T {
        loop {
            let stages = self.stages();
            if let Some(found) = look(&stages) {
                return found;
            }
            let deadline = Timespec { tv_sec: DEADLINE.as_secs().cast_signed(), tv_nsec: 0 };
            let events = &mut [PollFd::new(&self.events, PollFlags::IN)];
            let ready = retry_on_intr(|| poll(events, Some(&deadline))).unwrap();
            assert_ne!(ready, 0, "waited in vain for {what}: {stages:?}");
            self.forget();
        }
    }

    /// The stages beneath the directory; from now on, their comings and goings are events, too.
    fn stages(&self) -> Vec<PathBuf> {
        for stage in stages(&self.directory) {
            // A directory that is gone has taken its stages along.
            _ = stage.parent().map(|above| self.look_at(above));
        }
        stages(&self.directory)
    }

    fn look_at(&self, directory: &Path) -> rustix::io::Result<()> {
        add_watch(
            &self.events,
            directory,
            WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::MOVE | WatchFlags::CLOSE_WRITE,
        )?;
        Ok(())
    }

    /// Passes over what happened so far: the directory itself tells more.
    fn forget(&self) {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(&self.events, &mut buffer);
        loop {
            match reader.next() {
                Ok(_) => {}
                Err(Errno::AGAIN) => return,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// Whether it is a stage that can be gone on with.
pub fn is_kept(stage: &Path) -> bool {
    stage.file_name().is_some_and(|name| name.as_bytes().starts_with(b".ftpd~keep~"))
}

fn has_no_writer(stage: &Path) -> bool {
    let lock = |file| flock(file, FlockOperation::NonBlockingLockShared);
    File::open(stage).map_or(true, |file| lock(file).is_ok())
}
