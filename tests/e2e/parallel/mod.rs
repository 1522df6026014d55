//! Several connections at once: trees and large files over sessions that the first one lets in.

mod files;
mod trees;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use e2e::{ALICE, Client, Server};

/// A run of alice's client over four connections.
fn four(server: &Server) -> Client {
    server.client(ALICE).option("--parallel").option("4")
}

/// Logins that were let in.
fn logins(server: &Server) -> usize {
    server.log().count(&["verb=\"login\"", "result=\"ok\""])
}

/// A way that keeps in mind what went up, connection by connection.
struct Overheard {
    address: SocketAddr,
    said: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Overheard {
    fn new(server: SocketAddr) -> Overheard {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let (address, said) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<Vec<u8>>>>::default());
        let heard = said.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(server).unwrap());
                let number = {
                    let mut heard = heard.lock().unwrap();
                    heard.push(Vec::new());
                    heard.len() - 1
                };
                let (back, forth, heard) =
                    (server.try_clone().unwrap(), client.try_clone().unwrap(), heard.clone());
                thread::spawn(move || carry(back, forth, |_| {}));
                thread::spawn(move || {
                    carry(client, server, |piece| heard.lock().unwrap()[number].extend_from_slice(piece));
                });
            }
        });
        Overheard { address, said }
    }

    /// How many connections there were, and on how many of them these bytes were said.
    fn said(&self, bytes: &[u8]) -> (usize, usize) {
        let said = self.said.lock().unwrap();
        let with = said.iter().filter(|said| said.windows(bytes.len()).any(|part| part == bytes));
        (said.len(), with.count())
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, mut heard: impl FnMut(&[u8])) {
    let mut piece = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut piece) {
        heard(&piece[..read]);
        if to.write_all(&piece[..read]).is_err() {
            break;
        }
    }
    for side in [from, to] {
        drop(side.shutdown(Shutdown::Both)); // it may be closed already
    }
}
