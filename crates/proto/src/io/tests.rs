//! How little a side holds that waits.

use std::net::Ipv4Addr;

use digest::{BATCH, BLOCK, Blocks};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::yield_now;

use super::{AT_WORK, Algorithm, Arrived, Broken, Duration, Message, Side, Stream, Wire};
use crate::{Command, End, Failure, Kind, Reply, gap};

const STALL: Duration = Duration::from_secs(60);

/// What input and output may keep when there is nothing to do: that of 500 idle sessions is 1 MiB.
const LITTLE: usize = 1024;

async fn pair() -> (Wire, Wire) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let (client, server) =
        tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    let wire = |tcp, peer| Wire::new(Stream::Plain(tcp), peer, STALL);
    (wire(client.unwrap(), Side::Server), wire(server.unwrap().0, Side::Client))
}

/// Lets `wire` begin to wait for the next message, of which there is none, and tells what it then holds.
async fn held_at_rest(wire: &mut Wire) -> (usize, usize) {
    tokio::select! {
        biased;
        heard = wire.next(STALL) => panic!("{heard:?}"),
        () = yield_now() => (wire.input.capacity(), wire.output.capacity()),
    }
}

#[tokio::test]
async fn after_a_transfer_little_is_held() {
    let (mut client, mut server) = pair().await;
    let send = async {
        let mut blocks = Blocks::default();
        blocks.lay_out(BATCH * BLOCK, gap(Algorithm::Md5));
        blocks.hash(Algorithm::Md5);
        client.send_blocks(blocks).await.unwrap();
        let end = End { size: 0, root: vec![], modified: None, mode: None };
        client.send(&Message::End(end)).await.unwrap();
    };
    let receive = async {
        let mut left = (BATCH * BLOCK) as u64;
        let mut spare = Blocks::default();
        while let Arrived::Blocks(blocks) = server.arrive(spare, left).await.unwrap() {
            left -= blocks.data_len() as u64;
            spare = blocks;
        }
    };
    tokio::join!(send, receive);
    for (who, wire) in [("sender", &mut client), ("receiver", &mut server)] {
        let (input, output) = held_at_rest(wire).await;
        assert!(input <= LITTLE && output <= LITTLE, "{who}: {input} and {output} bytes");
    }
}

#[tokio::test]
async fn after_many_commands_little_is_held() {
    const COMMANDS: usize = 5000;
    let (mut client, mut server) = pair().await;
    let ask = async {
        for _ in 0..COMMANDS {
            client.queue(&Message::Command(Command::Md5 { path: b"some/path/or/other".to_vec() }));
        }
        client.flush().await.unwrap();
        for _ in 0..COMMANDS {
            assert!(matches!(client.next(STALL).await.unwrap(), Message::Reply(Reply::Refused(_))));
        }
    };
    let answer = async {
        for _ in 0..COMMANDS {
            assert!(matches!(server.next(STALL).await.unwrap(), Message::Command(Command::Md5 { .. })));
            server.queue(&Message::Reply(Reply::Refused(Failure::new(Kind::NotFound, "no such file"))));
        }
        server.flush().await.unwrap();
    };
    tokio::join!(ask, answer);
    for (who, wire) in [("client", &mut client), ("server", &mut server)] {
        let (input, output) = held_at_rest(wire).await;
        assert!(input <= LITTLE && output <= LITTLE, "{who}: {input} and {output} bytes");
    }
}

#[tokio::test]
async fn signs_of_life_hold_nobody_for_ever() {
    let (mut client, mut server) = pair().await;
    tokio::time::pause();
    let step = Duration::from_secs(5);
    let most = AT_WORK.as_secs() / step.as_secs();
    let reply = Message::Reply(Reply::Goodbye);
    for end in [&reply, &Message::Busy] {
        for _ in 0..=most {
            server.send(&Message::Busy).await.unwrap();
            assert!(matches!(client.next(STALL).await.unwrap(), Message::Busy));
            tokio::time::advance(step).await;
        }
        server.send(end).await.unwrap();
        match client.next(STALL).await {
            Ok(heard) => assert_eq!(heard, reply, "and the next wait begins anew"),
            Err(broken) => assert!(matches!(broken, Broken::Busy(_)) && end != &reply, "{broken}"),
        }
    }
    server.send(&Message::Busy).await.unwrap();
    assert!(matches!(client.arrive(Blocks::default(), 1).await, Err(Broken::Busy(_))), "in a transfer, too");
}
