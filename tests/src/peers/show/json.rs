//! Every time that was measured, for programs (RFC 8259).

use std::fmt::Write as _;

use super::super::with::Name;
use super::super::{Args, Over, Report, Row, Table};

/// One object.
pub(in super::super) fn json(args: &Args, report: &Report) -> String {
    let why =
        |left: &[(Name, String)]| {
            list(left.iter().map(|(name, why)| {
                format!("{{\"peer\": {}, \"why\": {}}}", string(name.name()), string(why))
            }))
        };
    format!(
        "{{\"workload\": {}, \"runs\": {}{}, \"tables\": {}, \"left_out\": {}, \"failed\": {}}}\n",
        string(args.workload.name()),
        args.runs,
        report.link.as_ref().map(link).unwrap_or_default(),
        list(report.tables.iter().map(table)),
        why(&report.left_out),
        why(&report.failed)
    )
}

/// Seconds, bits and packets.
fn link(over: &Over) -> String {
    let Over { given, tried, carried } = over;
    format!(
        ", \"link\": {{\"delay\": {}, \"rate\": {}, \"loss\": {}, \"queue\": {}, \"round_trip\": {}, \"tcp_down\": {:.0}, \
         \"tcp_up\": {:.0}, \"packets\": {}, \"lost\": {}, \"full\": {}, \"late\": {}, \"overrun\": {}}}",
        given.delay.as_secs_f64(),
        given.rate * 8.0,
        given.loss,
        given.queue(),
        tried.round_trip.as_secs_f64(),
        tried.down * 1e6,
        tried.up * 1e6,
        carried.carried,
        carried.lost,
        carried.full,
        carried.late,
        carried.overrun
    )
}

fn table(table: &Table) -> String {
    let point = table.point.map(|(axis, at)| format!(", {}: {at}", string(axis.name()))).unwrap_or_default();
    let rows = list(table.rows.iter().map(row));
    format!("{{\"title\": {}{point}, \"rows\": {rows}}}", string(&table.title))
}

fn row(row: &Row) -> String {
    let seconds = list(row.times.iter().map(|time| time.as_secs_f64().to_string()));
    format!(
        "{{\"peer\": {}, \"wire\": {}, \"bytes\": {}, \"files\": {}, \"median\": {}, \"seconds\": {seconds}}}",
        string(row.peer.name()),
        string(row.peer.wire()),
        row.bytes,
        row.files,
        row.median().as_secs_f64()
    )
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

fn string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter if letter < ' ' => {
                write!(quoted, "\\u{:04x}", u32::from(letter)).expect("a string takes all");
            }
            letter => quoted.push(letter),
        }
    }
    quoted + "\""
}
