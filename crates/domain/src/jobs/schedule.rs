use std::time::Duration;

use chrono::{DateTime, Utc};

use super::micros;

/// When something happens again and again: every so often, counted from 1970, UTC.
///
/// For example, every day at 3:30 is `every` 24 hours with an `offset` of 3.5 hours. All nodes
/// compute the same times from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// Its name, unique in the program.
    pub name: &'static str,
    /// The time from one occurrence to the next.
    pub every: Duration,
    /// How much later than a multiple of `every` an occurrence is.
    pub offset: Duration,
}

impl Schedule {
    /// A schedule without an offset.
    pub const fn every(name: &'static str, every: Duration) -> Self {
        Self { name, every, offset: Duration::ZERO }
    }

    /// The time from one occurrence to the next, in microseconds; at least 1.
    pub fn period(&self) -> i64 {
        micros(self.every).max(1)
    }

    /// How much later than a multiple of the period an occurrence is, in microseconds.
    pub fn shift(&self) -> i64 {
        micros(self.offset) % self.period()
    }

    /// The last occurrence that is not later than `now`.
    pub fn last(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let now = now.timestamp_micros();
        let since = (now - self.shift()).rem_euclid(self.period());
        DateTime::from_timestamp_micros(now - since).unwrap_or_default()
    }

    /// The first occurrence that is later than `now`.
    pub fn next(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let last = self.last(now).timestamp_micros();
        DateTime::from_timestamp_micros(last.saturating_add(self.period())).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn an_occurrence_is_a_multiple_of_the_period() {
        let hourly = Schedule::every("hourly", HOUR);
        let now = time("2026-11-29T16:07:01.5Z");
        assert_eq!(hourly.last(now), time("2026-11-29T16:00:00Z"));
        assert_eq!(hourly.next(now), time("2026-11-29T17:00:00Z"));
        let exactly = time("2026-11-29T16:00:00Z");
        assert_eq!(hourly.last(exactly), exactly);
        assert_eq!(hourly.next(exactly), time("2026-11-29T17:00:00Z"));
    }

    #[test]
    fn an_offset_moves_the_occurrences() {
        let nightly = Schedule { name: "nightly", every: HOUR * 24, offset: HOUR * 7 / 2 };
        assert_eq!(nightly.last(time("2026-11-29T03:29:59Z")), time("2026-11-28T03:30:00Z"));
        assert_eq!(nightly.next(time("2026-11-29T03:29:59Z")), time("2026-11-29T03:30:00Z"));
        // The offset only counts within the period.
        let same = Schedule { offset: HOUR * 55 / 2, ..nightly };
        assert_eq!(same.next(time("2026-11-29T03:29:59Z")), time("2026-11-29T03:30:00Z"));
    }

    #[test]
    fn a_schedule_without_a_sensible_period_does_not_panic() {
        for every in [Duration::ZERO, Duration::MAX] {
            let odd = Schedule { name: "odd", every, offset: Duration::MAX };
            let now = time("2026-11-29T16:07:01.5Z");
            assert!(odd.last(now) <= now && now < odd.next(now));
        }
    }

    proptest! {
        #[test]
        fn now_is_between_two_occurrences(
            now in -4_000_000_000_000_000_i64..4_000_000_000_000_000,
            every in 1_u64..1_000_000_000, offset in 0_u64..1_000_000_000,
        ) {
            let (every, offset) = (Duration::from_millis(every), Duration::from_millis(offset));
            let schedule = Schedule { name: "any", every, offset };
            let now = DateTime::from_timestamp_micros(now).unwrap();
            let (last, next) = (schedule.last(now), schedule.next(now));
            prop_assert!(last <= now && now < next);
            prop_assert_eq!(schedule.last(next), next);
            prop_assert_eq!((next - last).to_std().unwrap(), every);
        }
    }
}
