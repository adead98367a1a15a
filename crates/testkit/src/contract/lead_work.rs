//! The work on leads: owners and next steps.

use chrono::{DateTime, TimeDelta, Utc};
use exit3_domain::events::Changes;
use exit3_domain::leads::{
    Lead, LeadCategory, LeadFilter, LeadOrder, LeadOwner, LeadSort, LeadSource, LeadStatus,
    LeadWork,
};
use exit3_domain::paging::Direction;
use exit3_domain::staff::StaffId;
use exit3_ports::StoreError;

use super::Harness;
use super::model::{NEW_YEAR, any_work, expected, fill, listed, orders, walked};
use super::undo::{create_lead, newest, undo_newest, undone};
use crate::builders::{act, at, lead, some_act, time};

/// Work with a value in every field.
pub(super) fn work() -> LeadWork {
    LeadWork {
        owner: Some(StaffId(7)),
        next_step: Some("Send the \"offer\"".to_owned()),
        next_step_at: Some(time("2026-03-01T12:00:00Z")),
    }
}

async fn found(harness: &Harness, lead: &Lead) -> Lead {
    harness.leads.find(lead.id).await.unwrap().unwrap()
}

pub async fn returns_the_work_that_it_stored(harness: &Harness) {
    let wide = LeadWork { next_step: Some("\u{10ffff}".repeat(255)), ..work() };
    let early = LeadWork { next_step_at: Some(time("1900-01-01T00:00:00Z")), ..work() };
    let blank = LeadWork { next_step: Some(String::new()), ..LeadWork::default() };
    for work in [work(), wide, early, blank, LeadWork::default()] {
        let act = act(at(NEW_YEAR));
        let new = harness.leads.create_with_work(&lead().build(), &work, &act).await.unwrap();
        assert_eq!((&new.work, new.created_at, new.updated_at), (&work, act.at, act.at));
        assert_eq!(new.details, lead().build());
        assert_eq!(found(harness, &new).await, new);
    }
}

pub async fn a_new_lead_has_no_work_unless_it_is_given(harness: &Harness) {
    let new = create_lead(harness).await;
    harness.leads.create_many(&[(lead().build(), at(5))], &some_act()).await.unwrap();
    assert_eq!(new.work, LeadWork::default());
    let all = listed(harness.leads.as_ref(), &LeadFilter::default(), LeadOrder::NEWEST, 9).await;
    assert_eq!(all.len(), 2);
    assert!(all.iter().all(|lead| lead.work.is_empty()));
}

pub async fn an_update_replaces_the_work(harness: &Harness) {
    let (seen, other) = (create_lead(harness).await, create_lead(harness).await);
    let updated = harness.leads.update(&seen, &seen.details, &work(), &some_act()).await.unwrap();
    assert_eq!((&updated.work, &updated.details), (&work(), &seen.details));
    assert!(updated.updated_at > seen.updated_at);
    assert_eq!(found(harness, &seen).await, updated);
    assert_eq!(found(harness, &other).await, other);
    let none = LeadWork::default();
    let cleared = harness.leads.update(&updated, &seen.details, &none, &some_act()).await.unwrap();
    assert_eq!(cleared.work, none);
    assert_eq!(found(harness, &seen).await, cleared);
}

pub async fn an_update_of_the_details_keeps_the_work(harness: &Harness) {
    let seen = harness.leads.create_with_work(&lead().build(), &work(), &some_act()).await.unwrap();
    let ivo = lead().full_name("Ivo").build();
    let updated = harness.leads.update(&seen, &ivo, &seen.work, &some_act()).await.unwrap();
    assert_eq!(updated.work, work());
    assert_eq!(found(harness, &seen).await, updated);
    let changes = Changes::one("full_name", &seen.details.full_name, &ivo.full_name);
    assert_eq!(newest(harness).await.changes, changes);
}

pub async fn events_name_the_work_that_changed(harness: &Harness) {
    let seen = create_lead(harness).await;
    let changed = harness.leads.update(&seen, &seen.details, &work(), &some_act()).await.unwrap();
    let text = newest(harness).await.changes.to_text().unwrap();
    let expected = r#"{"next_step":[null,"Send the \"offer\""],"next_step_at":[null,"2026-03-01T12:00:00Z"],"owner":[null,7]}"#;
    let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(parsed(&text), parsed(expected));
    let moved = LeadWork { owner: None, ..work() };
    harness.leads.update(&changed, &changed.details, &moved, &some_act()).await.unwrap();
    assert_eq!(newest(harness).await.changes, Changes::one("owner", Some(7), None));
}

pub async fn refuses_a_next_step_that_is_too_long_or_has_nul(harness: &Harness) {
    let seen = create_lead(harness).await;
    for text in ["x".repeat(256), "a\0b".to_owned()] {
        let bad = LeadWork { next_step: Some(text), ..work() };
        let refused = harness.leads.update(&seen, &seen.details, &bad, &some_act()).await;
        assert!(matches!(refused, Err(StoreError::Other(_))), "{refused:?}");
        let refused = harness.leads.create_with_work(&seen.details, &bad, &some_act()).await;
        assert!(matches!(refused, Err(StoreError::Other(_))), "{refused:?}");
    }
    assert_eq!(found(harness, &seen).await, seen);
}

pub async fn a_deleted_lead_comes_back_with_its_work(harness: &Harness) {
    let gone = harness.leads.create_with_work(&lead().build(), &work(), &some_act()).await.unwrap();
    harness.leads.delete(&gone, &some_act()).await.unwrap();
    undo_newest(harness).await;
    assert_eq!(found(harness, &gone).await, gone);
}

