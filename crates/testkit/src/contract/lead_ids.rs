//! Ids that a node reserves for leads.

use std::collections::BTreeSet;
use std::sync::Arc;

use exit3_domain::events::EventFilter;
use exit3_domain::leads::{LeadFilter, LeadId, LeadOrder};
use exit3_ports::StoreError;
use exit3_ports::leads::ID_TAKEN;
use tokio::task::JoinSet;

use super::Harness;
use super::model::listed;
use crate::builders::{at, lead, some_act};

/// Reserves ids, one by one.
async fn reserve(harness: &Harness, count: u32) -> Vec<LeadId> {
    let ranges = harness.leads.reserve_ids(count).await.unwrap();
    let ids: Vec<_> = ranges.into_iter().flatten().map(LeadId).collect();
    assert_eq!(ids.len(), count as usize);
    assert!(ids.is_sorted());
    ids
}

pub async fn a_reserved_id_belongs_to_no_other_lead(harness: &Harness) {
    let mut ids = BTreeSet::new();
    for _ in 0..3 {
        let (leads, mut tasks) = (Arc::clone(&harness.leads), JoinSet::new());
        for _ in 0..3 {
            let leads = Arc::clone(&leads);
            tasks.spawn(async move { leads.create(&lead().build(), &some_act()).await });
        }
        let reserved = reserve(harness, 100).await;
        let created = tasks.join_all().await.into_iter().map(|it| it.unwrap().id);
        for id in reserved.into_iter().chain(created) {
            assert!(ids.insert(id), "{id:?} was given twice");
        }
    }
}

pub async fn a_lead_gets_the_id_that_was_reserved_for_it(harness: &Harness) {
    let ids = reserve(harness, 2).await;
    let mut act = some_act();
    act.at = at(7);
    let details = lead().full_name("Ana Horvat").build();
    let stored = harness.leads.create_as(ids[1], &details, &act).await.unwrap();
    assert_eq!((stored.id, &stored.details), (ids[1], &details));
    assert_eq!((stored.created_at, stored.updated_at), (at(7), at(7)));
    assert_eq!(harness.leads.find(ids[1]).await.unwrap(), Some(stored));

    let other = lead().full_name("Eva Babic").build();
    let taken = harness.leads.create_as(ids[1], &other, &some_act()).await;
    assert!(matches!(taken, Err(StoreError::Conflict(ID_TAKEN))), "{taken:?}");
    let events = harness.events.list(&EventFilter::default(), None, 9).await.unwrap();
    assert_eq!(events.len(), 1, "a refused lead left an event");
    harness.leads.create_as(ids[0], &other, &some_act()).await.unwrap();
}

pub async fn leads_with_ids_that_come_at_once_keep_theirs(harness: &Harness) {
    let ids = reserve(harness, 40).await;
    let (leads, mut tasks) = (Arc::clone(&harness.leads), JoinSet::new());
    // Neither the ids nor the times are in the order in which they come.
    for (number, id) in ids.iter().rev().copied().enumerate() {
        let leads = Arc::clone(&leads);
        tasks.spawn(async move {
            let mut act = some_act();
            act.at = at(1000 + (number as i64 * 7) % 40);
            act.author.request = Some(format!("request {}", id.0).into());
            let details = lead().full_name(format!("Lead {}", id.0)).build();
            let stored = leads.create_as(id, &details, &act).await.unwrap();
            assert_eq!((stored.id, &stored.details), (id, &details));
            assert_eq!(stored.created_at, act.at);
        });
    }
    tasks.join_all().await;
    let all = ids.iter().map(|id| id.0).chain([0]).collect::<Vec<_>>();
    assert_eq!(harness.events.of_creations("lead", &all).await.unwrap().len(), 40);
    let stored =
        listed(harness.leads.as_ref(), &LeadFilter::default(), LeadOrder::NEWEST, 99).await;
    assert_eq!(stored.len(), 40);
    for lead in stored {
        assert_eq!(lead.details.full_name, format!("Lead {}", lead.id.0));
        let events = harness.events.of_creations("lead", &[lead.id.0]).await.unwrap();
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].act.at, lead.created_at);
        let request = format!("request {}", lead.id.0);
        assert_eq!(events[0].act.author.request.as_deref(), Some(request.as_str()));
    }
}
