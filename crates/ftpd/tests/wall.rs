//! The second wall by itself: Landlock is per thread, so each test raises one around a thread of its own and tries std::fs there.

#![expect(clippy::unwrap_used, reason = "in a test, an unwrap is an assertion")]

use std::fs::{self, File};
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::thread;

use ftpd::wall::{Inside, Keeper, Wall, raise};

/// What there is: `home`, `roots`, `state`, `conf/users.toml`, and `secret` outside of all.
fn place() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for part in ["home/below", "state", "conf"] {
        fs::create_dir_all(directory.path().join(part)).unwrap();
    }
    for file in ["home/file", "state/key", "conf/users.toml", "secret"] {
        fs::write(directory.path().join(file), file).unwrap();
    }
    directory
}

fn inside(at: &Path) -> Inside {
    Inside {
        homes: vec![at.join("home")],
        roots: vec![at.join("roots")],
        state: Some(at.join("state")),
        reread: vec![at.join("conf/users.toml")],
        log: Some(at.join("log")),
        ..Inside::default()
    }
}

/// Runs `tries` behind a wall. Where the kernel has none, nothing can be shown.
fn walled(tries: impl FnOnce(&Path, &Wall, &Keeper) + Send) {
    walled_save_for(|_| {}, tries);
}

/// The same where something more is permitted.
fn walled_save_for(more: impl FnOnce(&mut Inside) + Send, tries: impl FnOnce(&Path, &Wall, &Keeper) + Send) {
    let directory = place();
    let at = directory.path();
    thread::scope(|scope| {
        let tried = scope.spawn(|| {
            let mut inside = inside(at);
            more(&mut inside);
            let (wall, keeper) = raise(&inside).unwrap();
            if wall.permits(Path::new("/")) {
                eprintln!("not tested: this kernel has no Landlock");
                return;
            }
            tries(at, &wall, &keeper);
        });
        tried.join().unwrap();
    });
}

#[track_caller]
fn denied<T>(tried: std::io::Result<T>, what: &str) {
    match tried {
        Ok(_) => panic!("{what} works"),
        Err(error) => assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{what}: {error}"),
    }
}

#[test]
fn outside_nothing_can_be_opened_made_or_run() {
    walled(|at, _, _| {
        for path in ["secret", "conf/users.toml", "state/key", "home/../secret"] {
            denied(fs::read(at.join(path)), path);
            denied(File::options().append(true).open(at.join(path)), path);
        }
        std::os::unix::fs::symlink(at.join("secret"), at.join("home/link")).unwrap();
        denied(fs::read(at.join("home/link")), "a link that leads out");
        for path in ["/etc/passwd", "/proc/self/environ", "/dev/null"] {
            denied(fs::read(path), path);
        }
        denied(fs::read_dir(at), "listing");
        denied(fs::write(at.join("new"), ""), "a new file");
        denied(fs::create_dir(at.join("new")), "a new directory");
        denied(fs::remove_file(at.join("secret")), "removing");
        assert!(fs::rename(at.join("home/file"), at.join("file")).is_err(), "moving out");
        assert!(fs::rename(at.join("secret"), at.join("home/secret")).is_err(), "moving in");
        assert!(fs::hard_link(at.join("secret"), at.join("home/secret")).is_err(), "linking in");
        denied(std::process::Command::new("/bin/true").status(), "a program");
        fs::write(at.join("home/program"), "#!/bin/true\n").unwrap();
    });
}

#[test]
fn inside_all_works_that_sessions_do() {
    walled(|at, _, _| {
        let home = at.join("home");
        assert_eq!(fs::read(home.join("file")).unwrap(), b"home/file");
        fs::write(home.join("new"), "new").unwrap();
        fs::write(home.join("new"), "").unwrap(); // truncates
        fs::rename(home.join("new"), home.join("below/moved")).unwrap();
        std::os::unix::fs::symlink("file", home.join("link")).unwrap();
        fs::rename(home.join("link"), home.join("below/link")).unwrap();
        fs::create_dir(home.join("made")).unwrap();
        fs::remove_dir(home.join("made")).unwrap();
        fs::remove_file(home.join("below/moved")).unwrap();
        assert_eq!(fs::read_dir(&home).unwrap().count(), 2);
        fs::create_dir_all(at.join("roots/later/home")).unwrap();
        // A thread that is started later has the same wall.
        thread::scope(|scope| scope.spawn(|| denied(fs::read(at.join("secret")), "secret")).join().unwrap());
    });
}

