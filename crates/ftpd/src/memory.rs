//! Memory that holds passwords and keys is for this process alone: no core dump, and no debugger of the same user.

use std::io;

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// Turns core dumps off, and reading by other processes than root's.
///
/// # Errors
/// What the system reports.
pub fn keep_private() -> io::Result<()> {
    // The limit alone does not keep a core from a program that the system pipes it to (core(5)).
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    Ok(())
}
