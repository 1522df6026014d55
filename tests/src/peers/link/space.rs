//! A network of its own for some of the processes (network_namespaces(7)).
//!
//! It has no name: it is there as long as somebody in it, or a descriptor of it, and no end of this program leaves it behind.

use std::fs::{self, File};
use std::io::Read;
use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::process::{Command, Stdio};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tun_rs::{DeviceBuilder, SyncDevice};

use crate::peers::Outcome;

/// The device at either end of the link.
const DEVICE: &str = "wan0";
/// As Ethernet has it.
pub(super) const MTU: usize = 1500;
/// Packets that the device holds until they are read. The queue of the link is not here: this one must never fill.
const HELD: &str = "5000";

/// A network.
#[derive(Debug)]
pub(super) struct Space(File);

impl Space {
    /// One in which there is nothing but a loopback device.
    pub(super) fn fresh() -> Outcome<Space> {
        // A process makes it and waits in it until it is opened here.
        let mut maker = Command::new("unshare")
            .args(["--net", "sh", "-c", "echo; read -r end"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("unshare: {error}"))?;
        let mut there = [0];
        let read = maker.stdout.take().map(|mut out| out.read_exact(&mut there));
        let space = match read {
            Some(Ok(())) => File::open(format!("/proc/{}/ns/net", maker.id())),
            _ => {
                let told = maker.wait_with_output()?.stderr;
                let told = String::from_utf8_lossy(&told);
                return Err(format!("--link makes networks of its own, and may not: {}", told.trim()).into());
            }
        };
        drop(maker.wait_with_output()); // its input ends, and so does it
        let space = Space(space?);
        space.ip(&["link", "set", "lo", "up"])?;
        // What one connection learns of the wire (tcp_metrics(8)) is nothing that the next one should know.
        space.within(|| fs::write("/proc/sys/net/ipv4/tcp_no_metrics_save", "1"))??;
        Ok(space)
    }

    /// Does something in it: sockets that are made and programs that are started meanwhile stay there.
    pub(super) fn within<T>(&self, work: impl FnOnce() -> T) -> Outcome<T> {
        /// Goes back to where the thread was, however the work ends.
        struct Back(File);

        impl Drop for Back {
            fn drop(&mut self) {
                enter(&self.0).expect("who was there may be there again");
            }
        }

        let _back = Back(File::open("/proc/thread-self/ns/net")?);
        enter(&self.0)?;
        Ok(work())
    }

    /// Its end of the link, which has this address.
    pub(super) fn device(&self, address: Ipv4Addr) -> Outcome<SyncDevice> {
        let made = self.within(|| DeviceBuilder::new().name(DEVICE).build_sync())?;
        let device = made.map_err(|error| format!("a TUN device of one's own: {error}"))?;
        device.set_nonblocking(true)?;
        self.ip(&["address", "add", &format!("{address}/30"), "dev", DEVICE])?;
        self.ip(&["link", "set", DEVICE, "mtu", &MTU.to_string(), "txqueuelen", HELD, "up"])?;
        Ok(device)
    }

    /// Packets that the device threw away because they were not read in time (proc_pid_net(5), `dev`).
    pub(super) fn overrun(&self) -> Outcome<u64> {
        const SENT_DROPPED: usize = 11; // behind the name: eight numbers of what came, then bytes, packets, errors
        let all = self.within(|| fs::read_to_string("/proc/thread-self/net/dev"))??;
        let line = all.lines().find_map(|line| line.trim().strip_prefix(DEVICE)?.strip_prefix(':'));
        let dropped = line.and_then(|line| line.split_whitespace().nth(SENT_DROPPED)?.parse().ok());
        dropped.ok_or_else(|| format!("no line of {DEVICE} in /proc/net/dev").into())
    }

    fn ip(&self, words: &[&str]) -> Outcome<()> {
        let ran = self.within(|| Command::new("ip").args(words).output())?;
        let ran = ran.map_err(|error| format!("ip: {error}"))?;
        if !ran.status.success() {
            let told = String::from_utf8_lossy(&ran.stderr);
            return Err(format!("ip {}: {}", words.join(" "), told.trim()).into());
        }
        Ok(())
    }
}

fn enter(space: &File) -> rustix::io::Result<()> {
    move_into_link_name_space(space.as_fd(), Some(LinkNameSpaceType::Network))
}
