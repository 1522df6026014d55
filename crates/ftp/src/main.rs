//! `ftp`: reads its arguments, runs, and returns the exit code as its last word.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use ftp::{Arguments, Code, Failure};

/// How long a disk may take to remove what an interrupted transfer had staged. A name server, or a reader of standard
/// output, could keep a thread for ever, and is not waited for.
const PATIENCE: Duration = Duration::from_secs(3);

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(answer) => {
            let _ = answer.print(); // help, too, comes this way; its reader may have gone
            return ExitCode::from(if answer.use_stderr() { Code::Usage as u8 } else { 0 });
        }
    };
    match start(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            ftp::report(&failure);
            ExitCode::from(failure.code as u8)
        }
    }
}

fn start(arguments: Arguments) -> Result<(), Failure> {
    // One thread moves bytes; disks and digests have their own.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Code::Other, format!("cannot start: {error}")))?;
    let done = runtime.block_on(ftp::run(arguments));
    ftp::let_go(PATIENCE);
    runtime.shutdown_timeout(PATIENCE);
    done
}
