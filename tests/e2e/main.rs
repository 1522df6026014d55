//! End-to-end tests: the real `ftpd` and the real `ftp`, on real sockets, files and terminals.
//!
//! Each test has a server of its own, so all can run at once. Nothing waits for a time to pass: what is waited for is a line of
//! a log, a file that appears, bytes that went by, a word on a terminal.

#![allow(clippy::unwrap_used, reason = "in a test, whatever goes wrong ends it")]

mod breaks;
mod classic;
mod config;
mod control;
mod crowd;
mod disk;
mod durable;
mod flights;
mod foreign;
mod hostile;
mod logins;
mod operations;
mod parallel;
mod parts;
mod paths;
mod peers;
mod permissions;
mod prompt;
mod resume;
mod script;
mod sync;
mod tls;
mod trees;
mod trust;
mod verbs;
mod walls;
