//! Peers that break the protocol.

use digest::{Algorithm, BATCH, BLOCK, Blocks};
use proto::io::{Arrived, Broken, Wire};
use proto::{Command, Message, Preamble};
use tokio::io::AsyncWriteExt;

use crate::files::{data_frames, end, file_frames, sample};
use crate::{STALL, frames, how, raw_client};

/// Receives to the end, and tells how many bytes came.
async fn drain(wire: &mut Wire, size: usize) -> Result<u64, Broken> {
    let mut left = size as u64;
    let mut spare = Blocks::default();
    loop {
        match wire.arrive(spare, left).await? {
            Arrived::Blocks(blocks) => {
                left -= blocks.data_len() as u64;
                spare = blocks;
            }
            Arrived::End(_) | Arrived::Abort(_) => return Ok(size as u64 - left),
        }
    }
}

#[tokio::test]
async fn a_file_that_is_not_as_announced_breaks_the_session() {
    let data = |len: usize| data_frames(&sample(len), Algorithm::Md5);
    let file = |len: usize| file_frames(&sample(len), Algorithm::Md5);
    let ended = |len: usize| frames(&[end(&sample(len), Algorithm::Md5)]);
    let command = || frames(&[Message::Command(Command::Pwd)]);
    let long = |len: u32, number: u8| [&len.to_le_bytes()[..], &[number]].concat();
    let table = [
        ("a block too short", 2 * BLOCK, data(BLOCK - 1), "Malformed(BlockLength)"),
        (
            "a short block that is not the last",
            2 * BLOCK,
            [data(1), file(BLOCK)].concat(),
            "Malformed(BlockLength)",
        ),
        ("a whole block where less is due", BLOCK - 1, data(BLOCK), "Malformed(BlockLength)"),
        ("a second block longer than the rest", BLOCK + 1, data(BLOCK + 2), "Malformed(BlockLength)"),
        ("a block of no bytes", 1, [&long(16, 4)[..], &[0; 16]].concat(), "Malformed(BlockLength)"),
        ("a body shorter than a digest", 1, [&long(15, 4)[..], &[0; 15]].concat(), "Malformed(BlockLength)"),
        ("a block longer than a block", 2 * BLOCK, long(BLOCK as u32 + 17, 4), "Malformed(Length(65553))"),
        ("data of an empty file", 0, data(1), "Malformed(MoreThanAnnounced)"),
        ("one block more", BLOCK, data(BLOCK + 1), "Malformed(MoreThanAnnounced)"),
        (
            "a whole batch and one more",
            BATCH * BLOCK,
            data(BATCH * BLOCK + 1),
            "Malformed(MoreThanAnnounced)",
        ),
        ("an end and no data", 1, ended(0), "Malformed(FewerThanAnnounced)"),
        ("an end before the last block", BLOCK + 1, file(BLOCK), "Malformed(FewerThanAnnounced)"),
        (
            "an end before the next batch",
            (BATCH + 1) * BLOCK,
            file(BATCH * BLOCK),
            "Malformed(FewerThanAnnounced)",
        ),
        ("a command before the data", BLOCK, command(), "Malformed(Turn)"),
        ("a command between blocks", 2 * BLOCK, [data(BLOCK), command()].concat(), "Malformed(Turn)"),
        ("a command before the end", BLOCK, [data(BLOCK), command()].concat(), "Malformed(Turn)"),
        ("a reply from a client", BLOCK, long(1, 2), "Malformed(Type(2))"),
        ("a sign of life from a client", BLOCK, [data(BLOCK), long(0, 7)].concat(), "Malformed(Type(7))"),
        ("an end too long", 0, long(257, 5), "Malformed(Length(257))"),
        ("an end that is none", 0, [&long(2, 5)[..], &[0, 9]].concat(), "Malformed(Body)"),
        ("nothing", BLOCK, vec![], "Cut"),
        ("a part of a head", BLOCK, data(BLOCK)[..4].to_vec(), "Cut"),
        ("a part of a block", BLOCK, data(BLOCK)[..BLOCK].to_vec(), "Cut"),
        ("one block of two", 2 * BLOCK, data(BLOCK), "Cut"),
        ("data without its end", BLOCK, data(BLOCK), "Cut"),
        ("a part of the end", 1, file(1)[..file(1).len() - 1].to_vec(), "Cut"),
        ("a whole file", 3 * BLOCK, file(3 * BLOCK), "it did not break"),
    ];
    for (what, size, bytes, expected) in table {
        let (mut tcp, mut server) = raw_client().await;
        let write = async {
            // It may have heard enough before it heard all.
            let _cut_short = tcp.write_all(&bytes).await;
            let _cut_short = tcp.shutdown().await;
        };
        let ((), got) = tokio::join!(write, drain(&mut server, size));
        assert_eq!(how(got), expected, "{what}");
    }
}

#[tokio::test]
async fn a_frame_that_is_no_command_breaks_the_session() {
    let table: [(&str, &[u8], &str); 9] = [
        ("data without a put", b"\x11\0\0\0\x04", "Malformed(Turn)"),
        ("data too long without a put", b"\xff\xff\xff\xff\x04", "Malformed(Length(4294967295))"),
        ("an oversized command", b"\x01\x40\0\0\x01", "Malformed(Length(16385))"),
        ("an unknown type", b"\0\0\0\0\x08", "Malformed(Type(8))"),
        ("the server's part", b"\x01\0\0\0\x02", "Malformed(Type(2))"),
        ("an unknown command", b"\x01\0\0\0\x01\x10", "Malformed(Body)"),
        ("nothing", b"", "Closed"),
        ("a part of a head", b"\x01\0", "Cut"),
        ("a part of a body", b"\x02\0\0\0\x01\x05", "Cut"),
    ];
    for (what, bytes, expected) in table {
        let (mut tcp, mut server) = raw_client().await;
        tcp.write_all(bytes).await.unwrap();
        // What its head condemns, is condemned while the connection is still open.
        if matches!(expected, "Closed" | "Cut") {
            tcp.shutdown().await.unwrap();
        }
        assert_eq!(how(server.next(STALL).await), expected, "{what}");
    }
}

#[tokio::test]
async fn a_stranger_is_known_while_it_waits() {
    let ours = Preamble::new(&[Algorithm::Md5]).encode();
    let table: [(&str, &[u8], &str); 6] = [
        ("HTTP", b"GET / HTTP/1.1\r\n\r\n", "Malformed(Magic)"),
        ("SSH", b"S", "Malformed(Magic)"),
        ("FTP", b"USER a\r\n", "Malformed(Magic)"),
        ("another version of us", b"ftpd/2", "Malformed(Magic)"),
        ("nothing", b"", "Closed"),
        ("a part of a preamble", &ours[..15], "Cut"),
    ];
    for (what, bytes, expected) in table {
        let (mut tcp, mut server) = raw_client().await;
        tcp.write_all(bytes).await.unwrap();
        if matches!(expected, "Closed" | "Cut") {
            tcp.shutdown().await.unwrap();
        }
        assert_eq!(how(server.preamble().await), expected, "{what}");
    }
}
