//! Small files that land, however they come: whole, in pieces, among large ones, damaged.

use digest::{Algorithm, BLOCK, Blocks, Root};
use proto::io::{Arrived, Broken, Wire};
use proto::{Command, Message, SMALL};
use tokio::io::AsyncWriteExt;
use tokio::task::yield_now;

use crate::files::{Chance, file_frames, put, sample};
use crate::{STALL, frames, raw_client};

const LIMIT: usize = SMALL as usize;

/// Around every border of what is small.
const LENGTHS: [usize; 9] = [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5, LIMIT - 1, LIMIT, LIMIT + 1];

/// Files that land together at the most.
const MOST: usize = 8;

/// What a server hears: files that land or arrive, as it would verify them, until a stream ends or says something else.
async fn receive_all(server: &mut Wire) -> (Vec<Option<Vec<u8>>>, Result<(), Broken>) {
    let mut files = Vec::new();
    loop {
        let size = match server.next(STALL).await {
            Ok(Message::Command(Command::Put { size, .. })) => size,
            Ok(_) => return (files, Ok(())),
            Err(broken) => return (files, Err(broken)),
        };
        if server.approaches(size).await {
            let mut landing = server.land(Some((Vec::new(), size)), MOST, Blocks::default());
            assert!((1..=MOST).contains(&landing.files.len()));
            while !landing.files.is_empty() {
                for file in &landing.files {
                    let mut content = Vec::new();
                    let mut all = Blocks::default();
                    let spans = landing.blocks.spans()[file.blocks.clone()].to_vec();
                    let stated = landing.blocks.digests()[file.blocks.clone()].to_vec();
                    spans.iter().for_each(|span| content.extend(&landing.blocks.buffer()[span.clone()]));
                    if !spans.is_empty() {
                        all = Blocks::received(landing.blocks.buffer().to_vec(), spans, stated);
                    }
                    let root = Root::of(server.algorithm(), all.digests());
                    let right = all.verify(server.algorithm())
                        && file.root == root
                        && file.end.size == content.len() as u64;
                    files.push(Some(content).filter(|_| right));
                }
                server.busy_while_landing(landing.field, yield_now()).await.unwrap();
                landing = server.land(None, MOST, landing.blocks);
            }
            continue;
        }
        match receive(server, size).await {
            Ok(content) => files.push(content),
            Err(broken) => return (files, Err(broken)),
        }
    }
}

/// What arrives piece by piece.
async fn receive(server: &mut Wire, size: u64) -> Result<Option<Vec<u8>>, Broken> {
    let (mut content, mut right) = (Vec::new(), true);
    let (mut spare, mut root) = (Blocks::default(), Root::new(server.algorithm()));
    loop {
        match server.arrive(spare, size - content.len() as u64).await? {
            Arrived::Blocks(blocks) => {
                right &= blocks.verify(server.algorithm());
                blocks.slices().for_each(|block| content.extend_from_slice(block));
                blocks.digests().iter().for_each(|digest| root.push(digest));
                spare = blocks;
            }
            Arrived::End(end) => {
                right &= end.root == root.value().as_bytes() && end.size == content.len() as u64;
                return Ok(Some(content).filter(|_| right));
            }
            Arrived::Abort(_) => return Ok(None),
        }
    }
}

/// Files of all kinds, and the frames that bring them; at last, something else.
fn stream(chance: &mut Chance, algorithm: Algorithm) -> (Vec<Vec<u8>>, Vec<u8>) {
    let mut said = Vec::new();
    let files: Vec<Vec<u8>> = (0..30)
        .map(|_| match chance.next() % 3 {
            0 => sample(LENGTHS[chance.next() as usize % LENGTHS.len()]),
            _ => sample(chance.length(4 * BLOCK)),
        })
        .collect();
    for file in &files {
        said.extend(frames(&[put(file.len())]));
        said.extend(file_frames(file, algorithm));
    }
    said.extend(frames(&[Message::Command(Command::Pwd)]));
    (files, said)
}

/// Has a server hear `said` in pieces of chance.
async fn hear(
    said: &[u8],
    chance: &mut Chance,
    algorithm: Algorithm,
) -> (Vec<Option<Vec<u8>>>, Result<(), Broken>) {
    let (mut tcp, mut server) = raw_client().await;
    server.agree(algorithm);
    let most = [100_000, 1_000_000, said.len()][chance.next() as usize % 3];
    let say = async move {
        let mut rest = said;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(chance.length(most).min(rest.len()));
            if tcp.write_all(piece).await.is_err() {
                return; // the server has heard enough
            }
            yield_now().await;
            rest = after;
        }
        drop(tcp.shutdown().await);
    };
    let heard = async move {
        let heard = receive_all(&mut server).await;
        drop(server); // so that nobody goes on saying what nobody hears
        heard
    };
    tokio::join!(say, heard).1
}

#[tokio::test]
async fn all_files_come_whole_and_in_their_order_whatever_the_pieces() {
    let mut chance = Chance(7);
    for round in 0..12 {
        let algorithm = Algorithm::ALL[round % 2];
        let (files, said) = stream(&mut chance, algorithm);
        let (heard, ended) = hear(&said, &mut chance, algorithm).await;
        ended.unwrap();
        assert!(heard == files.into_iter().map(Some).collect::<Vec<_>>(), "round {round}");
    }
}

#[tokio::test]
async fn of_a_damaged_stream_nothing_is_taken_for_a_file_that_is_none() {
    let mut chance = Chance(8);
    let (files, said) = stream(&mut chance, Algorithm::Md5);
    for round in 0..60 {
        let mut damaged = said.clone();
        let at = chance.next() as usize % said.len();
        match round % 3 {
            0 => damaged[at] ^= 1 << (chance.next() % 8),
            1 => drop(damaged.drain(at..(at + chance.length(5_000)).min(said.len()))),
            _ => damaged.truncate(at),
        }
        let (heard, _) = hear(&damaged, &mut chance, Algorithm::Md5).await;
        for file in heard.into_iter().flatten() {
            assert!(files.contains(&file), "round {round}, damaged at {at}: {} bytes", file.len());
        }
    }
}
