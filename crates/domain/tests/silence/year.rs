//! A simulated year of intake.

use chrono::{DateTime, TimeDelta, Utc};
use exit3_domain::silence::{Counts, HOURS, Profile, TOO_MANY, Weeks, hour_of_week};

/// Random numbers (SplitMix64), the same ones each time.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    /// From 0 to 1, without 0.
    pub(crate) fn part(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        ((mixed >> 11) as f64 + 1.0) / 9_007_199_254_740_992.0
    }
}

/// Leads of eight weeks, and of a year behind them.
pub(crate) struct Year {
    /// When each of them came.
    leads: Vec<DateTime<Utc>>,
    /// When the year begins.
    begin: DateTime<Utc>,
}

const DAYS: i64 = 365;

/// How many times as many leads come at an hour of the week as at the quietest: most in business hours,
/// some in the evening, few at night, and a quarter at weekends.
fn weight(hour_of_week: usize) -> f64 {
    let weight = match hour_of_week % 24 {
        0..6 => 1.0,
        6..8 | 22..24 => 4.0,
        8..17 => 24.0,
        _ => 12.0,
    };
    if hour_of_week < 5 * 24 { weight } else { weight / 4.0 }
}

impl Year {
    /// Leads that come independently of each other, on average `daily` a day.
    pub(crate) fn of(daily: f64, chance: &mut Chance) -> Self {
        let all: f64 = (0..HOURS).map(weight).sum();
        let first: DateTime<Utc> = "2026-01-05T00:00:00Z".parse().unwrap();
        let begin = first + TimeDelta::weeks(8);
        let mut leads = Vec::new();
        // What is still to be expected before the next lead comes.
        let mut left = -chance.part().ln();
        for hour in 0..(8 * 7 + DAYS) * 24 {
            let at = first + TimeDelta::hours(hour);
            let rate = daily * 7.0 * weight(hour_of_week(at)) / all;
            let mut passed = 0.0;
            while left < (1.0 - passed) * rate {
                passed += left / rate;
                leads.push(at + TimeDelta::microseconds((passed * 3.6e9) as i64));
                left = -chance.part().ln();
            }
            left -= (1.0 - passed) * rate;
        }
        Self { leads, begin }
    }

    /// What is to be expected after the lead of this number, if the service looks then.
    fn profile(&self, number: usize, counts: &Moving) -> Option<(DateTime<Utc>, Profile)> {
        let last = *self.leads.get(number)?;
        let weeks = Weeks::before(*self.leads.first()?, last, last)?;
        Some((last, Profile::of(&weeks, &counts.hours())))
    }

    /// How many alarms come in the year, although leads go on coming.
    pub(crate) fn false_alarms(&self) -> usize {
        let mut counts = Moving::default();
        let is_alarm = |pair: usize| {
            counts.move_to(&self.leads, pair, TimeDelta::weeks(8));
            let next = self.leads[pair + 1];
            if next < self.begin {
                return false;
            }
            let found = self.profile(pair, &counts);
            found.is_some_and(|(last, profile)| profile.expected(last, next) > TOO_MANY)
        };
        (0..self.leads.len() - 1).map(is_alarm).filter(|alarm| *alarm).count()
    }

    /// How long it takes until the alarm, if no lead comes from a time in the year on. The service
    /// looks once a minute.
    pub(crate) fn detection(&self, chance: &mut Chance) -> TimeDelta {
        let broken = self.begin + TimeDelta::minutes((chance.part() * (DAYS * 1440) as f64) as i64);
        let number = self.leads.partition_point(|at| *at < broken) - 1;
        let mut counts = Moving::default();
        counts.move_to(&self.leads, number, TimeDelta::weeks(8));
        let (last, profile) = self.profile(number, &counts).unwrap();
        let is_alarm = |after: TimeDelta| profile.expected(last, broken + after) > TOO_MANY;
        // The first hour, and then the minute in it: what is expected only grows.
        let hours = (1..).map(TimeDelta::hours).find(|after| is_alarm(*after)).unwrap();
        let begin = hours - TimeDelta::hours(1);
        let minutes = (0..=60).map(|minute| begin + TimeDelta::minutes(minute));
        minutes.into_iter().find(|after| is_alarm(*after)).unwrap()
    }
}

/// Those of the last eight weeks before one of them, by hour of the week.
struct Moving {
    hours: [i64; HOURS],
    from: usize,
    until: usize,
}

impl Default for Moving {
    fn default() -> Self {
        Self { hours: [0; HOURS], from: 0, until: 0 }
    }
}

impl Moving {
    fn hours(&self) -> Counts {
        self.hours
            .iter()
            .enumerate()
            .map(|(hour, count)| (hour.try_into().unwrap(), *count))
            .collect()
    }

    fn move_to(&mut self, leads: &[DateTime<Utc>], number: usize, span: TimeDelta) {
        while self.until < number {
            self.hours[hour_of_week(leads[self.until])] += 1;
            self.until += 1;
        }
        while leads[self.from] < leads[number] - span {
            self.hours[hour_of_week(leads[self.from])] -= 1;
            self.from += 1;
        }
    }
}
