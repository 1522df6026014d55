//! The line editor on its own thread, so that the session can hear signals while its user thinks.

use std::path::PathBuf;
use std::sync::mpsc;
use std::{env, fs};

use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{Behavior, CompletionType, Config};
use tokio::sync::oneshot;

use super::complete::Completion;
use crate::failure::{Code, Failure};
use crate::session::home;
use crate::terminal::State;

type Rustyline = rustyline::Editor<Completion, DefaultHistory>;

/// What a user did at the prompt.
#[derive(Debug)]
pub(super) enum Input {
    /// Typed a line, or pasted several.
    Text(String),
    /// Ctrl-C: the line is to be forgotten.
    Cleared,
    /// Ctrl-D, or the terminal has gone.
    End,
}

/// A prompt to show, and where its answer goes.
struct Request {
    prompt: String,
    answer: oneshot::Sender<Result<Input, ReadlineError>>,
}

/// The hand that reaches the editor's thread; the thread ends when it is let go.
#[derive(Debug)]
pub(super) struct Editor {
    requests: mpsc::Sender<Request>,
}

impl Editor {
    /// Starts the thread.
    pub(super) fn start() -> Editor {
        let (requests, queue) = mpsc::channel();
        std::thread::spawn(move || serve(&queue));
        Editor { requests }
    }

    /// Shows `prompt` and waits for what its user does. Dropped, it gives the terminal back as it was.
    pub(super) async fn read(&mut self, prompt: String) -> Result<Input, Failure> {
        let broken = |what: &str| Failure::new(Code::Other, format!("the terminal: {what}"));
        let _state = State::remember();
        let (answer, answered) = oneshot::channel();
        self.requests.send(Request { prompt, answer }).map_err(|_| broken("it cannot be read"))?;
        let input = answered.await.map_err(|_| broken("it cannot be read"))?;
        input.map_err(|error| broken(&error.to_string()))
    }
}

/// The thread: one line for each request.
fn serve(queue: &mpsc::Receiver<Request>) {
    let history = history_file();
    let mut editor = None;
    for Request { prompt, answer } in queue {
        let input = match &mut editor {
            Some(editor) => read(editor, &prompt, history.as_ref()),
            None => open(history.as_ref())
                .and_then(|opened| read(editor.insert(opened), &prompt, history.as_ref())),
        };
        let _ = answer.send(input); // who asked may have gone
    }
}

fn open(history: Option<&PathBuf>) -> Result<Rustyline, ReadlineError> {
    let config = Config::builder()
        .behavior(Behavior::PreferTerm) // standard output is for results, and may be a file
        .completion_type(CompletionType::List)
        .history_ignore_space(true)
        .history_ignore_dups(true)?
        .build();
    let mut editor = Rustyline::with_config(config)?;
    editor.set_helper(Some(Completion::new()));
    if let Some(path) = history {
        let _ = editor.load_history(path); // the first time, there is none
    }
    Ok(editor)
}

fn read(editor: &mut Rustyline, prompt: &str, history: Option<&PathBuf>) -> Result<Input, ReadlineError> {
    let text = match editor.readline(prompt) {
        Ok(text) => text,
        Err(ReadlineError::Interrupted) => return Ok(Input::Cleared),
        Err(ReadlineError::Eof) => return Ok(Input::End),
        Err(error) => return Err(error),
    };
    // At once, so that no end of the program loses it. A history that cannot be written is not worth a word.
    if editor.add_history_entry(&text).unwrap_or(false)
        && let Some(path) = history
    {
        let _ = editor.append_history(path);
    }
    Ok(Input::Text(text))
}

/// `$XDG_STATE_HOME/ftp/history`, its directory made for its user alone; `None` where that cannot be.
fn history_file() -> Option<PathBuf> {
    use std::os::unix::fs::DirBuilderExt;
    let absolute = |path: &PathBuf| path.is_absolute(); // XDG base directories, "Environment variables"
    let state = env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(absolute);
    let directory = state.or_else(|| Some(home()?.join(".local/state")))?.join("ftp");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory).ok()?;
    Some(directory.join("history"))
}
