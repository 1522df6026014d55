//! What it was measured on, and whom: figures mean nothing without.

use std::fs;
use std::io::{Read, Seek};
use std::process::Command;

use jiff::Timestamp;

use super::with::{Name, program};

/// Programs, what tells their version, and what they are called.
const VERSIONS: [(&str, &str, &str); 6] = [
    ("vsftpd", "-v", "vsftpd"),
    ("lftp", "--version", "lftp"),
    ("curl", "--version", "curl"),
    ("rsync", "--version", "rsync"),
    ("ssh", "-V", "OpenSSH"),
    ("nginx", "-v", "nginx"),
];

/// `2 × AMD EPYC 9R14, 24 GB of memory, Linux 6.18.1`
pub(super) fn machine() -> String {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let value = |text: &str, name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.split_once(':'))?;
        Some(line.1.trim().to_owned())
    };
    let processor = value(&read("/proc/cpuinfo"), "model name")
        .unwrap_or_else(|| format!("{} processor", std::env::consts::ARCH)); // ARM has no such line
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let kib: u64 = value(&read("/proc/meminfo"), "MemTotal")
        .and_then(|told| told.strip_suffix(" kB")?.trim().parse().ok())
        .unwrap_or_default();
    let memory = (kib as f64 * 1024.0 / 1e9).round();
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{processors} × {processor}, {memory} GB of memory, Linux {}", kernel.trim())
}

/// The day, in UTC: `2026-01-31`.
pub(super) fn today() -> String {
    Timestamp::now().strftime("%F").to_string()
}

/// `ftpd 0.1.0, rsync 3.2.7`: ours, and the programs that `peers` needed.
pub(super) fn versions(peers: &[Name]) -> String {
    let ours = format!("ftpd {}", env!("CARGO_PKG_VERSION"));
    let needed = |name: &str| peers.iter().any(|peer| peer.needs().contains(&name));
    let others = VERSIONS.iter().filter(|(program, ..)| needed(program));
    let others = others.map(|(program, option, said)| match version(program, option) {
        Some(version) => format!("{said} {version}"),
        None => format!("{said} of a version that it does not tell"),
    });
    [ours].into_iter().chain(others).collect::<Vec<_>>().join(", ")
}

/// The first number in what it tells: of `OpenSSH_9.2p1 Debian, …`, `9.2p1`.
fn version(name: &str, option: &str) -> Option<String> {
    // vsftpd tells its version on standard input, which is its connection elsewhere.
    let mut told = tempfile::tempfile().ok()?;
    let everywhere = || told.try_clone().ok();
    let mut command = Command::new(program(name)?);
    command.arg(option).stdin(everywhere()?).stdout(everywhere()?).stderr(everywhere()?);
    command.status().ok()?;
    let mut text = String::new();
    told.rewind().ok()?;
    told.read_to_string(&mut text).ok()?;
    let mut words = text.split(|letter: char| letter.is_whitespace() || "_/,".contains(letter));
    words.find(|word| word.starts_with(|first: char| first.is_ascii_digit())).map(str::to_owned)
}
