//! The prompt: reads a line, does it, tells how it went, until its user leaves.

mod complete;
mod editor;

use crate::commands::{self, Command};
use crate::failure::{Code, Failure};
use crate::output::report;
use crate::session::{Session, home};
use crate::signals::Signals;
use editor::{Editor, Input};

/// Whether the prompt goes on.
enum Next {
    Prompt,
    Leave,
}

/// Logs in and serves the prompt. A failed command is told and forgotten: leaving is success.
///
/// # Errors
/// If the server cannot be reached or refuses the login; [`Code::Interrupted`] until then, [`Code::Terminated`] always.
pub(crate) async fn run(session: &mut Session, signals: &mut Signals) -> Result<(), Failure> {
    tokio::select! {
        biased;
        signal = signals.next() => return Err(signal),
        found = session.link.find_place(&session.output) => found?,
    }
    let mut editor = Editor::start();
    loop {
        let prompt = format!("ftp {}> ", store::escaped(session.link.place().as_bytes()));
        let input = tokio::select! {
            biased;
            signal = signals.terminated() => return Err(signal),
            input = editor.read(prompt) => input?,
        };
        let next = match input {
            Input::Text(text) => run_text(&text, session, signals).await?,
            Input::Cleared => Next::Prompt,
            Input::End => Next::Leave,
        };
        if matches!(next, Next::Leave) {
            session.link.quit().await;
            return Ok(());
        }
    }
}

/// Does what was typed: one line, or all those that were pasted at once.
async fn run_text(text: &str, session: &mut Session, signals: &mut Signals) -> Result<Next, Failure> {
    for line in text.lines() {
        let done = match commands::from_line(line, home().as_deref()) {
            Ok(None) => continue,
            Ok(Some(Command::Quit)) => return Ok(Next::Leave),
            Ok(Some(command)) => run_command(&command, session, signals).await,
            Err(misused) => Err(misused),
        };
        match done {
            Ok(()) => {}
            Err(failure) if failure.code == Code::Terminated => return Err(failure),
            Err(failure) if failure.code == Code::Interrupted => {
                session.output.say("interrupted");
                break; // and with it what was pasted after it
            }
            Err(failure) if failure.is_about_the_connection() => report(&failure),
            Err(failure) => report(&failure.of(line.trim())),
        }
    }
    Ok(Next::Prompt)
}

/// Does one command; Ctrl-C ends the command, not the session.
async fn run_command(command: &Command, session: &mut Session, signals: &mut Signals) -> Result<(), Failure> {
    signals.forget_interrupts();
    let signal = tokio::select! {
        biased;
        done = session.run(command) => return done,
        signal = signals.next() => signal,
    };
    if signal.code == Code::Interrupted {
        // A second Ctrl-C does not wait for the server either, and gives up the connection.
        tokio::select! {
            biased;
            second = signals.next() => return Err(second),
            () = session.recover() => {}
        }
    }
    Err(signal)
}
