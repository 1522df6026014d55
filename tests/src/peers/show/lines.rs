//! How fast, as something grows: a line for each peer, both scales logarithmic.

use super::super::growth::Axis;
use super::super::with::Name;
use super::super::{Args, Report, Unit};
use super::short;
use super::svg::{Drawing, colour};

const WIDTH: f64 = 760.0;
/// Of the field in which lines are: left, right, height.
const LEFT: f64 = 70.0;
const RIGHT: f64 = 730.0;
const HEIGHT: f64 = 260.0;

/// What a line goes through.
type Points = Vec<(u64, f64)>;

pub(super) fn draw(args: &Args, report: &Report, axes: &[Axis]) -> String {
    let mut drawing = Drawing::default();
    let mut y = 8.0;
    for axis in axes {
        y = field(&mut drawing, report, *axis, y);
    }
    let note = format!(
        "Gets over {}, higher is better: median of {}, taken in turn. Both scales are logarithmic.",
        report.wire(),
        args.runs
    );
    drawing.text((8.0, y + 14.0), "faint", &note);
    drawing.finish(WIDTH, y + 26.0)
}

/// Draws what grows along `axis` from `top` on, and returns where it ends.
fn field(drawing: &mut Drawing, report: &Report, axis: Axis, top: f64) -> f64 {
    let lines = lines(report, axis);
    let all = || lines.iter().flat_map(|(_, points)| points);
    let (Some(first), Some(last)) = (all().map(|(at, _)| *at).min(), all().map(|(at, _)| *at).max()) else {
        return top;
    };
    let (floor, ceiling) = decades(all().map(|(_, rate)| *rate));
    let bottom = top + 54.0 + HEIGHT;
    let across = |at: u64| LEFT + scaled(at as f64, first as f64, last as f64) * (RIGHT - LEFT);
    let up = |rate: f64| bottom - scaled(rate, floor, ceiling) * HEIGHT;

    drawing.text((8.0, top + 20.0), "title", &format!("MB/s by {}", axis.name()));
    let mut x = LEFT;
    for (peer, _) in &lines {
        let name = peer.with_wire();
        drawing.bar((x, top + 32.0), (11.0, 11.0), colour(*peer));
        drawing.text((x + 16.0, top + 42.0), "", &name);
        x += 40.0 + 7.0 * name.len() as f64;
    }
    let mut rate = floor;
    while rate <= ceiling * 1.01 {
        drawing.line((LEFT, up(rate)), (RIGHT, up(rate)), "grid");
        let said = if rate < 1.0 { short(rate) } else { format!("{rate:.0}") };
        drawing.text((LEFT - 8.0, up(rate) + 4.0), "faint end", &said);
        rate *= 10.0;
    }
    let mut marks: Vec<u64> = all().map(|(at, _)| *at).collect();
    marks.sort_unstable();
    marks.dedup();
    for at in marks {
        drawing.line((across(at), bottom), (across(at), bottom + 5.0), "grid");
        drawing.text((across(at), bottom + 19.0), "faint middle", &axis.said(at));
    }
    for (peer, points) in &lines {
        let points: Vec<_> = points.iter().map(|(at, rate)| (across(*at), up(*rate))).collect();
        drawing.path(&points, colour(*peer));
    }
    bottom + 36.0
}

/// A line for each peer.
fn lines(report: &Report, axis: Axis) -> Vec<(Name, Points)> {
    let mut lines: Vec<(Name, Points)> = Vec::new();
    for table in &report.tables {
        let Some((_, at)) = table.point.filter(|(on, _)| *on == axis) else { continue };
        for row in &table.rows {
            let point = (at, row.rate(Unit::Bytes));
            match lines.iter_mut().find(|(name, _)| *name == row.peer) {
                Some((_, points)) => points.push(point),
                None => lines.push((row.peer, vec![point])),
            }
        }
    }
    lines.sort_by_key(|(name, _)| *name as usize);
    lines
}

/// Powers of ten around all of them.
fn decades(rates: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let lowest = rates.clone().fold(f64::MAX, f64::min).log10().floor();
    let highest = rates.fold(f64::MIN_POSITIVE, f64::max).log10().ceil();
    (10f64.powf(lowest), 10f64.powf(highest.max(lowest + 1.0)))
}

/// From 0 to 1, how far `value` is between the others, by logarithms.
fn scaled(value: f64, low: f64, high: f64) -> f64 {
    if high <= low { 0.5 } else { (value / low).ln() / (high / low).ln() }
}
