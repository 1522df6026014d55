//! What was measured, for people, programs and pages.

mod bars;
mod json;
mod lines;
mod markdown;
mod svg;
mod text;

use std::fs;
use std::path::Path;

pub(super) use json::json;
pub(super) use text::text;

use super::growth::Axis;
use super::{Args, Measured, Outcome, Report};

/// A picture: bars, or lines if something grows.
pub(super) fn svg(args: &Args, report: &Report) -> String {
    let grows = |axis: Axis| report.tables.iter().any(|table| table.point.is_some_and(|(on, _)| on == axis));
    let axes: Vec<Axis> = [Axis::Clients, Axis::Size].into_iter().filter(|axis| grows(*axis)).collect();
    if axes.is_empty() { bars::draw(args.runs, &[report]) } else { lines::draw(args, report, &axes) }
}

/// Writes all that a page needs into `directory`: `tables.md`; `NAME.json` and `NAME.svg` of each measurement; and where there
/// are several of a kind, one picture of them: `all.svg`, and `all-link.svg` of those over a link.
pub(super) fn write(directory: &Path, measured: &[Measured]) -> Outcome<()> {
    let in_place = |error: std::io::Error| format!("{}: {error}", directory.display());
    fs::create_dir_all(directory).map_err(in_place)?;
    let put = |name: &str, text: String| fs::write(directory.join(name), text).map_err(in_place);
    put("tables.md", markdown::markdown(measured))?;
    for Measured { name, args, report } in measured {
        put(&format!("{name}.json"), json(args, report))?;
        put(&format!("{name}.svg"), svg(args, report))?;
    }
    for (name, link) in [("all.svg", false), ("all-link.svg", true)] {
        let bars = |measured: &&Measured| {
            measured.report.link.is_some() == link
                && measured.report.tables.iter().all(|table| table.point.is_none())
        };
        let some: Vec<&Measured> = measured.iter().filter(bars).collect();
        if let [first, _, ..] = some[..] {
            let reports: Vec<&Report> = some.iter().map(|measured| &measured.report).collect();
            put(name, bars::draw(first.args.runs, &reports))?;
        }
    }
    Ok(())
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