pub async fn the_work_is_undone_field_by_field(harness: &Harness) {
    let first = create_lead(harness).await;
    let second = harness.leads.update(&first, &first.details, &work(), &some_act()).await.unwrap();
    let change = newest(harness).await;
    let moved = LeadWork { owner: Some(StaffId(8)), ..work() };
    harness.leads.update(&second, &first.details, &moved, &some_act()).await.unwrap();
    let outcome = undone(harness, change.id).await.unwrap();
    assert_eq!(outcome.conflicts, ["owner"]);
    let expected = LeadWork { owner: Some(StaffId(8)), ..LeadWork::default() };
    assert_eq!(found(harness, &first).await.work, expected);
}

fn owner(owner: LeadOwner) -> LeadFilter {
    LeadFilter { owner: Some(owner), ..LeadFilter::default() }
}

pub async fn lists_by_owner_and_by_due_steps(harness: &Harness) {
    let stored = fill(harness, 120).await;
    // Half of them, so that every filter finds some.
    let mut dice = super::model::Dice::new(9);
    for lead in stored.iter().step_by(2) {
        let (now, work) = (act(at(NEW_YEAR + 200)), any_work(&mut dice));
        harness.leads.update(lead, &lead.details, &work, &now).await.unwrap();
    }
    let leads = harness.leads.as_ref();
    let stored = super::model::everything(leads).await;
    let staff = |id| owner(LeadOwner::Staff(StaffId(id)));
    let due = |filter: LeadFilter| LeadFilter { due: Some(at(NEW_YEAR + 3)), ..filter };
    let mut filters = vec![due(LeadFilter::default()), staff(3)];
    for filter in [staff(1), owner(LeadOwner::Somebody), owner(LeadOwner::Nobody)] {
        let chosen = LeadFilter {
            statuses: Some(vec![LeadStatus::New, LeadStatus::Closed, LeadStatus::Contacted]),
            sources: Some(LeadSource::ALL[..4].to_vec()),
            ..filter.clone()
        };
        let category = Some(LeadCategory::ALL[..1].to_vec());
        let bounded = LeadFilter {
            created_after: Some(at(NEW_YEAR + 2)),
            created_before: Some(at(NEW_YEAR + 9)),
            ..filter.clone()
        };
        let none = LeadFilter { statuses: Some(Vec::new()), ..filter.clone() };
        filters.extend([
            LeadFilter { words: vec!["ana".to_owned()], ..filter.clone() },
            LeadFilter { words: vec!["a".to_owned()], ..chosen.clone() },
            LeadFilter { categories: category, ..bounded.clone() },
            due(chosen.clone()),
            due(filter.clone()),
            filter,
            chosen,
            bounded,
            none,
        ]);
    }
    for filter in filters {
        for order in orders::<LeadSort>() {
            let wanted = expected(&stored, &filter, order);
            assert_eq!(listed(leads, &filter, order, 9).await, wanted, "{filter:?} {order:?}");
            for direction in [Direction::Forward, Direction::Backward] {
                let walked = walked(leads, &filter, order, direction, 9).await;
                assert_eq!(walked, wanted, "{filter:?} {order:?} {direction:?}");
            }
        }
    }
}

pub async fn leads_without_owner_are_counted_exactly(harness: &Harness) {
    let stored = fill(harness, 60).await;
    let page = super::model::page(1, 1);
    for statuses in [None, Some(vec![LeadStatus::New]), Some(Vec::new())] {
        let filter = LeadFilter { statuses, ..owner(LeadOwner::Nobody) };
        let wanted = expected(&stored, &filter, LeadOrder::NEWEST).len();
        let found = harness.leads.list(&filter, LeadOrder::NEWEST, page).await.unwrap().unwrap();
        assert_eq!(found.count, u64::try_from(wanted).unwrap(), "{filter:?}");
    }
}

pub async fn due_includes_its_moment(harness: &Harness) {
    let moment = time("2026-03-01T12:00:00Z");
    let work = LeadWork { next_step_at: Some(moment), ..LeadWork::default() };
    harness.leads.create_with_work(&lead().build(), &work, &some_act()).await.unwrap();
    create_lead(harness).await;
    let microsecond = TimeDelta::microseconds(1);
    for (due, count) in [
        (moment - microsecond, 0),
        (moment, 1),
        (moment + TimeDelta::nanoseconds(1), 1),
        (DateTime::<Utc>::MIN_UTC, 0),
        (DateTime::<Utc>::MAX_UTC, 1),
    ] {
        let filter = LeadFilter { due: Some(due), ..LeadFilter::default() };
        let found = listed(harness.leads.as_ref(), &filter, LeadOrder::NEWEST, 50).await;
        assert_eq!(found.len(), count, "{due}");
    }
}

pub async fn a_list_by_next_step_has_only_leads_with_one(harness: &Harness) {
    create_lead(harness).await;
    let mut stored = Vec::new();
    for hour in [3, 1, 2] {
        let next_step_at = Some(time("2026-03-01T12:00:00Z") + TimeDelta::hours(hour));
        let work = LeadWork { next_step_at, ..LeadWork::default() };
        let new = harness.leads.create_with_work(&lead().build(), &work, &some_act()).await;
        stored.push(new.unwrap());
    }
    stored.sort_by_key(|lead| lead.work.next_step_at);
    let order = LeadOrder { by: LeadSort::NextStepAt, descending: false };
    let all = LeadFilter::default();
    assert_eq!(listed(harness.leads.as_ref(), &all, order, 2).await, stored);
}
