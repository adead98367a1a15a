use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::events::{Act, EventId};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A Monday.
const FIRST: &str = "2026-01-05T10:00:00Z";

#[rstest]
#[case("2026-01-05T00:00:00Z", 0)]
#[case("2026-01-05T00:59:59.999999Z", 0)]
#[case("2026-01-10T23:00:00Z", 143)]
#[case("2026-01-11T23:59:59Z", 167)]
#[case("1970-01-01T00:00:00Z", 72)]
#[case("1969-12-28T23:59:59Z", 167)]
fn hours_are_counted_from_monday(#[case] time: &str, #[case] hour: usize) {
    assert_eq!(hour_of_week(at(time)), hour);
}

/// Of a last lead so many days after the first one: how many days after it something is learnt, and
/// from how many weeks.
#[rstest]
#[case(0, 14, 2)]
#[case(5, 14, 2)]
#[case(14, 14, 2)]
#[case(20, 20, 2)]
#[case(21, 21, 3)]
#[case(56, 56, 8)]
#[case(400, 400, 8)]
fn whole_weeks_before_the_last_lead_are_learnt_from(
    #[case] last: i64,
    #[case] since: i64,
    #[case] weeks: i32,
) {
    let first = at(FIRST);
    let day = |days| first + TimeDelta::days(days);
    assert_eq!(Weeks::before(first, day(last), day(since) - TimeDelta::microseconds(1)), None);
    let learnt = Weeks::before(first, day(last), day(since)).unwrap();
    let from = day(since) - WEEK * weeks;
    assert_eq!((learnt.from, learnt.until, learnt.number), (from, day(since), weeks));
    assert!(learnt.from >= first);
    // A year of silence changes nothing.
    assert_eq!(Weeks::before(first, day(last), day(since + 365)), Some(learnt));
    let each: Vec<_> = learnt.each().collect();
    assert_eq!((each[0].0, each.last().unwrap().1), (learnt.from, learnt.until));
    assert!(each.windows(2).all(|pair| pair[0].1 == pair[1].0));
    assert_eq!(each.len(), usize::try_from(weeks).unwrap());
}

/// Eight leads in each of four weeks, on Mondays from 10 to 11, and four on Sundays from 23 to 24.
fn profile() -> Profile {
    let first = at(FIRST);
    let last = first + WEEK * 4;
    let weeks = Weeks::before(first, last, last).unwrap();
    let counts = Counts::from_iter([(10, 16), (167, 16), (168, 99), (-1, 99)]);
    Profile::of(&weeks, &(counts + Counts::from_iter([(10, 16)])))
}

#[rstest]
#[case("2026-03-02T10:00:00Z", "2026-03-02T11:00:00Z", 8.0)]
#[case("2026-03-02T10:15:00Z", "2026-03-02T10:30:00Z", 2.0)]
#[case("2026-03-02T10:45:00Z", "2026-03-08T23:30:00Z", 4.0)]
#[case("2026-03-02T11:00:00Z", "2026-03-08T23:00:00Z", 0.0)]
#[case("2026-03-08T23:30:00Z", "2026-03-09T10:30:00Z", 6.0)]
#[case("2026-03-02T10:30:00Z", "2026-03-23T10:45:00Z", 38.0)]
#[case("2026-03-02T10:30:00Z", "2026-03-02T10:30:00Z", 0.0)]
#[case("2026-03-02T10:30:00Z", "2026-02-02T10:30:00Z", 0.0)]
fn parts_of_hours_count_as_parts(#[case] from: &str, #[case] until: &str, #[case] leads: f64) {
    let expected = profile().expected(at(from), at(until));
    assert!((expected - leads).abs() < 1e-9, "{expected}");
}

proptest! {
    #[test]
    fn what_is_expected_adds_up(
        begin in 1_700_000_000_000_000_i64..1_800_000_000_000_000,
        first in 0_i64..3_000_000_000_000, second in 0_i64..3_000_000_000_000,
    ) {
        let time = |micros| DateTime::from_timestamp_micros(micros).unwrap();
        let (begin, middle) = (time(begin), time(begin + first));
        let end = middle + TimeDelta::microseconds(second);
        let profile = profile();
        let parts = profile.expected(begin, middle) + profile.expected(middle, end);
        prop_assert!((profile.expected(begin, end) - parts).abs() < 1e-6);
    }
}

#[test]
fn one_of_ten_thousand_is_an_alarm() {
    let silence = |expected| Silence { since: at(FIRST), expected };
    assert!(!silence(9.21).is_alarm() && silence(9.211).is_alarm());
    assert!((1e-4_f64 - (-TOO_MANY).exp()).abs() < 1e-12);
}

#[test]
fn an_event_tells_of_the_silence_and_belongs_to_its_last_lead() {
    let silence = Silence { since: at("2026-03-02T10:15:00.000007Z"), expected: 9.34 };
    let (event, author) = silence.event();
    let later = Silence { expected: 20.0, ..silence }.event().1;
    assert_eq!(author.batch, later.batch);
    let other = Silence { since: at(FIRST), ..silence }.event().1;
    assert_ne!(author.batch, other.batch);
    let NewEvent { verb, subject, changes } = event;
    // As it is stored and read again.
    let changes = Changes::from_text(changes.to_text().as_deref(), verb.has_values());
    let act = Act { author, at: at(FIRST) };
    let event = Event { id: EventId(1), act, verb, subject, changes };
    assert_eq!(Silence::of_event(&event), Some(Silence { expected: 9.3, ..silence }));
    let created = Event { verb: Verb::of("lead", Verb::CREATED), ..event };
    assert_eq!(Silence::of_event(&created), None);
}
