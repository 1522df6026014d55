//! The classic door: sessions of lines, their mutations, and their data connections.

mod data;
mod heard;
mod mutate;
mod script;
mod talk;

use std::net::{SocketAddr, TcpListener};

use e2e::{Chance, Control, QUINN, bytes, own_address};

use crate::mutate::mutate;
use crate::talk::End;

/// One round: a session from an address of its own, which a wrong login makes wait, and no other round.
pub(crate) fn round(address: SocketAddr, mutated: bool, chance: &mut Chance) -> Result<End, String> {
    let number = u32::try_from(chance.below(1 << 22)).unwrap();
    let calls = TcpListener::bind((own_address(number), 0)).map_err(|error| format!("no port: {error}"))?;
    // The login itself is left as it is: a password that goes astray into another command is told in the log as what it is there.
    let (mut before, login) = (script::before(chance), script::login(chance));
    let mut after = script::after(calls.local_addr().unwrap(), chance);
    if mutated {
        mutate(&mut after, mutate::lines, chance);
        if chance.one_in(10) {
            mutate(&mut before, mutate::lines, chance);
        }
    }
    let script = [before, login, after].concat();
    talk::talk(number, address, calls, script, mutated, chance)
}

/// A session as anybody's, which must fare well whatever others did; how many commands it was.
pub(crate) fn sane(address: SocketAddr, round: u64) -> u64 {
    let content = bytes(100_000, round);
    let mut control = Control::connect(address).log_in(QUINN);
    assert_eq!(control.store("STOR mine", &content).0, 226);
    assert!(control.fetch("RETR mine") == content, "what was stored is not what is sent");
    assert!(String::from_utf8(control.fetch("MLSD")).unwrap().contains("size=100000;"));
    control.told("QUIT", 221);
    assert!(control.ends());
    4
}
