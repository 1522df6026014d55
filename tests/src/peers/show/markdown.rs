//! Tables for a page (GitHub Flavored Markdown), with all that one must know to judge them.

use std::fmt::Write as _;

use super::super::growth::Axis;
use super::super::machine::{machine, today, versions};
use super::super::with::Name;
use super::super::{Measured, Report, Table, Unit};
use super::short;

/// One page of all measurements.
pub(in super::super) fn markdown(measured: &[Measured]) -> String {
    let mut text = String::new();
    let runs = measured.first().map_or(1, |measured| measured.args.runs);
    let rows = measured.iter().flat_map(|measured| &measured.report.tables).flat_map(|table| &table.rows);
    let peers: Vec<Name> = rows.map(|row| row.peer).collect();
    line(&mut text, format_args!("Measured on {} on {}.  ", today(), machine()));
    line(&mut text, format_args!("{}.  ", versions(&peers)));
    let directory = measured.first().map_or("", |measured| measured.report.directory.as_str());
    let taken = if runs == 1 { "One run".to_owned() } else { format!("Medians of {runs} runs") };
    line(&mut text, format_args!("{taken} of each, taken in turn; files in {directory}."));
    for Measured { report, .. } in measured {
        if let Some(over) = &report.link {
            line(&mut text, format_args!("\nOver a link: {over}.  \n{}.", over.carried));
        }
        for shown in report.tables.iter().filter(|table| table.point.is_none()) {
            table(&mut text, report, shown);
        }
        for axis in [Axis::Clients, Axis::Size] {
            growth(&mut text, report, axis);
        }
        others(&mut text, "Left out", &report.left_out);
        others(&mut text, "FAILED", &report.failed);
    }
    text
}

fn table(text: &mut String, report: &Report, table: &Table) {
    line(text, format_args!("\n**{}**, over {}\n", table.title, report.wire()));
    let unit = table.unit.name();
    line(text, format_args!("| | median s | min s | max s | {unit} | × fastest |"));
    line(text, format_args!("|---|--:|--:|--:|--:|--:|"));
    let best = table.rows.first().map_or(1.0, |row| row.median().as_secs_f64());
    for row in &table.rows {
        let [median, min, max] = [row.median(), row.min(), row.max()].map(|time| time.as_secs_f64());
        let name = stressed(row.peer, row.peer.with_wire());
        let (said, rate) = ([median, min, max].map(short).join(" | "), short(row.rate(table.unit)));
        line(text, format_args!("| {name} | {said} | {rate} | {:.2} |", median / best));
    }
}

/// A column for each point.
fn growth(text: &mut String, report: &Report, axis: Axis) {
    let on = |table: &&Table| table.point.is_some_and(|(other, _)| other == axis);
    let tables: Vec<&Table> = report.tables.iter().filter(on).collect();
    let Some(last) = tables.last() else { return };
    line(text, format_args!("\n**MB/s of gets by {}**, over {}\n", axis.name(), report.wire()));
    let points = tables.iter().filter_map(|table| table.point).map(|(_, at)| axis.said(at));
    line(text, format_args!("| | {} |", points.collect::<Vec<_>>().join(" | ")));
    line(text, format_args!("|---|{}", "--:|".repeat(tables.len())));
    let mut peers: Vec<Name> = last.rows.iter().map(|row| row.peer).collect();
    peers.sort_by_key(|peer| *peer as usize);
    for peer in peers {
        let rates = tables.iter().map(|table| {
            let row = table.rows.iter().find(|row| row.peer == peer);
            row.map_or("–".to_owned(), |row| short(row.rate(Unit::Bytes)))
        });
        let rates = rates.collect::<Vec<_>>().join(" | ");
        line(text, format_args!("| {} | {rates} |", stressed(peer, peer.with_wire())));
    }
}

/// Who is not in the tables; those with the same reason together.
fn others(text: &mut String, what: &str, all: &[(Name, String)]) {
    let mut reasons: Vec<&String> = all.iter().map(|(_, why)| why).collect();
    reasons.sort();
    reasons.dedup();
    for why in reasons {
        let names = all.iter().filter(|(_, other)| other == why).map(|(name, _)| name.with_wire());
        let names = names.collect::<Vec<_>>().join(", ");
        line(text, format_args!("\n{what}: {names}: {why}."));
    }
}

/// Ours are to be found at once.
fn stressed(peer: Name, said: String) -> String {
    if peer.is_ours() { format!("**{said}**") } else { said }
}

fn line(text: &mut String, line: std::fmt::Arguments) {
    writeln!(text, "{line}").expect("a string takes all");
}
