//! `ftp`: reads its arguments, runs, and returns the exit code as its last word.

use std::process::ExitCode;

use clap::Parser;
use ftp::{Arguments, Code, Failure};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(answer) => {
            let _ = answer.print(); // help, too, comes this way; its reader may have gone
            return ExitCode::from(if answer.use_stderr() { Code::Usage as u8 } else { 0 });
        }
    };
    // One thread moves bytes; disks and digests have their own.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime
        .map_err(|error| Failure::new(Code::Other, format!("cannot start: {error}")))
        .and_then(|runtime| runtime.block_on(ftp::run(arguments)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            ftp::report(&failure);
            ExitCode::from(failure.code as u8)
        }
    }
}
