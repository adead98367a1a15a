//! The leads of one week, and how long they waited for the first contact.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, Utc};

/// How many weeks pages show, with the present one.
pub const WEEKS: u32 = 12;

/// A week from Monday to Sunday, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Week(NaiveDate);

impl Week {
    /// The week of a time.
    pub fn of(at: DateTime<Utc>) -> Self {
        let day = at.date_naive();
        let since_monday = day.weekday().num_days_from_monday();
        Self(day.checked_sub_days(Days::new(since_monday.into())).unwrap_or(day))
    }

    /// The last [`WEEKS`] weeks until `now`, the earliest first.
    pub fn last(now: DateTime<Utc>) -> Vec<Self> {
        let monday = Self::of(now).0;
        let before = |weeks: u32| monday.checked_sub_days(Days::new(u64::from(weeks) * 7));
        (0..WEEKS).rev().filter_map(before).map(Self).collect()
    }

    /// Its Monday.
    pub fn first_day(self) -> NaiveDate {
        self.0
    }

    /// Its Sunday.
    pub fn last_day(self) -> NaiveDate {
        self.0.checked_add_days(Days::new(6)).unwrap_or(self.0)
    }

    /// When it begins.
    pub fn begin(self) -> DateTime<Utc> {
        self.0.and_time(NaiveTime::MIN).and_utc()
    }

    /// When the next one begins.
    pub fn end(self) -> DateTime<Utc> {
        let next = self.0.checked_add_days(Days::new(7)).unwrap_or(self.0);
        next.and_time(NaiveTime::MIN).and_utc()
    }
}

/// The leads that were received in one week.
///
/// The first contact with a lead is the moment at which its status left `new`. If somebody set it back
/// to `new`, there was no contact: the next time counts. A lead that has never been `new` counts as
/// received, but not as contacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeadWeek {
    /// The week.
    pub week: Week,
    /// How many leads there are.
    pub received: u64,
    /// With how many of them there was a first contact.
    pub contacted: u64,
    /// Half of these waited for at most this time.
    pub half: Option<TimeDelta>,
    /// Nine of ten waited for at most this time.
    pub most: Option<TimeDelta>,
}

impl LeadWeek {
    /// A week with these waiting times, in microseconds and in any order. A negative one counts as
    /// none, because clocks of nodes differ.
    pub fn of(week: Week, received: u64, mut waits: Vec<i64>) -> Self {
        waits.sort_unstable();
        // The least wait that at least `tenths` tenths of all do not exceed.
        let rank = |tenths: usize| {
            let place = (waits.len() * tenths).div_ceil(10);
            let wait = place.checked_sub(1).and_then(|place| waits.get(place))?;
            Some(TimeDelta::microseconds((*wait).max(0)))
        };
        let (half, most) = (rank(5), rank(9));
        Self { week, received, contacted: waits.len() as u64, half, most }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[rstest]
    #[case("2026-11-30T00:00:00Z", "2026-11-30")]
    #[case("2026-12-06T23:59:59.999999Z", "2026-11-30")]
    #[case("2026-12-07T00:00:00Z", "2026-12-07")]
    #[case("2027-01-01T12:00:00Z", "2026-12-28")]
    fn a_week_begins_on_monday(#[case] time: &str, #[case] monday: &str) {
        let week = Week::of(at(time));
        assert_eq!(week.first_day().to_string(), monday);
        assert!(week.begin() <= at(time) && at(time) < week.end());
        assert_eq!((week.end() - week.begin()).num_days(), 7);
        assert_eq!((week.last_day() - week.first_day()).num_days(), 6);
    }

    #[test]
    fn the_last_weeks_end_with_the_present_one() {
        let now = at("2026-12-02T10:00:00Z");
        let weeks = Week::last(now);
        assert_eq!(weeks.len(), WEEKS as usize);
        assert_eq!(weeks.last(), Some(&Week::of(now)));
        assert!(weeks.windows(2).all(|pair| pair[0].end() == pair[1].begin()));
        assert_eq!(Week::last(DateTime::<Utc>::MIN_UTC).len(), 1, "there is nothing before");
    }

    #[rstest]
    #[case(vec![], None, None)]
    #[case(vec![7], Some(7), Some(7))]
    #[case(vec![3, 1, 2], Some(2), Some(3))]
    #[case(vec![4, 3, 2, 1], Some(2), Some(4))]
    #[case((1..=100).rev().collect(), Some(50), Some(90))]
    #[case(vec![-5], Some(0), Some(0))]
    fn waits_are_ranked(
        #[case] waits: Vec<i64>,
        #[case] half: Option<i64>,
        #[case] most: Option<i64>,
    ) {
        let contacted = waits.len() as u64;
        let week = LeadWeek::of(Week::of(at("2026-12-02T10:00:00Z")), 200, waits);
        assert_eq!((week.received, week.contacted), (200, contacted));
        assert_eq!(week.half, half.map(TimeDelta::microseconds));
        assert_eq!(week.most, most.map(TimeDelta::microseconds));
    }
}
