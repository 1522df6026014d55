//! Times side by side: a bar for each peer, the shorter the better.

use super::super::{Args, Report};
use super::short;
use super::svg::{Drawing, colour};

const WIDTH: f64 = 760.0;
/// Where bars begin and where the longest ends; names are left of it, numbers right.
const BARS: (f64, f64) = (170.0, 560.0);
const ROW: f64 = 24.0;
const BAR: f64 = 15.0;
/// Of those who are not ours.
const OTHERS: &str = "#8b949e";

pub(super) fn draw(args: &Args, report: &Report) -> String {
    let mut drawing = Drawing::default();
    let mut y = 8.0;
    for table in &report.tables {
        y += 20.0;
        drawing.text((8.0, y), "title", &table.title);
        y += 8.0;
        let longest = table.rows.iter().map(|row| row.max().as_secs_f64()).fold(f64::MIN_POSITIVE, f64::max);
        let at = |seconds: f64| BARS.0 + seconds / longest * (BARS.1 - BARS.0);
        for row in &table.rows {
            let [median, min, max] = [row.median(), row.min(), row.max()].map(|time| time.as_secs_f64());
            let (middle, text) = (y + ROW / 2.0, y + ROW / 2.0 + 4.5);
            drawing.text((BARS.0 - 10.0, text), "end", &row.peer.with_wire());
            let colour = if row.peer.is_ours() { colour(row.peer) } else { OTHERS };
            drawing.bar((BARS.0, middle - BAR / 2.0), (at(median) - BARS.0, BAR), colour);
            drawing.line((at(min), middle), (at(max), middle), "span");
            let said = format!("{} s, {} {}", short(median), short(row.rate(table.unit)), table.unit.name());
            drawing.text((at(max) + 8.0, text), "", &said);
            y += ROW;
        }
        y += 10.0;
    }
    y += 12.0;
    let (runs, wire) = (args.runs, report.wire());
    let note = format!(
        "Seconds over {wire}, shorter is better: median of {runs}, taken in turn; thin lines from the fastest to the slowest."
    );
    drawing.text((8.0, y), "faint", &note);
    drawing.finish(WIDTH, y + 12.0)
}
