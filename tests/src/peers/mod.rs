//! `cargo peers`: ours beside others, the same files, the same machine, in turn.
//!
//! What is moved lies in a `place` of its own, and what lies between servers and clients is a `net`; `with` has the programs that move it; `rounds` has them do so in turn,
//! measures, and holds what arrived against what was sent (`same`); `show` tells, and `machine` on what it was measured.

mod args;
mod growth;
mod link;
mod loads;
mod machine;
mod net;
mod place;
mod plan;
mod rounds;
mod run;
mod same;
mod show;
mod sizes;
mod with;

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::Path;
use std::time::Duration;

pub use args::Args;
use args::Workload;
use link::{Carried, Given, Tried};
use loads::Load;
use net::Net;
use place::Place;
use plan::{Part, plan};
use rustix::fs::Mode;
use rustix::process::umask;
use with::Started;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// A direction, seen from the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Get,
    Put,
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Way::Get => "get",
            Way::Put => "put",
        }
    }
}

/// Measurements that belong beside each other, because all did the same.
#[derive(Debug)]
struct Table {
    title: String,
    unit: Unit,
    /// Where it stands among others of the same kind, if something grows.
    point: Option<(growth::Axis, u64)>,
    /// The fastest first.
    rows: Vec<Row>,
}

/// What is counted in a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Bytes,
    Files,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Unit::Bytes => "MB/s",
            Unit::Files => "files/s",
        }
    }
}

/// What one peer took.
#[derive(Debug)]
struct Row {
    peer: with::Name,
    /// Sorted, not empty.
    times: Vec<Duration>,
    /// Bytes in all that each time is for.
    bytes: u64,
    /// Files likewise.
    files: u64,
}

impl Row {
    /// Of an even number of runs the slower one of the two in the middle.
    fn median(&self) -> Duration {
        self.times[self.times.len() / 2]
    }

    /// Of the median: MB, or files, in a second.
    fn rate(&self, unit: Unit) -> f64 {
        let all = match unit {
            Unit::Bytes => self.bytes as f64 / 1e6,
            Unit::Files => self.files as f64,
        };
        all / self.median().as_secs_f64()
    }

    fn min(&self) -> Duration {
        self.times[0]
    }

    fn max(&self) -> Duration {
        self.times[self.times.len() - 1]
    }
}

/// Where it is measured.
#[derive(Debug)]
struct Ground {
    place: Place,
    net: Net,
}

/// A link that was measured on.
#[derive(Debug)]
struct Over {
    given: Given,
    tried: Tried,
    carried: Carried,
}

/// All that is told in the end.
#[derive(Debug, Default)]
struct Report {
    /// Beneath which files lay.
    directory: String,
    /// Without, it was loopback.
    link: Option<Over>,
    tables: Vec<Table>,
    /// A peer, and why it was not measured.
    left_out: Vec<(with::Name, String)>,
    /// A peer, and what it did wrong.
    failed: Vec<(with::Name, String)>,
}

impl Display for Over {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let Over { given, tried, .. } = self;
        let (queue, round_trip) = (given.queue() / 1000, tried.round_trip.as_secs_f64() * 1e3);
        write!(f, "{given}, queue {queue} kB; measured: round trip {round_trip:.1} ms, ")?;
        write!(f, "TCP {:.1} Mbit/s to clients, {:.1} Mbit/s to servers", tried.down, tried.up)
    }
}

impl Report {
    /// What it was measured over, in a sentence.
    fn wire(&self) -> String {
        self.link.as_ref().map_or("loopback".into(), |over| format!("a link of {}", over.given))
    }
}

/// A measurement with its name and what was asked for.
#[derive(Debug)]
struct Measured {
    name: String,
    args: Args,
    report: Report,
}

/// Measures, and tells on standard output; whether nobody failed.
pub fn measure(args: &Args) -> Outcome<bool> {
    if args.workload == Workload::All && (args.json.is_some() || args.plot.is_some()) {
        return Err(
            "of all workloads there is more than one file to write: name a directory with --out".into()
        );
    }
    if args.link.is_some() {
        link::possible()?; // before anything takes time
    }
    umask(Mode::from_raw_mode(0o022)); // servers read what is made here as users of their own
    crate::ftpd(); // is built, where there is a network to get its parts by
    let mut measured = Vec::new();
    for Part { name, args } in plan(args) {
        let report = measure_one(&args)?;
        print!("{}", show::text(&args, &report));
        measured.push(Measured { name, args, report });
    }
    if let Some(directory) = &args.out {
        show::write(directory, &measured)?;
    }
    if let [Measured { report, .. }] = &measured[..] {
        let write = |file: &Path, text: String| {
            fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
        };
        if let Some(file) = &args.json {
            write(file, show::json(args, report))?;
        }
        if let Some(file) = &args.plot {
            write(file, show::svg(args, report))?;
        }
    }
    Ok(measured.iter().all(|measured| measured.report.failed.is_empty()))
}

fn measure_one(args: &Args) -> Outcome<Report> {
    let ground = Ground { place: Place::fresh(args.room())?, net: Net::make(args.link)? };
    let Ground { place, net } = &ground;
    let directory = place.root().parent().unwrap_or(place.root()).display().to_string();
    let mut report = Report { directory, ..Report::default() };
    let tried = net.tried()?;
    let mut peers = Vec::new();
    for name in args.chosen() {
        match net.serve(|| with::start(name, place, net.host())) {
            Ok(Started::Peer(peer)) => peers.push((name, peer)),
            Ok(Started::LeftOut(why)) => report.left_out.push((name, why)),
            Err(error) => report.failed.push((name, error.to_string())),
        }
    }
    eprintln!("peers: in {}, with {}", place.root().display(), args.say_peers(&peers));
    if args.workload == Workload::Growth {
        growth::measure(args, &ground, &mut peers, &mut report)?;
    } else {
        let load = Load::make(args, place)?;
        rounds::measure(args, &ground, &load, &mut peers, &mut report)?;
    }
    drop(peers); // what they write last is written
    report.link = net.over(tried)?;
    Ok(report)
}
