//! Concurrent writers.

use std::collections::HashSet;
use std::sync::Arc;

use exit3_domain::leads::LeadStatus;
use exit3_domain::subscribers::{SubscriberFilter, SubscriberOrder};
use exit3_ports::subscribers::EMAIL_TAKEN;
use exit3_ports::{Constraint, StoreError};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::Harness;
use super::model::{NEW_YEAR, everything, subscribers_listed};
use crate::builders::{act, at, lead, some_act, subscriber};

/// Calls `write` with each number below `writers`, and runs all futures concurrently.
pub(crate) async fn together<T, F>(writers: usize, write: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(writers));
    let mut tasks = JoinSet::new();
    for n in 0..writers {
        let (barrier, write) = (Arc::clone(&barrier), write(n));
        tasks.spawn(async move {
            barrier.wait().await;
            write.await
        });
    }
    tasks.join_all().await
}

pub async fn concurrent_creates_are_all_stored_with_distinct_ids(harness: &Harness) {
    let created = together(32, |n| {
        let leads = Arc::clone(&harness.leads);
        async move {
            let new = lead().full_name(format!("Lead {n}")).build();
            let created = leads.create(&new, &act(at(NEW_YEAR))).await.unwrap();
            assert_eq!(created.details, new);
            created
        }
    })
    .await;
    let ids: HashSet<_> = created.iter().map(|lead| lead.id).collect();
    assert_eq!(ids.len(), 32);
    let stored = everything(harness.leads.as_ref()).await;
    assert_eq!(stored.len(), 32);
    assert!(created.iter().all(|lead| stored.contains(lead)));
}

async fn one_wins(harness: &Harness, address: fn(usize) -> &'static str) {
    for _ in 0..3 {
        let answers = together(50, |n| {
            let subscribers = Arc::clone(&harness.subscribers);
            async move { subscribers.create(&subscriber(address(n)), &some_act()).await }
        })
        .await;
        let mut won = Vec::new();
        for answer in answers {
            match answer {
                Ok(created) => won.push(created),
                Err(StoreError::Conflict(EMAIL_TAKEN)) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        let filter = SubscriberFilter::default();
        let subscribers = harness.subscribers.as_ref();
        let stored = subscribers_listed(subscribers, &filter, SubscriberOrder::NEWEST, 50).await;
        assert_eq!(stored, won);
        assert_eq!(won.len(), 1);
        harness.subscribers.delete(&won[0], &some_act()).await.unwrap();
    }
}

pub async fn one_of_fifty_writers_of_an_address_wins(harness: &Harness) {
    one_wins(harness, |_| "ana@acme.hr").await;
}

pub async fn one_of_fifty_writers_of_an_address_in_different_cases_wins(harness: &Harness) {
    let cases = |n| ["ana@đak.hr", "Ana@Đak.hr", "ANA@ĐAK.HR", "ana@ĐAK.hr"][n % 4];
    one_wins(harness, cases).await;
}

pub async fn concurrent_create_manys_of_the_same_addresses_store_each_once(harness: &Harness) {
    let stored = together(8, |n| {
        let subscribers = Arc::clone(&harness.subscribers);
        async move {
            // In different orders, which can cause deadlocks.
            let mut given: Vec<_> =
                (0..100).map(|n| subscriber(&format!("a{n}@acme.hr"))).collect();
            given.rotate_left(n * 12);
            if n % 2 == 0 {
                given.reverse();
            }
            subscribers.create_many(&given, &some_act()).await.unwrap()
        }
    })
    .await;
    assert_eq!(stored.into_iter().sum::<u64>(), 100);
    let (subscribers, filter) = (harness.subscribers.as_ref(), SubscriberFilter::default());
    let all = subscribers_listed(subscribers, &filter, SubscriberOrder::NEWEST, 200).await;
    assert_eq!(all.len(), 100);
}

pub async fn one_of_two_updates_of_the_same_lead_wins(harness: &Harness) {
    for writers in [2, 2, 2, 2, 2, 2, 2, 2, 16] {
        let seen = harness.leads.create(&lead().build(), &act(at(NEW_YEAR))).await.unwrap();
        let answers = together(writers, |n| {
            let (leads, seen) = (Arc::clone(&harness.leads), seen.clone());
            async move {
                let details = lead().full_name(format!("Writer {n}")).build();
                leads.update(&seen, &details, &seen.work, &act(at(NEW_YEAR))).await
            }
        })
        .await;
        let mut won = Vec::new();
        for answer in answers {
            match answer {
                Ok(updated) => won.push(updated),
                Err(StoreError::Conflict(Constraint::Stale)) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        assert_eq!(won.len(), 1);
        assert_eq!(harness.leads.find(seen.id).await.unwrap(), won.pop());
    }
}

pub async fn updates_in_turns_lose_nothing(harness: &Harness) {
    let created =
        harness.leads.create(&lead().notes(Some("")).build(), &act(at(NEW_YEAR))).await.unwrap();
    together(8, |_| {
        let (leads, id) = (Arc::clone(&harness.leads), created.id);
        async move {
            for _ in 0..5 {
                loop {
                    let seen = leads.find(id).await.unwrap().unwrap();
                    let mut details = seen.details.clone();
                    details.notes = details.notes.map(|notes| notes + "x");
                    match leads.update(&seen, &details, &seen.work, &act(at(NEW_YEAR))).await {
                        Ok(_) => break,
                        Err(StoreError::Conflict(Constraint::Stale)) => {}
                        Err(error) => panic!("{error:?}"),
                    }
                }
            }
        }
    })
    .await;
    let found = harness.leads.find(created.id).await.unwrap().unwrap();
    assert_eq!(found.details.notes.unwrap(), "x".repeat(40));
    assert_eq!(found.updated_at, at(NEW_YEAR + 40));
}

pub async fn an_update_and_a_delete_agree_on_what_happened(harness: &Harness) {
    for _ in 0..10 {
        let seen = harness.leads.create(&lead().build(), &act(at(NEW_YEAR))).await.unwrap();
        let outcomes = together(2, |n| {
            let (leads, seen) = (Arc::clone(&harness.leads), seen.clone());
            async move {
                let outcome = if n == 0 {
                    leads.delete(&seen, &some_act()).await.map(|()| None)
                } else {
                    let closed = lead().status(LeadStatus::Closed).build();
                    leads.update(&seen, &closed, &seen.work, &act(at(NEW_YEAR))).await.map(Some)
                };
                match outcome {
                    Ok(after) => Some(after),
                    // The other one was faster.
                    Err(StoreError::NotFound) if n == 1 => None,
                    Err(StoreError::Conflict(Constraint::Stale)) if n == 0 => None,
                    Err(error) => panic!("{error:?}"),
                }
            }
        })
        .await;
        let happened: Vec<_> = outcomes.into_iter().flatten().collect();
        assert_eq!(happened, [harness.leads.find(seen.id).await.unwrap()]);
    }
}
