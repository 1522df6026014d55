//! Sizes, times and rates as people read them.

use std::time::Duration;

/// `bytes` in decimal units, one decimal below ten: `999 B`, `1.5 kB`, `4.7 GB`, `112 MB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1000.0;
    let mut units = UNITS.iter();
    let mut unit = units.next();
    // From 999.5 on it would be rounded to four digits.
    while value >= 999.5 {
        value /= 1000.0;
        unit = units.next();
    }
    let unit = unit.expect("2^64 bytes are 18 EB");
    if value < 9.95 { format!("{value:.1} {unit}") } else { format!("{value:.0} {unit}") }
}

/// A time as on a stop-watch: `0:42`, `1:02:03`; below a second, `320 ms`.
pub(crate) fn time(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    match seconds {
        0 => format!("{} ms", elapsed.as_millis().max(1)),
        1..3600 => format!("{}:{:02}", seconds / 60, seconds % 60),
        _ => format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60),
    }
}

/// A time in seconds, to the tenth below a minute: `0.8 s`, `1:02`.
pub(crate) fn seconds(elapsed: Duration) -> String {
    if elapsed.as_secs() < 60 { format!("{:.1} s", elapsed.as_secs_f64()) } else { time(elapsed) }
}

/// A number with its thousands apart: `1,024`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How fast `bytes` went: `112 MB/s`.
pub(crate) fn rate(bytes: u64, elapsed: Duration) -> String {
    let per_second = bytes as f64 / elapsed.as_secs_f64().max(1e-6);
    format!("{}/s", size(per_second as u64))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_are_decimal_with_one_decimal_below_ten() {
        for (bytes, shown) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (1_949, "1.9 kB"),
            (9_949, "9.9 kB"),
            (9_950, "10 kB"),
            (999_499, "999 kB"),
            (999_500, "1.0 MB"),
            (4_700_000_000, "4.7 GB"),
            (112_000_000, "112 MB"),
            (u64::MAX, "18 EB"),
        ] {
            assert_eq!(size(bytes), shown);
        }
    }

    #[test]
    fn times_run_from_milliseconds_to_hours() {
        for (elapsed, shown) in [
            (Duration::ZERO, "1 ms"),
            (Duration::from_millis(320), "320 ms"),
            (Duration::from_micros(999_999), "999 ms"),
            (Duration::from_secs(1), "0:01"),
            (Duration::from_millis(42_900), "0:42"),
            (Duration::from_secs(3599), "59:59"),
            (Duration::from_secs(3723), "1:02:03"),
        ] {
            assert_eq!(time(elapsed), shown);
        }
    }

    #[test]
    fn a_count_has_its_thousands_apart() {
        for (number, shown) in
            [(0, "0"), (999, "999"), (1000, "1,000"), (12_345, "12,345"), (1_234_567, "1,234,567")]
        {
            assert_eq!(count(number), shown);
        }
        assert_eq!(seconds(Duration::from_millis(840)), "0.8 s");
        assert_eq!(seconds(Duration::from_secs(62)), "1:02");
    }

    #[test]
    fn rates_are_sizes_a_second() {
        assert_eq!(rate(4_700_000_000, Duration::from_secs(42)), "112 MB/s");
        assert_eq!(rate(0, Duration::ZERO), "0 B/s");
        assert_eq!(rate(500, Duration::from_millis(500)), "1.0 kB/s");
    }

    proptest! {
        #[test]
        fn a_size_is_short_and_within_half_a_unit(bytes: u64) {
            let shown = size(bytes);
            prop_assert!(shown.len() <= 6, "{}", shown);
            let (number, unit) = shown.split_once(' ').unwrap();
            let power = ["B", "kB", "MB", "GB", "TB", "PB", "EB"].iter().position(|u| *u == unit).unwrap();
            let value = number.parse::<f64>().unwrap() * 1000f64.powi(power as i32);
            prop_assert!((value - bytes as f64).abs() <= bytes as f64 * 0.051 + 0.5, "{}", shown);
        }
    }
}
