//! Links swapped for files and directories while both are in use: whatever the moment, nothing outside is reached.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use e2e::{ALICE, Raw, Server};
use proto::{Command, Failure, Kind, Reply, Time};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::Canary;

/// How often the client tries.
const TRIES: usize = 400;

/// Exchanges two names for as long as `work` takes, over and over (renameat2(2), RENAME_EXCHANGE: neither is ever missing).
/// Both were where they were not before at least once.
fn while_exchanging(one: &Path, other: &Path, work: impl FnOnce()) {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let exchanges = scope.spawn(|| {
            let mut exchanges = 0;
            while !done.load(Ordering::Relaxed) {
                renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).unwrap();
                exchanges += 1;
            }
            exchanges
        });
        let _end = EndOf(&done);
        work();
        done.store(true, Ordering::Relaxed);
        assert!(exchanges.join().unwrap() > 10, "they were hardly exchanged");
    });
}

/// Ends the exchanges also when the work panics.
struct EndOf<'a>(&'a AtomicBool);

impl Drop for EndOf<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What must have come of a request: done inside, or denied; and how often each.
#[derive(Debug, Default)]
struct Tally {
    done: usize,
    denied: usize,
}

impl Tally {
    #[track_caller]
    fn count(&mut self, outcome: Result<(), Failure>) {
        match outcome {
            Ok(()) => self.done += 1,
            Err(failure) if failure.kind == Kind::Denied => self.denied += 1,
            Err(failure) => panic!("{failure}"),
        }
    }
}

fn ask(raw: &mut Raw, command: Command) -> Result<(), Failure> {
    match raw.ask(command) {
        Reply::Refused(failure) => Err(failure),
        _ => Ok(()),
    }
}

#[test]
fn a_file_that_turns_into_a_link() {
    let server = Server::start();
    let canary = Canary::beside(&server);
    server.write("alice/file", b"inside");
    symlink(canary.secret(), server.home(ALICE).join("link")).unwrap();
    let (one, other) = (server.home(ALICE).join("file"), server.home(ALICE).join("link"));
    let mut tally = Tally::default();
    while_exchanging(&one, &other, || {
        let mut raw = server.logged_in(ALICE);
        for _ in 0..TRIES {
            tally.count(raw.get("file").map(|content| assert_eq!(content, b"inside")));
            tally.count(ask(&mut raw, Command::Stat { path: b"file".to_vec() }));
            let (path, modified) = (b"file".to_vec(), Some(Time { seconds: 1, nanoseconds: 0 }));
            tally.count(ask(&mut raw, Command::SetAttributes { path, modified, mode: Some(0o600) }));
        }
    });
    assert!(tally.done > 0 && tally.denied > 0, "{tally:?}");
    canary.untouched();
}

#[test]
fn a_directory_that_turns_into_a_link() {
    let server = Server::start();
    let canary = Canary::beside(&server);
    server.write("alice/inside/secret", b"inside");
    symlink("../../canary", server.home(ALICE).join("link")).unwrap();
    let (one, other) = (server.home(ALICE).join("inside"), server.home(ALICE).join("link"));
    let mut tally = Tally::default();
    while_exchanging(&one, &other, || {
        let mut raw = server.logged_in(ALICE);
        for number in 0..TRIES {
            tally.count(raw.get("inside/secret").map(|content| assert_eq!(content, b"inside")));
            raw.send_put("inside/secret", b"inside");
            tally.count(match raw.reply() {
                Reply::Refused(failure) => Err(failure),
                _ => Ok(()),
            });
            tally.count(
                ask(&mut raw, Command::Cd { path: b"/inside".to_vec() })
                    .and_then(|()| ask(&mut raw, Command::Cd { path: b"/".to_vec() })),
            );
            tally.count(ask(&mut raw, Command::Mkdir { path: format!("inside/{number}").into() }));
        }
    });
    assert!(tally.done > 0 && tally.denied > 0, "{tally:?}");
    canary.untouched();
}

#[test]
fn a_directory_that_is_a_link_by_the_time_of_the_commit() {
    let server = Server::start();
    let canary = Canary::beside(&server);
    server.write("alice/inside/secret", b"old");
    let mut raw = server.logged_in(ALICE);
    let watch = e2e::Watch::new(server.home(ALICE).join("inside"));
    raw.tell(&proto::Message::Command(Command::Put { path: b"inside/secret".to_vec(), size: 3 }));
    watch.wait_for_stage();
    fs::rename(server.home(ALICE).join("inside"), server.home(ALICE).join("moved")).unwrap();
    symlink(&canary.directory, server.home(ALICE).join("inside")).unwrap();
    raw.say(&e2e::data_frame(b"new"));
    raw.tell(&proto::Message::End(e2e::end(b"new")));
    assert!(matches!(raw.reply(), Reply::Stored { .. }), "it goes where it began");
    assert_eq!(server.read("alice/moved/secret"), b"new");
    canary.untouched();
}
