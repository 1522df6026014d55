//! The clock by which the kernel stamps files, and whether somebody set it back.

use rustix::fs::Stat;
use rustix::time::{ClockId, DynamicClockId, Timespec, clock_gettime, clock_gettime_dynamic};

/// Nanoseconds of a clock: until the year 2262.
type Nanoseconds = i64;

const SECOND: Nanoseconds = 1_000_000_000;

/// More than the coarsest times lie apart that are taken note of here: those of ext2 and its like, in whole seconds.
const COARSE: Nanoseconds = 2 * SECOND;

/// The last second that an inode of 32 bits can tell: from then on, every time is this one.
const LAST: Nanoseconds = (i32::MAX as Nanoseconds + 1) * SECOND;

/// A time of a file.
pub(crate) type Stamp = Nanoseconds;

/// When a file last changed in any way.
pub(crate) fn changed(stat: &Stat) -> Stamp {
    nanoseconds(Timespec { tv_sec: stat.st_ctime, tv_nsec: stat.st_ctime_nsec as _ })
}

/// When its data last changed, as far as its owner lets it tell that.
pub(crate) fn modified(stat: &Stat) -> Stamp {
    nanoseconds(Timespec { tv_sec: stat.st_mtime, tv_nsec: stat.st_mtime_nsec as _ })
}

/// A moment, as the kernel's clocks tell it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The least that the kernel stamps a file with from now on (`CLOCK_REALTIME_COARSE`), while nobody sets the clock back.
    pub(crate) stamp: Stamp,
    /// How far the time of day is ahead of the time since the start of the machine, which nobody sets: between these two.
    pub(crate) ahead: (Nanoseconds, Nanoseconds),
}

impl Moment {
    /// This one; `None` where the system has no such clocks.
    pub(crate) fn now() -> Option<Moment> {
        let running = || clock_gettime_dynamic(DynamicClockId::Boottime).ok().map(nanoseconds);
        let before = running()?;
        let day = nanoseconds(clock_gettime(ClockId::Realtime));
        let ahead = (day - running()?, day - before);
        // Read last: should the clock be set back in between, this is the lower one, and what is told above gives it away.
        Some(Moment { stamp: nanoseconds(clock_gettime(ClockId::RealtimeCoarse)), ahead })
    }

    /// Whether no change from this moment on can be stamped with `stamp`.
    pub(crate) fn is_past(&self, stamp: Stamp) -> bool {
        // A time without a fraction may be one that was cut off.
        let coarse = if stamp.rem_euclid(SECOND) == 0 { COARSE } else { 0 };
        stamp.saturating_add(coarse) < self.stamp && !(LAST - SECOND..LAST).contains(&stamp)
    }

    /// Whether the clock was set back between an `earlier` moment and this one.
    pub(crate) fn is_set_back_since(&self, earlier: &Moment) -> bool {
        self.ahead.1 < earlier.ahead.0
    }
}

fn nanoseconds(time: Timespec) -> Nanoseconds {
    time.tv_sec.saturating_mul(SECOND).saturating_add(time.tv_nsec)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Moment = Moment { stamp: 1_000 * SECOND + 5, ahead: (7, 9) };

    #[test]
    fn a_stamp_is_past_once_the_clock_has_moved_on() {
        assert!(AT.is_past(AT.stamp - 1));
        assert!(!AT.is_past(AT.stamp), "the tick goes on");
        assert!(!AT.is_past(AT.stamp + 1), "a time to come");
    }

    #[test]
    fn a_stamp_in_whole_seconds_is_past_when_its_second_is() {
        for seconds in [0, 1, 2] {
            assert!(!AT.is_past((1_000 - seconds) * SECOND) || seconds == 2, "{seconds}");
        }
        assert!(AT.is_past(998 * SECOND));
        assert!(!Moment { stamp: 1_000 * SECOND, ..AT }.is_past(998 * SECOND));
    }

    #[test]
    fn a_time_at_which_an_inode_stops_is_never_past() {
        let late = Moment { stamp: LAST + 100 * SECOND, ..AT };
        assert!(!late.is_past(Stamp::from(i32::MAX) * SECOND));
        assert!(!late.is_past(Stamp::from(i32::MAX) * SECOND + 7));
        assert!(late.is_past(LAST + 7));
    }

    #[test]
    fn a_clock_that_is_set_back_is_seen_and_one_that_goes_on_is_not() {
        let first = Moment::now().unwrap();
        for _ in 0..100_000 {
            assert!(!Moment::now().unwrap().is_set_back_since(&first));
        }
        let (least, most) = AT.ahead;
        assert!(!Moment { ahead: (least - 2, least), ..AT }.is_set_back_since(&AT));
        assert!(Moment { ahead: (least - 2, least - 1), ..AT }.is_set_back_since(&AT));
        assert!(!Moment { ahead: (most + 1, most + 2), ..AT }.is_set_back_since(&AT), "set forward");
    }
}
