//! Transfers that go on where they stopped.

mod client;
mod trees;
mod wire;

use std::path::PathBuf;

use e2e::Server;

/// What is kept beneath the homes.
fn kept(server: &Server) -> Vec<PathBuf> {
    e2e::stages(server.homes()).into_iter().filter(|stage| e2e::is_kept(stage)).collect()
}
