//! Numbers of leads by week.

use chrono::{DateTime, TimeDelta, Utc};
use exit3_domain::leads::{Lead, LeadId, LeadStatus, LeadWeek, NewLead, Week};

use super::Harness;
use super::model::NOW;
use crate::builders::{act, lead, time};

/// The week of the rules.
fn week() -> Week {
    Week::of(time(NOW))
}

/// A time so many hours after the beginning of the week.
fn hour(hours: i64) -> DateTime<Utc> {
    week().begin() + TimeDelta::hours(hours)
}

fn new() -> NewLead {
    lead().status(LeadStatus::New).build()
}

/// Stores rows with all kinds of values.
pub(crate) async fn fill(harness: &Harness) {
    harness.lead_weeks.count(week()).await.unwrap();
}

async fn create(harness: &Harness, at: DateTime<Utc>) -> Lead {
    harness.leads.create(&new(), &act(at)).await.unwrap()
}

async fn set(harness: &Harness, seen: &Lead, status: LeadStatus, at: DateTime<Utc>) -> Lead {
    let details = NewLead { status, ..seen.details.clone() };
    harness.leads.update(seen, &details, &seen.work, &act(at)).await.unwrap()
}

async fn counted(harness: &Harness) -> LeadWeek {
    harness.lead_weeks.count(week()).await.unwrap();
    let found = harness.lead_weeks.list(week()).await.unwrap();
    *found.iter().find(|counted| counted.week == week()).unwrap()
}

pub async fn a_week_has_its_leads_from_monday_to_sunday(harness: &Harness) {
    let last = week().end() - TimeDelta::microseconds(1);
    let before = week().begin() - TimeDelta::microseconds(1);
    for at in [before, week().begin(), hour(70), last, week().end()] {
        create(harness, at).await;
    }
    assert_eq!(harness.lead_weeks.list(week()).await.unwrap(), []);
    assert_eq!(counted(harness).await, LeadWeek::of(week(), 3, Vec::new()));
    let (earlier, later) = (Week::of(before), Week::of(week().end()));
    for one in [later, earlier] {
        harness.lead_weeks.count(one).await.unwrap();
    }
    let all = [earlier, week(), later];
    let received = [1, 3, 1];
    let expected: Vec<LeadWeek> =
        all.into_iter().zip(received).map(|(week, n)| LeadWeek::of(week, n, Vec::new())).collect();
    assert_eq!(harness.lead_weeks.list(earlier).await.unwrap(), expected);
    assert_eq!(harness.lead_weeks.list(week()).await.unwrap(), expected[1..]);
}

pub async fn the_first_contact_is_the_end_of_being_new(harness: &Harness) {
    let waits = [3, 1, 20, 5];
    for hours in waits {
        let seen = create(harness, hour(1)).await;
        let seen = set(harness, &seen, LeadStatus::Contacted, hour(1 + hours)).await;
        // Later changes are no first contact, nor are those of other fields.
        let seen = set(harness, &seen, LeadStatus::Interested, hour(100)).await;
        let details = NewLead { full_name: "Eva Horvat".to_owned(), ..seen.details.clone() };
        harness.leads.update(&seen, &details, &seen.work, &act(hour(110))).await.unwrap();
    }
    // One that waits, and one that has never been new.
    create(harness, hour(2)).await;
    let never = lead().status(LeadStatus::Closed).build();
    let never = harness.leads.create(&never, &act(hour(2))).await.unwrap();
    set(harness, &never, LeadStatus::Contacted, hour(9)).await;
    let expected = LeadWeek {
        week: week(),
        received: 6,
        contacted: 4,
        half: Some(TimeDelta::hours(3)),
        most: Some(TimeDelta::hours(20)),
    };
    assert_eq!(counted(harness).await, expected);
}

pub async fn a_contact_that_was_taken_back_is_none(harness: &Harness) {
    let seen = create(harness, hour(0)).await;
    let seen = set(harness, &seen, LeadStatus::Contacted, hour(2)).await;
    assert_eq!(counted(harness).await.half, Some(TimeDelta::hours(2)));
    let seen = set(harness, &seen, LeadStatus::New, hour(3)).await;
    let waiting = LeadWeek::of(week(), 1, Vec::new());
    assert_eq!(counted(harness).await, waiting);
    let seen = set(harness, &seen, LeadStatus::Closed, hour(7)).await;
    let seven = counted(harness).await;
    assert_eq!((seven.contacted, seven.half), (1, Some(TimeDelta::hours(7))));
    // A deleted lead was not received, until it is back.
    harness.leads.delete(&seen, &act(hour(8))).await.unwrap();
    assert_eq!(counted(harness).await, LeadWeek::of(week(), 0, Vec::new()));
    harness.leads.restore(&seen, None, &act(hour(9))).await.unwrap();
    assert_eq!(counted(harness).await, seven);
}

pub async fn a_clock_that_was_behind_makes_no_negative_wait(harness: &Harness) {
    let seen = create(harness, hour(5)).await;
    set(harness, &seen, LeadStatus::Contacted, hour(4)).await;
    assert_eq!(counted(harness).await.half, Some(TimeDelta::zero()));
}

pub async fn finds_the_weeks_of_leads(harness: &Harness) {
    let mut ids = Vec::new();
    for at in [hour(0), hour(1), hour(-1), hour(300)] {
        ids.push(create(harness, at).await.id);
    }
    let all = [Week::of(hour(-1)), week(), Week::of(hour(300))];
    let of = async |ids: &[LeadId]| {
        let mut found = harness.lead_weeks.of(ids).await.unwrap();
        found.sort_unstable();
        found
    };
    assert_eq!(of(&ids).await, all);
    assert_eq!(of(&ids[..2]).await, [week()]);
    assert_eq!(of(&[LeadId(ids[3].0 + 1)]).await, []);
    assert_eq!(of(&[]).await, []);
}

pub async fn a_restore_leaves_no_numbers_of_before(harness: &Harness) {
    create(harness, hour(0)).await;
    counted(harness).await;
    let mut load = harness.transfer.load().await.unwrap();
    load.clear().await.unwrap();
    load.commit().await.unwrap();
    assert_eq!(harness.lead_weeks.list(week()).await.unwrap(), []);
}

pub async fn counts_that_meet_agree_with_the_leads(harness: &Harness) {
    for number in 0..20 {
        create(harness, hour(number)).await;
        let count = || harness.lead_weeks.count(week());
        let (first, second, third) = tokio::join!(count(), count(), count());
        for outcome in [first, second, third] {
            outcome.unwrap();
        }
    }
    let counted = harness.lead_weeks.list(week()).await.unwrap();
    assert_eq!(counted, [LeadWeek::of(week(), 20, Vec::new())]);
}