#[test]
fn no_port_is_opened_and_nobody_called() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    walled(|_, _, _| {
        // Where the kernel is older than that, it may.
        let tried = TcpListener::bind("127.0.0.1:0");
        if tried.is_err() {
            denied(tried, "a listener");
            denied(TcpStream::connect(address), "a connection");
        }
        drop(listener.try_clone().unwrap());
    });
}

#[test]
fn data_connections_go_through_their_ports_and_no_others() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Free at this moment, and not among those that the system gives to others.
    let mut ports = (20_000..30_000).filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    let (free, other) = (ports.next().unwrap(), ports.next().unwrap());
    let permit = |inside: &mut Inside| (inside.ports, inside.calls) = (Some(free..=free), true);
    walled_save_for(permit, |_, _, keeper| {
        TcpListener::bind(("127.0.0.1", free)).unwrap();
        TcpStream::connect(address).unwrap();
        TcpListener::bind("127.0.0.1:0").unwrap(); // as who calls from an address does
        let other = TcpListener::bind(("127.0.0.1", other));
        if other.is_err() {
            denied(other, "another port"); // where the kernel is older than that, it may
            let call = keeper.run(move || TcpStream::connect(address)).unwrap();
            denied(call, "a connection of the keeper");
        }
    });
    let any = |inside: &mut Inside| inside.ports = Some(0..=0);
    walled_save_for(any, |_, _, _| {
        TcpListener::bind("127.0.0.1:0").unwrap();
        let named = TcpListener::bind(("127.0.0.1", free));
        if named.is_err() {
            denied(named, "a port by its number");
            denied(TcpStream::connect(address), "a connection");
        }
    });
}

#[test]
fn the_keeper_reads_what_it_must_and_no_more() {
    walled(|at, _, keeper| {
        let (conf, state, log) = (at.join("conf/users.toml"), at.join("state/key"), at.join("log"));
        let replace = at.join("conf/users.toml");
        assert_eq!(keeper.run(move || fs::read(conf)).unwrap().unwrap(), b"conf/users.toml");
        assert_eq!(keeper.run(move || fs::read(state)).unwrap().unwrap(), b"state/key");
        let append = move || File::options().append(true).create(true).open(log).map(drop);
        keeper.run(append).unwrap().unwrap();
        denied(keeper.run(move || fs::write(replace, "")).unwrap(), "changing users.toml");
        for path in ["secret", "home/file"] {
            let path = at.join(path);
            denied(keeper.run(move || fs::read(path)).unwrap(), "the keeper reads elsewhere");
        }
        // What panics is told, and the keeper goes on.
        assert!(keeper.run(|| panic!("on purpose")).is_err());
        assert_eq!(keeper.run(|| 7).unwrap(), 7);
    });
}

#[test]
fn where_homes_may_be() {
    walled(|at, wall, _| {
        for (path, permitted) in [
            ("home", true),
            ("home/deep/er", true),
            ("roots/new", true),
            ("home/../roots/new", true),
            ("roots/new/../../secret", false),
            ("home2", false),
            ("", false),
            ("state", false),
        ] {
            assert_eq!(wall.permits(&at.join(path)), permitted, "{path}");
        }
        std::os::unix::fs::symlink(at, at.join("roots/out")).unwrap();
        assert!(!wall.permits(&at.join("roots/out/elsewhere")), "a link that leads out");
    });
}

#[test]
fn a_root_that_cannot_be_made_is_told() {
    let directory = place();
    let inside = Inside { roots: vec![directory.path().join("secret/root")], ..Inside::default() };
    let told = raise(&inside).unwrap_err().to_string();
    assert!(
        told.contains("secret/root cannot be opened") && told.contains("take it out of users.toml"),
        "{told}"
    );
}
