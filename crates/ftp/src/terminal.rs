//! The terminal of the user: questions, and its state, which is given back as it was found.

use std::fs::File;
use std::io::{self, PipeReader, Write};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::retry_on_intr;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::SecretString;
use tokio::sync::oneshot;

use crate::failure::{Code, Failure};

const TTY: &str = "/dev/tty";

/// Whether there is a terminal to ask at. Standard input may still be a file or a pipe.
pub(crate) fn is_there() -> bool {
    File::open(TTY).is_ok()
}

/// Asks for a password, which is not shown while it is typed.
///
/// # Errors
/// [`Code::Login`] if none is typed, [`Code::Interrupted`] at Ctrl-C.
pub(crate) async fn ask_password(question: String) -> Result<SecretString, Failure> {
    // Before the question is shown, so that whoever types ahead of it types unseen too.
    let state = State::remember();
    state.hide_input();
    let answer = ask(state, move || rpassword::prompt_password(question)).await?;
    if answer.is_empty() {
        return Err(Failure::new(Code::Login, "no password was typed"));
    }
    Ok(SecretString::from(answer))
}

/// Asks who logs in; an empty answer is `default`.
///
/// # Errors
/// [`Code::Usage`] if there is neither an answer nor a default, [`Code::Interrupted`] at Ctrl-C.
pub(crate) async fn ask_user(host: &str, default: Option<String>) -> Result<String, Failure> {
    let hint = default.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
    let answer = ask_line(format!("User at {host}{hint}: ")).await?;
    let answer = answer.filter(|name| !name.is_empty());
    answer
        .or(default)
        .ok_or_else(|| Failure::new(Code::Usage, "no user was named").with_remedy("Write USER@HOST."))
}

/// Asks something, and reads a line, without the blanks around it; `None` at Ctrl-D. Dropped, it takes nothing of what is typed
/// afterwards, which is for somebody else.
///
/// # Errors
/// [`Code::Interrupted`] at Ctrl-C.
pub(crate) async fn ask_line(question: String) -> Result<Option<String>, Failure> {
    let (left, _here) = io::pipe()?;
    let answer = ask(State::remember(), move || {
        let mut tty = File::options().read(true).write(true).open(TTY)?;
        tty.write_all(question.as_bytes())?;
        read_line(tty, &left)
    });
    Ok(Some(answer.await?).filter(|line| !line.is_empty()).map(|line| line.trim().to_owned()))
}

/// Reads a line, unless the other end of `left` is closed before it is typed.
fn read_line(tty: File, left: &PipeReader) -> io::Result<String> {
    let (mut line, mut piece) = (Vec::new(), [0; 4096]);
    while !line.ends_with(b"\n") {
        let mut ready = [PollFd::new(&tty, PollFlags::IN), PollFd::new(left, PollFlags::empty())];
        retry_on_intr(|| poll(&mut ready, None))?;
        if !ready[1].revents().is_empty() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        match retry_on_intr(|| rustix::io::read(&tty, &mut piece))? {
            0 => break,
            read => line.extend_from_slice(&piece[..read]),
        }
    }
    String::from_utf8(line).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))
}

/// A question on its own thread, so that a signal is heard while it waits; `_state` is given back after it.
async fn ask(
    _state: State,
    question: impl FnOnce() -> io::Result<String> + Send + 'static,
) -> Result<String, Failure> {
    on_thread(question).await?.map_err(|error| match error.kind() {
        io::ErrorKind::Interrupted => Failure::new(Code::Interrupted, "interrupted"),
        _ => Failure::new(Code::Other, format!("the terminal: {error}")),
    })
}

/// Runs `work`, which may wait for its user for ever, on a thread that a finished program does not wait for.
async fn on_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        let _ = sender.send(work()); // who asked may have gone
    });
    receiver.await.map_err(|_| Failure::new(Code::Other, "the terminal: it cannot be read"))
}

/// The state of the terminal, given back at the drop: a signal may end a question that had turned the echo off.
pub(crate) struct State {
    found: Option<(File, Termios)>,
}

impl State {
    /// The state as it is now.
    pub(crate) fn remember() -> State {
        let found = File::open(TTY).ok().and_then(|tty| {
            let state = tcgetattr(&tty).ok()?;
            Some((tty, state))
        });
        State { found }
    }

    /// Stops showing what is typed.
    fn hide_input(&self) {
        if let Some((tty, state)) = &self.found {
            let mut hidden = state.clone();
            hidden.local_modes.remove(LocalModes::ECHO);
            let _ = tcsetattr(tty, OptionalActions::Now, &hidden);
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        if let Some((tty, state)) = &self.found {
            let _ = tcsetattr(tty, OptionalActions::Now, state);
        }
    }
}
