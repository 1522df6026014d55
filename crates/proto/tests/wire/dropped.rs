//! Futures dropped half-way, and the bytes in order all the same.

use digest::{Algorithm, BATCH, BLOCK, Blocks};
use proto::io::{Arrived, Wire};
use proto::{Command, Message, Side};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::yield_now;

use crate::files::{data_frames, end, file_frames, hashed, sample};
use crate::{STALL, frames, raw_client, sockets, wire};

/// Polls `future` a few times, and drops it. It must not be ready.
async fn drop_half_way<T>(future: impl Future<Output = T>) {
    tokio::select! {
        biased;
        _ = future => panic!("it was to be dropped half-way"),
        () = async { for _ in 0..5 { yield_now().await } } => {}
    }
}

#[tokio::test]
async fn what_was_not_sent_goes_first() {
    let (mut tcp, server) = sockets(true).await;
    let mut server = wire(server, Side::Client, STALL);
    let data = sample(2 * BATCH * BLOCK);
    let (first, second) = data.split_at(BATCH * BLOCK);
    let ended = end(&data, Algorithm::Md5);
    server.queue(&Message::Busy);
    drop_half_way(server.send_blocks(hashed(first, Algorithm::Md5))).await;
    drop_half_way(server.flush()).await;
    drop_half_way(server.send_blocks(hashed(second, Algorithm::Md5))).await;
    drop_half_way(server.send(&ended)).await;
    server.queue(&Message::Busy);
    // Only now does anybody read.
    let mut heard = Vec::new();
    let rest = async move { server.flush().await };
    let (flushed, read) = tokio::join!(rest, tcp.read_to_end(&mut heard));
    flushed.unwrap();
    read.unwrap();
    let busy = frames(&[Message::Busy]);
    assert!(heard == [&busy[..], &file_frames(&data, Algorithm::Md5), &busy].concat());
}

/// Writes `bytes` in slices, with a pause behind each.
async fn dribble(tcp: &mut (impl AsyncWriteExt + Unpin), bytes: &[u8], slice: usize) {
    for slice in bytes.chunks(slice) {
        tcp.write_all(slice).await.unwrap();
        yield_now().await;
    }
}

/// What arrives, although the future that waits for it is dropped at every turn; and how often it was.
async fn arrive(server: &mut Wire, left: u64) -> (Arrived, usize) {
    let mut dropped = 0;
    loop {
        tokio::select! {
            biased;
            arrived = server.arrive(Blocks::default(), left) => return (arrived.unwrap(), dropped),
            () = yield_now() => dropped += 1,
        }
    }
}

#[tokio::test]
async fn what_was_heard_is_not_lost() {
    let (mut tcp, mut server) = raw_client().await;
    let data = sample(18 * BLOCK + 77);
    let bytes = file_frames(&data, Algorithm::Md5);
    let receive = async {
        let mut received = Vec::new();
        let mut dropped = 0;
        loop {
            let (arrived, more) = arrive(&mut server, (data.len() - received.len()) as u64).await;
            dropped += more;
            match arrived {
                Arrived::Blocks(blocks) => {
                    blocks.slices().for_each(|block| received.extend_from_slice(block))
                }
                Arrived::End(_) => return (received, dropped),
                Arrived::Abort(abort) => panic!("{abort:?}"),
            }
        }
    };
    let ((), (received, dropped)) = tokio::join!(dribble(&mut tcp, &bytes, 10_007), receive);
    assert!(received == data && dropped > 20, "dropped {dropped} times");
}

#[tokio::test]
async fn a_message_half_heard_is_not_lost() {
    let (mut tcp, mut server) = raw_client().await;
    let long = Message::Command(Command::Rename { from: sample(4000), to: sample(3999) });
    let bytes = [frames(&[long.clone(), long.clone()]), data_frames(b"abc", Algorithm::Md5)].concat();
    let receive = async {
        let mut dropped = 0;
        for _ in 0..2 {
            loop {
                tokio::select! {
                    biased;
                    heard = server.next(STALL) => { assert_eq!(heard.unwrap(), long); break }
                    () = yield_now() => dropped += 1,
                }
            }
        }
        let (arrived, _) = arrive(&mut server, 3).await;
        assert!(matches!(arrived, Arrived::Blocks(blocks) if blocks.slices().eq([b"abc"])));
        dropped
    };
    let ((), dropped) = tokio::join!(dribble(&mut tcp, &bytes, 97), receive);
    assert!(dropped > 20, "dropped {dropped} times");
}
