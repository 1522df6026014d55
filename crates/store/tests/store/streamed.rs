//! Files whose length nobody announces, and files for a peer that verifies nothing.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

use digest::{Algorithm, BATCH, BLOCK, Blocks};
use store::{Attributes, Going, Keep, Kind, Options, Receipt, Replace, Streamed};

use crate::ground::{Ground, at, kind, pattern};

fn receive(ground: &Ground, keep: Keep) -> Result<Streamed, store::Error> {
    ground.home.receive(&at("file"), keep, 0, Replace::Yes, &mut || true)
}

/// Streams `data` in pieces of odd lengths.
async fn stream(mut file: Streamed, data: &[u8]) -> Result<Receipt, store::Error> {
    for piece in data.chunks(99_991) {
        file.push(piece).await?;
    }
    file.commit(Attributes::default()).await
}

#[tokio::test]
async fn a_stream_is_stored_as_it_came_and_its_digest_told() {
    for size in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK, BATCH * BLOCK + 7, 2 * BATCH * BLOCK] {
        let ground = Ground::new();
        let data = pattern(size);
        let receipt = stream(receive(&ground, Keep::Nothing).unwrap(), &data).await.unwrap();
        assert_eq!(ground.read("file"), data);
        assert_eq!(receipt.size, size as u64);
        assert_eq!(receipt.md5, Some(digest::of_block(Algorithm::Md5, &data)), "{size}");
        assert_eq!(ground.names(), ["file"]);
    }
}

/// Pulls what comes out of a socket, to its end.
fn pull(file: &mut Streamed, socket: &TcpStream) {
    loop {
        match file.pull(socket, 3 * BLOCK).unwrap() {
            Ok(0) => return,
            Ok(_) => {}
            Err(nothing) => assert_eq!(nothing.kind(), ErrorKind::WouldBlock),
        }
    }
}

#[tokio::test]
async fn a_stream_is_pulled_out_of_a_socket_that_does_not_block_before_or_after() {
    for size in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 9 * BLOCK + 7] {
        let (ground, data) = (Ground::new(), pattern(size));
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let mut out = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut socket = listener.accept().unwrap().0;
        let (wait, waited) = mpsc::channel::<()>();
        let sent = data.clone();
        let writer = thread::spawn(move || {
            let (first, rest) = sent.split_at(sent.len() / 2);
            out.write_all(first).unwrap();
            waited.recv().unwrap_err(); // the pause that the other side must live through
            out.write_all(rest).unwrap();
        });
        let mut file = receive(&ground, Keep::Nothing).unwrap();
        let first = data.len() / 2;
        let mut came = 0;
        socket.set_nonblocking(true).unwrap();
        let nothing = loop {
            match file.pull(&socket, usize::MAX).unwrap() {
                Ok(more) => came += more,
                Err(nothing) => break nothing,
            }
        };
        assert_eq!((came, nothing.kind()), (first, ErrorKind::WouldBlock), "{size}");
        assert_eq!(socket.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
        drop(wait);
        pull(&mut file, &socket);
        writer.join().unwrap();
        let receipt = file.commit(Attributes::default()).await.unwrap();
        assert_eq!(receipt.size, size as u64);
        assert!(ground.read("file") == data, "{size}");
    }
}

#[test]
fn a_socket_that_breaks_is_told_apart_from_a_disk_that_does() {
    let ground = Ground::with(&Options { quota: Some(BLOCK as u64), ..Options::default() });
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let mut out = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let socket = listener.accept().unwrap().0;
    let mut file = receive(&ground, Keep::Nothing).unwrap();
    out.write_all(&pattern(6 * BLOCK)).unwrap();
    socket.set_nonblocking(true).unwrap();
    let failed = loop {
        match file.pull(&socket, BLOCK) {
            Ok(came) => _ = came.unwrap(),
            Err(error) => break error.kind(),
        }
    };
    assert_eq!(failed, Kind::Quota);
    drop(file);
    assert_eq!(ground.names().len(), 0);

    let ground = Ground::new();
    let mut file = receive(&ground, Keep::Nothing).unwrap();
    rustix::net::sockopt::set_socket_linger(&out, Some(std::time::Duration::ZERO)).unwrap();
    drop(out); // a reset
    let broken = loop {
        match file.pull(&socket, BLOCK).unwrap() {
            Ok(0) => panic!("a reset is no end"),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => break error.kind(),
        }
    };
    assert_eq!(broken, ErrorKind::ConnectionReset);
    drop(file);
    assert_eq!(ground.names().len(), 0);
}

#[tokio::test]
async fn what_is_kept_comes_before_what_is_new() {
    for kept in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, BATCH * BLOCK, BATCH * BLOCK + BLOCK + 9] {
        let ground = Ground::new();
        let old = pattern(kept + 3);
        ground.write("file", &old);
        let file = receive(&ground, Keep::First(kept as u64)).unwrap();
        let receipt = stream(file, b"new").await.unwrap();
        let wanted = [&old[..kept], b"new"].concat();
        assert!(ground.read("file") == wanted, "{kept}");
        assert_eq!(receipt.md5, Some(digest::of_block(Algorithm::Md5, &wanted)));

        stream(receive(&ground, Keep::All).unwrap(), &pattern(BLOCK)).await.unwrap();
        assert!(ground.read("file") == [&wanted[..], &pattern(BLOCK)].concat(), "{kept}");
    }
}

