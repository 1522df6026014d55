//! One session over real sockets, its data connections among them: one thread, which does whatever can be done.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use e2e::{Chance, DEADLINE, dial};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use rustix::net::sockopt::set_socket_linger;
use rustix::net::{SendFlags, send};

use super::data::{Data, Plan};
use super::heard::{self, Heard};
use crate::script::Script;
use crate::talk::End;

/// A client that waits for answers goes on without one after so long: a line that is none has none.
const PATIENCE: Duration = Duration::from_millis(20);

/// After so many that did not come it waits for none.
const IN_VAIN: u32 = 4;

/// A client that has said all takes a silence of this length for the end of the answers.
const SILENCE: Duration = Duration::from_millis(100);

/// What a client does when all is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leave {
    /// Hears to the end, which QUIT brings.
    Hear,
    /// Ends its side, once nothing more is heard, and then hears to the end.
    Waits,
    /// Ends its side at once, and hears to the end.
    HalfClose,
    Close,
    Reset,
}

struct Talk<'a> {
    number: u32,
    server: SocketAddr,
    control: TcpStream,
    /// Where the server calls for a data connection.
    calls: TcpListener,
    data: Vec<Data>,
    pieces: VecDeque<Vec<u8>>,
    /// Bytes of the first piece that were said.
    said: usize,
    /// Pieces that were said whole.
    whole: usize,
    /// Waits for an answer to each piece, so many times in vain.
    step: Option<u32>,
    /// Says telnet's bytes as urgent data (RFC 959, 4.1.3).
    urgent: bool,
    leave: Leave,
    heard: Heard,
    mutated: bool,
    /// A data connection did not do its part.
    idled: bool,
    chance: &'a mut Chance,
}

/// Says a session, and hears the server to its end, unless it is one that hangs up.
///
/// # Errors
/// What the server did that it must not do.
pub(super) fn talk(
    number: u32,
    server: SocketAddr,
    calls: TcpListener,
    script: Script,
    mutated: bool,
    chance: &mut Chance,
) -> Result<End, String> {
    let control = dial(number, server).map_err(|error| format!("the server does not accept: {error}"))?;
    control.set_nodelay(true).unwrap();
    control.set_nonblocking(true).unwrap();
    calls.set_nonblocking(true).unwrap();
    let leave = match chance.below(8) {
        _ if !mutated => Leave::Hear,
        0 => Leave::Close,
        1 => Leave::Reset,
        2 => Leave::HalfClose,
        _ => Leave::Waits,
    };
    let cut = mutated && (leave != Leave::Waits || chance.one_in(6));
    let pace = chance.below(6);
    let urgent = chance.one_in(6);
    let pieces = cut_up(script, cut, pace, chance);
    let mut talk = Talk {
        number,
        server,
        control,
        calls,
        data: Vec::new(),
        pieces,
        said: 0,
        whole: 0,
        step: (pace < 2).then_some(IN_VAIN),
        urgent,
        leave,
        heard: Heard::default(),
        mutated,
        idled: false,
        chance,
    };
    talk.run()
}

/// Line by line, all at once, or in pieces that keep to no line; `cut` off somewhere.
fn cut_up(mut script: Script, cut: bool, pace: usize, chance: &mut Chance) -> VecDeque<Vec<u8>> {
    if cut {
        script.truncate(chance.below(script.len() + 1));
        if let Some(last) = script.last_mut().filter(|last| !last.is_empty()) {
            last.truncate(chance.below(last.len()));
        }
    }
    let size = match pace {
        0..=2 => return script.into(),
        3 => 1,
        4 => 7,
        _ => usize::MAX,
    };
    let all = script.concat();
    all.chunks(size.max(all.len() / 200)).map(<[u8]>::to_vec).collect()
}

