//! What is to be sent of a tree, made ready on a thread that may block: small files are read and hashed many at once, and framed
//! with the commands that bring them.

use std::path::PathBuf;

use digest::{Algorithm, Digest, Root};
use proto::{Command, End, Message, Pack, SMALL, gap};
use store::{Attributes, Outgoing, ReadAhead};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::spawn_blocking;

use super::super::words;
use crate::failure::Failure;
use crate::remote::tree::{Item, Marks, Paths, Source, below, mark, place_in};

/// Bytes that are sent together, and commands among them.
const BYTES: usize = 512 * 1024;
const COMMANDS: usize = 128;

/// Packets that wait to be sent.
const WAITING: usize = 2;

/// A command among those sent, and what its answer is to be.
#[derive(Debug)]
pub(super) enum Asked {
    /// Where the session is.
    Origin,
    /// To go to where the tree goes.
    Target,
    /// To go to where the session was.
    Back,
    /// A directory, with what it is to have when all is in it.
    Directory { path: Vec<u8>, attributes: Attributes },
    /// What has the name of a directory.
    What { path: Vec<u8> },
    /// A file.
    File { path: Vec<u8>, size: u64, root: Digest },
    /// A link; whether what was there before has been removed.
    Link { path: Vec<u8>, target: Vec<u8>, again: bool },
    /// What is in the place of a link.
    Remove { path: Vec<u8> },
    /// What is to go.
    Delete { path: Vec<u8> },
    /// What a directory is to have.
    Attributes { path: Vec<u8> },
}

impl Asked {
    pub(super) fn path(&self) -> &[u8] {
        match self {
            Asked::Origin | Asked::Target | Asked::Back => b"",
            Asked::Directory { path, .. }
            | Asked::What { path }
            | Asked::File { path, .. }
            | Asked::Link { path, .. }
            | Asked::Remove { path }
            | Asked::Delete { path }
            | Asked::Attributes { path } => path,
        }
    }

    /// Whether files may be put where it has made room for them.
    pub(super) fn makes_room(&self) -> bool {
        matches!(self, Asked::Directory { .. } | Asked::What { .. } | Asked::Delete { .. })
    }

    /// Bytes of data that go with it.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Asked::File { size, .. } => *size,
            _ => 0,
        }
    }
}

/// Something to be sent, or told.
pub(super) enum Packet {
    /// Frames, and the commands among them.
    Frames { bytes: Vec<u8>, asked: Vec<Asked> },
    /// A large file.
    Large { path: Vec<u8>, file: Box<ReadAhead> },
    /// A link is left out.
    Skipped,
    /// A link leads out.
    LeadsOut(Vec<u8>),
    /// It cannot be sent.
    Failed(Vec<u8>, Failure),
    /// A directory that was made before, and what it is to have.
    Made { path: Vec<u8>, attributes: Attributes },
}

impl Packet {
    /// The paths of what is in it.
    pub(super) fn into_paths(self) -> Vec<Vec<u8>> {
        match self {
            Packet::Frames { asked, .. } => asked.iter().map(|asked| asked.path().to_vec()).collect(),
            Packet::Large { path, .. }
            | Packet::LeadsOut(path)
            | Packet::Failed(path, _)
            | Packet::Made { path, .. } => vec![path],
            Packet::Skipped => Vec::new(),
        }
    }
}

/// Something that any of several sessions may send, once so many of the commands are answered that make room for files.
pub(super) struct Piece {
    pub(super) after: u64,
    pub(super) packet: Packet,
}

/// Begins to make packets of what is in `source` and not `settled`, for the directory `to` of the server.
pub(super) fn begin(source: Source, settled: Marks, to: String, algorithm: Algorithm) -> Receiver<Packet> {
    let (sender, receiver) = channel(WAITING);
    let root = source.root().to_owned();
    spawn_blocking(move || Packer::new(sender, None, root, settled, to, algorithm).run_to_its_end(source));
    receiver
}

