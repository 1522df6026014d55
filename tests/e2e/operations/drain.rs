//! SIGTERM: what runs may finish, what does not is told and leaves nothing, and asked twice the server ends at once.

use std::fs::{self, File};
use std::net::TcpStream;
use std::process::Command;
use std::thread;

use e2e::{ALICE, Heard, Raw, Server, Watch, Way, bytes, frame, stages};
use proto::{Kind, Message, Reply};
use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

const MIB: usize = 1024 * 1024;

/// A put that has begun, and whose data does not come.
fn half_a_put(server: &Server, name: &str) -> Raw {
    let watch = Watch::new(server.home(ALICE));
    let mut raw = server.logged_in(ALICE);
    let (path, size) = (name.as_bytes().to_vec(), 1 << 20);
    raw.tell(&Message::Command(proto::Command::Put { path, size }));
    watch.wait_for_stage();
    raw.say(&e2e::data_frame(&[7; 65_536]));
    raw
}

#[track_caller]
fn told_the_end(raw: &mut Raw) {
    match raw.hear() {
        Heard::Message(Message::Reply(Reply::Refused(failure))) => assert_eq!(failure.kind, Kind::Ending),
        other => panic!("{other:?}"),
    }
    assert_eq!(raw.hear(), Heard::End);
}

#[test]
fn twenty_transfers_finish_and_nothing_is_lost() {
    let mut server = Server::builder().limit("drain = \"100s\"").limit("sessions_per_address = 100").start();
    let large = bytes(4 * MIB, 1);
    server.write("alice/large", &large);
    server.write_work("large", &large);
    let (ways, runs): (Vec<_>, Vec<_>) = (0..20)
        .map(|number| {
            let address = server.address();
            let put = number % 2 == 0;
            let way =
                if put { Way::hold_up(address, MIB as u64) } else { Way::hold_down(address, MIB as u64) };
            let words = [["get", "large"], ["put", "large"]][usize::from(put)];
            let client = server.client(ALICE).target(format!("alice@{}", way.address()));
            let run = client.args(words).args([format!("file-{number}")]).spawn();
            (way, run)
        })
        .unzip();
    ways.iter().for_each(Way::wait_until_held);
    server.signal(Signal::HUP);
    server.log().wait_for("reloaded");
    server.signal_end();
    server.log().wait_for_all(&["ending", "sessions=20"]);
    server.signal(Signal::HUP);
    ways.iter().for_each(Way::release);
    for run in runs {
        run.wait().ok();
    }
    assert!(server.wait_for_end().success());
    for number in 0..20 {
        let name = format!("file-{number}");
        let arrived =
            if number % 2 == 0 { server.read(&format!("alice/{name}")) } else { server.read_work(&name) };
        assert!(arrived == large, "{name}");
    }
    assert!(stages(server.homes()).is_empty() && stages(server.work()).is_empty());
    assert_eq!(server.log().count(&["breaking off"]), 0);
}

#[test]
fn what_does_not_finish_is_told_and_leaves_nothing() {
    let mut server = Server::builder().limit("drain = \"1s\"").start();
    server.write("alice/file", b"old");
    server.write("alice/big", bytes(64 * MIB, 1)); // fits into no buffer
    let mut put = half_a_put(&server, "file");
    let mut get = server.logged_in(ALICE);
    get.say(&frame(&Message::Command(proto::Command::Get { path: b"big".to_vec(), first_block: 0 })));
    assert!(matches!(get.reply(), Reply::Sending { .. }));
    server.signal_end();
    server.log().wait_for("breaking off what is still running");
    told_the_end(&mut put);
    // The rest of what was on its way, and then the abort in place of the end.
    let broken_off = loop {
        match get.hear() {
            Heard::Data(..) => {}
            Heard::Message(Message::Abort(abort)) => break abort.failure,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(broken_off.kind, Kind::Ending);
    told_the_end(&mut get);
    assert!(server.wait_for_end().success());
    assert_eq!(server.read("alice/file"), b"old");
    assert!(stages(server.homes()).is_empty());
    for verb in ["put", "get"] {
        assert_eq!(server.log().count(&[&format!("verb=\"{verb}\""), "the server is ending"]), 1, "{verb}");
    }
}

#[test]
fn asked_twice_it_ends_at_once_and_leaves_nothing() {
    for second in [Signal::TERM, Signal::INT] {
        let mut server = Server::builder().limit("drain = \"1000s\"").start();
        let mut put = half_a_put(&server, "file");
        server.signal_end();
        server.log().wait_for_all(&["ending", "sessions=1"]);
        server.signal(second);
        told_the_end(&mut put);
        assert!(server.wait_for_end().success());
        assert_eq!(server.log().count(&["asked again: breaking off"]), 1);
        assert!(stages(server.homes()).is_empty() && !server.home(ALICE).join("file").exists());
    }
}

#[test]
fn nobody_new_is_let_in_and_who_only_knocked_is_told() {
    let mut server = Server::builder().limit("drain = \"1000s\"").start();
    let mut greeted = Raw::greeted(server.address());
    let mut put = half_a_put(&server, "file");
    server.signal_end();
    told_the_end(&mut greeted);
    while TcpStream::connect(server.address()).is_ok() {}
    // The put still has all the time that is stated.
    put.say(&[&e2e::data_frame(&[7; 65_536])[..]; 15].concat());
    put.tell(&Message::End(e2e::end(&vec![7; MIB])));
    assert!(matches!(put.reply(), Reply::Stored { .. }));
    told_the_end(&mut put);
    assert!(server.wait_for_end().success());
    assert!(server.read("alice/file") == vec![7; MIB]);
}

#[test]
fn a_peer_that_does_not_read_keeps_nothing() {
    let mut server = Server::builder().limit("drain = \"1ms\"").start();
    server.write("alice/big", bytes(64 * MIB, 1));
    let mut deaf = server.logged_in(ALICE);
    deaf.say(&frame(&Message::Command(proto::Command::Get { path: b"big".to_vec(), first_block: 0 })));
    assert!(matches!(deaf.reply(), Reply::Sending { .. }));
    let _put = half_a_put(&server, "file");
    assert!(server.terminate().success());
    assert!(stages(server.homes()).is_empty());
    assert_eq!(server.log().count(&["breaking off what is still running"]), 1);
}

#[test]
fn a_server_whose_terminal_is_gone_ends() {
    let model = Server::start();
    let directory = tempfile::tempdir().unwrap();
    fs::copy(model.config(), directory.path().join("users.toml")).unwrap();
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let slave = ptsname(&master, Vec::new()).unwrap();
    let slave = File::options().read(true).write(true).open(slave.to_str().unwrap()).unwrap();
    let mut command = Command::new("setsid");
    command.arg("--ctty").arg(e2e::ftpd()).args(["--log-file", "log"]).current_dir(directory.path());
    let mut child = command.stdin(slave.try_clone().unwrap()).stderr(slave).spawn().unwrap();
    drop(command); // and with it our side of the terminal
    let log = directory.path().join("log");
    let logged = |text: &str| fs::read_to_string(&log).unwrap_or_default().contains(text);
    while !logged("homes swept") {
        assert_eq!(child.try_wait().unwrap(), None);
        thread::yield_now();
    }
    drop(master);
    assert!(child.wait().unwrap().success());
    assert!(logged("the terminal is gone"));
}
