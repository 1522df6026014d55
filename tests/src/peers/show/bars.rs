//! Times side by side: a bar for each peer, the shorter the better.

use super::super::{Report, Table};
use super::short;
use super::svg::{Drawing, colour};

/// Of one column of tables, and between two.
const WIDTH: f64 = 760.0;
const NARROW: f64 = 520.0;
const APART: f64 = 16.0;
/// Left of the bars are names, right of the longest are numbers.
const NAMES: f64 = 162.0;
const NUMBERS: f64 = 190.0;
const NUMBERS_NARROW: f64 = 150.0;
const ROW: f64 = 24.0;
const BAR: f64 = 15.0;
/// Above the rows of a table, and below.
const HEAD: f64 = 28.0;
const FOOT: f64 = 10.0;
/// Of those who are not ours.
const OTHERS: &str = "#8b949e";

/// Where a table is drawn: from the left to the end of its numbers, and how much of that these take.
#[derive(Clone, Copy, Debug)]
struct Column {
    left: f64,
    width: f64,
    numbers: f64,
}

/// All tables of `reports`: of one below each other; of several, gets beside puts.
pub(super) fn draw(runs: u32, reports: &[&Report]) -> String {
    let wide = [Column { left: 8.0, width: WIDTH - 16.0, numbers: NUMBERS }];
    let narrow =
        [8.0, NARROW + APART].map(|left| Column { left, width: NARROW - 16.0, numbers: NUMBERS_NARROW });
    let columns: &[Column] = if reports.len() == 1 { &wide } else { &narrow };
    let mut drawing = Drawing::default();
    let mut y = 8.0;
    for report in reports {
        for tables in report.tables.chunks(columns.len()) {
            for (table, column) in tables.iter().zip(columns) {
                field(&mut drawing, table, *column, y);
            }
            let rows = tables.iter().map(|table| table.rows.len()).max().unwrap_or(0);
            y += HEAD + rows as f64 * ROW + FOOT;
        }
    }
    y += 12.0;
    let wire = reports.first().map_or("loopback".into(), |report| report.wire());
    let note = format!(
        "Seconds over {wire}, shorter is better: median of {runs}, taken in turn; thin lines from the fastest to the slowest."
    );
    drawing.text((8.0, y), "faint", &note);
    let width = columns.iter().map(|column| column.left + column.width + 8.0).fold(0.0, f64::max);
    drawing.finish(width, y + 12.0)
}

fn field(drawing: &mut Drawing, table: &Table, column: Column, top: f64) {
    drawing.text((column.left, top + 20.0), "title", &table.title);
    let (first, last) = (column.left + NAMES, column.left + column.width - column.numbers);
    let longest = table.rows.iter().map(|row| row.max().as_secs_f64()).fold(f64::MIN_POSITIVE, f64::max);
    let at = |seconds: f64| first + seconds / longest * (last - first);
    let mut y = top + HEAD;
    for row in &table.rows {
        let [median, min, max] = [row.median(), row.min(), row.max()].map(|time| time.as_secs_f64());
        let (middle, text) = (y + ROW / 2.0, y + ROW / 2.0 + 4.5);
        drawing.text((first - 10.0, text), "end", &row.peer.with_wire());
        let colour = if row.peer.is_ours() { colour(row.peer) } else { OTHERS };
        drawing.bar((first, middle - BAR / 2.0), (at(median) - first, BAR), colour);
        drawing.line((at(min), middle), (at(max), middle), "span");
        let said = format!("{} s, {} {}", short(median), short(row.rate(table.unit)), table.unit.name());
        drawing.text((at(max) + 8.0, text), "", &said);
        y += ROW;
    }
}
