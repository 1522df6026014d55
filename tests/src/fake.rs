//! A server that a test makes up: it speaks the wire, and says what the test wants, true or not.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};

use digest::Algorithm;
use proto::{Access, Command, Decoded, Frame, Message, Preamble, Reply, Side};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::{DEADLINE, Identity, frame, read_once};

/// A made-up server for one connection, or for some.
#[derive(Debug)]
pub struct Fake {
    address: SocketAddr,
    connections: usize,
    thread: Option<JoinHandle<()>>,
}

/// A made-up server that speaks TLS, and takes one connection.
#[derive(Debug)]
pub struct FakeTls {
    fake: Fake,
    heard: Receiver<Shaken>,
}

/// What a client did at a [`FakeTls`].
#[derive(Debug, PartialEq, Eq)]
pub enum Shaken {
    /// No handshake came to its end.
    No,
    /// The handshake came to its end, and then these bytes came.
    Yes(Vec<u8>),
}

/// The client at the other end, logged in.
#[derive(Debug)]
pub struct Peer {
    stream: TcpStream,
    heard: Vec<u8>,
}

impl Fake {
    /// Takes one connection, lets whoever it is log in, and answers each further command by `answer`, until that hangs up by an
    /// error or the client does.
    pub fn answering(answer: impl FnMut(&mut Peer, Command) -> io::Result<()> + Send + 'static) -> Fake {
        Fake::begin(move |stream| greet(stream, answer))
    }

    /// Takes so many connections, lets whoever it is log in or enter, and answers each further command by `answer`, which is told the
    /// number of the connection from 0 on, until that hangs up by an error or the client does.
    pub fn answering_several(
        connections: usize,
        answer: impl Fn(usize, &mut Peer, Command) -> io::Result<()> + Send + Sync + 'static,
    ) -> Fake {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let thread = thread::spawn(move || {
            let serve = |number, stream: TcpStream| {
                stream.set_read_timeout(Some(DEADLINE)).unwrap();
                greet(stream, |peer, command| answer(number, peer, command))
            };
            thread::scope(|scope| {
                for (number, stream) in listener.incoming().take(connections).enumerate() {
                    let (stream, serve) = (stream.unwrap(), &serve);
                    scope.spawn(move || drop(serve(number, stream))); // a client that hangs up has heard enough
                }
            });
        });
        Fake { address, connections, thread: Some(thread) }
    }

    /// Takes one connection, says `bytes`, and hangs up when the client does.
    pub fn saying(bytes: &'static [u8]) -> Fake {
        Fake::begin(move |mut stream| {
            stream.write_all(bytes)?;
            stream.shutdown(std::net::Shutdown::Write)?;
            stream.read_to_end(&mut Vec::new()).map(drop)
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn begin(serve: impl FnOnce(TcpStream) -> io::Result<()> + Send + 'static) -> Fake {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let thread = thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(DEADLINE)).unwrap();
            drop(serve(stream)); // a client that hangs up has heard enough
        });
        Fake { address, connections: 1, thread: Some(thread) }
    }
}

impl FakeTls {
    /// Proves itself with `identity`, offers `protocols` (RFC 7301), and says nothing: it hears what a client that trusts it says
    /// first, and hangs up, or hears that nothing comes.
    pub fn start(identity: &Identity, protocols: &[&[u8]]) -> FakeTls {
        let config = identity.config(protocols);
        let (sender, heard) = channel();
        let fake = Fake::begin(move |stream| {
            drop(sender.send(shaken(stream, config))); // not every test asks
            Ok(())
        });
        FakeTls { fake, heard }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.fake.address()
    }

    /// What the client did, once it is done.
    #[track_caller]
    pub fn heard(&self) -> Shaken {
        self.heard.recv_timeout(DEADLINE).expect("a client comes")
    }
}

/// Takes a handshake, and hears until something was said or the client has gone.
fn shaken(mut tcp: TcpStream, config: Arc<ServerConfig>) -> Shaken {
    let mut session = ServerConnection::new(config).unwrap();
    while session.is_handshaking() {
        if session.complete_io(&mut tcp).is_err() {
            return Shaken::No;
        }
    }
    let mut stream = StreamOwned::new(session, tcp);
    let mut first = vec![0; 4096];
    let read = read_once(&mut stream, &mut first).unwrap_or(0);
    first.truncate(read);
    Shaken::Yes(first)
}

impl Drop for Fake {
    fn drop(&mut self) {
        // If nobody ever came, the thread waits for somebody to come.
        (0..self.connections).for_each(|_| drop(TcpStream::connect(self.address)));
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(thread::panicking() || matches!(ended, Some(Ok(()))), "the made-up server failed");
    }
}

impl Peer {
    /// Sends bytes as they are.
    ///
    /// # Errors
    /// If the client has hung up.
    pub fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Sends a message.
    ///
    /// # Errors
    /// If the client has hung up.
    pub fn tell(&mut self, message: &Message) -> io::Result<()> {
        self.say(&frame(message))
    }

    /// Sends a reply.
    ///
    /// # Errors
    /// If the client has hung up.
    pub fn reply(&mut self, reply: Reply) -> io::Result<()> {
        self.tell(&Message::Reply(reply))
    }

    /// Passes over the data of a put, up to its end.
    ///
    /// # Errors
    /// If the client has hung up.
    ///
    /// # Panics
    /// If it says anything else in between, which no client may.
    pub fn pass_over(&mut self) -> io::Result<()> {
        loop {
            match self.hear()? {
                Frame::Data(_) => {}
                Frame::Message(Message::End(_) | Message::Abort(_)) => return Ok(()),
                Frame::Message(other) => panic!("in the middle of a put: {other:?}"),
            }
        }
    }

    fn command(&mut self) -> io::Result<Command> {
        loop {
            // What comes beside commands is of no interest.
            if let Frame::Message(Message::Command(command)) = self.hear()? {
                return Ok(command);
            }
        }
    }

    fn hear(&mut self) -> io::Result<Frame> {
        loop {
            match Frame::decode(&self.heard, Side::Client, Algorithm::Md5) {
                Decoded::Message(frame, used) => {
                    self.heard.drain(..used);
                    return Ok(frame);
                }
                Decoded::Malformed(fault) => panic!("the client sends what is no frame: {fault}"),
                Decoded::NeedMore(_) => {
                    let mut piece = [0; 4096];
                    match read_once(&mut self.stream, &mut piece)? {
                        0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                        read => self.heard.extend_from_slice(&piece[..read]),
                    }
                }
            }
        }
    }
}

fn greet(mut stream: TcpStream, answer: impl FnMut(&mut Peer, Command) -> io::Result<()>) -> io::Result<()> {
    let mut preamble = [0; proto::PREAMBLE];
    stream.read_exact(&mut preamble)?;
    stream.write_all(&Preamble::new(&[Algorithm::Md5]).encode())?;
    converse(&mut Peer { stream, heard: Vec::new() }, answer)
}

fn converse(peer: &mut Peer, mut answer: impl FnMut(&mut Peer, Command) -> io::Result<()>) -> io::Result<()> {
    loop {
        match peer.command()? {
            Command::Hello { .. } => peer.reply(Reply::Hello { server: "made up".into() })?,
            Command::Login { .. } | Command::Enter { .. } => {
                peer.reply(Reply::Welcome { access: Access::Write })?
            }
            Command::Quit => return peer.reply(Reply::Goodbye),
            command => answer(peer, command)?,
        }
    }
}
