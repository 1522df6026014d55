//! The client's side of the wire by hand, to say what no client says.

use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;

use digest::{Algorithm, BLOCK};
use proto::{Command, Decoded, End, Failure, Frame, HEAD, Message, PREAMBLE, Preamble, Reply, Secret, Side};

use crate::dial::dial;
use crate::line::Line;
use crate::{User, read_once};

/// A connection to a server.
#[derive(Debug)]
pub struct Raw {
    stream: Line,
    heard: Vec<u8>,
    algorithm: Algorithm,
}

/// What a server said.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// Anything but file data.
    Message(Message),
    /// A block, and its digest as stated.
    Data(Vec<u8>, Vec<u8>),
    /// Nothing more will come.
    End,
}

impl Raw {
    /// Connects, and says nothing.
    #[track_caller]
    pub fn connect(address: SocketAddr) -> Raw {
        Raw::on(Line::plain(address))
    }

    /// The same to a server that speaks TLS. The handshake comes with the first word.
    #[track_caller]
    pub fn connect_tls(address: SocketAddr) -> Raw {
        Raw::on(Line::tls(address))
    }

    /// Connects from one of many addresses, by number, and says nothing.
    #[track_caller]
    pub fn connect_from(number: u32, address: SocketAddr) -> Raw {
        Raw::try_connect_from(number, address).unwrap()
    }

    /// The same to a server that may end meanwhile.
    pub fn try_connect_from(number: u32, address: SocketAddr) -> io::Result<Raw> {
        dial(number, address).map(|tcp| Raw::on(Line::over(tcp)))
    }

    fn on(stream: Line) -> Raw {
        Raw { stream, heard: Vec::new(), algorithm: Algorithm::Md5 }
    }

    /// Connects, and exchanges preambles and greetings.
    #[track_caller]
    pub fn greeted(address: SocketAddr) -> Raw {
        Raw::connect(address).greet()
    }

    /// Exchanges preambles and greetings.
    #[track_caller]
    pub fn greet(mut self) -> Raw {
        let raw = &mut self;
        raw.say(&Preamble::new(&[Algorithm::Md5]).encode());
        assert!(raw.preamble().has(Algorithm::Md5));
        let hello = raw.ask(Command::Hello { client: "e2e".into() });
        assert!(matches!(hello, Reply::Hello { .. }), "{hello:?}");
        self
    }

    /// Connects, and logs in.
    #[track_caller]
    pub fn logged_in(address: SocketAddr, user: User) -> Raw {
        Raw::greeted(address).log_in(user)
    }

    /// Logs in.
    #[track_caller]
    pub fn log_in(mut self, user: User) -> Raw {
        let welcome = self.ask(login(user.name, user.password));
        assert!(matches!(welcome, Reply::Welcome { .. }), "{welcome:?}");
        self
    }

    /// Another hand on the same connection, to send while this one hears.
    pub fn hand(&self) -> Raw {
        Raw { algorithm: self.algorithm, ..Raw::on(self.stream.again()) }
    }

    /// Sends bytes as they are.
    #[track_caller]
    pub fn say(&mut self, bytes: &[u8]) {
        self.try_say(bytes).unwrap();
    }

    /// Sends bytes to a server that may hang up meanwhile.
    pub fn try_say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// Sends a message.
    #[track_caller]
    pub fn tell(&mut self, message: &Message) {
        self.say(&frame(message));
    }

    /// Sends a command and hears the reply to it.
    #[track_caller]
    pub fn ask(&mut self, command: Command) -> Reply {
        self.tell(&Message::Command(command));
        self.reply()
    }

    /// Sends the login of a user; the reply is still to be heard.
    #[track_caller]
    pub fn send_login(&mut self, user: &str, password: &str) {
        self.tell(&Message::Command(login(user, password)));
    }

    /// Says that nothing will follow.
    pub fn finish(&mut self) {
        self.stream.finish();
    }

    /// The server's preamble.
    #[track_caller]
    pub fn preamble(&mut self) -> Preamble {
        while self.heard.len() < PREAMBLE {
            assert_ne!(self.fill(), 0, "no preamble but {:?}", String::from_utf8_lossy(&self.heard));
        }
        let Decoded::Message(preamble, used) = Preamble::decode(&self.heard) else {
            panic!("{:?}", self.heard)
        };
        self.heard.drain(..used);
        preamble
    }

