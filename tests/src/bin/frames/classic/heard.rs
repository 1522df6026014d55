//! What the server says on a control connection, held against RFC 959, 4.2.

use std::net::SocketAddr;

use crate::talk::{End, SECRET};

/// What a refusal says when something within the server broke.
const FAILED: &str = "The server failed at this";

/// Replies so far.
#[derive(Debug, Default)]
pub(super) struct Heard {
    rest: Vec<u8>,
    /// The code of a reply of several lines that is not over.
    opened: Option<u16>,
    /// The code of the last whole reply.
    last: u16,
    /// Replies that ended something, as a count.
    pub(super) finals: usize,
    /// TLS was agreed to: what follows are no lines.
    secured: bool,
}

impl Heard {
    /// Takes what came, and tells the ports where a data connection is waited for.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<Vec<u16>, String> {
        let mut ports = Vec::new();
        self.rest.extend_from_slice(bytes);
        let mut at = 0;
        while !self.secured {
            let Some(length) = self.rest[at..].iter().position(|&byte| byte == b'\n') else { break };
            let line = &self.rest[at..=at + length];
            at += line.len();
            let line = line.strip_suffix(b"\r\n").ok_or_else(|| format!("a line without CR: {line:?}"))?;
            if line.iter().any(|byte| matches!(byte, b'\r' | 0 | 255)) {
                return Err(format!("a line with CR, NUL or IAC: {line:?}"));
            }
            let line = String::from_utf8_lossy(line).into_owned();
            if line.contains(FAILED) || line.as_bytes().windows(SECRET.len()).any(|part| part == SECRET) {
                return Err(format!("the server says what it must not: {line:?}"));
            }
            let code = line.get(..3).and_then(|code| code.parse().ok());
            let between = line.as_bytes().get(3).copied();
            match (self.opened, code, between) {
                (None, Some(100..=559), Some(b'-')) => self.opened = code,
                (Some(first), Some(code), Some(b' ')) if first == code => {
                    self.opened = None;
                    self.is_whole(code);
                }
                (Some(_), _, _) if line.starts_with(' ') => {}
                (None, Some(code @ 100..=559), Some(b' ')) => {
                    self.is_whole(code);
                    ports.extend(port(code, &line)?);
                }
                _ => return Err(format!("no reply: {line:?}")),
            }
        }
        self.rest.drain(..at);
        Ok(ports)
    }

    fn is_whole(&mut self, code: u16) {
        self.last = code;
        self.finals += usize::from(code >= 200);
        self.secured = code == 234;
    }

    /// At the end of the connection; one that was `reset` may have lost its last words.
    pub(super) fn end(self, reset: bool) -> Result<End, String> {
        if !reset && !self.secured && (self.opened.is_some() || !self.rest.is_empty()) {
            let rest = String::from_utf8_lossy(&self.rest);
            return Err(format!("the server ends in the middle of a reply: {rest:?}"));
        }
        Ok(if self.last == 221 { End::Goodbye } else { End::Other })
    }
}

/// The port in an answer to PASV or EPSV.
fn port(code: u16, line: &str) -> Result<Option<u16>, String> {
    let told = match code {
        227 => {
            let numbers = line.split(['(', ')']).nth(1).unwrap_or_default();
            let numbers: Vec<u8> = numbers.split(',').flat_map(str::parse).collect();
            numbers.get(4..6).map(|last| u16::from_be_bytes([last[0], last[1]]))
        }
        229 => line.split('|').nth(3).and_then(|port| port.parse().ok()),
        _ => return Ok(None),
    };
    told.map(Some).ok_or_else(|| format!("no port: {line:?}"))
}

/// Where the data connection is waited for.
pub(super) fn at(server: SocketAddr, port: u16) -> SocketAddr {
    SocketAddr::new(server.ip(), port)
}
