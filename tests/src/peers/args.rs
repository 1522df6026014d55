//! The command line of `cargo peers`.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use super::link::Given;
use super::sizes::{self, MIB};
use super::with::{Name, Peer};

/// Measures ours beside others that are installed: the same files over the same wire, in turn, each result compared.
#[derive(Clone, Debug, Parser)]
#[command(name = "cargo peers", bin_name = "cargo peers")]
pub struct Args {
    /// What is moved.
    pub(super) workload: Workload,
    /// Who moves it; without, everybody who is installed. Ours is `ours` (TLS) and `ours-plain`.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    pub(super) peers: Vec<Name>,
    /// Not over loopback but over a link made for it: milliseconds one way, Mbit/s, and packets lost of a hundred, such as
    /// 20,200,0.05%. Only root may.
    #[arg(long, value_name = "DELAY_MS,MBIT[,LOSS%]")]
    pub(super) link: Option<Given>,
    /// Measured runs of each; one more before them is not counted.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) runs: u32,
    /// MiB that are moved: 1024 of `big`, 256 of `mixed`.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) mib: Option<u64>,
    /// Files of `tree`, 4 KiB each.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) files: u64,
    /// Of the sizes and contents of `mixed`: the same seed makes the same files.
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// The largest file of `growth`.
    #[arg(long, default_value = "4GiB", value_parser = sizes::read, value_name = "SIZE")]
    pub(super) largest: u64,
    /// The most clients at once of `growth`.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(super) clients: u32,
    /// Writes every time that was measured there.
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Draws it there.
    #[arg(long, visible_alias = "svg", value_name = "FILE.svg")]
    pub(super) plot: Option<PathBuf>,
    /// Writes all that a page needs into that directory: tables.md with the day, the machine and the versions of all programs,
    /// and every time (JSON) and picture (SVG) of each workload, and one picture of all.
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
}

/// What is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Workload {
    /// One large file, both ways.
    Big,
    /// Many files of 4 KiB in 100 directories, both ways.
    Tree,
    /// Files of all sizes, most of them small (log-normal), both ways.
    Mixed,
    /// One file of 4 KiB, both ways: what it costs to start, greet and end.
    Small,
    /// Ever more clients at once, and ever larger files, fetched by ours and by rsync.
    Growth,
    /// All of these, over loopback; with --link, then `big` of 64 MiB, `tree` of 100 files and `small` over that, too.
    All,
}

impl Workload {
    pub(super) fn name(self) -> &'static str {
        match self {
            Workload::Big => "big",
            Workload::Tree => "tree",
            Workload::Mixed => "mixed",
            Workload::Small => "small",
            Workload::Growth => "growth",
            Workload::All => "all",
        }
    }
}

impl Args {
    /// Bytes of `big` or `mixed`.
    pub(super) fn bytes(&self) -> u64 {
        let usual = if self.workload == Workload::Mixed { 256 } else { 1024 };
        self.mib.unwrap_or(usual).saturating_mul(MIB)
    }

    /// Bytes that each of many clients of `growth` fetches.
    pub(super) fn each(&self) -> u64 {
        self.largest.min(16 * MIB)
    }

    /// Bytes that lie in the place at the same time: what is moved, what arrived of it, and some more.
    pub(super) fn room(&self) -> u64 {
        let moved = match self.workload {
            Workload::Big | Workload::Mixed => self.bytes(),
            // A small file takes a block of 4 KiB at least, and its entries some more.
            Workload::Tree => self.files.saturating_mul(8 * 1024),
            Workload::Small | Workload::All => 0,
            Workload::Growth => self.largest.max(self.each() * u64::from(self.clients)),
        };
        moved.saturating_mul(2).saturating_add(64 * MIB)
    }

    /// Who is to be measured, each once.
    pub(super) fn chosen(&self) -> Vec<Name> {
        let all = Name::value_variants().iter().copied();
        match (self.peers.is_empty(), self.workload) {
            (false, _) => all.filter(|name| self.peers.contains(name)).collect(),
            (true, Workload::Growth) => all.filter(|name| name.grows()).collect(),
            (true, _) => all.collect(),
        }
    }

    pub(super) fn say_peers(&self, peers: &[(Name, Box<dyn Peer>)]) -> String {
        let names: Vec<&str> = peers.iter().map(|(name, _)| name.name()).collect();
        names.join(", ")
    }
}
