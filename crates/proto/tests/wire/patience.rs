//! Peers that keep one waiting. The clock is paused: it jumps to the next timer whenever everything waits.

use std::future::pending;
use std::time::Duration;

use digest::{Algorithm, BATCH, BLOCK, Blocks};
use proto::{Command, Message, Preamble, Side};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::files::{data_frames, hashed, sample};
use crate::{STALL, frames, how, pair, raw_client, sockets, wire};

const SECOND: Duration = Duration::from_secs(1);

/// Writes a byte a second, for ever.
async fn drip(tcp: &mut TcpStream, bytes: &[u8]) {
    for byte in bytes {
        tcp.write_all(&[*byte]).await.unwrap();
        sleep(SECOND).await;
    }
    pending().await
}

#[tokio::test(start_paused = true)]
async fn silence_between_frames_is_borne_as_long_as_was_said() {
    for wait in [SECOND, 10 * STALL] {
        let (_tcp, mut server) = raw_client().await;
        assert_eq!(how(server.next(wait).await), format!("Silent({wait:?})"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_frame_may_begin_later_than_the_stall_time() {
    let (mut tcp, mut server) = raw_client().await;
    let speak = async {
        sleep(5 * STALL).await;
        tcp.write_all(&frames(&[Message::Command(Command::Pwd)])).await.unwrap();
    };
    let ((), heard) = tokio::join!(speak, server.next(10 * STALL));
    assert_eq!(heard.unwrap(), Message::Command(Command::Pwd));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_sends_nothing_stalls() {
    let (_tcp, mut server) = raw_client().await;
    assert_eq!(how(server.preamble().await), format!("Stalled({STALL:?})"));
    assert_eq!(how(server.arrive(Blocks::default(), 1).await), format!("Stalled({STALL:?})"));
    assert_eq!(how(server.pass_over(1).await), format!("Stalled({STALL:?})"));
}

#[tokio::test(start_paused = true)]
async fn a_byte_a_second_is_too_slow_for_a_preamble() {
    let (mut tcp, server) = sockets(false).await;
    let mut server = wire(server, Side::Client, 8 * SECOND);
    let preamble = Preamble::new(&[Algorithm::Md5]).encode();
    tokio::select! {
        heard = server.preamble() => assert_eq!(how(heard), "Stalled(8s)"),
        () = drip(&mut tcp, &preamble) => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_byte_a_second_is_too_slow_for_a_frame() {
    let (mut tcp, mut server) = raw_client().await;
    let long = frames(&[Message::Command(Command::Cd { path: vec![b'x'; 1000] })]);
    tokio::select! {
        heard = server.next(10 * STALL) => assert_eq!(how(heard), format!("Stalled({STALL:?})")),
        () = drip(&mut tcp, &long) => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_byte_a_second_is_too_slow_for_a_block() {
    let (mut tcp, mut server) = raw_client().await;
    let block = data_frames(&sample(1000), Algorithm::Md5);
    tokio::select! {
        heard = server.arrive(Blocks::default(), 1000) => assert_eq!(how(heard), format!("Stalled({STALL:?})")),
        () = drip(&mut tcp, &block) => {}
    }
}

/// A thousand bytes a second are 64 KiB within the stall time, whatever a run of blocks takes.
#[tokio::test(start_paused = true)]
async fn a_slow_peer_that_moves_is_waited_for() {
    let (mut tcp, mut server) = raw_client().await;
    let data = sample(3 * BLOCK);
    let bytes = data_frames(&data, Algorithm::Md5);
    let trickle = async {
        for slice in bytes.chunks(2000) {
            tcp.write_all(slice).await.unwrap();
            sleep(SECOND).await;
        }
    };
    let receive = async {
        for (number, block) in data.chunks(BLOCK).enumerate() {
            let left = data.len() - number * BLOCK;
            let arrived = server.arrive(Blocks::default(), left as u64).await;
            assert!(
                matches!(arrived.unwrap(), proto::io::Arrived::Blocks(blocks) if blocks.slices().eq([block]))
            );
        }
    };
    tokio::join!(trickle, receive);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_nothing_stalls() {
    let (_client, mut server) = pair().await;
    let data = sample(BATCH * BLOCK);
    for _ in 0..1000 {
        match server.send_blocks(hashed(&data, Algorithm::Md5)).await {
            Ok(_) => {}
            stalled => return assert_eq!(how(stalled), format!("Stalled({STALL:?})")),
        }
    }
    panic!("the kernel swallowed a thousand MiB");
}

#[tokio::test(start_paused = true)]
async fn a_server_at_work_shows_signs_of_life() {
    let (mut client, mut server) = pair().await;
    let answer = async {
        assert_eq!(server.busy_while(async { 7 }).await.unwrap(), 7, "done at once, nothing is said");
        server.busy_while(sleep(13 * SECOND)).await.unwrap();
        server.send(&Message::Reply(proto::Reply::Done)).await.unwrap();
    };
    let read = async {
        let mut heard = Vec::new();
        while heard.last() != Some(&Message::Reply(proto::Reply::Done)) {
            heard.push(client.next(STALL).await.unwrap());
        }
        heard
    };
    let ((), heard) = tokio::join!(answer, read);
    assert_eq!(heard, [Message::Busy, Message::Busy, Message::Reply(proto::Reply::Done)]);
}

#[tokio::test(start_paused = true)]
async fn work_for_a_peer_that_is_gone_is_dropped() {
    let (tcp, mut server) = raw_client().await;
    // Closed with bytes unread, the connection is reset.
    server.send(&Message::Busy).await.unwrap();
    tcp.readable().await.unwrap();
    drop(tcp);
    assert_eq!(how(server.busy_while(pending::<()>()).await), "ConnectionReset");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_only_listens_still_gets_its_answer() {
    let (mut tcp, mut server) = raw_client().await;
    tcp.shutdown().await.unwrap();
    assert_eq!(server.busy_while(sleep(SECOND)).await.unwrap(), ());
    server.send(&Message::Busy).await.unwrap();
    let mut heard = [0; 5];
    tcp.read_exact(&mut heard).await.unwrap();
    assert_eq!(heard, *frames(&[Message::Busy]));
}

#[tokio::test(start_paused = true)]
async fn parting_does_not_wait_for_ever() {
    let (mut tcp, mut server) = raw_client().await;
    tcp.write_all(b"nothing that anybody reads").await.unwrap();
    server.queue(&Message::Busy);
    server.part().await;
    let mut heard = Vec::new();
    // It ends with an end, or with a reset when that came first; the last words are there.
    let _end = tcp.read_to_end(&mut heard).await;
    assert_eq!(heard, frames(&[Message::Busy]));
}
