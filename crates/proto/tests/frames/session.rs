//! The session that PROTOCOL.md shows in bytes, so that the two cannot part.

use std::fmt::Write;

use digest::{Algorithm, Blocks, Digest, Root};
use proto::{
    Access, Command, End, HEAD, MAGIC, Message, PREAMBLE, Preamble, Reply, Secret, Side, Time, gap, seal,
};

/// One thing said, in the order of the session.
pub(crate) struct Said {
    pub(crate) by: Side,
    what: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// A login and the get of a file that holds `abc`.
pub(crate) fn session() -> Vec<Said> {
    let root = digest::of_block(Algorithm::Md5, b"abc").as_bytes().to_vec();
    let modified = Some(Time { seconds: 1_400_000_000, nanoseconds: 0 });
    let login = Command::Login { user: "alice".into(), password: Secret::new("wonder".into()) };
    let get = Command::Get { path: b"/abc".to_vec(), first_block: 0 };
    let client = |what, message: Command| said(Side::Client, what, &Message::Command(message));
    let server = |what, message: Reply| said(Side::Server, what, &Message::Reply(message));
    let preamble = Preamble::new(&[Algorithm::Md5]).encode().to_vec();
    vec![
        Said {
            by: Side::Client,
            what: "preamble: version 1, no features, digests: MD5",
            bytes: preamble.clone(),
        },
        client(r#"0 Hello, client "ftp 0.1.0""#, Command::Hello { client: "ftp 0.1.0".into() }),
        client(r#"1 Login, user "alice", password "wonder""#, login),
        client(r#"2 Get, path "/abc", first_block 0"#, get),
        Said { by: Side::Server, what: "preamble: version 1, no features, digest: MD5", bytes: preamble },
        server(r#"to 0: Hello, server "ftpd 0.1.0""#, Reply::Hello { server: "ftpd 0.1.0".into() }),
        server("to 1: Welcome, access Write", Reply::Welcome { access: Access::Write }),
        server("to 2: Sending, size 3", Reply::Sending { size: 3 }),
        Said { by: Side::Server, what: "data: abc, its MD5", bytes: sealed(b"abc") },
        said(
            Side::Server,
            "end: size 3, root, modified 1400000000 s 0 ns, mode 0644",
            &Message::End(End { size: 3, root, modified, mode: Some(0o644) }),
        ),
        client("3 Quit", Command::Quit),
        server("to 3: Goodbye", Reply::Goodbye),
    ]
}

fn said(by: Side, what: &'static str, message: &Message) -> Said {
    let mut bytes = Vec::new();
    message.encode(&mut bytes);
    Said { by, what, bytes }
}

fn sealed(data: &[u8]) -> Vec<u8> {
    let mut blocks = Blocks::default();
    blocks.lay_out(data.len(), gap(Algorithm::Md5));
    blocks.slices_mut()[0].copy_from_slice(data);
    blocks.hash(Algorithm::Md5);
    seal(&mut blocks);
    blocks.buffer().to_vec()
}

const PROTOCOL: &str = include_str!("../../PROTOCOL.md");

#[test]
fn the_specification_shows_this_session() {
    let mut text = String::new();
    for said in session() {
        let head = if said.bytes.starts_with(&MAGIC) { PREAMBLE } else { HEAD };
        let (head, body) = said.bytes.split_at(head);
        writeln!(text, "{:6} {}", format!("{:?}", said.by), said.what).unwrap();
        writeln!(text, "       {}", hex(head)).unwrap();
        for line in body.chunks(16) {
            writeln!(text, "         {}", hex(line)).unwrap();
        }
    }
    assert!(PROTOCOL.contains(&text), "PROTOCOL.md should show:\n{text}");
}

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.join(" ")
}

/// The roots that PROTOCOL.md gives as examples.
#[test]
fn the_specification_shows_these_roots() {
    let zeros = vec![0; digest::BLOCK + 1];
    for algorithm in Algorithm::ALL {
        for (what, data) in [("nothing", &b""[..]), ("`abc`", b"abc"), ("65,537 zero bytes", &zeros)] {
            let row = format!("| {what} | {} | `{}` |", algorithm, root(algorithm, data));
            assert!(PROTOCOL.contains(&row), "PROTOCOL.md should have:\n{row}");
        }
    }
}

fn root(algorithm: Algorithm, data: &[u8]) -> Digest {
    let mut root = Root::new(algorithm);
    data.chunks(digest::BLOCK).for_each(|block| root.push(&digest::of_block(algorithm, block)));
    root.value()
}

/// Numbers and names that PROTOCOL.md lists, beside those that the code has.
#[test]
fn the_specification_names_the_limits() {
    let refusal = std::str::from_utf8(proto::REFUSAL).unwrap().trim_end();
    assert!(PROTOCOL.contains(refusal), "{refusal}");
    for (what, limit) in [("path", proto::limits::PATH), ("sentence", proto::limits::SENTENCE)] {
        let grouped = format!("{},{:03} bytes", limit / 1000, limit % 1000);
        assert!(PROTOCOL.contains(&grouped), "{what}: {grouped}");
    }
}
