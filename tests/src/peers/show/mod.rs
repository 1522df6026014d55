//! What was measured, for people, programs and pages.

mod bars;
mod json;
mod lines;
mod svg;
mod text;

pub(super) use json::json;
pub(super) use text::text;

use super::growth::Axis;
use super::{Args, Report};

/// A picture: bars, or lines if something grows.
pub(super) fn svg(args: &Args, report: &Report) -> String {
    let grows = |axis: Axis| report.tables.iter().any(|table| table.point.is_some_and(|(on, _)| on == axis));
    let axes: Vec<Axis> = [Axis::Clients, Axis::Size].into_iter().filter(|axis| grows(*axis)).collect();
    if axes.is_empty() { bars::draw(args, report) } else { lines::draw(args, report, &axes) }
}

/// A few digits of a number, whatever its size.
fn short(number: f64) -> String {
    let digits = if number >= 100.0 {
        0
    } else if number >= 10.0 {
        1
    } else if number >= 1.0 {
        2
    } else {
        3
    };
    format!("{number:.digits$}")
}
