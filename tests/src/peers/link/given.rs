//! What a link is to be like, as the command line says it.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;
use std::time::Duration;

/// Delay, rate and loss, the same both ways.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) struct Given {
    /// One way: the round trip takes twice that.
    pub(in super::super) delay: Duration,
    /// Bytes in a second, of packets with their IP heads.
    pub(in super::super) rate: f64,
    /// The part of all packets that is lost, from 0 to 1.
    pub(in super::super) loss: f64,
}

impl Given {
    /// Bytes that may wait for the wire: what it carries in one round trip, so that one connection whose window is halved by a
    /// loss still keeps it busy (Villamizar and Song 1994), and never fewer than a connection begins with, a few times over.
    pub(in super::super) fn queue(&self) -> u64 {
        const LEAST: u64 = 64 * 1024;
        let in_flight = self.rate * 2.0 * self.delay.as_secs_f64();
        (in_flight as u64).max(LEAST)
    }
}

impl FromStr for Given {
    type Err = String;

    /// `20,200` or `20,200,0.05%`: milliseconds one way, Mbit/s, and packets lost of a hundred.
    fn from_str(text: &str) -> Result<Given, String> {
        let wrong = || {
            "a link is DELAY_MS,MBIT[,LOSS%], such as 20,200 or 20,200,0.05%: up to 10000 ms one way, 0.1 to \
             10000 Mbit/s, less than 50 % lost"
                .to_owned()
        };
        let mut parts = text.split(',').map(str::trim);
        let mut number = |unit: &str, usual: Option<&str>| {
            let part = parts.next().or(usual).ok_or_else(wrong)?;
            part.strip_suffix(unit).unwrap_or(part).trim().parse::<f64>().map_err(|_| wrong())
        };
        let (delay, mbit, loss) = (number("ms", None)?, number("Mbit", None)?, number("%", Some("0"))?);
        let right = (0.0..=10_000.0).contains(&delay)
            && (0.1..=10_000.0).contains(&mbit)
            && (0.0..50.0).contains(&loss)
            && parts.next().is_none();
        let delay = Duration::from_secs_f64(if right { delay / 1e3 } else { return Err(wrong()) });
        Ok(Given { delay, rate: mbit * 1e6 / 8.0, loss: loss / 100.0 })
    }
}

impl Display for Given {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let (delay, mbit) = (self.delay.as_secs_f64() * 1e3, self.rate * 8.0 / 1e6);
        write!(f, "{delay} ms each way, {mbit} Mbit/s")?;
        if self.loss > 0.0 {
            // Of 0.05 / 100 * 100, the last digits are not what was said.
            write!(f, ", {} % lost", (self.loss * 1e8).round() / 1e6)?;
        }
        Ok(())
    }
}
