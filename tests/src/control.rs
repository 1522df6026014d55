//! A client of the classic door that says and hears each line by hand.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use rustix::net::{SendFlags, send};

use crate::line::Line;
use crate::{DEADLINE, User};

/// A control connection (RFC 959).
#[derive(Debug)]
pub struct Control {
    line: Line,
    heard: Vec<u8>,
    address: SocketAddr,
}

impl Control {
    /// Connects, and hears the greeting.
    #[track_caller]
    pub fn connect(address: SocketAddr) -> Control {
        let mut control = Control { line: Line::plain(address), heard: Vec::new(), address };
        assert_eq!(control.reply().0, 220);
        control
    }

    /// Connects with a handshake first, as to an implicit listener, and hears the greeting.
    #[track_caller]
    pub fn connect_tls(address: SocketAddr) -> Control {
        let mut control = Control { line: Line::tls(address), heard: Vec::new(), address };
        assert_eq!(control.reply().0, 220);
        control
    }

    /// Says bytes as they are.
    #[track_caller]
    pub fn say_bytes(&mut self, bytes: &[u8]) {
        self.line.write_all(bytes).unwrap();
        self.line.flush().unwrap();
    }

    /// Says bytes as far as the server lets it.
    pub fn try_say(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.line.write_all(bytes)
    }

    /// Says a line.
    #[track_caller]
    pub fn say(&mut self, line: &str) {
        self.say_bytes(format!("{line}\r\n").as_bytes());
    }

    /// Says bytes as urgent data (TCP).
    #[track_caller]
    pub fn say_urgently(&mut self, bytes: &[u8]) {
        let Line::Plain(tcp) = &self.line else { panic!("TLS has no urgent data") };
        assert_eq!(send(tcp, bytes, SendFlags::OOB).unwrap(), bytes.len());
    }

    /// Ends our side of the connection.
    #[track_caller]
    pub fn finish(&mut self) {
        self.line.finish();
    }

    /// The next reply: its code, and its text with all its lines.
    #[track_caller]
    pub fn reply(&mut self) -> (u16, String) {
        let mut text = String::new();
        let mut opened = None;
        loop {
            let line = self.next_line().unwrap_or_else(|| panic!("the connection ended after {text:?}"));
            let code = line.get(..3).and_then(|code| code.parse::<u16>().ok());
            text += &line;
            match (opened, code) {
                (None, Some(code)) if line.as_bytes()[3] == b' ' => return (code, text),
                (None, Some(code)) if line.as_bytes()[3] == b'-' => opened = Some(code),
                (None, _) => panic!("no reply: {line:?}"),
                (Some(first), Some(code)) if first == code && line.as_bytes().get(3) == Some(&b' ') => {
                    return (code, text);
                }
                (Some(_), _) => {}
            }
            text.push('\n');
        }
    }

    fn next_line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.heard.windows(2).position(|two| two == b"\r\n") {
                let line = self.heard.drain(..end + 2).collect::<Vec<u8>>();
                return Some(String::from_utf8(line[..end].to_vec()).unwrap());
            }
            let mut piece = [0; 4096];
            match crate::read_once(&mut self.line, &mut piece) {
                Ok(0) | Err(_) => return None,
                Ok(read) => self.heard.extend_from_slice(&piece[..read]),
            }
        }
    }

    /// Says a line, and hears the reply.
    #[track_caller]
    pub fn ask(&mut self, line: &str) -> (u16, String) {
        self.say(line);
        self.reply()
    }

    /// Says a line, and hears this code, or the test fails.
    #[track_caller]
    pub fn told(&mut self, line: &str, code: u16) -> String {
        let (heard, text) = self.ask(line);
        assert_eq!(heard, code, "{line}: {text}");
        text
    }

    /// Hears this code, or the test fails.
    #[track_caller]
    pub fn hears(&mut self, code: u16) -> String {
        let (heard, text) = self.reply();
        assert_eq!(heard, code, "{text}");
        text
    }

    /// USER and PASS, and files as they are.
    #[track_caller]
    pub fn log_in(mut self, user: User) -> Control {
        self.told(&format!("USER {}", user.name), 331);
        self.told(&format!("PASS {}", user.password), 230);
        self.told("TYPE I", 200);
        self
    }

    /// AUTH TLS, PBSZ and PROT P.
    #[track_caller]
    pub fn secure(mut self) -> Control {
        self.told("AUTH TLS", 234);
        self.line = self.line.secure();
        self.told("PBSZ 0", 200);
        self.told("PROT P", 200);
        self
    }

    /// EPSV: where the server waits.
    #[track_caller]
    pub fn epsv(&mut self) -> SocketAddr {
        let told = self.told("EPSV", 229);
        let port = told.split("|||").nth(1).and_then(|rest| rest.split('|').next()).unwrap();
        SocketAddr::new(self.address.ip(), port.parse().unwrap())
    }

    /// EPSV, and a connection to there.
    #[track_caller]
    pub fn data(&mut self) -> TcpStream {
        let tcp = TcpStream::connect(self.epsv()).unwrap();
        tcp.set_read_timeout(Some(DEADLINE)).unwrap();
        tcp.set_write_timeout(Some(DEADLINE)).unwrap();
        tcp
    }

    /// A file, or whatever a command sends.
    #[track_caller]
    pub fn fetch(&mut self, command: &str) -> Vec<u8> {
        let mut data = self.data();
        self.told(command, 150);
        let mut bytes = Vec::new();
        data.read_to_end(&mut bytes).unwrap();
        self.hears(226);
        bytes
    }

    /// Stores bytes by `command`, and hears how that went.
    #[track_caller]
    pub fn store(&mut self, command: &str, bytes: &[u8]) -> (u16, String) {
        let mut data = self.data();
        self.told(command, 150);
        _ = data.write_all(bytes); // a server that takes no more of it says so in its reply
        _ = data.shutdown(Shutdown::Write);
        self.reply()
    }

    /// Whether the server has ended the connection, all that it said read.
    pub fn ends(&mut self) -> bool {
        while self.next_line().is_some() {}
        true
    }

    /// Our end of the connection, as the server sees it.
    pub fn address(&self) -> SocketAddr {
        self.line.tcp().local_addr().unwrap()
    }
}
