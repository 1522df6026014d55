//! The client of ftpd: a prompt, one command for scripts, or a batch, all through one parser and one set of commands.
//!
//! From the doors inwards: `args` reads the command line, `commands` the language; `prompt` and `batch` bring lines;
//! `session` does what they say through a [`remote::Remote`], and `show` makes it readable; `trust` decides
//! whether the server is the right one. Results go to standard output, words and progress to standard error.

mod args;
mod batch;
mod commands;
mod failure;
mod output;
mod password;
mod progress;
mod prompt;
pub mod remote;
mod session;
mod show;
mod signals;
mod target;
mod terminal;
mod trust;

use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::Duration;

pub use args::Arguments;
pub use failure::{Code, Failure};
pub use output::report;
pub use progress::Progress;
pub use target::parse as parse_target;

use batch::{AtFailure, Batch};
use output::Output;
use session::{Link, Session};
use signals::Signals;
use trust::{KnownHosts, Trust};

/// Does what the command line says.
///
/// # Errors
/// What ended it, to be told by [`report`] and by the exit code. A command that fails at the prompt is told there.
pub async fn run(arguments: Arguments) -> Result<(), Failure> {
    let target = target::parse(&arguments.target)?;
    let settings = arguments.settings();
    let trust = (!arguments.plain).then(|| Trust::new(arguments.trust, KnownHosts::of_the_user()));
    let output = Output::new(arguments.quiet, arguments.json);
    let given = password::given(arguments.password_file.as_deref(), env::var_os(password::VARIABLE))?;
    if let Some(warning) = given.as_ref().and_then(|given| given.warning.as_deref()) {
        output.warn(warning);
    }
    let mut signals =
        Signals::listen().map_err(|error| Failure::new(Code::Other, format!("signals: {error}")))?;
    let interactive = arguments.command.is_empty() && arguments.batch.is_none() && io::stdin().is_terminal();
    let visible = !arguments.quiet && io::stderr().is_terminal();
    let mut session = Session {
        link: Link::new(target, settings, trust, given.map(|given| given.password)),
        output,
        progress: if visible { Progress::visible() } else { Progress::hidden() },
        interactive,
        links: arguments.links,
    };
    if interactive {
        return prompt::run(&mut session, &mut signals).await;
    }
    // A signal drops the running command, and with it what it had staged.
    tokio::select! {
        biased;
        signal = signals.next() => Err(signal),
        done = unattended(&mut session, arguments.command, arguments.batch.as_deref()) => done,
    }
}

/// Ends what a dropped [`run`] may have left to threads of its own, which have so long for it. Blocks.
pub fn let_go(patience: Duration) {
    remote::let_go(patience);
}

/// What needs no prompt: one command, or a batch.
async fn unattended(
    session: &mut Session,
    command: Vec<OsString>,
    batch: Option<&Path>,
) -> Result<(), Failure> {
    if !command.is_empty() {
        return one(session, command).await;
    }
    let (batch, at_failure) = match batch {
        None => (Batch::stdin(), AtFailure::GoOn),
        Some(path) if path == Path::new("-") => (Batch::stdin(), AtFailure::Stop),
        Some(path) => (Batch::file(path)?, AtFailure::Stop),
    };
    session.link.enter(&session.output).await?;
    let done = batch.run(session, at_failure).await;
    session.link.quit().await;
    done
}

/// One command, without a round trip more than it needs: neither the login nor a farewell is waited for.
async fn one(session: &mut Session, words: Vec<OsString>) -> Result<(), Failure> {
    let text = words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let done = match commands::from_words(words) {
        Ok(command) => session.run(&command).await,
        Err(misused) => Err(misused),
    };
    session.link.hang_up().await;
    done.map_err(|failure| if failure.is_about_the_connection() { failure } else { failure.of(&text) })
}