impl Talk<'_> {
    fn run(&mut self) -> Result<End, String> {
        let mut impatient = false;
        loop {
            if self.pieces.is_empty() && self.leaves() {
                return Ok(End::Other);
            }
            let waits = self.step.is_some()
                && !impatient
                && !self.pieces.is_empty()
                && self.heard.finals <= self.whole;
            let says = !self.pieces.is_empty() && !waits;
            let lingers = self.pieces.is_empty() && self.leave == Leave::Waits;
            let patience = match (waits, lingers) {
                (true, _) => PATIENCE,
                (_, true) => SILENCE,
                _ => DEADLINE,
            };
            let Some(ready) = self.wait(says, patience)? else {
                match lingers {
                    true => self.leave = Leave::HalfClose,
                    false => self.step = self.step.and_then(|times| times.checked_sub(1)),
                }
                impatient = true;
                continue;
            };
            if ready[0].intersects(PollFlags::OUT) && says {
                impatient = false;
                self.say();
            }
            if ready[0].intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR)
                && let Some(reset) = self.hear()?
            {
                return std::mem::take(&mut self.heard).end(reset);
            }
            self.go_on(&ready[2..])?;
            if ready[1].intersects(PollFlags::IN)
                && let Ok((stream, _)) = self.calls.accept()
            {
                self.begin(stream);
            }
        }
    }

    /// What can be done on the control connection, where the server calls, and on the data connections; `None` after `patience`.
    fn wait(&self, says: bool, patience: Duration) -> Result<Option<Vec<PollFlags>>, String> {
        let control = if says { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
        let mut all = vec![PollFd::new(&self.control, control), PollFd::new(&self.calls, PollFlags::IN)];
        // A data connection that does nothing is not looked at: it would tell of its end for ever.
        let busy = self.data.iter().filter_map(|data| Some((data, data.waits_for()?)));
        all.extend(busy.map(|(data, flags)| PollFd::new(&data.stream, flags)));
        let ready = retry_on_intr(|| poll(&mut all, Some(&Timespec::try_from(patience).unwrap()))).unwrap();
        match ready {
            0 if patience == DEADLINE => {
                Err(format!("the server leaves a session hanging: {:?}, {:?}", self.heard, self.data.len()))
            }
            0 => Ok(None),
            _ => Ok(Some(all.iter().map(PollFd::revents).collect())),
        }
    }

    fn say(&mut self) {
        let Some(piece) = self.pieces.front() else { return };
        let rest = &piece[self.said..];
        let said = if self.urgent && rest.starts_with(b"\xff") {
            send(&self.control, rest, SendFlags::OOB | SendFlags::NOSIGNAL).map_err(std::io::Error::from)
        } else {
            self.control.write(rest)
        };
        match said {
            Ok(said) => self.said += said,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return,
            // What a server that has hung up does not hear any more is its own choice.
            Err(_) => return self.pieces.clear(),
        }
        if self.said >= piece.len() {
            self.pieces.pop_front();
            (self.said, self.whole) = (0, self.whole + 1);
        }
    }

    /// When all is said; whether that was all.
    fn leaves(&mut self) -> bool {
        match self.leave {
            Leave::Hear | Leave::Waits => false,
            Leave::HalfClose => {
                self.leave = Leave::Hear;
                drop(self.control.shutdown(Shutdown::Write)); // a server may hang up, too
                false
            }
            Leave::Close => true,
            Leave::Reset => {
                set_socket_linger(&self.control, Some(Duration::ZERO)).unwrap();
                true
            }
        }
    }

    /// Hears what there is; at the end, whether that was a reset.
    fn hear(&mut self) -> Result<Option<bool>, String> {
        let mut piece = [0; 16 * 1024];
        match self.control.read(&mut piece) {
            Ok(0) => Ok(Some(false)),
            Ok(read) => {
                for port in self.heard.take(&piece[..read])? {
                    // Where nobody waits any more, there is no data connection.
                    if let Ok(stream) = dial(self.number, heard::at(self.server, port)) {
                        self.begin(stream);
                    }
                }
                Ok(None)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(None),
            // A connection that is closed with words unread is reset, and its last words may be lost.
            Err(_) => Ok(Some(true)),
        }
    }

    fn begin(&mut self, stream: TcpStream) {
        let mut plan = if self.mutated { Plan::draw(self.chance) } else { Plan::Whole };
        if matches!(plan, Plan::Never | Plan::Still) && std::mem::replace(&mut self.idled, true) {
            plan = Plan::Whole; // each of the others has the server wait, and one a session is enough
        }
        if plan != Plan::Never {
            self.data.push(Data::new(stream, plan, self.chance));
        }
    }

    fn go_on(&mut self, ready: &[PollFlags]) -> Result<(), String> {
        let (mut ready, mut violation) = (ready.iter(), Ok(()));
        self.data.retain_mut(|data| {
            if data.waits_for().is_none() {
                return true;
            }
            // Those that have just begun were not waited for yet.
            let Some(&flags) = ready.next() else { return true };
            match data.go_on(flags) {
                Ok(goes_on) => goes_on,
                Err(told) => {
                    violation = Err(told);
                    false
                }
            }
        });
        violation
    }
}
