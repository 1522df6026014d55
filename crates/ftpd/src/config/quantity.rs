//! Sizes and times as people write them: a whole number and a unit, `"10 GiB"`, `"30s"`.
//!
//! One small parser for both. The crates of this field take fractions by way of floating point, sums such as `"1h 2m"` and
//! some forty units; none of that is needed here, and exact bytes are.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Bytes; shown in the largest unit that keeps them whole, and read back to the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

/// What [`Size`] and [`time`] take, in bytes and in milliseconds; units are compared without regard to case.
const SIZES: [(&str, u64); 14] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1_000),
    ("T", 1 << 40), // bare letters are binary, as du and dd have them
    ("G", 1 << 30),
    ("M", 1 << 20),
    ("K", 1 << 10),
    ("B", 1),
    ("", 1),
];
const TIMES: [(&str, u64); 6] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("min", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Size, String> {
        let bytes = quantity(text, &SIZES).filter(|bytes| *bytes > 0);
        bytes
            .map(Size)
            .ok_or_else(|| "not a size above zero: write, for example, \"10 GiB\" or \"500 MB\"".into())
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, factor) =
            SIZES.iter().find(|(_, factor)| self.0.is_multiple_of(*factor)).expect("1 divides everything");
        f.pad(&format!("{} {unit}", self.0 / factor))
    }
}

/// A time of at least a millisecond and at most a year.
pub(super) fn time(text: &str) -> Option<Duration> {
    let year = 365 * 86_400_000;
    quantity(text, &TIMES).filter(|ms| (1..=year).contains(ms)).map(Duration::from_millis)
}

/// The same, or nothing: `"0"`, with a unit or without.
pub(super) fn time_or_none(text: &str) -> Option<Duration> {
    match text {
        "0" => Some(Duration::ZERO),
        text if quantity(text, &TIMES) == Some(0) => Some(Duration::ZERO),
        text => time(text),
    }
}

/// A whole number and one of `units`, with or without spaces between; `None` if it is anything else or too large.
fn quantity(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit.trim_start()))?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("1", 1),
            ("10 GiB", 10 << 30),
            ("10GiB", 10 << 30),
            ("3 gb", 3_000_000_000),
            ("7K", 7 << 10),
            ("0001 b", 1),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
        for text in
            ["", "0", "0 GiB", "GiB", "-1", "+1", "1.5 GiB", "1 XB", "1 GiB 2", "16777216 TiB", "٣", "1e3"]
        {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }

    #[test]
    fn times() {
        for (text, ms) in
            [("250ms", 250), ("30s", 30_000), ("10 m", 600_000), ("10min", 600_000), ("365d", 31_536_000_000)]
        {
            assert_eq!(time(text), Some(Duration::from_millis(ms)), "{text}");
        }
        for text in [
            "",
            "30",
            "0s",
            "-1s",
            "1.5h",
            "366d",
            "1 fortnight",
            "99999999999999999999s",
            "9999999999999999d",
        ] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn a_size_is_shown_as_it_is_read() {
        assert_eq!(Size(10 << 30).to_string(), "10 GiB");
        assert_eq!(Size(1500).to_string(), "1500 B");
        for shift in 0..64 {
            for bytes in [1 << shift, (1 << shift) | 1, u64::MAX >> shift] {
                assert_eq!(Size(bytes).to_string().parse(), Ok(Size(bytes)));
            }
        }
    }

    #[test]
    fn nothing_is_a_time_where_it_may_be() {
        assert_eq!(time("0"), None);
        for (text, read) in [("0", Some(0)), ("0s", Some(0)), ("2 h", Some(7200)), ("", None), ("366d", None)]
        {
            assert_eq!(time_or_none(text), read.map(Duration::from_secs), "{text}");
        }
    }
}
