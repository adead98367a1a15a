//! Leads that become clients.

use exit3_domain::clients::{Client, ClientFilter, ClientOrder, Money, NewClient};
use exit3_domain::events::{Changes, Event, EventFilter};
use exit3_domain::leads::{Lead, LeadCategory, LeadFilter, LeadId, LeadOrder, LeadStatus};
use exit3_domain::paging::PageRequest;
use exit3_ports::clients::LEAD_TAKEN;
use exit3_ports::{Constraint, StoreError};

use super::Harness;
use super::clients::client;
use super::sign_ins::create;
use crate::builders::{act, at, lead, some_act};

fn rich() -> NewClient {
    NewClient {
        lead: None,
        team_id: "đ".repeat(100),
        monthly_charge: Money::charge(9_999_999_999),
        one_time_charge: Money::charge(0),
        contract_file: Some("2026/ć.pdf".to_owned()),
        short_description: "<b>'; DROP TABLE clients\n\u{1f600}".to_owned(),
        category: LeadCategory::SalesAuto,
    }
}

async fn create_lead(harness: &Harness, status: LeadStatus) -> Lead {
    harness.leads.create(&lead().status(status).build(), &act(at(5))).await.unwrap()
}

async fn find_lead(harness: &Harness, id: LeadId) -> Lead {
    harness.leads.find(id).await.unwrap().unwrap()
}

async fn events(harness: &Harness) -> Vec<Event> {
    harness.events.list(&EventFilter::default(), None, 100).await.unwrap()
}

async fn clients(harness: &Harness) -> Vec<Client> {
    let (filter, order) = (ClientFilter::default(), ClientOrder::NEWEST);
    let listed = harness.clients.list(&filter, order, PageRequest::first());
    listed.await.unwrap().unwrap().rows
}

pub async fn a_lead_becomes_a_client_and_is_converted(harness: &Harness) {
    let by = act(at(9));
    for new in [rich(), client("plain")] {
        let seen = create_lead(harness, LeadStatus::Interested).await;
        let before = events(harness).await.len();
        let created = harness.clients.convert(&seen, seen.work.owner, &new, &by).await.unwrap();
        assert_eq!(created.details, NewClient { lead: Some(seen.id), ..new });
        assert_eq!(harness.clients.find(created.id).await.unwrap(), Some(created.clone()));
        assert_eq!(harness.clients.find_by_lead(seen.id).await.unwrap(), Some(created.clone()));
        let now = find_lead(harness, seen.id).await;
        let mut expected = Lead { updated_at: at(9), ..seen.clone() };
        expected.details.status = LeadStatus::Converted;
        assert_eq!(now, expected);
        let mut left = events(harness).await;
        left.truncate(left.len() - before);
        left.sort_by(|one, other| one.verb.as_str().cmp(other.verb.as_str()));
        let told: Vec<_> = left
            .iter()
            .map(|event| (event.verb.as_str(), event.subject.id, event.changes.clone()))
            .collect();
        let changes = Changes::one("status", LeadStatus::Interested, LeadStatus::Converted);
        let expected =
            [("client.created", created.id.0, Changes::None), ("lead.updated", seen.id.0, changes)];
        assert_eq!(told, expected);
        assert!(left.iter().all(|event| event.act == by));
    }
}

pub async fn the_owner_of_a_conversion_owns_the_lead(harness: &Harness) {
    let ana = create(harness, "ana").await;
    for (status, fields) in
        [(LeadStatus::New, vec!["owner", "status"]), (LeadStatus::Converted, vec!["owner"])]
    {
        let seen = create_lead(harness, status).await;
        harness.clients.convert(&seen, Some(ana.id), &client("a"), &act(at(9))).await.unwrap();
        let now = find_lead(harness, seen.id).await;
        let state = (now.work.owner, now.details.status, now.updated_at);
        assert_eq!(state, (Some(ana.id), LeadStatus::Converted, at(9)));
        let told = events(harness).await;
        let told = told
            .iter()
            .find(|event| event.verb.as_str() == "lead.updated" && event.subject.id == seen.id.0);
        let Changes::Fields(changes) = told.unwrap().changes.clone() else { panic!("{told:?}") };
        let mut names: Vec<_> = changes.into_iter().map(|(name, ..)| name).collect();
        names.sort();
        assert_eq!(names, fields);
    }
}

pub async fn counts_and_lists_know_that_a_lead_is_converted(harness: &Harness) {
    let seen = create_lead(harness, LeadStatus::New).await;
    harness.clients.convert(&seen, seen.work.owner, &client("a"), &some_act()).await.unwrap();
    for (status, count) in [(LeadStatus::New, 0), (LeadStatus::Converted, 1)] {
        let filter = LeadFilter { statuses: Some(vec![status]), ..LeadFilter::default() };
        let page = harness.leads.list(&filter, LeadOrder::NEWEST, PageRequest::first()).await;
        assert_eq!(page.unwrap().unwrap().count, count, "{status}");
    }
}

