//! What the system knows of a process.

use std::fs;

/// Bytes that a line of `/proc/PID/status` tells (proc_pid_status(5)): `VmRSS` is the memory in use, `VmHWM` its peak.
/// `None` when the process has ended.
pub fn memory(pid: u32, line: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let told = status.lines().find_map(|other| other.strip_prefix(line)?.strip_prefix(':'))?;
    let kib: u64 = told.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024)
}

/// Bytes that a process has read so far, from files above all, from disk or not (proc_pid_io(5)). Only root may ask that of a server:
/// `None` for others.
pub fn bytes_read(pid: u32) -> Option<u64> {
    match fs::read_to_string(format!("/proc/{pid}/io")) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => None,
        told => told.unwrap().lines().find_map(|line| line.strip_prefix("rchar: ")?.parse().ok()),
    }
}

/// How many descriptors a process has open (proc_pid_fd(5)). Only root may ask that of a server: `None` for others.
pub fn descriptors(pid: u32) -> Option<usize> {
    match fs::read_dir(format!("/proc/{pid}/fd")) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => None,
        open => Some(open.unwrap().count()),
    }
}

/// From now on, `VmHWM` is the peak since now (proc_pid_clear_refs(5)). Only root may do so to a server, which keeps its memory
/// to itself: for others the peak is the one since its start.
pub fn forget_peak(pid: u32) {
    match fs::write(format!("/proc/{pid}/clear_refs"), "5") {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {}
        forgotten => forgotten.unwrap(),
    }
}
