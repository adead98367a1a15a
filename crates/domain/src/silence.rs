//! Whether no lead has come for so long that it is hardly chance.
//!
//! How many leads come is learnt by hour of the week, because nights and weekends are quiet. If leads
//! come independently of each other, and λ were to be expected since the last one, then the chance of
//! none is e^-λ.

use std::f64::consts::LN_10;
use std::ops::Add;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::Value;

use crate::events::{Actor, Author, BatchId, Changes, Event, NewEvent, Record, Subject, Verb};

/// The hours of a week, from Monday 0:00 to Sunday 24:00, UTC.
pub const HOURS: usize = 168;

/// So many leads must have been expected: the chance of none is less than 1 in 10,000.
pub const TOO_MANY: f64 = 4.0 * LN_10;

/// The word for what comes in, in events.
pub const RESOURCE: &str = "intake";

/// From at least so many weeks something is learnt, and never an alarm comes earlier.
const LEAST_WEEKS: i32 = 2;
/// From the last so many weeks.
const MOST_WEEKS: i32 = 8;

const WEEK: TimeDelta = TimeDelta::weeks(1);
const HOUR: TimeDelta = TimeDelta::hours(1);

/// The hour of the week of a time.
pub fn hour_of_week(at: DateTime<Utc>) -> usize {
    // 1970 began on a Thursday.
    let hour = (at.timestamp().div_euclid(3600) + 3 * 24).rem_euclid(HOURS as i64);
    usize::try_from(hour).unwrap_or_default()
}

/// The whole weeks whose leads tell how many come: from `from` to before `until`, each hour of the week
/// equally often.
///
/// They end with the last lead. So the silence is not among them, however long it is, and what was to be
/// expected since then only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weeks {
    /// The begin.
    pub from: DateTime<Utc>,
    /// The end.
    pub until: DateTime<Utc>,
    number: i32,
}

impl Weeks {
    /// Those before the last lead; `None` in the first two weeks after the first one. If the last lead
    /// came in these two, they are the weeks.
    pub fn before(first: DateTime<Utc>, last: DateTime<Utc>, now: DateTime<Utc>) -> Option<Self> {
        let until = last.max(first.checked_add_signed(WEEK * LEAST_WEEKS)?);
        if now < until {
            return None;
        }
        let number = (until - first).num_weeks().min(MOST_WEEKS.into());
        let number = i32::try_from(number).unwrap_or(MOST_WEEKS);
        Some(Self { from: until.checked_sub_signed(WEEK * number)?, until, number })
    }
}

impl Weeks {
    /// The begin and the end of each week.
    pub fn each(&self) -> impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)> {
        let begin = self.from;
        (0..self.number).map(move |week| (begin + WEEK * week, begin + WEEK * (week + 1)))
    }
}

/// How many leads came at each hour of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts([u64; HOURS]);

impl Default for Counts {
    fn default() -> Self {
        Self([0; HOURS])
    }
}

impl FromIterator<(i64, i64)> for Counts {
    /// Of pairs of an hour of the week and a number. Other hours do not count.
    fn from_iter<I: IntoIterator<Item = (i64, i64)>>(pairs: I) -> Self {
        let mut counts = Self::default();
        for (hour, number) in pairs {
            let hour = usize::try_from(hour).ok().and_then(|hour| counts.0.get_mut(hour));
            if let Some(count) = hour {
                *count += number.unsigned_abs();
            }
        }
        counts
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        for (own, other) in self.0.iter_mut().zip(other.0) {
            *own += other;
        }
        self
    }
}

/// How many leads are to be expected at each hour of the week.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile([f64; HOURS]);

impl Profile {
    /// After so many leads at each hour of the week, in all of these weeks together.
    pub fn of(weeks: &Weeks, counts: &Counts) -> Self {
        Self(counts.0.map(|count| count as f64 / f64::from(weeks.number)))
    }

    /// How many leads are to be expected between two times. Of an hour that is only partly between
    /// them, a part of the leads is expected.
    pub fn expected(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> f64 {
        let weeks = (until - from).num_weeks().max(0);
        let mut sum = weeks as f64 * self.0.iter().sum::<f64>();
        let mut at = from + WEEK * i32::try_from(weeks).unwrap_or(i32::MAX);
        while at < until {
            let next = at
                - TimeDelta::microseconds(at.timestamp_micros().rem_euclid(3_600_000_000))
                + HOUR;
            let part = (next.min(until) - at).as_seconds_f64() / HOUR.as_seconds_f64();
            sum += part * self.0.get(hour_of_week(at)).copied().unwrap_or_default();
            at = next;
        }
        sum
    }
}

/// The time since the last lead.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Silence {
    /// When the last lead came.
    pub since: DateTime<Utc>,
    /// How many leads were to be expected since then.
    pub expected: f64,
}

/// Fields of the event.
const LAST_LEAD: &str = "last_lead_at";
const EXPECTED: &str = "expected_leads";

impl Silence {
    /// Whether it is hardly chance.
    pub fn is_alarm(&self) -> bool {
        self.expected > TOO_MANY
    }

    /// The event that says so, and its author. The database stores it once for each last lead.
    pub fn event(&self) -> (NewEvent, Author) {
        let since = self.since.to_rfc3339_opts(SecondsFormat::Micros, true);
        let expected = (self.expected * 10.0).round() / 10.0;
        let values = [(LAST_LEAD, Value::from(since)), (EXPECTED, Value::from(expected))];
        let values = values.map(|(field, value)| (field.to_owned(), value));
        let event = NewEvent {
            verb: Verb::of(RESOURCE, Verb::SILENT),
            subject: Subject { resource: RESOURCE.into(), id: 0 },
            changes: Changes::Row(Record::from_iter(values)),
        };
        // No other lead can be the last one of this time.
        let token = format!("silence-{}", self.since.timestamp_micros());
        let author = Author { batch: Some(BatchId::of_form(&token)), ..Actor::Service.into() };
        (event, author)
    }

    /// What an event says; `None` if it is about something else.
    pub fn of_event(event: &Event) -> Option<Self> {
        let Changes::Row(values) = &event.changes else { return None };
        if event.verb != Verb::of(RESOURCE, Verb::SILENT) {
            return None;
        }
        let since = values.get(LAST_LEAD)?.as_str()?.parse().ok()?;
        Some(Self { since, expected: values.get(EXPECTED)?.as_f64()? })
    }
}

#[cfg(test)]
#[path = "silence_tests.rs"]
mod tests;
