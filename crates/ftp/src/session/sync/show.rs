//! A plan that is not carried out: what would be done, a line each.

use super::ends::{Direction, Ends};
use super::plan::Plan;
use super::summary::Summary;
use crate::failure::Failure;
use crate::output::Output;
use crate::remote::{Account, Step, Steps, shown};
use crate::show::json::Object;

/// Lines that are written at once.
const LINES: usize = 500;

/// Shows a plan, and tells what it would come to.
pub(super) fn plan(
    plan: Plan,
    ends: &Ends,
    account: &mut Account<'_>,
    output: &Output,
) -> Result<Summary, Failure> {
    let mut lines = Lines { ends, output, text: String::new(), count: 0 };
    let mut summary =
        Summary { dry_run: true, looked_at: plan.looked_at, unchanged: plan.unchanged, ..Summary::default() };
    let (files, directories) = plan.removed;
    summary.deleted = files + directories;
    lines.steps(plan.clear)?;
    summary.new = lines.steps(plan.fresh)? + lines.steps(plan.long)?;
    summary.changed = lines.steps(plan.changed)? + lines.steps(plan.replacing)? + plan.by_blocks.len() as u64;
    for large in &plan.by_blocks {
        lines.line(lines.moves(), &large.path)?;
    }
    lines.steps(plan.extra)?;
    summary.attributes = lines.steps(plan.attributes)?;
    lines.steps(plan.directories)?;
    lines.flush()?;
    for (path, failure) in plan.failures {
        account.failed(&ends.shown(&path), failure);
    }
    Ok(summary)
}

struct Lines<'a> {
    ends: &'a Ends,
    output: &'a Output,
    text: String,
    count: usize,
}

impl Lines<'_> {
    fn moves(&self) -> &'static str {
        match self.ends.direction {
            Direction::Put => "put",
            Direction::Get => "get",
        }
    }

    /// A line for each step. How many are about files and links.
    fn steps(&mut self, mut steps: Steps) -> Result<u64, Failure> {
        let mut files = 0;
        while let Some((path, step)) = steps.pop_front() {
            files += u64::from(!matches!(step, Step::Directory(_)));
            let verb = match step {
                Step::Directory(_) => "mkdir",
                Step::File { .. } => self.moves(),
                Step::Link { .. } => "link",
                Step::Attributes(_) => "set",
                Step::Remove { .. } => "delete",
            };
            self.line(verb, &path)?;
        }
        Ok(files)
    }

    fn line(&mut self, verb: &str, path: &[u8]) -> Result<(), Failure> {
        let top = self.ends.destination();
        let place = if path.is_empty() { top.as_bytes() } else { path };
        self.text += &if self.output.json() {
            Object::default().text("would", verb).text("path", &String::from_utf8_lossy(place)).line()
        } else {
            format!("{verb:6} {}\n", self.output.surface().name(place))
        };
        self.count += 1;
        if self.count == LINES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.count = 0;
        self.output.print(&std::mem::take(&mut self.text))
    }
}

impl Ends {
    /// A thing of the source as its user would name it.
    pub(super) fn shown(&self, path: &[u8]) -> String {
        match self.direction {
            Direction::Put => shown(&self.local.to_string_lossy(), path),
            Direction::Get => shown(&self.remote, path),
        }
    }
}
