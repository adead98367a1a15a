//! Undoing creations and restores of rows that were changed without an event, as the release from
//! before events and an import do it.

use exit3_app::events::{UndoError, Undone, undo_batch};
use exit3_domain::clients::Money;
use exit3_domain::events::{BatchId, EventId};
use exit3_ports::Value;

use super::Harness;
use super::clients::client;
use super::undo::{app, author, create_lead, find_lead, in_batch, newest, undo_newest, undone};
use crate::builders::{at, lead, some_act, subscriber};

/// Changes values of a row without an event.
pub(super) async fn change(harness: &Harness, table: &str, id: i64, values: &[(&str, Value)]) {
    let mut load = harness.transfer.load().await.unwrap();
    let shapes = load.shapes().await.unwrap();
    let shape = shapes.iter().find(|shape| shape.table.name == table).unwrap();
    let mut row = load.rows(shape, id - 1, 1).await.unwrap().remove(0);
    for (name, value) in values {
        let at = shape.columns.iter().position(|column| column.name == *name).unwrap();
        row[at] = value.clone();
    }
    load.replace(shape, vec![row]).await.unwrap();
    load.commit().await.unwrap();
}

fn notes(text: &str) -> (&'static str, Value) {
    ("notes", Value::Text(text.to_owned()))
}

fn updated(microseconds: i64) -> (&'static str, Value) {
    ("updated_at", Value::Time(at(microseconds).timestamp_micros()))
}

async fn is_overtaken(harness: &Harness, id: EventId) {
    let outcome = undone(harness, id).await;
    assert!(matches!(outcome, Err(UndoError::Overtaken)), "{outcome:?}");
}

pub async fn a_creation_is_not_undone_if_the_lead_has_changed_without_an_event(harness: &Harness) {
    let first = create_lead(harness).await;
    let creation = newest(harness).await.id;
    change(harness, "leads", first.id.0, &[notes("called"), updated(1)]).await;
    is_overtaken(harness, creation).await;
    let now = find_lead(harness, &first).await.unwrap();
    assert_eq!(now.details.notes.as_deref(), Some("called"));
    // Leads that many were stored of have times of their own.
    harness.leads.create_many(&[(lead().build(), at(77))], &some_act()).await.unwrap();
    assert_eq!(undone(harness, newest(harness).await.id).await.unwrap(), Undone::default());
}

pub async fn a_restore_is_not_undone_if_the_row_has_changed_without_an_event(harness: &Harness) {
    let by = &some_act();
    let gone = create_lead(harness).await;
    harness.leads.delete(&gone, by).await.unwrap();
    let restore = undo_newest(harness).await.id;
    // Not even `updated_at` tells.
    change(harness, "leads", gone.id.0, &[notes("called")]).await;
    is_overtaken(harness, restore).await;
    assert!(find_lead(harness, &gone).await.is_some());
    let ana = harness.subscribers.create(&subscriber("ana@acme.hr"), by).await.unwrap();
    harness.subscribers.delete(&ana, by).await.unwrap();
    let restore = undo_newest(harness).await.id;
    let values = [("is_subscribed", Value::Boolean(!ana.is_subscribed))];
    change(harness, "subscribers", ana.id.0, &values).await;
    is_overtaken(harness, restore).await;
    assert!(harness.subscribers.find(ana.id).await.unwrap().is_some());
    let customer = harness.clients.create(&client("a"), by).await.unwrap();
    harness.clients.delete(&customer, by).await.unwrap();
    let restore = undo_newest(harness).await.id;
    change(harness, "clients", customer.id.0, &[("monthly_charge", Value::Integer(5))]).await;
    is_overtaken(harness, restore).await;
    let now = harness.clients.find(customer.id).await.unwrap().unwrap();
    assert_eq!(now.details.monthly_charge, Money::charge(5));
    // A row that is as it was comes and goes.
    change(harness, "clients", customer.id.0, &[("monthly_charge", Value::Null)]).await;
    assert_eq!(undone(harness, restore).await.unwrap(), Undone::default());
    assert_eq!(harness.clients.find(customer.id).await.unwrap(), None);
}

pub async fn a_batch_keeps_a_row_that_has_changed_without_an_event(harness: &Harness) {
    // Long ago: the undo of the update, which comes first, moves `updated_at` to now.
    let by = &in_batch().author.at(at(1_000));
    let mut rows = Vec::new();
    for _ in 0..2 {
        let first = harness.leads.create(&lead().build(), by).await.unwrap();
        let details = lead().full_name("Eva").build();
        rows.push(harness.leads.update(&first, &details, &first.work, by).await.unwrap());
    }
    change(harness, "leads", rows[0].id.0, &[notes("called"), updated(5_000)]).await;
    let outcomes = undo_batch(&app(harness), &BatchId("b".into()), &author()).await.unwrap();
    let [(_, last), (_, gone), (_, renamed), (_, kept)] = &outcomes[..] else {
        panic!("{outcomes:?}")
    };
    assert!(last.is_ok() && gone.is_ok() && renamed.is_ok(), "{outcomes:?}");
    assert!(matches!(kept, Err(UndoError::Overtaken)), "{outcomes:?}");
    assert_eq!(find_lead(harness, &rows[1]).await, None);
    let now = find_lead(harness, &rows[0]).await.unwrap();
    assert_eq!(
        (now.details.notes.as_deref(), &*now.details.full_name),
        (Some("called"), "Ana Horvat")
    );
}

/// The row would come back as it was long ago.
pub async fn a_deletion_is_not_undone_if_the_row_was_deleted_again(harness: &Harness) {
    let by = &some_act();
    let first = create_lead(harness).await;
    harness.leads.delete(&first, by).await.unwrap();
    let earlier = newest(harness).await.id;
    undo_newest(harness).await;
    let details = lead().full_name("Eva").build();
    let renamed = harness.leads.update(&first, &details, &first.work, by).await.unwrap();
    harness.leads.delete(&renamed, by).await.unwrap();
    is_overtaken(harness, earlier).await;
    assert_eq!(find_lead(harness, &first).await, None);
    undo_newest(harness).await;
    assert_eq!(find_lead(harness, &first).await, Some(renamed));
    let ana = harness.subscribers.create(&subscriber("ana@acme.hr"), by).await.unwrap();
    harness.subscribers.delete(&ana, by).await.unwrap();
    let earlier = newest(harness).await.id;
    undo_newest(harness).await;
    harness.subscribers.delete(&ana, by).await.unwrap();
    is_overtaken(harness, earlier).await;
    // In a batch, the later deletion is undone as well.
    let eva = create_lead(harness).await;
    harness.leads.delete(&eva, &in_batch()).await.unwrap();
    harness.leads.restore(&eva, None, &in_batch()).await.unwrap();
    harness.leads.delete(&eva, &in_batch()).await.unwrap();
    let outcomes = undo_batch(&app(harness), &BatchId("b".into()), &author()).await.unwrap();
    assert!(outcomes.iter().all(|(_, outcome)| outcome.is_ok()), "{outcomes:?}");
    assert_eq!(find_lead(harness, &eva).await, Some(eva));
}
