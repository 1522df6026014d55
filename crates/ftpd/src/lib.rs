//! The server of ftpd: users.toml and the commands around it, the core that permits, and the doors that listen.

pub mod args;
pub mod check;
pub mod config;
pub mod core;
mod descriptors;
mod listen;
pub mod logs;
mod native;
pub mod password;
pub mod serve;
mod shell;
pub mod tls;
pub mod users;