pub async fn a_lead_that_is_converted_already_does_not_change(harness: &Harness) {
    let seen = create_lead(harness, LeadStatus::Converted).await;
    let before = events(harness).await.len();
    let created =
        harness.clients.convert(&seen, seen.work.owner, &rich(), &act(at(9))).await.unwrap();
    assert_eq!(created.details.lead, Some(seen.id));
    assert_eq!(find_lead(harness, seen.id).await, seen);
    assert_eq!(events(harness).await.len(), before + 1);
}

pub async fn the_time_of_a_converted_lead_never_goes_back(harness: &Harness) {
    let seen = create_lead(harness, LeadStatus::New).await;
    harness.clients.convert(&seen, seen.work.owner, &client("a"), &act(at(1))).await.unwrap();
    assert_eq!(find_lead(harness, seen.id).await.updated_at, at(6));
}

/// Nothing was stored: no client, no event, and the lead is as it was.
async fn assert_nothing_happened(
    harness: &Harness,
    lead: &Lead,
    clients_and_events: (usize, usize),
) {
    assert_eq!(find_lead(harness, lead.id).await, *lead);
    assert_eq!((clients(harness).await.len(), events(harness).await.len()), clients_and_events);
}

pub async fn refuses_a_lead_that_has_changed_or_is_gone(harness: &Harness) {
    for status in [LeadStatus::New, LeadStatus::Converted] {
        let seen = create_lead(harness, status).await;
        let now = lead().status(status).full_name("Eva").build();
        let now = harness.leads.update(&seen, &now, &seen.work, &act(at(7))).await.unwrap();
        let before = (clients(harness).await.len(), events(harness).await.len());
        let refused =
            harness.clients.convert(&seen, seen.work.owner, &client("a"), &some_act()).await;
        assert!(matches!(refused, Err(StoreError::Conflict(Constraint::Stale))), "{refused:?}");
        let gone = Lead { id: LeadId(now.id.0 + 1000), ..now.clone() };
        let refused =
            harness.clients.convert(&gone, gone.work.owner, &client("a"), &some_act()).await;
        assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
        assert_nothing_happened(harness, &now, before).await;
    }
}

pub async fn refuses_a_lead_that_is_a_client_already(harness: &Harness) {
    for status in [LeadStatus::New, LeadStatus::Converted] {
        let seen = create_lead(harness, status).await;
        let known = NewClient { lead: Some(seen.id), ..client("a") };
        harness.clients.create(&known, &some_act()).await.unwrap();
        let before = (clients(harness).await.len(), events(harness).await.len());
        let refused =
            harness.clients.convert(&seen, seen.work.owner, &client("b"), &some_act()).await;
        assert!(matches!(refused, Err(StoreError::Conflict(LEAD_TAKEN))), "{refused:?}");
        assert_nothing_happened(harness, &seen, before).await;
    }
}

pub async fn texts_that_cannot_be_stored_leave_the_lead_alone(harness: &Harness) {
    let seen = create_lead(harness, LeadStatus::New).await;
    let before = (0, events(harness).await.len());
    for refused in [client(&"đ".repeat(101)), client("a\0")] {
        let refused = harness.clients.convert(&seen, seen.work.owner, &refused, &some_act()).await;
        assert!(matches!(refused, Err(StoreError::Other(_))), "{refused:?}");
    }
    assert_nothing_happened(harness, &seen, before).await;
}

pub async fn one_of_two_conversions_wins(harness: &Harness) {
    let seen = create_lead(harness, LeadStatus::New).await;
    let (new, act) = (client("a"), some_act());
    let (one, other) = tokio::join!(
        harness.clients.convert(&seen, seen.work.owner, &new, &act),
        harness.clients.convert(&seen, seen.work.owner, &new, &act)
    );
    assert_eq!(usize::from(one.is_ok()) + usize::from(other.is_ok()), 1, "{one:?} {other:?}");
    assert_eq!(clients(harness).await.len(), 1);
}

pub async fn finds_leads_by_their_ids(harness: &Harness) {
    let one = create_lead(harness, LeadStatus::New).await;
    let two = create_lead(harness, LeadStatus::New).await;
    create_lead(harness, LeadStatus::New).await;
    let mut found =
        harness.leads.find_all(&[two.id, LeadId(i64::MAX), one.id, two.id]).await.unwrap();
    found.sort_by_key(|lead| lead.id);
    assert_eq!(found, [one, two]);
    assert_eq!(harness.leads.find_all(&[]).await.unwrap(), []);
}
