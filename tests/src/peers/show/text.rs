//! Tables for a terminal.

use std::fmt::Write as _;

use super::super::{Args, Report, Table};
use super::short;

/// All tables, and below them who is not in them.
pub(in super::super) fn text(args: &Args, report: &Report) -> String {
    let mut text = String::new();
    if let Some(over) = &report.link {
        line(&mut text, format_args!("link: {over}\n"));
    }
    for shown in &report.tables {
        table(&mut text, args, shown);
    }
    for (name, why) in &report.left_out {
        line(&mut text, format_args!("left out: {}: {why}", name.name()));
    }
    for (name, why) in &report.failed {
        line(&mut text, format_args!("FAILED: {}: {why}", name.name()));
    }
    if let Some(over) = &report.link {
        line(&mut text, format_args!("link: {}", over.carried));
    }
    text
}

fn table(text: &mut String, args: &Args, table: &Table) {
    let runs = if args.runs == 1 { "1 run".to_owned() } else { format!("{} runs", args.runs) };
    line(text, format_args!("{}, {runs}", table.title));
    let unit = table.unit.name();
    line(
        text,
        format_args!(
            "  {:<16} {:<5} {:>9} {:>9} {:>9} {unit:>9} {:>10}",
            "peer", "wire", "median s", "min s", "max s", "x fastest"
        ),
    );
    let best = table.rows.first().map_or(1.0, |row| row.median().as_secs_f64());
    for row in &table.rows {
        let [median, min, max] = [row.median(), row.min(), row.max()].map(|time| time.as_secs_f64());
        let (name, wire, rate) = (row.peer.name(), row.peer.wire(), short(row.rate(table.unit)));
        line(
            text,
            format_args!(
                "  {name:<16} {wire:<5} {median:>9.4} {min:>9.4} {max:>9.4} {rate:>9} {:>10.2}",
                median / best
            ),
        );
    }
    text.push('\n');
}

fn line(text: &mut String, line: std::fmt::Arguments) {
    writeln!(text, "{line}").expect("a string takes all");
}
