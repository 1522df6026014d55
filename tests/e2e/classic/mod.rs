//! The classic door in front of clients that people have: each moves real files both ways, and both disks are compared.

mod basic_ftp;
mod curl;
mod ftplib;
mod lftp;
mod ncftp;
mod perl;
mod rclone;
mod tnftp;
mod wget;

use std::path::Path;

use e2e::{Builder, Server, Tool, bytes};

const MIB: usize = 1024 * 1024;

/// Files that every client moves: nothing, the least, one byte more than a block, and what needs many turns.
const FILES: [(&str, usize); 4] = [("empty", 0), ("one", 1), ("block", 64 * 1024 + 1), ("big", 3 * MIB)];

/// Names that a client must not trip over.
const ODD: [&str; 3] = ["two words  twice", "Grüße, 世界 🎈", "it's \"quoted\""];

/// What is in the file called `name`.
fn content(name: &str) -> Vec<u8> {
    let (_, len) = FILES.iter().find(|(known, _)| *known == name).unwrap();
    bytes(*len, *len as u64 + 1)
}

/// A server with the classic door, [`FILES`] in alice's home beneath `there`, and at the clients beneath `here`.
fn furnished(builder: Builder) -> Server {
    let server = builder.classic().start();
    for (name, _) in FILES {
        server.write(&format!("alice/there/{name}"), content(name));
        server.write_work(&format!("here/{name}"), content(name));
    }
    server
}

/// Holds each of [`FILES`] beneath `directory` against what it must be.
#[track_caller]
fn assert_files(directory: &Path) {
    for (name, _) in FILES {
        assert_same(&directory.join(name), &content(name));
    }
}

/// Holds a file against what it must be, without writing all of it when it is not.
#[track_caller]
fn assert_same(path: &Path, content: &[u8]) {
    let found = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let differs = found.iter().zip(content).position(|(one, other)| one != other);
    let (len, must) = (found.len(), content.len());
    assert!(
        found == content,
        "{}: {len} bytes, not {must}; the first that differs: {differs:?}",
        path.display()
    );
}

/// A run of `program` where clients start.
fn tool(program: &str, server: &Server) -> Tool {
    Tool::new(program, &server.work())
}
