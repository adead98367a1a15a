//! Forms of the back office are carried out once.

use std::sync::Arc;

use exit3_domain::events::{Act, BatchId};
use exit3_domain::leads::{LeadFilter, LeadOrder, LeadWork};
use exit3_ports::StoreError;
use exit3_ports::events::FORM_SENT;
use tokio::task::JoinSet;

use super::Harness;
use super::model::listed;
use super::undo::create_lead;
use crate::builders::{lead, some_act};

/// A write by a form with this token.
fn by_form(token: &str) -> Act {
    let mut act = some_act();
    act.author.batch = Some(BatchId::of_form(token));
    act
}

fn is_sent_before<T>(outcome: &Result<T, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::Conflict(FORM_SENT)))
}

pub async fn of_twenty_sendings_at_once_one_is_carried_out(harness: &Harness) {
    let (details, none) = (lead().build(), LeadWork::default());
    let act = by_form("a");
    let mut sendings = JoinSet::new();
    for _ in 0..20 {
        let (leads, details, act) = (Arc::clone(&harness.leads), details.clone(), act.clone());
        sendings.spawn(async move {
            leads.create_with_work(&details, &LeadWork::default(), &act).await
        });
    }
    let outcomes = sendings.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(outcomes.iter().all(|outcome| outcome.is_ok() || is_sent_before(outcome)));
    // Another form makes another lead, and writes without a form may share a batch.
    harness.leads.create_with_work(&details, &none, &by_form("b")).await.unwrap();
    let mut bulk = some_act();
    bulk.author.batch = Some(BatchId("formal".into()));
    for _ in 0..2 {
        harness.leads.create_with_work(&details, &none, &bulk).await.unwrap();
    }
    let all = listed(harness.leads.as_ref(), &LeadFilter::default(), LeadOrder::NEWEST, 9).await;
    assert_eq!(all.len(), 4, "a refused form left a lead");
}

pub async fn a_note_that_is_sent_again_is_refused(harness: &Harness) {
    let lead = create_lead(harness).await;
    let act = by_form("a");
    harness.lead_notes.add(lead.id, "called", &act).await.unwrap();
    let again = harness.lead_notes.add(lead.id, "called", &act).await;
    assert!(is_sent_before(&again), "{again:?}");
    assert_eq!(harness.lead_notes.list(lead.id, None, 9).await.unwrap().len(), 1);
}
