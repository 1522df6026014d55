//! `cargo peers WORKLOAD`: how long ours takes, beside the programs that people use today and that are installed here.

use std::process::ExitCode;

use clap::Parser;
use e2e::peers::{Args, measure};

fn main() -> ExitCode {
    match measure(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE, // who failed was told beside the table
        Err(error) => {
            eprintln!("peers: {error}");
            ExitCode::FAILURE
        }
    }
}
