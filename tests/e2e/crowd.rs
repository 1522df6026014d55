//! Many at once, and the end of a server that is busy.

use std::net::TcpStream;
use std::thread;

use e2e::{ALICE, BOB, Heard, Running, Server, Watch, Way, bytes, md5, stages};
use proto::{Kind, Message, Reply};

const MIB: usize = 1024 * 1024;
const CLIENTS: usize = 50;

#[test]
fn fifty_clients_do_everything_at_once() {
    let server = Server::builder().limit("sessions_per_address = 200").start();
    let shared = bytes(MIB + 77, 1);
    server.write("alice/shared", &shared);
    let content = |number: usize| bytes([0, 1, 1000, 65_536, 65_537, 300_000][number % 6], number as u64);
    let shared_md5 = md5(&shared);
    thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (server, shared) = (&server, &shared);
            scope.spawn(move || {
                let own = content(number);
                server.write_work(&format!("own-{number}"), &own);
                let batch = format!(
                    "put own-{number}\nmkdir dir-{number}\ncd dir-{number}\nput own-{number} copy\nls\nmd5 copy\nmd5 /shared\n\
                     get copy back-{number}\nget ../shared shared-{number}\nmv copy ../moved-{number}\ncd /\nrmdir dir-{number}\n\
                     cat moved-{number}\n-cat missing\nrm own-{number}\n"
                );
                let ran = server.client(ALICE).option("-b").option("-").stdin(batch).run().fails(9);
                let shown = [format!("copy\n{}  copy\n{shared_md5}  /shared\n", md5(&own)).into_bytes(), own.clone()].concat();
                assert!(ran.stdout == shown, "{number}: {:?}", ran.text());
                assert!(server.read_work(&format!("back-{number}")) == own);
                assert!(server.read_work(&format!("shared-{number}")) == *shared);
                assert!(server.read(&format!("alice/moved-{number}")) == own);
            });
        }
    });
    let names: usize = server.home(ALICE).read_dir().unwrap().count();
    assert_eq!(names, CLIENTS + 1);
    assert!(stages(server.homes()).is_empty() && stages(server.work()).is_empty());
    server.log().wait_for_nth(CLIENTS, &["session ended", "reason=\"quit\""]);
}

#[test]
fn fifty_clients_that_replace_one_file_leave_one_of_theirs() {
    let server = Server::builder().limit("sessions_per_address = 200").start();
    server.write("alice/file", bytes(100_000, 0));
    let content = |number: usize| bytes(100_000 + number, number as u64);
    thread::scope(|scope| {
        for number in 1..=CLIENTS {
            let server = &server;
            scope.spawn(move || {
                server.write_work(&format!("file-{number}"), content(number));
                server.ftp(&["put", &format!("file-{number}"), "file"]).ok();
                // Whosever it is by now, it is whole.
                let seen = server.ftp(&["cat", "file"]).ok().stdout;
                assert!(seen == content(seen.len() - 100_000), "a mixture of {} bytes", seen.len());
            });
        }
    });
    let left = server.read("alice/file");
    assert!(left == content(left.len() - 100_000));
    assert!(stages(server.homes()).is_empty());
}

/// A put and a get that are held up in the middle.
fn held_up(server: &Server, number: usize) -> (Vec<Way>, Vec<Running>) {
    let (up, down) =
        (Way::hold_up(server.address(), MIB as u64), Way::hold_down(server.address(), MIB as u64));
    let by = |way: &Way| {
        let client = server.client(ALICE).target(format!("alice@{}", way.address()));
        client.option("--retries").option("0")
    };
    let put = by(&up).args(["put", "large", &format!("put-{number}")]).spawn();
    let get = by(&down).args(["get", "large", &format!("get-{number}")]).spawn();
    up.wait_until_held();
    down.wait_until_held();
    (vec![up, down], vec![put, get])
}

#[test]
fn a_server_that_is_asked_to_end_lets_transfers_finish() {
    let mut server = Server::start();
    let large = bytes(16 * MIB, 1);
    server.write("alice/large", &large);
    server.write_work("large", &large);
    let watch = Watch::new(server.home(ALICE));
    let (ways, runs): (Vec<_>, Vec<_>) = (0..2).map(|number| held_up(&server, number)).unzip();
    watch.wait_for_stage();
    let mut idle = server.logged_in(BOB);
    server.signal_end();
    server.log().wait_for_all(&["ending", "sessions=5"]);
    let Heard::Message(Message::Reply(Reply::Refused(last))) = idle.hear() else { panic!("no last words") };
    assert_eq!(last.kind, Kind::Ending);
    assert_eq!(idle.hear(), Heard::End);
    // Whoever comes now finds nobody: at once, or when the listener has heard of the end.
    while TcpStream::connect(server.address()).is_ok() {}
    ways.iter().flatten().for_each(Way::release);
    for run in runs.into_iter().flatten() {
        run.wait().ok();
    }
    assert!(server.wait_for_end().success());
    for number in 0..2 {
        assert!(server.read(&format!("alice/put-{number}")) == large);
        assert!(server.read_work(&format!("get-{number}")) == large);
    }
    assert!(stages(server.homes()).is_empty() && stages(server.work()).is_empty());
    assert_eq!(server.log().count(&["breaking off"]), 0);
}

#[test]
fn a_server_that_is_asked_to_end_breaks_off_what_does_not() {
    let mut server = Server::start();
    let large = bytes(64 * MIB, 1); // fits into no buffer
    server.write("alice/large", &large);
    server.write("alice/put-0", b"old");
    server.write_work("large", &large);
    let watch = Watch::new(server.home(ALICE));
    let (ways, runs) = held_up(&server, 0);
    watch.wait_for_stage();
    server.signal_end();
    assert!(server.wait_for_end().success(), "a clean end");
    assert_eq!(server.log().count(&["breaking off what is still running", "sessions=2"]), 1);
    ways.iter().for_each(Way::release);
    for run in runs {
        run.wait().fails(3);
    }
    let left = [stages(server.homes()), stages(server.work())].concat();
    assert!(left.iter().all(|stage| e2e::is_kept(stage)), "{left:?}");
    assert_eq!(server.read("alice/put-0"), b"old");
    assert!(!server.work().join("get-0").exists());
}
