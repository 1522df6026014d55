//! Use by scripts: exit codes, the two ways out, batches, passwords, and servers that lie.

mod batch;
mod codes;
mod liars;
mod passwords;
