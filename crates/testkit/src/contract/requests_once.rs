//! Requests with a key are carried out once.

use std::sync::Arc;

use exit3_domain::events::{Act, BatchId};
use exit3_domain::leads::{LeadFilter, LeadOrder};
use exit3_domain::subscribers::NewSubscriber;
use exit3_ports::StoreError;
use exit3_ports::events::REQUEST_SENT;
use tokio::task::JoinSet;

use super::Harness;
use super::clients::client;
use super::model::listed;
use crate::builders::{lead, some_act};

/// A write by a request with this key, which says this.
fn by_request(key: u128, request: u128) -> Act {
    let mut act = some_act();
    act.author.batch = Some(BatchId::of_request(key, request << 32));
    act
}

fn is_sent_before<T>(outcome: &Result<T, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::Conflict(REQUEST_SENT)))
}

async fn leads(harness: &Harness) -> usize {
    listed(harness.leads.as_ref(), &LeadFilter::default(), LeadOrder::NEWEST, 99).await.len()
}

pub async fn of_twenty_requests_at_once_with_one_key_one_is_carried_out(harness: &Harness) {
    let details = lead().build();
    let mut requests = JoinSet::new();
    for number in 0..40 {
        // Other requests are written at the same time, with other keys and without one.
        let act = match number % 4 {
            0 | 1 => by_request(7, 1),
            2 => by_request(100 + number, 1),
            _ => some_act(),
        };
        let (leads, details) = (Arc::clone(&harness.leads), details.clone());
        requests.spawn(async move { (number % 4 < 2, leads.create(&details, &act).await) });
    }
    let outcomes = requests.join_all().await;
    let (with_key, others): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(|(is, _)| *is);
    assert!(others.iter().all(|(_, outcome)| outcome.is_ok()), "{others:?}");
    let made: Vec<_> = with_key.iter().filter_map(|(_, outcome)| outcome.as_ref().ok()).collect();
    assert_eq!((made.len(), with_key.len()), (1, 20));
    assert!(with_key.iter().all(|(_, outcome)| outcome.is_ok() || is_sent_before(outcome)));
    assert_eq!(leads(harness).await, 21, "a refused request left a lead");

    let act = by_request(7, 1);
    let key = act.author.batch.as_ref().and_then(BatchId::request_key).unwrap();
    let event = harness.events.of_request(key).await.unwrap().unwrap();
    assert_eq!((event.subject.id, &*event.subject.resource), (made[0].id.0, "lead"));
    assert_eq!(event.act.author.batch, act.author.batch);
}

pub async fn a_key_makes_one_thing_whatever_the_request_says(harness: &Harness) {
    let details = lead().build();
    let act = by_request(7, 1);
    let key = act.author.batch.as_ref().and_then(BatchId::request_key).unwrap();
    assert_eq!(harness.events.of_request(key).await.unwrap(), None);
    let made = harness.leads.create(&details, &act).await.unwrap();
    let other = harness.leads.create(&details, &by_request(7, 2)).await;
    assert!(is_sent_before(&other), "{other:?}");
    let subscriber = NewSubscriber { email: "ana@acme.hr".into(), is_subscribed: true };
    let other = harness.subscribers.create(&subscriber, &by_request(7, 3)).await;
    assert!(is_sent_before(&other), "{other:?}");
    assert_eq!(leads(harness).await, 1);
    // The key stays used when the lead is gone.
    harness.leads.delete(&made, &some_act()).await.unwrap();
    let again = harness.leads.create(&details, &act).await;
    assert!(is_sent_before(&again), "{again:?}");
    let event = harness.events.of_request(key).await.unwrap().unwrap();
    assert_eq!(event.subject.id, made.id.0);
}

pub async fn a_request_may_leave_more_than_one_event(harness: &Harness) {
    let seen = harness.leads.create(&lead().build(), &some_act()).await.unwrap();
    let client = client("a");
    let act = by_request(7, 1);
    let made = harness.clients.convert(&seen, None, &client, &act).await.unwrap();
    let key = act.author.batch.as_ref().and_then(BatchId::request_key).unwrap();
    let event = harness.events.of_request(key).await.unwrap().unwrap();
    assert_eq!((event.subject.id, &*event.subject.resource), (made.id.0, "client"));
}