    /// What the server says next; signs of life are passed over.
    #[track_caller]
    pub fn hear(&mut self) -> Heard {
        loop {
            match Frame::decode(&self.heard, Side::Server, self.algorithm) {
                Decoded::Message(frame, used) => {
                    let bytes: Vec<u8> = self.heard.drain(..used).collect();
                    match frame {
                        Frame::Message(Message::Busy) => {}
                        Frame::Message(message) => return Heard::Message(message),
                        Frame::Data(at) => {
                            return Heard::Data(bytes[at.clone()].to_vec(), bytes[at.end..].to_vec());
                        }
                    }
                }
                Decoded::Malformed(fault) => panic!("the server sends what is no frame: {fault}"),
                Decoded::NeedMore(_) => {
                    if self.fill() == 0 {
                        assert!(self.heard.is_empty(), "the server hung up in the middle of a frame");
                        return Heard::End;
                    }
                }
            }
        }
    }

    /// The next reply.
    #[track_caller]
    pub fn reply(&mut self) -> Reply {
        match self.hear() {
            Heard::Message(Message::Reply(reply)) => reply,
            other => panic!("no reply but {other:?}"),
        }
    }

    /// The next reply, which must be a refusal.
    #[track_caller]
    pub fn refusal(&mut self) -> Failure {
        match self.reply() {
            Reply::Refused(failure) => failure,
            other => panic!("no refusal but {other:?}"),
        }
    }

    /// Nothing but the end of the session must come.
    #[track_caller]
    pub fn ends(&mut self) {
        assert_eq!(self.hear(), Heard::End);
    }

    /// Everything up to the end, as bytes.
    #[track_caller]
    pub fn rest(&mut self) -> Vec<u8> {
        while self.fill() > 0 {}
        std::mem::take(&mut self.heard)
    }

    /// Fetches a file whole, and checks each digest and the root.
    #[track_caller]
    pub fn get(&mut self, path: &str) -> Result<Vec<u8>, Failure> {
        self.tell(&Message::Command(Command::Get { path: path.into(), first_block: 0 }));
        self.file()
    }

    /// Hears a whole file that was asked for, and checks each digest and the root.
    #[track_caller]
    pub fn file(&mut self) -> Result<Vec<u8>, Failure> {
        let mut content = Vec::new();
        match self.reply() {
            Reply::Sending { .. } => {}
            Reply::Refused(failure) => return Err(failure),
            other => panic!("{other:?}"),
        }
        loop {
            match self.hear() {
                Heard::Data(block, stated) => {
                    assert_eq!(digest::of_block(self.algorithm, &block).as_bytes(), stated);
                    content.extend(block);
                }
                Heard::Message(Message::End(end)) => {
                    assert_eq!(end.root, crate::root(self.algorithm, &content).as_bytes());
                    return Ok(content);
                }
                Heard::Message(Message::Abort(abort)) => return Err(abort.failure),
                other => panic!("{other:?}"),
            }
        }
    }

    /// Announces a file and sends it whole; the reply is still to be heard.
    #[track_caller]
    pub fn send_put(&mut self, path: impl Into<Vec<u8>>, content: &[u8]) {
        let mut bytes =
            frame(&Message::Command(Command::Put { path: path.into(), size: content.len() as u64 }));
        content.chunks(BLOCK).for_each(|block| bytes.extend(data_frame(block)));
        bytes.extend(frame(&Message::End(end(content))));
        self.say(&bytes);
    }

    /// Hears more, and appends it to `heard` as it is; something must come.
    #[track_caller]
    pub fn hear_some(&mut self, heard: &mut Vec<u8>) {
        if self.heard.is_empty() {
            assert_ne!(self.fill(), 0, "the server hung up");
        }
        heard.append(&mut self.heard);
    }

    /// Hears more; 0 at the end. A connection that was reset is at its end, too.
    fn fill(&mut self) -> usize {
        let mut piece = vec![0; 64 * 1024];
        match read_once(&mut self.stream, &mut piece) {
            Ok(read) => {
                self.heard.extend_from_slice(&piece[..read]);
                read
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => 0,
            Err(error) => panic!("nothing came: {error}"),
        }
    }
}

/// The bytes of a message.
pub fn frame(message: &Message) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.encode(&mut bytes);
    bytes
}

/// The bytes of a data frame with the right MD5 of its block, whatever the block's length.
pub fn data_frame(block: &[u8]) -> Vec<u8> {
    let digest = digest::of_block(Algorithm::Md5, block);
    let mut bytes = Vec::with_capacity(HEAD + block.len() + digest.as_bytes().len());
    bytes.extend(u32::try_from(block.len() + digest.as_bytes().len()).unwrap().to_le_bytes());
    bytes.push(proto::Type::Data as u8);
    bytes.extend(block);
    bytes.extend(digest.as_bytes());
    bytes
}

fn login(user: &str, password: &str) -> Command {
    Command::Login { user: user.into(), password: Secret::new(password.into()) }
}

/// What ends the data of a file, with its right size and root.
pub fn end(content: &[u8]) -> End {
    let root = crate::root(Algorithm::Md5, content);
    End { size: content.len() as u64, root: root.as_bytes().to_vec(), modified: None, mode: None }
}
