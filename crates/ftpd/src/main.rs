//! The program `ftpd`: one of its commands, or serving, and an exit code. 0: done; 1: something failed; 2: the command line
//! or users.toml has a mistake, or `check` found a problem.

use std::io;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use ftpd::args::{Args, Command};
use ftpd::config::{Config, Problem};
use ftpd::{check, logs, memory, serve, users};
use mimalloc::MiMalloc;

// glibc's keeps what password hashes and transfers took in an arena for each thread that once blocked: 180 MiB after 20 logins.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    let error = match run(&args) {
        Ok(code) => return code,
        Err(error) => error,
    };
    // Whoever read our words may have gone (`ftpd user list | head -1`): then there is nobody to complain to.
    let gone = |cause: &io::Error| cause.kind() == io::ErrorKind::BrokenPipe;
    if args.command.is_none() || !error.chain().filter_map(|cause| cause.downcast_ref()).any(gone) {
        eprintln!("{error:#}");
    }
    let mistake = error.is::<Problem>() || matches!(error.downcast_ref(), Some(users::Error::Config(_)));
    ExitCode::from(if mistake { 2 } else { 1 })
}

fn run(args: &Args) -> anyhow::Result<ExitCode> {
    memory::keep_private().context("the memory of this process cannot be kept from core dumps")?;
    let out = &mut io::stdout().lock();
    match &args.command {
        None => {
            let config = Config::load(&args.config)?;
            let sink = match &args.log_file {
                Some(file) => logs::Sink::file(file).with_context(|| {
                    format!("cannot write the log to {}. name another file with --log-file", file.display())
                })?,
                None => logs::Sink::standard_error(),
            };
            logs::init(args.log_format, &sink);
            serve::run(config, &sink).inspect_err(|error| {
                if args.log_file.is_some() {
                    tracing::error!(reason = error.to_string(), "cannot serve");
                }
            })?;
        }
        Some(Command::Check) => {
            if !check::run(&Config::load(&args.config)?, out)? {
                return Ok(ExitCode::from(2));
            }
        }
        Some(Command::User(command)) => users::run(&args.config, command, out)?,
    }
    Ok(ExitCode::SUCCESS)
}
