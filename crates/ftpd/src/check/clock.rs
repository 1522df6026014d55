//! The clock, which certificates, times of files and log lines depend on.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Finding;

/// 2025-01-01 and 2100-01-01 in UTC, in seconds since 1970: a clock that tells less was never set, one that tells more was set
/// wrong.
const EARLIEST: Duration = Duration::from_secs(1_735_689_600);
const LATEST: Duration = Duration::from_secs(4_102_444_800);

/// A finding where the clock cannot be right.
pub(super) fn finding(now: SystemTime) -> Option<Finding> {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let off = match since {
        _ if since < EARLIEST => "before 2025",
        _ if since > LATEST => "after 2100",
        _ => return None,
    };
    Some(Finding::warning(format!(
        "clock: it tells a time {off}, and certificates and the times of files depend on it. \
         run: sudo timedatectl set-ntp true"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clock_that_cannot_be_right_is_told() {
        for (seconds, told) in [
            (0, Some("before 2025")),
            (1_735_689_599, Some("before 2025")),
            (1_735_689_600, None),
            (2_000_000_000, None),
            (4_102_444_801, Some("after 2100")),
        ] {
            let finding = finding(UNIX_EPOCH + Duration::from_secs(seconds));
            let what = finding.map(|finding| finding.what);
            assert_eq!(what.is_some(), told.is_some(), "{seconds}");
            assert!(what.unwrap_or_default().contains(told.unwrap_or_default()));
        }
        assert!(finding(UNIX_EPOCH - Duration::from_secs(1)).is_some());
    }
}
