//! A program at a pseudo-terminal, and the hands and eyes of its user.
//!
//! The crates for this fork in a process of many threads, look at the screen every so often, or bring a terminal emulator along.
//! All that is needed is an open pair of descriptors and `setsid --ctty` (util-linux), which makes it the program's terminal.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::process::{Child, Command};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::{DEADLINE, read_once};

/// A program with a terminal of its own.
#[derive(Debug)]
pub struct Terminal {
    child: Child,
    master: File,
    screen: Arc<Screen>,
    /// How far its user has read.
    read: usize,
}

#[derive(Debug, Default)]
struct Screen {
    written: Mutex<Written>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Written {
    bytes: Vec<u8>,
    ended: bool,
}

impl Terminal {
    /// Starts `command` at a terminal of 100 columns.
    pub fn start(command: &Command) -> Terminal {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        tcsetwinsize(&master, Winsize { ws_row: 50, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let slave = ptsname(&master, Vec::new()).unwrap();
        let slave = OpenOptions::new().read(true).write(true).open(slave.to_str().unwrap()).unwrap();
        let child = in_session(command)
            .stdin(slave.try_clone().unwrap())
            .stdout(slave.try_clone().unwrap())
            .stderr(slave)
            .spawn();
        let master = File::from(master);
        let screen = Arc::new(Screen::default());
        let (source, shown) = (master.try_clone().unwrap(), screen.clone());
        thread::spawn(move || shown.follow(source));
        Terminal { child: child.unwrap(), master, screen, read: 0 }
    }

    /// Waits until `text` is shown behind what was read so far; returns what came before it, without escape sequences.
    #[track_caller]
    pub fn expect(&mut self, text: &str) -> String {
        let from = self.read;
        let found = |written: &Written| {
            let shown = written.plain();
            shown.get(from..).and_then(|rest| Some((rest.find(text)?, rest.to_owned())))
        };
        let written = self.screen.written.lock().unwrap();
        let waiting = |written: &mut Written| !written.ended && found(written).is_none();
        let (written, _) = self.screen.changed.wait_timeout_while(written, DEADLINE, waiting).unwrap();
        let Some((at, rest)) = found(&written) else {
            panic!("{text:?} is not shown but {:?}", written.plain())
        };
        self.read = from + at + text.len();
        rest[..at].to_owned()
    }

    /// Types.
    #[track_caller]
    pub fn keys(&mut self, text: &str) {
        self.master.write_all(text.as_bytes()).unwrap();
    }

    /// Types a line.
    #[track_caller]
    pub fn line(&mut self, text: &str) {
        self.keys(&format!("{text}\r"));
    }

    /// Presses Ctrl and a letter.
    #[track_caller]
    pub fn control(&mut self, letter: char) {
        self.keys(&char::from(letter as u8 & 0x1f).to_string());
    }

    /// Waits until what is typed is no longer shown, as it is when a password is asked for, and types a line.
    #[track_caller]
    pub fn hidden_line(&mut self, text: &str) {
        // No event tells of it. It follows the question at once.
        while tcgetattr(&self.master).unwrap().local_modes.contains(LocalModes::ECHO) {
            thread::yield_now();
        }
        self.line(text);
    }

    /// Waits for the program's end; returns its exit code, or -1 if a signal ended it, and all that was ever shown.
    #[track_caller]
    pub fn end(mut self) -> (i32, String) {
        let written = self.screen.written.lock().unwrap();
        let (written, waited) =
            self.screen.changed.wait_timeout_while(written, DEADLINE, |written| !written.ended).unwrap();
        assert!(!waited.timed_out(), "it does not end: {:?}", written.plain());
        let all = written.plain();
        drop(written);
        (self.child.wait().unwrap().code().unwrap_or(-1), all)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop((self.child.kill(), self.child.wait())); // it may have ended
    }
}

impl Screen {
    fn follow(&self, mut source: File) {
        let mut piece = [0; 4096];
        loop {
            // When nobody has the terminal open any more, reading it is an error (EIO).
            let read = read_once(&mut source, &mut piece).unwrap_or(0);
            let mut written = self.written.lock().unwrap();
            written.bytes.extend_from_slice(&piece[..read]);
            written.ended = read == 0;
            self.changed.notify_all();
            if read == 0 {
                return;
            }
        }
    }
}

impl Written {
    /// What was written, without the escape sequences of ECMA-48 (5.4) that move, colour and clear.
    fn plain(&self) -> String {
        let mut text = String::new();
        let all = String::from_utf8_lossy(&self.bytes);
        let mut letters = all.chars().peekable();
        while let Some(letter) = letters.next() {
            if letter != '\x1b' {
                text.push(letter);
            } else if letters.next_if_eq(&'[').is_some() {
                letters.by_ref().find(|letter| ('@'..='~').contains(letter));
            } else {
                letters.next();
            }
        }
        text
    }
}

/// `command` in a session of its own, whose terminal is its standard input.
fn in_session(command: &Command) -> Command {
    let mut setsid = Command::new("setsid");
    setsid.arg("--ctty").arg(command.get_program()).args(command.get_args()).env_clear();
    setsid.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(directory) = command.get_current_dir() {
        setsid.current_dir(directory);
    }
    setsid
}
