//! Programs that run: clients whose time is taken, servers that are waited for.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use super::Outcome;
use crate::DEADLINE;

/// Who takes longer does not work. No time is measured by it.
const LIMIT: Duration = Duration::from_secs(900);

/// A program that is killed when it is dropped before its end.
struct Guarded(Child);

impl Drop for Guarded {
    fn drop(&mut self) {
        drop((self.0.kill(), self.0.wait())); // of one that has ended, neither does anything
    }
}

/// The time from the start of the first to the end of the last. All must succeed; what they tell goes to a file in `told`.
pub(super) fn timed(commands: Vec<Command>, told: &Path) -> Outcome<Duration> {
    let told = told.join("clients");
    let out = File::create(&told)?;
    let mut running = Vec::with_capacity(commands.len());
    let mut lines = Vec::with_capacity(commands.len());
    for command in &commands {
        lines.push(command.get_program().to_string_lossy().into_owned());
    }
    let mut prepared = Vec::with_capacity(commands.len());
    for mut command in commands {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(out.try_clone()?);
        prepared.push(command);
    }
    let began = Instant::now();
    for mut command in prepared {
        running.push(Guarded(command.spawn()?));
    }
    for child in &mut running {
        wait(&mut child.0, began)?;
    }
    let took = began.elapsed();
    for (mut child, line) in running.into_iter().zip(lines) {
        let status = child.0.wait()?;
        if !status.success() {
            return Err(format!("{line} ended with {status}: {}", beginning_of(&told)).into());
        }
    }
    Ok(took)
}

/// Waits for its end, but not for ever.
fn wait(child: &mut Child, began: Instant) -> Outcome<()> {
    let ends = pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
    let left = LIMIT.saturating_sub(began.elapsed()).try_into()?;
    if poll(&mut [PollFd::new(&ends, PollFlags::IN)], Some(&left))? == 0 {
        return Err(format!("no end after {} s", LIMIT.as_secs()).into());
    }
    child.wait()?;
    Ok(())
}

/// The first lines of a file, in one: what is wrong stands there.
fn beginning_of(file: &Path) -> String {
    let mut text = Vec::new();
    drop(File::open(file).and_then(|mut file| file.read_to_end(&mut text))); // what there is of it
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).take(3).collect();
    lines.join("; ")
}

/// A server of somebody else, ended when dropped.
#[derive(Debug)]
pub(super) struct Daemon {
    child: Child,
}

impl Daemon {
    /// Starts it, and waits until it listens at `port`. What it tells goes to a file in `told`.
    pub(super) fn start(program: &str, mut command: Command, port: u16, told: &Path) -> Outcome<Daemon> {
        let name = format!("server-{port}");
        let told: PathBuf = told.join(name);
        let out = File::create(&told)?;
        command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
        let child = command.spawn().map_err(|error| format!("{program}: {error}"))?;
        let mut daemon = Daemon { child };
        let began = Instant::now();
        while !listens(daemon.child.id(), port) {
            if let Some(status) = daemon.child.try_wait()? {
                return Err(format!("{program} ended with {status}: {}", beginning_of(&told)).into());
            }
            if began.elapsed() > DEADLINE {
                return Err(format!("{program} does not listen: {}", beginning_of(&told)).into());
            }
            thread::sleep(Duration::from_millis(5)); // it tells nobody that it is ready, and a connection may be held against us
        }
        Ok(daemon)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return; // its number may be another's by now
        }
        let asked = kill_process(Pid::from_child(&self.child), Signal::TERM);
        if asked.is_err() || wait(&mut self.child, Instant::now()).is_err() {
            drop((self.child.kill(), self.child.wait()));
        }
    }
}

/// Whether somebody listens at `port` in the network of `process` (proc_pid_net(5)).
fn listens(process: u32, port: u16) -> bool {
    const LISTEN: &str = "0A"; // TCP_LISTEN
    let all = fs::read_to_string(format!("/proc/{process}/net/tcp")).unwrap_or_default();
    let place = format!(":{port:04X}");
    all.lines().any(|line| {
        let mut words = line.split_whitespace().skip(1);
        let (local, state) = (words.next(), words.nth(1));
        local.is_some_and(|local| local.ends_with(&place)) && state == Some(LISTEN)
    })
}
