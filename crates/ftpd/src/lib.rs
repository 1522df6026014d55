//! The server of ftpd: users.toml and the commands around it, the core that permits, and the doors that listen.

pub mod args;
pub mod check;
mod classic;
pub mod config;
pub mod core;
mod descriptors;
mod ending;
mod files;
mod inherit;
mod listen;
pub mod logs;
pub mod memory;
mod native;
mod notify;
pub mod password;
mod readers;
mod reload;
pub mod serve;
mod shell;
mod sweeper;
pub mod tls;
pub mod users;
pub mod wall;
