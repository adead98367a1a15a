//! When leads came through the API.

use chrono::{DateTime, TimeDelta, Utc};
use exit3_domain::events::{Act, Actor, Author};
use exit3_domain::silence::{Counts, Silence};
use exit3_ports::StoreError;
use exit3_ports::events::FORM_SENT;

use super::Harness;
use crate::builders::{act, lead, time};

/// A Monday.
const BEGIN: &str = "2026-11-30T00:00:00Z";

/// A time so many minutes after the beginning of a week.
fn minute(minutes: i64) -> DateTime<Utc> {
    time(BEGIN) + TimeDelta::minutes(minutes)
}

fn key() -> Actor {
    Actor::from_words("api_key:website: form:Zk3vZk3vZk3v")
}

fn by(actor: Actor, at: DateTime<Utc>) -> Act {
    Author::from(actor).at(at)
}

async fn create(harness: &Harness, actor: Actor, at: DateTime<Utc>) {
    harness.leads.create(&lead().build(), &by(actor, at)).await.unwrap();
}

pub async fn only_leads_that_came_through_keys_are_counted(harness: &Harness) {
    let others = ["staff:ana", "command:seed-demo", "service", "module:api_key"];
    for actor in others {
        create(harness, Actor::from_words(actor), minute(10)).await;
    }
    let none = harness.lead_intake.count(minute(0), minute(600)).await.unwrap();
    assert_eq!(none, Counts::default());
    assert_eq!(harness.lead_intake.first().await.unwrap(), None);
    assert_eq!(harness.lead_intake.last(minute(0), minute(600)).await.unwrap(), None);
    create(harness, Actor::BasicKey, minute(20)).await;
    create(harness, key(), minute(30)).await;
    let two = harness.lead_intake.count(minute(0), minute(600)).await.unwrap();
    assert_eq!(two, Counts::from_iter([(0, 2)]));
    assert_eq!(harness.lead_intake.first().await.unwrap(), Some(minute(20)));
    assert_eq!(harness.lead_intake.last(minute(0), minute(600)).await.unwrap(), Some(minute(30)));
}

pub async fn leads_are_counted_by_hour_of_the_week(harness: &Harness) {
    let microsecond = TimeDelta::microseconds(1);
    let week = 7 * 24 * 60;
    let times = [
        minute(-1),
        minute(0),
        minute(60) - microsecond,
        minute(60),
        minute(week) - microsecond,
        minute(week),
        minute(week + 61),
    ];
    for at in times {
        create(harness, key(), at).await;
    }
    let count = async |from, until| harness.lead_intake.count(from, until).await.unwrap();
    let counts = Counts::from_iter;
    let all = count(times[0], times[6] + microsecond).await;
    assert_eq!(all, counts([(0, 3), (1, 2), (167, 2)]));
    // The begin belongs to it, and the end does not.
    assert_eq!(count(minute(0), minute(week)).await, counts([(0, 2), (1, 1), (167, 1)]));
    assert_eq!(count(minute(0), minute(0)).await, Counts::default());
}

pub async fn a_lead_that_is_gone_has_come_all_the_same(harness: &Harness) {
    let stored = harness.leads.create(&lead().build(), &by(key(), minute(0))).await.unwrap();
    harness.leads.delete(&stored, &by(key(), minute(5))).await.unwrap();
    harness.leads.restore(&stored, None, &by(key(), minute(6))).await.unwrap();
    let once = harness.lead_intake.count(minute(-60), minute(60)).await.unwrap();
    assert_eq!(once, Counts::from_iter([(0, 1)]));
    assert_eq!(harness.lead_intake.last(minute(0), minute(60)).await.unwrap(), Some(minute(0)));
}

pub async fn finds_the_last_lead_of_a_time(harness: &Harness) {
    for at in [10, 30, 20] {
        create(harness, key(), minute(at)).await;
    }
    let last =
        async |from, until| harness.lead_intake.last(minute(from), minute(until)).await.unwrap();
    assert_eq!(last(0, 60).await, Some(minute(30)));
    assert_eq!(last(30, 30).await, Some(minute(30)));
    // A clock that was ahead has written the one at 30.
    assert_eq!(last(0, 29).await, Some(minute(20)));
    assert_eq!(last(11, 19).await, None);
    assert_eq!(last(31, 60).await, None);
    assert_eq!(harness.lead_intake.first().await.unwrap(), Some(minute(10)));
}

pub async fn an_alarm_is_stored_once_for_each_last_lead(harness: &Harness) {
    let note = async |since: i64, expected: f64| {
        let (event, author) = Silence { since: minute(since), expected }.event();
        harness.events.note(&event, &author.at(act(minute(since)).at)).await
    };
    note(0, 9.5).await.unwrap();
    let again = note(0, 12.0).await;
    assert!(matches!(again, Err(StoreError::Conflict(FORM_SENT))), "{again:?}");
    note(1, 9.5).await.unwrap();
    let all = harness.events.list(&Default::default(), None, 9).await.unwrap();
    let stored: Vec<_> = all.iter().filter_map(Silence::of_event).collect();
    let silence = |since| Silence { since: minute(since), expected: 9.5 };
    assert_eq!(stored, [silence(1), silence(0)]);
}
