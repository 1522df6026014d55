//! Files go through as they are, however they are cut on their way.

use digest::{Algorithm, BLOCK, Blocks};
use proto::io::Arrived;
use proto::{Abort, Command, Failure, Kind, Message, Preamble, Side};
use tokio::io::AsyncWriteExt;
use tokio::task::yield_now;

use crate::files::{Chance, SIZES, data_frames, end, file_frames, hashed, put, receive, sample, send};
use crate::{STALL, frames, pair, raw_client, sockets, wire};

#[tokio::test]
async fn files_of_every_size_go_both_ways() {
    for algorithm in Algorithm::ALL {
        let (mut client, mut server) = pair().await;
        client.agree(algorithm);
        server.agree(algorithm);
        for size in SIZES {
            let data = sample(size);
            let ((), received) = tokio::join!(send(&mut client, &data), receive(&mut server, size));
            assert!(received == data, "{size} bytes to the server, {algorithm}");
            let ((), received) = tokio::join!(send(&mut server, &data), receive(&mut client, size));
            assert!(received == data, "{size} bytes to the client, {algorithm}");
        }
    }
}

#[tokio::test]
async fn files_go_through_in_slices_of_any_size() {
    for algorithm in Algorithm::ALL {
        for size in SIZES {
            let (mut tcp, mut server) = raw_client().await;
            server.agree(algorithm);
            let data = sample(size);
            let bytes = file_frames(&data, algorithm);
            let dribble = async {
                let mut chance = Chance(size as u64 + 7);
                let mut rest = &bytes[..];
                while !rest.is_empty() {
                    let (slice, behind) = rest.split_at(chance.length(200_000).min(rest.len()));
                    tcp.write_all(slice).await.unwrap();
                    rest = behind;
                    yield_now().await;
                }
            };
            let ((), received) = tokio::join!(dribble, receive(&mut server, size));
            assert!(received == data, "{size} bytes, {algorithm}");
        }
    }
}

#[tokio::test]
async fn a_whole_session_arrives_in_one_flight() {
    let algorithm = Algorithm::Blake3;
    let sizes = [0, 3, 0, BLOCK, 1, BLOCK + 1, 200_000, 0, 16 * BLOCK + 1, 16 * BLOCK, 5, 17 * BLOCK, 2];
    let mut flight = Preamble::new(&[algorithm]).encode().to_vec();
    for size in sizes {
        put(size).encode(&mut flight);
        flight.extend(file_frames(&sample(size), algorithm));
        Message::Command(Command::Pwd).encode(&mut flight);
    }
    let (mut tcp, mut server) = raw_client().await;
    let read = async {
        assert!(server.preamble().await.unwrap().has(algorithm));
        server.agree(algorithm);
        for size in sizes {
            assert_eq!(server.next(STALL).await.unwrap(), put(size));
            assert!(receive(&mut server, size).await == sample(size), "{size} bytes");
            assert_eq!(server.next(STALL).await.unwrap(), Message::Command(Command::Pwd));
        }
    };
    let (written, ()) = tokio::join!(tcp.write_all(&flight), read);
    written.unwrap();
}

#[tokio::test]
async fn signs_of_life_are_passed_over_within_a_file() {
    let (mut server, tcp) = sockets(false).await;
    let mut client = wire(tcp, Side::Server, STALL);
    let data = sample(2 * BLOCK + 9);
    let sent = async {
        for block in data.chunks(BLOCK) {
            server.write_all(&frames(&[Message::Busy, Message::Busy])).await.unwrap();
            server.write_all(&data_frames(block, Algorithm::Md5)).await.unwrap();
        }
        server.write_all(&frames(&[Message::Busy, end(&data, Algorithm::Md5)])).await.unwrap();
    };
    let ((), received) = tokio::join!(sent, receive(&mut client, data.len()));
    assert!(received == data);
}

fn abort() -> Message {
    Message::Abort(Abort { command: 0, failure: Failure::new(Kind::Changed, "it grew") })
}

#[tokio::test]
async fn an_abort_comes_behind_what_was_sent_before() {
    let (mut client, mut server) = pair().await;
    let data = sample(BLOCK);
    client.send_blocks(hashed(&data, Algorithm::Md5)).await.unwrap();
    client.send(&abort()).await.unwrap();
    let Arrived::Blocks(blocks) = server.arrive(Blocks::default(), 1 << 40).await.unwrap() else {
        panic!("no block")
    };
    assert!(blocks.slices().eq([&data[..]]));
    let Arrived::Abort(told) = server.arrive(blocks, (1 << 40) - BLOCK as u64).await.unwrap() else {
        panic!("no abort")
    };
    assert_eq!(Message::Abort(told), abort());
}

#[tokio::test]
async fn a_refused_file_is_passed_over_to_the_next_command() {
    let data = sample(20 * BLOCK + 5);
    let began = data_frames(&data[..18 * BLOCK], Algorithm::Md5);
    let rests = [
        ("to its end", file_frames(&data, Algorithm::Md5)),
        ("to its abort", [&began[..], &frames(&[abort()])].concat()),
        ("to an abort at once", frames(&[abort()])),
    ];
    for (what, rest) in rests {
        let (mut tcp, mut server) = raw_client().await;
        let flight = [&rest[..], &frames(&[Message::Command(Command::Pwd)])].concat();
        let read = async {
            server.pass_over(data.len() as u64).await.unwrap();
            assert_eq!(server.next(STALL).await.unwrap(), Message::Command(Command::Pwd), "{what}");
        };
        let (written, ()) = tokio::join!(tcp.write_all(&flight), read);
        written.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_block_that_is_there_does_not_wait_for_one_that_is_not() {
    let (mut tcp, mut server) = raw_client().await;
    let data = sample(2 * BLOCK);
    let bytes = data_frames(&data, Algorithm::Md5);
    let (first, second) = bytes.split_at(bytes.len() - 1);
    tcp.write_all(first).await.unwrap();
    let Arrived::Blocks(blocks) = server.arrive(Blocks::default(), data.len() as u64).await.unwrap() else {
        panic!("no block")
    };
    assert!(blocks.slices().eq([&data[..BLOCK]]));
    tcp.write_all(second).await.unwrap();
    let Arrived::Blocks(blocks) = server.arrive(blocks, BLOCK as u64).await.unwrap() else {
        panic!("no block")
    };
    assert!(blocks.slices().eq([&data[BLOCK..]]));
}

#[tokio::test]
async fn the_last_block_does_not_wait_for_the_end() {
    let (mut tcp, mut server) = raw_client().await;
    tcp.write_all(&data_frames(b"abc", Algorithm::Md5)).await.unwrap();
    while !server.has_message() {
        server.busy_while(yield_now()).await.unwrap();
    }
    tokio::select! {
        biased;
        arrived = server.arrive(Blocks::default(), 3) => assert!(matches!(arrived.unwrap(), Arrived::Blocks(_))),
        () = std::future::ready(()) => panic!("it waits"),
    }
}
