//! Taking a bulk action back.

use exit3_app::events::{UndoError, Undone, undo_batch};
use exit3_domain::clients::{Client, NewClient};
use exit3_domain::events::BatchId;
use exit3_domain::subscribers::{NewSubscriber, Subscriber};

use super::Harness;
use super::clients::client;
use super::event_lists::stored;
use super::staff::staff;
use super::undo::{app, author, create_lead, find_lead, in_batch, newest};
use crate::builders::{lead, some_act, subscriber};

async fn undo_b(harness: &Harness) -> Vec<Result<Undone, UndoError>> {
    let outcomes = undo_batch(&app(harness), &BatchId("b".into()), &author()).await.unwrap();
    assert!(outcomes.is_sorted_by(|one, other| one.0 > other.0), "newest first");
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

pub async fn a_batch_is_undone_newest_first_under_one_new_batch(harness: &Harness) {
    let by = &in_batch();
    let outside = create_lead(harness).await;
    let names = ["Eva", "Iva", "Ivo"];
    let mut now = create_lead(harness).await;
    let first = now.clone();
    // Only from the newest to the oldest can all be undone.
    for name in names {
        let details = lead().full_name(name).build();
        now = harness.leads.update(&now, &details, &now.work, by).await.unwrap();
    }
    let changed = lead().full_name("Eva").build();
    let outside =
        harness.leads.update(&outside, &changed, &outside.work, &some_act()).await.unwrap();
    let last = newest(harness).await;
    let outcomes = undo_b(harness).await;
    assert!(outcomes.iter().all(|one| matches!(one, Ok(undone) if undone.conflicts.is_empty())));
    assert_eq!(outcomes.len(), 3);
    assert_eq!(find_lead(harness, &first).await.unwrap().details, first.details);
    assert_eq!(find_lead(harness, &outside).await, Some(outside));
    let mut own = stored(harness).await;
    own.retain(|event| event.id > last.id);
    let batch = own[0].act.author.batch.clone().unwrap();
    assert_ne!(&*batch.0, "b");
    assert_eq!(own.len(), 3);
    assert!(own.iter().all(|event| event.act.author.batch.as_ref() == Some(&batch)));
    // The undo of a batch is undone as a batch.
    let again = undo_batch(&app(harness), &batch, &author()).await.unwrap();
    assert!(again.iter().all(|(_, outcome)| outcome.is_ok()));
    assert_eq!(find_lead(harness, &first).await.unwrap().details, now.details);
}

pub async fn a_conflict_does_not_stop_a_batch(harness: &Harness) {
    let by = &in_batch();
    let mut rows = Vec::new();
    for _ in 0..3 {
        let first = create_lead(harness).await;
        let details = lead().full_name("Eva").build();
        rows.push((
            first.clone(),
            harness.leads.update(&first, &details, &first.work, by).await.unwrap(),
        ));
    }
    harness.staff.create(&staff("ana"), by).await.unwrap();
    let details = lead().full_name("Iva").build();
    let taken =
        harness.leads.update(&rows[1].1, &details, &rows[1].1.work, &some_act()).await.unwrap();
    let outcomes = undo_b(harness).await;
    let [not_undoable, last, middle, first] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert!(matches!(not_undoable, Err(UndoError::NotUndoable(_))), "{not_undoable:?}");
    assert!(matches!(middle, Err(UndoError::Changed(_))), "{middle:?}");
    assert!(last.is_ok() && first.is_ok(), "{outcomes:?}");
    for (place, (before, _)) in rows.iter().enumerate() {
        let expected = if place == 1 { &taken } else { before };
        assert_eq!(find_lead(harness, before).await.unwrap().details, expected.details);
    }
    let unknown = undo_batch(&app(harness), &BatchId("c".into()), &author()).await;
    assert!(matches!(unknown, Err(UndoError::NotFound)));
}

pub async fn a_batch_takes_back_what_belongs_together(harness: &Harness) {
    let by = &in_batch();
    // A row that the batch creates, changes and deletes.
    let new = harness.leads.create(&lead().build(), by).await.unwrap();
    let details = lead().full_name("Eva").build();
    let new = harness.leads.update(&new, &details, &new.work, by).await.unwrap();
    harness.leads.delete(&new, by).await.unwrap();
    // A row that the batch creates and that somebody else changes.
    let mine = harness.subscribers.create(&subscriber("ana@acme.hr"), by).await.unwrap();
    let theirs = NewSubscriber { is_subscribed: false, ..mine.clone().into() };
    let theirs: Subscriber = harness.subscribers.update(&mine, &theirs, &some_act()).await.unwrap();
    // A client and its lead, both deleted, in either order.
    let mut gone = Vec::new();
    for client_first in [true, false] {
        let of = create_lead(harness).await;
        let known = NewClient { lead: Some(of.id), ..client("a") };
        let customer = harness.clients.create(&known, &some_act()).await.unwrap();
        if client_first {
            harness.clients.delete(&customer, by).await.unwrap();
            harness.leads.delete(&of, by).await.unwrap();
        } else {
            harness.leads.delete(&of, by).await.unwrap();
        }
        gone.push((of, customer));
    }
    let outcomes = undo_b(harness).await;
    let failed: Vec<_> = outcomes.iter().filter(|outcome| outcome.is_err()).collect();
    assert!(matches!(failed[..], [Err(UndoError::Overtaken)]), "{outcomes:?}");
    assert_eq!(find_lead(harness, &new).await, None);
    assert_eq!(harness.subscribers.find(mine.id).await.unwrap(), Some(theirs));
    for (of, customer) in gone {
        assert_eq!(find_lead(harness, &of).await, Some(of));
        let found: Option<Client> = harness.clients.find(customer.id).await.unwrap();
        assert_eq!(found, Some(customer));
    }
}
