//! Times as classic FTP writes them: `20261121144500.123` (RFC 3659, 2.3), and the short form of `ls -l`. All in UTC.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};
use store::Time;

/// Seconds for which a date shows its time of day, as `ls` counts them.
const RECENT: i64 = 15_778_476; // half a year

fn civil(time: Time) -> DateTime {
    let time = Timestamp::new(time.seconds, time.nanoseconds.min(999_999_999).cast_signed());
    TimeZone::UTC.to_datetime(time.unwrap_or_default())
}

/// `20261121144500`: to the second, cut.
pub(super) fn stamp(time: Time) -> String {
    civil(time).strftime("%Y%m%d%H%M%S").to_string()
}

/// What [`stamp`] wrote; a fraction may follow.
pub(super) fn parse(text: &[u8]) -> Option<Time> {
    let text = str::from_utf8(text).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() != 14 || !digits(whole) || !digits(fraction) || !(1..=9).contains(&fraction.len()) {
        return None;
    }
    let part = |range: std::ops::Range<usize>| whole[range].parse::<i16>().ok();
    let small = |range| part(range).and_then(|number| i8::try_from(number).ok());
    let second = small(12..14)?.min(59); // a leap second is the one before
    let date =
        DateTime::new(part(0..4)?, small(4..6)?, small(6..8)?, small(8..10)?, small(10..12)?, second, 0)
            .ok()?;
    let seconds = TimeZone::UTC.to_timestamp(date).ok()?.as_second();
    let nanoseconds = format!("{fraction:0<9}").parse().ok()?;
    Some(Time { seconds, nanoseconds })
}

/// `Nov 21 14:45`, or `Nov 21  2019` for what is older than half a year or lies ahead.
pub(super) fn short(time: Time, now: Timestamp) -> String {
    let age = now.as_second().saturating_sub(time.seconds);
    let form = if (-86_400..RECENT).contains(&age) { "%b %e %H:%M" } else { "%b %e  %Y" };
    civil(time).strftime(form).to_string()
}

/// Now, to the second.
pub(super) fn now() -> Timestamp {
    Timestamp::now().round(Unit::Second).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_written_in_utc_and_read_back() {
        let time = Time { seconds: 1_795_272_300, nanoseconds: 999_000_000 };
        assert_eq!(stamp(time), "20261121144500");
        assert_eq!(parse(b"20261121144500.999"), Some(time));
        assert_eq!(parse(b"19700101000000"), Some(Time { seconds: 0, nanoseconds: 0 }));
        assert_eq!(stamp(Time { seconds: -1, nanoseconds: 0 }), "19691231235959");
        assert_eq!(parse(b"20161231235960").map(stamp).as_deref(), Some("20161231235959"), "a leap second");
        for wrong in [
            "",
            "2026112114450",
            "20261321144500",
            "20261121244500",
            "2026112114450x",
            "20261121144500.",
            "+0261121144500",
        ] {
            assert_eq!(parse(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn the_short_form_is_that_of_ls() {
        let now = Timestamp::from_second(1_795_272_300).unwrap();
        let at = |seconds| short(Time { seconds, nanoseconds: 0 }, now);
        assert_eq!(at(1_795_272_300), "Nov 21 14:45");
        assert_eq!(at(1_795_272_300 - 20 * 86_400), "Nov  1 14:45");
        assert_eq!(at(0), "Jan  1  1970");
        assert_eq!(at(1_795_272_300 + 3 * 86_400), "Nov 24  2026");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in 0..250_000_000_000_i64) {
            let time = Time { seconds, nanoseconds: 0 };
            prop_assert_eq!(parse(stamp(time).as_bytes()), Some(time));
        }
    }
}
