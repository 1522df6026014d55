//! Paths that want out, and what lies outside: nothing of it is opened or changed.

mod links;
mod special;
mod swapped;
mod wire;

use std::collections::BTreeMap;
use std::fs;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use e2e::{Seen, Server, snapshot};
use rustix::fs::inotify::{CreateFlags, Reader, WatchFlags, add_watch, init};
use rustix::io::Errno;

/// A directory beside the homes with a file `secret` in it, under watch (inotify(7)): whoever opens or changes either is heard.
struct Canary {
    directory: PathBuf,
    before: BTreeMap<PathBuf, Seen>,
    events: OwnedFd,
}

/// What no client may ever be shown.
const SECRET: &[u8] = b"the canary's own\n";

impl Canary {
    fn beside(server: &Server) -> Canary {
        let directory = server.homes().with_file_name("canary");
        fs::create_dir_all(directory.join("below")).unwrap();
        fs::write(directory.join("secret"), SECRET).unwrap();
        let before = snapshot(&directory);
        let events = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).unwrap();
        for path in [directory.clone(), directory.join("secret"), directory.join("below")] {
            add_watch(&events, &path, WatchFlags::ALL_EVENTS).unwrap();
        }
        Canary { directory, before, events }
    }

    fn secret(&self) -> PathBuf {
        self.directory.join("secret")
    }

    /// Nobody has opened it, and it is as it was.
    #[track_caller]
    fn untouched(self) {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        match Reader::new(&self.events, &mut buffer).next() {
            Err(Errno::AGAIN) => {}
            heard => panic!("outside of the home, somebody touched something: {heard:?}"),
        }
        assert_eq!(snapshot(&self.directory), self.before, "something outside of the home changed");
    }
}

#[test]
fn the_canary_sings() {
    let deeds: [fn(&Path); 5] = [
        |secret| drop(fs::read(secret)),
        |secret| drop(fs::write(secret, b"changed")),
        |secret| drop(fs::remove_file(secret)),
        |secret| drop(fs::read_dir(secret.parent().unwrap())),
        |secret| drop(fs::write(secret.with_file_name("new"), b"")),
    ];
    for deed in deeds {
        let server = Server::start();
        let canary = Canary::beside(&server);
        deed(&canary.secret());
        let heard = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| canary.untouched()));
        assert!(heard.is_err());
    }
}