#[tokio::test]
async fn until_the_end_the_old_file_is_whole() {
    let ground = Ground::new();
    ground.write("file", b"old");
    let mut file = receive(&ground, Keep::All).unwrap();
    file.push(&pattern(2 * BATCH * BLOCK)).await.unwrap();
    assert_eq!(ground.read("file"), b"old");
    file.discard().await;
    assert_eq!((ground.read("file"), ground.names()), (b"old".to_vec(), vec!["file".to_owned()]));
}

#[tokio::test]
async fn what_changes_while_it_is_gone_on_with_is_not_replaced() {
    let changes: [fn(&Ground); 3] = [
        |ground| ground.write("file", b"another"),
        |ground| std::fs::remove_file(ground.at("file")).unwrap(),
        |ground| assert_eq!(ground.put("file", b"old").unwrap().size, 3),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let ground = Ground::new();
        ground.write("file", b"old");
        let file = receive(&ground, Keep::All).unwrap();
        change(&ground);
        assert_eq!(kind(stream(file, b"new").await), Err(Kind::Changed), "change {number}");
    }
    let ground = Ground::new();
    let file = receive(&ground, Keep::All).unwrap();
    ground.write("file", b"appeared");
    assert_eq!(kind(stream(file, b"new").await), Err(Kind::Exists));
    assert_eq!(ground.read("file"), b"appeared");
}

#[test]
fn what_is_kept_is_copied_only_as_long_as_it_is_wanted() {
    let ground = Ground::new();
    ground.write("file", &pattern(3 * BATCH * BLOCK));
    let mut asked = 0;
    let stopped = ground.home.receive(&at("file"), Keep::All, 0, Replace::Yes, &mut || {
        asked += 1;
        asked < 2
    });
    assert_eq!((kind(stopped), asked), (Err(Kind::Io), 2));
    assert_eq!(ground.names(), ["file"]);
}

#[test]
fn less_than_is_to_be_kept_is_told() {
    let ground = Ground::new();
    assert_eq!(kind(receive(&ground, Keep::First(1))), Err(Kind::BeyondTheEnd));
    ground.write("file", b"old");
    assert_eq!(kind(receive(&ground, Keep::First(4))), Err(Kind::BeyondTheEnd));
    assert_eq!(
        kind(ground.home.receive(&at("file"), Keep::All, 0, Replace::No, &mut || true)),
        Err(Kind::Exists)
    );
    assert_eq!(
        kind(ground.home.receive(&at("other"), Keep::Nothing, 1 << 60, Replace::Yes, &mut || true)),
        Err(Kind::NoSpace)
    );
    assert_eq!(ground.names(), ["file"]);
}

#[tokio::test]
async fn a_quota_ends_a_stream_where_it_is_used_up() {
    let ground = Ground::with(&Options { quota: Some(3 * BLOCK as u64), ..Options::default() });
    assert_eq!(ground.home.available(&at("/")).unwrap(), Some(3 * BLOCK as u64));
    stream(receive(&ground, Keep::Nothing).unwrap(), &pattern(3 * BLOCK)).await.unwrap();
    assert_eq!(ground.home.available(&at("/")).unwrap(), Some(0));
    ground.home.remove(&at("file")).unwrap();
    assert_eq!(
        kind(stream(receive(&ground, Keep::Nothing).unwrap(), &pattern(3 * BLOCK + 1)).await),
        Err(Kind::Quota)
    );
    assert_eq!(ground.names().len(), 0);
    assert_eq!(ground.home.available(&at("/")).unwrap(), Some(3 * BLOCK as u64), "all was given back");
}

#[tokio::test]
async fn a_file_goes_out_from_any_byte_on_read_or_sent() {
    let ground = Ground::new();
    let data = pattern(3 * BATCH * BLOCK + 5);
    ground.write("file", &data);
    let end = data.len() as u64;
    for (range, touched) in
        [(0..end, true), (0..end, false), (7..end, true), (7..end, false), (9..11, false), (end..end, true)]
    {
        let going = ground.home.open_plain(&at("file"), range.clone(), touched).unwrap();
        assert_eq!(going.size(), end);
        let mut got = Vec::new();
        match going {
            Going::Read(mut file) => {
                let mut spare = Blocks::default();
                while let Some(blocks) = file.next(spare).await.unwrap() {
                    got.extend_from_slice(blocks.buffer());
                    spare = blocks;
                }
                assert_eq!(file.finish().await.unwrap().root(), None);
            }
            Going::Sent(mut file) => {
                assert!(!touched);
                let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
                let out = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
                let mut into = listener.accept().unwrap().0;
                let reader = thread::spawn(move || {
                    let mut got = Vec::new();
                    into.read_to_end(&mut got).map(|_| got)
                });
                while file.remaining() > 0 {
                    file.send(&out, BLOCK).unwrap().unwrap();
                }
                drop(out);
                got = reader.join().unwrap().unwrap();
            }
        }
        assert!(got == data[range.start as usize..range.end as usize], "{range:?} {touched}");
    }
    assert_eq!(kind(ground.home.open_plain(&at("file"), end + 1..u64::MAX, false)), Err(Kind::BeyondTheEnd));
    assert_eq!(kind(ground.home.open_plain(&at("/"), 0..9, false)), Err(Kind::IsDirectory));
}
