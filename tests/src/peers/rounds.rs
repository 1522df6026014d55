//! Everybody in turn: a round in which nothing is counted, then those that are.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::args::Workload;
use super::loads::Load;
use super::same::{Look, compare};
use super::with::{Job, Name, Peer};
use super::{Args, Ground, Outcome, Report, Row, Table, Unit, Way, run};
use crate::Chance;

/// Those who take part, and fewer of them once one fails.
pub(super) type Peers = Vec<(Name, Box<dyn Peer>)>;

/// The same clients at once, so many, with the same load.
#[derive(Clone, Copy, Debug)]
pub(super) struct Task<'a> {
    pub(super) load: &'a Load,
    pub(super) way: Way,
    pub(super) clients: u32,
}

/// Measures a load both ways.
pub(super) fn measure(
    args: &Args,
    ground: &Ground,
    load: &Load,
    peers: &mut Peers,
    report: &mut Report,
) -> Outcome<()> {
    let unit = match args.workload {
        Workload::Tree | Workload::Small => Unit::Files,
        Workload::Big | Workload::Mixed | Workload::Growth | Workload::All => Unit::Bytes,
    };
    let tasks = [Way::Get, Way::Put].map(|way| Task { load, way, clients: 1 });
    for (task, rows) in tasks.iter().zip(turns(args, ground, &tasks, peers, report)?) {
        let title = format!("{} {}, {}", task.way.name(), args.workload.name(), load.said);
        report.tables.push(Table { title, unit, point: None, rows });
    }
    Ok(())
}

/// The rows of each of `tasks`, the fastest first.
pub(super) fn turns(
    args: &Args,
    ground: &Ground,
    tasks: &[Task],
    peers: &mut Peers,
    report: &mut Report,
) -> Outcome<Vec<Vec<Row>>> {
    let mut times: Vec<Vec<(Name, Duration)>> = vec![Vec::new(); tasks.len()];
    let mut chance = Chance::of_round(args.seed, 1);
    for round in 0..=args.runs {
        let look = if round == 0 { Look::Whole } else { Look::Sample };
        for (task, times) in tasks.iter().zip(&mut times) {
            let mut failed = Vec::new();
            for (name, peer) in peers.iter() {
                ground.place.clear()?;
                match once(ground, task, peer.as_ref(), look, &mut chance) {
                    Ok(Some(time)) if round > 0 => times.push((*name, time)),
                    Ok(Some(_)) => {}
                    Ok(None) => report.leave_out(*name, task),
                    Err(error) => failed.push((*name, format!("{}: {error}", task.way.name()))),
                }
            }
            peers.retain(|(name, _)| failed.iter().all(|(other, _)| other != name));
            for (name, _) in &failed {
                times.retain(|(other, _)| other != name);
            }
            report.failed.extend(failed);
        }
    }
    ground.place.clear()?;
    Ok(tasks.iter().zip(times).map(|(task, times)| rows(task, &times, peers)).collect())
}

fn rows(task: &Task, times: &[(Name, Duration)], peers: &Peers) -> Vec<Row> {
    let clients = u64::from(task.clients);
    let (bytes, files) = (task.load.bytes * clients, task.load.files * clients);
    let row = |peer: Name| {
        let mut times: Vec<_> =
            times.iter().filter(|(name, _)| *name == peer).map(|(_, time)| *time).collect();
        times.sort();
        (!times.is_empty()).then_some(Row { peer, times, bytes, files })
    };
    let mut rows: Vec<Row> = peers.iter().filter_map(|(name, _)| row(*name)).collect();
    rows.sort_by_key(Row::median);
    rows
}

/// One time, if this peer does such things at all.
fn once(
    ground: &Ground,
    task: &Task,
    peer: &dyn Peer,
    look: Look,
    chance: &mut Chance,
) -> Outcome<Option<Duration>> {
    let Ground { place, net } = ground;
    let source = task.load.source(place);
    let arriving: Vec<String> = (0..task.clients).map(|number| format!("arrived-{number}")).collect();
    let arrived: Vec<PathBuf> = match task.way {
        Way::Get => arriving.iter().map(|name| place.here().join(name)).collect(),
        Way::Put => arriving.iter().map(|name| place.up().join(name)).collect(),
    };
    let uploads: Vec<String> = arriving.iter().map(|name| format!("up/{name}")).collect();
    let jobs = arrived.iter().zip(&uploads).map(|(arrived, upload)| {
        let (remote, local) = match task.way {
            Way::Get => (task.load.name.as_str(), arrived.as_path()),
            Way::Put => (upload.as_str(), source.as_path()),
        };
        Job { way: task.way, tree: task.load.tree, remote, local }
    });
    let Some(commands) = jobs.map(|job| peer.command(job)).collect::<Option<Vec<Command>>>() else {
        return Ok(None);
    };
    let took = net.ask(|| run::timed(commands, &place.told()))?;
    for arrived in &arrived {
        compare(&source, arrived, look, chance)?;
    }
    Ok(Some(took))
}

impl Report {
    fn leave_out(&mut self, name: Name, task: &Task) {
        let what = if task.load.tree { "trees" } else { "files" };
        let why = format!("does not {} {what}", task.way.name());
        if !self.left_out.contains(&(name, why.clone())) {
            self.left_out.push((name, why));
        }
    }
}
