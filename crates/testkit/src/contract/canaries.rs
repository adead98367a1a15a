//! Canaries, whose leads are never stored.

use exit3_domain::canaries::CanaryId;
use exit3_domain::events::EventFilter;
use exit3_domain::leads::{LeadFilter, LeadOrder};
use exit3_ports::StoreError;

use super::model::{NOW, page, searching};
use super::{Harness, transfer};
use crate::builders::{act, at, lead, some_act, time};

const ID: CanaryId = CanaryId(7);

/// Stores a canary.
pub(crate) async fn fill(harness: &Harness) {
    arrive(harness, ID, NOW).await;
}

async fn arrive(harness: &Harness, id: CanaryId, at: &str) {
    harness.canaries.create(id, &id.lead(), &act(time(at))).await.unwrap();
}

async fn count(harness: &Harness, filter: &LeadFilter) -> u64 {
    harness.leads.list(filter, LeadOrder::NEWEST, page(1, 1)).await.unwrap().unwrap().count
}

pub async fn the_lead_of_a_canary_is_stored_nowhere(harness: &Harness) {
    harness.events.unread("test", 10).await.unwrap();
    harness.leads.create(&lead().build(), &some_act()).await.unwrap();
    let before = transfer::now(harness).await;
    let counts = harness.leads.counts().await.unwrap();
    let stored = harness.canaries.create(ID, &ID.lead(), &act(time(NOW))).await.unwrap();
    assert_eq!((&stored.details, stored.created_at), (&ID.lead(), time(NOW)));
    assert_eq!(harness.leads.find(stored.id).await.unwrap(), None);
    while (harness.index_leads)(100).await > 0 {}
    assert_eq!(transfer::now(harness).await, before);
    assert_eq!(harness.leads.counts().await.unwrap(), counts);
    assert_eq!(count(harness, &LeadFilter::default()).await, 1);
    assert_eq!(count(harness, &searching("canary")).await, 0);
    assert_eq!(harness.events.list(&EventFilter::default(), None, 10).await.unwrap().len(), 1);
    assert_eq!(harness.events.unread("test", 10).await.unwrap().events.len(), 1);
    harness.leads.create(&ID.lead(), &some_act()).await.unwrap();
    assert_eq!(count(harness, &searching("canary")).await, 1);
}

pub async fn a_canary_is_taken_once(harness: &Harness) {
    let long_ago = at(0);
    assert!(!harness.canaries.take(ID, long_ago).await.unwrap());
    // A proxy may send a request again.
    arrive(harness, ID, NOW).await;
    arrive(harness, ID, NOW).await;
    arrive(harness, CanaryId(8), NOW).await;
    assert!(harness.canaries.take(ID, long_ago).await.unwrap());
    assert!(!harness.canaries.take(ID, long_ago).await.unwrap());
    assert!(harness.canaries.take(CanaryId(8), long_ago).await.unwrap());
}

pub async fn a_canary_that_is_left_over_goes_with_a_later_one(harness: &Harness) {
    let hours = ["10", "11", "12"].map(|hour| format!("2026-03-01T{hour}:00:00Z"));
    for (number, hour) in (1..).zip(&hours) {
        arrive(harness, CanaryId(number), hour).await;
    }
    assert!(harness.canaries.take(CanaryId(3), time(&hours[1])).await.unwrap());
    let mut left = Vec::new();
    for number in 1..=3 {
        left.push(harness.canaries.take(CanaryId(number), at(0)).await.unwrap());
    }
    assert_eq!(left, [false, true, false]);
}

pub async fn what_refuses_a_lead_refuses_a_canary(harness: &Harness) {
    let long = lead().full_name("x".repeat(256)).build();
    let refused = harness.canaries.create(ID, &long, &some_act()).await;
    let as_lead = harness.leads.create(&long, &some_act()).await;
    let told = |error: StoreError| error.to_string();
    assert_eq!(refused.map_err(told), as_lead.map_err(told));
    harness.refuse_events(true).await;
    assert!(harness.canaries.create(ID, &ID.lead(), &some_act()).await.is_err());
    harness.refuse_events(false).await;
    assert!(!harness.canaries.take(ID, at(0)).await.unwrap());
    // The connection of the refused ones works.
    arrive(harness, ID, NOW).await;
    assert!(harness.canaries.take(ID, at(0)).await.unwrap());
}

pub async fn canaries_and_leads_do_not_disturb_each_other(harness: &Harness) {
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..60 {
        let repositories = harness.repositories.clone();
        tasks.spawn(async move {
            let lead = CanaryId(number).lead();
            if number % 3 == 0 {
                repositories.canaries.create(CanaryId(number), &lead, &some_act()).await.unwrap();
            } else {
                repositories.leads.create(&lead, &some_act()).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(count(harness, &LeadFilter::default()).await, 40);
    let counts = harness.leads.counts().await.unwrap();
    assert_eq!(counts.iter().map(|(_, _, count)| count).sum::<u64>(), 40);
    let events = harness.events.list(&EventFilter::default(), None, 100).await.unwrap();
    assert_eq!(events.len(), 40);
}
