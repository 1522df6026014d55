//! What becomes of a get when there are more clients, and when files are larger.

use std::fs;

use super::loads::Load;
use super::rounds::{Peers, Task, turns};
use super::sizes::{MIB, said};
use super::{Args, Ground, Outcome, Report, Table, Unit, Way};

/// Clients at once.
const CLIENTS: [u32; 4] = [1, 4, 16, 64];
/// Bytes of a file.
const SIZES: [u64; 6] = [1 << 10, 1 << 16, MIB, 64 * MIB, 1 << 30, 4 << 30];

/// What grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axis {
    Clients,
    Size,
}

impl Axis {
    pub(super) fn name(self) -> &'static str {
        match self {
            Axis::Clients => "clients at once",
            Axis::Size => "size of the file",
        }
    }

    /// A value on it, as people say it.
    pub(super) fn said(self, at: u64) -> String {
        match self {
            Axis::Clients => at.to_string(),
            Axis::Size => said(at),
        }
    }
}

/// Measures both.
pub(super) fn measure(args: &Args, ground: &Ground, peers: &mut Peers, report: &mut Report) -> Outcome<()> {
    let clients = CLIENTS.iter().filter(|count| **count <= args.clients);
    let clients = clients.map(|&count| (Axis::Clients, u64::from(count), count, args.each()));
    let sizes = SIZES.iter().filter(|size| **size <= args.largest).map(|&size| (Axis::Size, size, 1, size));
    for (axis, at, clients, bytes) in clients.chain(sizes) {
        let load = Load::file(&ground.place, bytes)?;
        let tasks = [Task { load: &load, way: Way::Get, clients }];
        let title = match clients {
            1 => format!("get {}", said(bytes)),
            many => format!("{many} clients at once, each get {}", said(bytes)),
        };
        eprintln!("peers: {title}");
        let rows = turns(args, ground, &tasks, peers, report)?.pop().unwrap_or_default();
        report.tables.push(Table { title, unit: Unit::Bytes, point: Some((axis, at)), rows });
        fs::remove_file(load.source(&ground.place))?;
    }
    Ok(())
}
