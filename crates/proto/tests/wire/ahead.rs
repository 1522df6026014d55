//! Both sides speak before they listen.

use std::time::Duration;

use digest::Algorithm;
use proto::io::{Broken, Wire};
use proto::{Abort, Command, Failure, Kind, Message, Reply, Side, limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::yield_now;

use crate::files::{data_frames, put, receive, sample, send};
use crate::{STALL, frames, how, raw_client, sockets, wire};

/// Soon, where a stall is what is waited for.
const SOON: Duration = Duration::from_millis(300);

const MIB: usize = 1024 * 1024;

/// Two wires between which the kernel holds next to nothing.
async fn narrow(stall: Duration) -> (Wire, Wire) {
    let (client, server) = sockets(true).await;
    (wire(client, Side::Server, stall), wire(server, Side::Client, stall))
}

async fn shout(wire: &mut Wire, bytes: &[u8]) -> Result<(), Broken> {
    wire.queue_bytes(bytes);
    wire.flush().await
}

#[tokio::test]
async fn two_sides_that_both_send_within_the_window_get_through() {
    let (mut client, mut server) = narrow(STALL).await;
    let most = sample(limits::WINDOW);
    let (to_server, to_client) = tokio::join!(shout(&mut client, &most), shout(&mut server, &most));
    assert_eq!((how(to_server), how(to_client)), (how(Ok(())), how(Ok(()))));
}

#[tokio::test]
async fn two_sides_that_both_send_beyond_the_window_stall() {
    let (mut client, mut server) = narrow(SOON).await;
    let much = sample(8 * MIB);
    let (to_server, to_client) = tokio::join!(shout(&mut client, &much), shout(&mut server, &much));
    assert_eq!((how(to_server), how(to_client)), ("Stalled(300ms)".into(), "Stalled(300ms)".into()));
}

#[tokio::test]
async fn files_cross_when_one_side_listens_after_it_spoke() {
    let (mut client, mut server) = narrow(STALL).await;
    let (up, down) = (sample(40_000), sample(MIB + 1));
    let first = async {
        send(&mut client, &up).await;
        receive(&mut client, down.len()).await
    };
    let second = async {
        send(&mut server, &down).await;
        receive(&mut server, up.len()).await
    };
    let (got_down, got_up) = tokio::join!(first, second);
    assert!(got_down == down && got_up == up);
}

/// Lets `server` hear what was written to it, until `there`.
async fn hear(server: &mut Wire, there: impl Fn(&Wire) -> bool) {
    while !there(server) {
        server.busy_while(yield_now()).await.unwrap();
    }
}

fn abort(command: u64) -> Message {
    Message::Abort(Abort { command, failure: Failure::new(Kind::Aborted, format!("number {command}")) })
}

#[tokio::test]
async fn an_abort_is_seen_behind_all_that_was_sent_before() {
    let (mut tcp, mut server) = raw_client().await;
    let ahead = [
        frames(&[Message::Command(Command::Pwd), abort(7), put(3)]),
        data_frames(b"abc", Algorithm::Md5),
        frames(&[Message::Command(Command::Quit), abort(2), abort(3)]),
    ]
    .concat();
    let (all, last) = ahead.split_at(ahead.len() - 1);
    tcp.write_all(all).await.unwrap();
    hear(&mut server, |server| server.aborted(2).is_some()).await;
    for (command, seen) in [(7, true), (2, true), (0, false), (3, false)] {
        let told = server.aborted(command).map(Message::Abort);
        assert_eq!(told, seen.then(|| abort(command)), "command {command}");
    }
    tcp.write_all(last).await.unwrap();
    hear(&mut server, |server| server.aborted(3).is_some()).await;
    assert_eq!(
        server.next(STALL).await.unwrap(),
        Message::Command(Command::Pwd),
        "looking takes nothing away"
    );
}

#[tokio::test]
async fn only_its_own_abort_drops_a_work() {
    // What is heard before the work begins, what while it lasts, and whether it is done.
    let table: [(&[u64], &[u64], bool); 5] = [
        (&[], &[], true),
        (&[1], &[2], true),
        (&[2, 1, 7], &[], false),
        (&[], &[7], false),
        (&[1], &[2, 7], false),
    ];
    for (before, meanwhile, done) in table {
        let aborts =
            |commands: &[u64]| frames(&commands.iter().map(|command| abort(*command)).collect::<Vec<_>>());
        let (mut tcp, mut server) = raw_client().await;
        if let Some(last) = before.last() {
            tcp.write_all(&aborts(before)).await.unwrap();
            hear(&mut server, |server| server.aborted(*last).is_some()).await;
        }
        let work = async {
            tcp.write_all(&aborts(meanwhile)).await.unwrap();
            if !done {
                std::future::pending::<()>().await;
            }
        };
        // Sooner than the next sign of life, which would find it too.
        let outcome = tokio::time::timeout(Duration::from_secs(4), server.busy_unless_aborted(7, work)).await;
        assert_eq!(
            outcome.expect("heard at once").unwrap().is_some(),
            done,
            "{before:?}, then {meanwhile:?}"
        );
    }
}

#[tokio::test]
async fn a_wire_is_stirred_by_words_and_by_the_end() {
    let (mut tcp, mut server) = raw_client().await;
    assert!(!server.is_stirred());
    tcp.write_all(&[1]).await.unwrap();
    while !server.is_stirred() {
        yield_now().await;
    }
    assert!(server.is_stirred(), "it stays so until that is read");
    let (tcp, mut server) = raw_client().await;
    drop(tcp);
    while !server.is_stirred() {
        yield_now().await;
    }
    assert_eq!(how(server.next(STALL).await), "Closed");
}

#[tokio::test]
async fn a_message_is_there_when_it_is_whole_or_wrong() {
    let pwd = frames(&[Message::Command(Command::Pwd)]);
    let table: [(&str, &[u8], bool); 4] = [
        ("a part of a head", &pwd[..4], false),
        ("a head", &pwd[..5], false),
        ("a message", &pwd, true),
        ("a type that is unknown", &[0, 0, 0, 0, 9], true),
    ];
    for (what, bytes, there) in table {
        let (mut tcp, mut server) = raw_client().await;
        tcp.write_all(&frames(&[Message::Command(Command::CdUp)])).await.unwrap();
        tcp.write_all(bytes).await.unwrap();
        hear(&mut server, Wire::has_message).await;
        assert_eq!(server.next(STALL).await.unwrap(), Message::Command(Command::CdUp));
        // Half of it may be on its way still; what is not whole is never there.
        if there {
            hear(&mut server, Wire::has_message).await;
        }
        assert_eq!(server.has_message(), there, "{what}");
    }
}

/// Answers that nobody reads stop the commands, instead of filling the memory.
#[tokio::test]
async fn ten_thousand_commands_do_not_get_ten_thousand_answers_unread() {
    const COMMANDS: usize = 10_000;
    let (mut tcp, server) = sockets(true).await;
    let mut server = wire(server, Side::Client, SOON);
    let ahead = frames(&vec![Message::Command(Command::Pwd); COMMANDS]);
    let answer = Message::Reply(Reply::Directory { path: vec![b'x'; limits::PATH] });
    let mut answered = 0;
    let serve = async {
        loop {
            let command = server.next(STALL).await?;
            assert_eq!(command, Message::Command(Command::Pwd));
            server.queue(&answer);
            answered += 1;
        }
    };
    let stalled: Result<(), Broken> = tokio::select! {
        biased;
        stalled = serve => stalled,
        written = async { tcp.write_all(&ahead).await.unwrap(); std::future::pending().await } => written,
    };
    assert_eq!(how(stalled), "Stalled(300ms)");
    assert!(answered < 200, "{answered} answers are in line");
}

/// A connection that is closed with bytes unread is reset, and on some systems the peer then loses what it had not read yet.
#[tokio::test]
async fn last_words_reach_a_peer_that_is_still_sending() {
    let (mut tcp, server) = sockets(true).await;
    let mut server = wire(server, Side::Client, STALL);
    let words = Message::Reply(Reply::Refused(Failure::new(Kind::Protocol, "enough")));
    let much = sample(MIB);
    let speak_first = async move {
        tcp.write_all(&much).await.unwrap();
        let mut heard = Vec::new();
        tcp.read_to_end(&mut heard).await.unwrap();
        heard
    };
    let refuse = async {
        server.next(STALL).await.unwrap_err();
        server.queue(&words);
        server.part().await;
    };
    let (heard, ()) = tokio::join!(speak_first, refuse);
    assert_eq!(heard, frames(&[words]));
}