/// Does so for several sessions: one of them sends all but the files, in its order; these follow, for whoever is free. So nobody waits
/// for a directory while the one that makes it is at a large file.
pub(super) fn begin_for_many(
    source: Source,
    settled: Marks,
    to: String,
    algorithm: Algorithm,
) -> (Receiver<Packet>, Receiver<Piece>) {
    let (sender, receiver) = channel(WAITING);
    let (pieces, shared) = channel(WAITING);
    let root = source.root().to_owned();
    spawn_blocking(move || {
        Packer::new(sender, Some(pieces), root, settled, to, algorithm).run_to_its_end(source);
    });
    (receiver, shared)
}

/// Does so once more for some files of the tree at `root`.
pub(super) fn begin_again(
    files: Vec<Vec<u8>>,
    root: PathBuf,
    to: String,
    algorithm: Algorithm,
) -> Receiver<Packet> {
    let (sender, receiver) = channel(WAITING);
    let file = |path| Item::File { path, size: 0, attributes: Attributes::default() };
    let files = files.into_iter().map(file);
    let none = Marks::default();
    spawn_blocking(move || Packer::new(sender, None, root, none, to, algorithm).run_to_its_end(files));
    receiver
}

/// Nobody takes packets any more.
struct Gone;

struct Packer {
    /// Where packets go that one session sends.
    sender: Option<Sender<Packet>>,
    /// Where files go that any session may send.
    pieces: Option<Sender<Piece>>,
    root: PathBuf,
    /// What has been brought there before.
    settled: Marks,
    to: String,
    algorithm: Algorithm,
    pack: Pack,
    /// The commands in it,
    asked: Vec<Asked>,
    /// and which of them bring files.
    bringing: Vec<usize>,
    /// Files that are for any session.
    files: Paths,
    /// Commands so far that files wait for.
    steps: u64,
}

impl Packer {
    fn new(
        sender: Sender<Packet>,
        pieces: Option<Sender<Piece>>,
        root: PathBuf,
        settled: Marks,
        to: String,
        algorithm: Algorithm,
    ) -> Packer {
        let (pack, files, sender) = (Pack::new(algorithm, Vec::new()), Paths::default(), Some(sender));
        let (asked, bringing) = (Vec::new(), Vec::new());
        Packer { sender, pieces, root, settled, to, algorithm, pack, asked, bringing, files, steps: 0 }
    }

    fn run_to_its_end(mut self, items: impl Iterator<Item = Item>) {
        // Once nobody takes packets any more, there is nothing left to do.
        let _gone = self.run(items);
    }

    fn run(&mut self, items: impl Iterator<Item = Item>) -> Result<(), Gone> {
        for item in items {
            match item {
                Item::Directory { path, attributes } if self.settled.has(mark(&path)) => {
                    self.send_pack()?; // those above are told of before
                    self.send(Packet::Made { path, attributes })?;
                }
                Item::Link { path, .. } | Item::File { path, .. } if self.settled.has(mark(&path)) => {}
                Item::Directory { path, attributes } => {
                    self.command(
                        Command::Mkdir { path: below(&self.to, &path) },
                        Asked::Directory { path, attributes },
                    )?;
                }
                Item::Link { path, target } => {
                    let command = Command::Link { path: below(&self.to, &path), target: target.clone() };
                    self.command(command, Asked::Link { path, target, again: false })?;
                }
                Item::File { path, .. } if self.pieces.is_some() => self.files.push(&path, &[]),
                Item::File { path, .. } => self.file(path)?,
                Item::Attributes { path, attributes } => {
                    let command = Command::SetAttributes {
                        path: below(&self.to, &path),
                        modified: attributes.modified.map(words::to_wire),
                        mode: attributes.mode,
                    };
                    self.command(command, Asked::Attributes { path })?;
                }
                Item::Remove { path, directory } => {
                    let place = below(&self.to, &path);
                    let command = match directory {
                        true => Command::Rmdir { path: place },
                        false => Command::Remove { path: place },
                    };
                    self.command(command, Asked::Delete { path })?;
                }
                Item::Skipped { .. } => self.send(Packet::Skipped)?,
                Item::LeadsOut { path } => self.send(Packet::LeadsOut(path))?,
                Item::Failed { path, failure } | Item::Missed { path, failure } => {
                    self.send(Packet::Failed(path, failure))?
                }
            }
        }
        self.send_pack()?;
        if self.pieces.is_some() {
            self.sender = None;
            while let Some((path, _)) = self.files.pop_front() {
                self.file(path)?;
            }
        }
        self.send_pack()
    }

