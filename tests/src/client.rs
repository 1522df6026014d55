//! One run of the real client.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};

use crate::{DEADLINE, User, programs};

/// A run of `ftp` that is being prepared: `ftp [OPTION]… TARGET [WORD]…`.
#[derive(Debug)]
pub struct Client {
    target: String,
    tls: bool,
    options: Vec<OsString>,
    words: Vec<OsString>,
    directory: PathBuf,
    password: Option<OsString>,
    variables: Vec<(OsString, OsString)>,
    stdin: Option<Vec<u8>>,
    stdout: Option<Stdio>,
}

impl Client {
    /// A run at the plain server `place`, `HOST:PORT`, by `user`, with the password in `FTP_PASSWORD`, started in `directory`.
    pub fn new(user: User, place: &str, directory: &Path) -> Client {
        Client {
            target: format!("{}@{place}", user.name),
            tls: false,
            options: Vec::new(),
            words: Vec::new(),
            directory: directory.to_owned(),
            password: Some(user.password.into()),
            variables: Vec::new(),
            stdin: None,
            stdout: None,
        }
    }

    /// Has it speak TLS, or not: then it is given `--plain`. What it learns of servers is kept where it starts.
    pub fn tls(self, tls: bool) -> Client {
        Client { tls, ..self }
    }

    /// Adds an option before the target.
    pub fn option(mut self, option: impl AsRef<OsStr>) -> Client {
        self.options.push(option.as_ref().to_owned());
        self
    }

    /// Adds words after the target: the command and what it takes.
    pub fn args(mut self, words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Client {
        self.words.extend(words.into_iter().map(|word| word.as_ref().to_owned()));
        self
    }

    /// Takes another target.
    pub fn target(self, target: impl Into<String>) -> Client {
        Client { target: target.into(), ..self }
    }

    /// Takes another password for `FTP_PASSWORD`, or none.
    pub fn password(self, password: Option<&str>) -> Client {
        Client { password: password.map(OsString::from), ..self }
    }

    /// Sets a variable.
    pub fn variable(mut self, name: &str, value: impl AsRef<OsStr>) -> Client {
        self.variables.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// Starts it elsewhere.
    pub fn directory(self, directory: &Path) -> Client {
        Client { directory: directory.to_owned(), ..self }
    }

    /// Gives it standard input; without, there is none.
    pub fn stdin(self, bytes: impl Into<Vec<u8>>) -> Client {
        Client { stdin: Some(bytes.into()), ..self }
    }

    /// Sends its standard output elsewhere than into [`Ran`].
    pub fn stdout(self, stdout: impl Into<Stdio>) -> Client {
        Client { stdout: Some(stdout.into()), ..self }
    }

    /// The command, for whoever runs it otherwise: in an environment that knows nothing of who runs the tests.
    pub fn command(&self) -> Command {
        self.command_by(&[])
    }

    /// As [`run`](Client::run), in a session of its own, where no terminal can be asked for anything.
    #[track_caller]
    pub fn run_without_terminal(self) -> Ran {
        self.run_by(&["setsid", "--wait"])
    }

    /// As [`run`](Client::run), by a program that is given the client's command line after `words`.
    #[track_caller]
    pub fn run_by(self, words: &[&str]) -> Ran {
        self.spawn_by(words).wait()
    }

    /// Starts it by a program that is given the client's command line after `words`.
    pub fn spawn_by(self, words: &[&str]) -> Running {
        let command = self.command_by(words);
        self.start(command)
    }

    /// Runs it to its end.
    #[track_caller]
    pub fn run(self) -> Ran {
        self.spawn().wait()
    }

    /// Starts it.
    pub fn spawn(self) -> Running {
        self.spawn_by(&[])
    }

    fn command_by(&self, words: &[&str]) -> Command {
        let program = words.iter().map(OsStr::new).chain([programs::ftp().as_os_str()]);
        let plain = (!self.tls).then_some(OsStr::new("--plain"));
        let mut line = program.chain(plain).chain(self.options.iter().map(OsString::as_os_str));
        let mut command = Command::new(line.next().unwrap());
        command.args(line).arg(&self.target).args(&self.words);
        command.current_dir(&self.directory).env_clear();
        let home = self.directory.as_os_str();
        let path = std::env::var_os("PATH").unwrap_or_default();
        for (name, value) in
            [("HOME", home), ("PATH", &path), ("SHELL", "/bin/sh".as_ref()), ("TERM", "xterm".as_ref())]
        {
            command.env(name, value);
        }
        command.env("TZ", "UTC").env("LC_ALL", "C.UTF-8");
        if let Some(password) = &self.password {
            command.env("FTP_PASSWORD", password);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    fn start(self, mut command: Command) -> Running {
        command.stdout(self.stdout.unwrap_or(Stdio::piped()));
        start(command, self.stdin)
    }
}

/// Starts a program with `stdin`, and takes what it writes to where nothing else takes it.
pub(crate) fn start(mut command: Command, stdin: Option<Vec<u8>>) -> Running {
    command.stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() }).stderr(Stdio::piped());
    let line = format!("{command:?}");
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{line}: {error}"));
    drop(command); // and with it our side of what was given as standard output
    if let (Some(mut pipe), Some(bytes)) = (child.stdin.take(), stdin) {
        // A program that ends early need not read all.
        thread::spawn(move || drop(pipe.write_all(&bytes)));
    }
    Running { line, stdout: collect(child.stdout.take()), stderr: collect(child.stderr.take()), child }
}

/// A client that runs.
#[derive(Debug)]
pub struct Running {
    line: String,
    child: Child,
    stdout: Receiver<Vec<u8>>,
    stderr: Receiver<Vec<u8>>,
}

impl Running {
    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Kills it, without a last word, and waits until it is gone.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end.
    #[track_caller]
    pub fn wait(mut self) -> Ran {
        let mut all = |from: &Receiver<Vec<u8>>| {
            from.recv_timeout(DEADLINE).unwrap_or_else(|_| {
                self.child.kill().unwrap();
                panic!("it does not end: {}", self.line)
            })
        };
        let (stdout, stderr) = (all(&self.stdout), all(&self.stderr));
        let status = self.child.wait().unwrap();
        let code = status.code().unwrap_or(-1); // by a signal
        Ran { line: self.line, code, stdout, stderr: String::from_utf8_lossy(&stderr).into_owned() }
    }
}

/// All of a pipe, once it is closed.
fn collect(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut all = Vec::new();
        if let Some(mut pipe) = pipe {
            pipe.read_to_end(&mut all).unwrap();
        }
        drop(sender.send(all)); // who started it may not wait for it
    });
    receiver
}

/// How a run went.
#[derive(Debug)]
pub struct Ran {
    line: String,
    /// The exit code; -1 if a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    /// It must have succeeded.
    #[track_caller]
    pub fn ok(self) -> Ran {
        self.fails(0)
    }

    /// It must have ended with this code.
    #[track_caller]
    pub fn fails(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "exit code of {}\n{}{}", self.line, self.text(), self.stderr);
        self
    }

    /// Standard error must have `words` in it.
    #[track_caller]
    pub fn told(self, words: &str) -> Ran {
        assert!(self.stderr.contains(words), "{words:?} is not in what {} told:\n{}", self.line, self.stderr);
        self
    }

    /// Standard output must be just this.
    #[track_caller]
    pub fn wrote(self, text: &str) -> Ran {
        assert_eq!(self.text(), text, "standard output of {}\n{}", self.line, self.stderr);
        self
    }

    /// Standard output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}
