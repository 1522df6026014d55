//! Measures what a session costs that is logged in and does nothing: bytes of the server's memory.

#![allow(clippy::unwrap_used, reason = "in a measurement, whatever goes wrong ends it")]

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use e2e::{ALICE, Raw, Server, memory};
use proto::{Command, Reply};

/// Measures what an idle session costs the server.
#[derive(Debug, Parser)]
struct Args {
    /// Sessions that are logged in at the same time.
    #[arg(long, default_value_t = 500)]
    sessions: usize,
    /// Without TLS.
    #[arg(long)]
    plain: bool,
}

fn main() -> ExitCode {
    let Args { sessions, plain } = Args::parse();
    let most = sessions + 1;
    let builder = if plain { Server::builder() } else { Server::builder().tls() };
    let server =
        builder.limit(&format!("sessions = {most}")).limit(&format!("sessions_per_address = {most}")).start();
    quit(server.logged_in(ALICE)); // what the first session costs is not what each costs
    let began = Instant::now();
    let alone = in_use(&server);
    let idle: Vec<Raw> = (0..sessions).map(|_| server.logged_in(ALICE)).collect();
    let crowded = in_use(&server);
    let entered = began.elapsed();
    for session in idle {
        quit(session);
    }
    let left = in_use(&server);

    let kib = |bytes: u64| bytes as f64 / 1024.0;
    let on = if plain { "plain" } else { "TLS" };
    println!("idle: {sessions} sessions, {on}, logged in within {entered:.0?}");
    println!("  {:>8.1}  KiB of the server for each", kib(crowded.saturating_sub(alone)) / sessions as f64);
    println!(
        "  {:>8.0}  KiB with none, {:.0} with all, {:.0} when they have left (VmRSS)",
        kib(alone),
        kib(crowded),
        kib(left)
    );
    ExitCode::SUCCESS
}

fn in_use(server: &Server) -> u64 {
    memory(server.pid(), "VmRSS").unwrap()
}

/// Every session must have lived until now.
fn quit(mut session: Raw) {
    assert_eq!(session.ask(Command::Quit), Reply::Goodbye);
    session.ends();
}