    fn file(&mut self, path: Vec<u8>) -> Result<(), Gone> {
        let place = place_in(&self.root, &path);
        match Outgoing::local(&place, self.algorithm) {
            Ok(file) if file.size() <= SMALL => self.small(path, file),
            Ok(file) => match ReadAhead::begin(file, gap(self.algorithm)) {
                Ok(file) => {
                    self.send_pack()?;
                    self.send(Packet::Large { path, file: Box::new(file) })
                }
                Err(error) => self.send(Packet::Failed(path, error.into())),
            },
            Err(error) => self.send(Packet::Failed(path, error.into())),
        }
    }

    fn command(&mut self, command: Command, asked: Asked) -> Result<(), Gone> {
        if command.path().len() > proto::limits::PATH {
            return self.send(Packet::Failed(asked.path().to_vec(), words::long_path()));
        }
        self.pack.message(&Message::Command(command));
        self.steps += u64::from(asked.makes_room());
        self.asked.push(asked);
        self.send_if_full()
    }

    /// Reads a file into the packet, to be hashed with the others there.
    fn small(&mut self, path: Vec<u8>, file: Outgoing) -> Result<(), Gone> {
        let (size, attributes) = (file.size(), file.attributes());
        let command = Command::Put { path: below(&self.to, &path), size };
        if command.path().len() > proto::limits::PATH {
            return self.send(Packet::Failed(path, words::long_path()));
        }
        let end = End {
            size,
            root: Vec::new(),
            modified: attributes.modified.map(words::to_wire),
            mode: attributes.mode,
        };
        let data = usize::try_from(size).expect("it is small");
        if let Err(error) =
            self.pack.file(&Message::Command(command), data, end, |slices| file.read_into(slices))
        {
            return self.send(Packet::Failed(path, error.into()));
        }
        self.bringing.push(self.asked.len());
        let unknown = Root::new(self.algorithm).value();
        self.asked.push(Asked::File { path, size, root: unknown });
        self.send_if_full()
    }

    fn send_if_full(&mut self) -> Result<(), Gone> {
        if self.pack.len() >= BYTES || self.asked.len() >= COMMANDS { self.send_pack() } else { Ok(()) }
    }

    /// Hashes the files of the packet, and sends it.
    fn send_pack(&mut self) -> Result<(), Gone> {
        if self.asked.is_empty() {
            return Ok(());
        }
        let pack = std::mem::replace(&mut self.pack, Pack::new(self.algorithm, Vec::new()));
        let mut asked = std::mem::take(&mut self.asked);
        let (bytes, roots) = pack.seal();
        for (file, value) in self.bringing.drain(..).zip(roots) {
            if let Asked::File { root, .. } = &mut asked[file] {
                *root = value;
            }
        }
        self.send(Packet::Frames { bytes, asked })
    }

    fn send(&mut self, packet: Packet) -> Result<(), Gone> {
        match (&self.sender, &self.pieces) {
            (Some(sender), _) => sender.blocking_send(packet).map_err(|_| Gone),
            (None, Some(pieces)) => {
                pieces.blocking_send(Piece { after: self.steps, packet }).map_err(|_| Gone)
            }
            (None, None) => Err(Gone),
        }
    }
}
