//! Undoing events, through the use cases.

use std::sync::Arc;

use exit3_app::App;
use exit3_app::contracts::Contracts;
use exit3_app::events::{UndoError, Undone, history, undo, undo_batch};
use exit3_domain::clients::{Money, NewClient};
use exit3_domain::events::{Act, Actor, Author, BatchId, Event, EventId, Verb};
use exit3_domain::leads::{Lead, LeadStatus, NewLead};
use exit3_domain::staff::{PasswordHash, Role, Staff, StaffProfile};
use exit3_ports::MockContractStore;

use super::Harness;
use super::api_keys::api_key;
use super::clients::client;
use super::event_lists::stored;
use super::model::NOW;
use super::staff::staff;
use crate::builders::{at, lead, some_act, subscriber, time, unsubscribed};

pub(super) fn app(harness: &Harness) -> App {
    let mut store = MockContractStore::new();
    store.expect_has().return_const(true);
    let contracts = Contracts { store: Arc::new(store), scanner: None };
    App { contracts, ..crate::app::app(harness.repositories.clone(), time(NOW)) }
}

pub(super) fn author() -> Author {
    Actor::Staff("ana".into()).into()
}

/// A write of the batch `b`.
pub(super) fn in_batch() -> Act {
    Author { batch: Some(BatchId("b".into())), ..some_act().author }.at(some_act().at)
}

pub(super) async fn newest(harness: &Harness) -> Event {
    stored(harness).await.pop().unwrap()
}

pub(super) async fn count(harness: &Harness) -> usize {
    stored(harness).await.len()
}

pub(super) async fn undone(harness: &Harness, id: EventId) -> Result<Undone, UndoError> {
    undo(&app(harness), id, &author()).await
}

/// Undoes the newest event, and returns the event of the undo.
pub(super) async fn undo_newest(harness: &Harness) -> Event {
    let event = newest(harness).await;
    assert_eq!(undone(harness, event.id).await.unwrap(), Undone::default(), "{event:?}");
    let own = newest(harness).await;
    assert!(own.id > event.id);
    assert_eq!((&own.act, &own.subject), (&author().at(time(NOW)), &event.subject));
    own
}

pub(super) async fn find_lead(harness: &Harness, lead: &Lead) -> Option<Lead> {
    harness.leads.find(lead.id).await.unwrap()
}

pub(super) async fn create_lead(harness: &Harness) -> Lead {
    harness.leads.create(&lead().build(), &some_act()).await.unwrap()
}

pub async fn an_update_is_undone_and_undone_again(harness: &Harness) {
    let by = &some_act();
    let first = create_lead(harness).await;
    let details = lead().full_name("Eva").company_name(None).status(LeadStatus::Closed).build();
    let second = harness.leads.update(&first, &details, &first.work, by).await.unwrap();
    for (expected, before) in [(&first, second.updated_at), (&second, second.updated_at)] {
        assert_eq!(undo_newest(harness).await.verb.as_str(), "lead.updated");
        let now = find_lead(harness, &first).await.unwrap();
        assert_eq!(now.details, expected.details);
        assert!(now.updated_at > before);
    }
    let ana = harness.subscribers.create(&subscriber("ana@acme.hr"), by).await.unwrap();
    harness.subscribers.update(&ana, &unsubscribed("eva@acme.hr"), by).await.unwrap();
    undo_newest(harness).await;
    assert_eq!(harness.subscribers.find(ana.id).await.unwrap(), Some(ana));
    let known = NewClient { lead: Some(first.id), ..client("a") };
    let customer = harness.clients.create(&known, by).await.unwrap();
    let details = NewClient { monthly_charge: Money::charge(5), ..client("b") };
    harness.clients.update(&customer, &details, by).await.unwrap();
    undo_newest(harness).await;
    assert_eq!(harness.clients.find(customer.id).await.unwrap(), Some(customer));
}

pub async fn only_fields_that_nobody_has_changed_since_are_undone(harness: &Harness) {
    let first = create_lead(harness).await;
    let details = lead().full_name("Eva").position("CEO").notes(None).build();
    let second = harness.leads.update(&first, &details, &first.work, &some_act()).await.unwrap();
    let change = newest(harness).await;
    let later = NewLead { position: "CFO".into(), status: LeadStatus::Closed, ..details };
    harness.leads.update(&second, &later, &second.work, &some_act()).await.unwrap();
    let outcome = undone(harness, change.id).await.unwrap();
    assert_eq!(outcome, Undone { conflicts: vec!["position".to_owned()] });
    let expected =
        NewLead { position: "CFO".into(), status: LeadStatus::Closed, ..first.details.clone() };
    assert_eq!(find_lead(harness, &first).await.unwrap().details, expected);
}

pub async fn an_update_that_everybody_has_changed_since_is_a_conflict(harness: &Harness) {
    let first = create_lead(harness).await;
    let second = lead().full_name("Eva").build();
    let second = harness.leads.update(&first, &second, &first.work, &some_act()).await.unwrap();
    let change = newest(harness).await;
    let third = lead().full_name("Iva").build();
    let third = harness.leads.update(&second, &third, &second.work, &some_act()).await.unwrap();
    let before = count(harness).await;
    let outcome = undone(harness, change.id).await;
    assert!(
        matches!(&outcome, Err(UndoError::Changed(fields)) if fields == &["full_name"]),
        "{outcome:?}"
    );
    assert_eq!(find_lead(harness, &first).await.as_ref(), Some(&third));
    harness.leads.delete(&third, &some_act()).await.unwrap();
    assert!(matches!(undone(harness, change.id).await, Err(UndoError::Gone)));
    assert_eq!(count(harness).await, before + 1);
    // The address is somebody else's by now.
    let ana = harness.subscribers.create(&subscriber("ana@acme.hr"), &some_act()).await.unwrap();
    let eva = subscriber("eva@acme.hr");
    harness.subscribers.update(&ana, &eva, &some_act()).await.unwrap();
    let change = newest(harness).await;
    harness.subscribers.create(&subscriber("ANA@acme.hr"), &some_act()).await.unwrap();
    let outcome = undone(harness, change.id).await;
    assert!(matches!(outcome, Err(UndoError::Taken("email"))), "{outcome:?}");
}

pub async fn a_deletion_is_undone_with_id_and_times(harness: &Harness) {
    let by = &some_act();
    let first = create_lead(harness).await;
    let details = lead().full_name("Đuro \"Ω\" \u{1f980}").notes(None).email(Some("")).build();
    let gone = harness.leads.update(&first, &details, &first.work, by).await.unwrap();
    harness.leads.delete(&gone, by).await.unwrap();
    assert_eq!(undo_newest(harness).await.verb.as_str(), "lead.restored");
    assert_eq!(find_lead(harness, &gone).await.as_ref(), Some(&gone));
    // The undo is undone too.
    assert_eq!(undo_newest(harness).await.verb.as_str(), "lead.deleted");
    assert_eq!(find_lead(harness, &gone).await, None);
    let ana = harness.subscribers.create(&unsubscribed("ana@đak.hr"), by).await.unwrap();
    harness.subscribers.delete(&ana, by).await.unwrap();
    assert_eq!(undo_newest(harness).await.verb.as_str(), "subscriber.restored");
    assert_eq!(harness.subscribers.find(ana.id).await.unwrap(), Some(ana));
    let known = NewClient {
        lead: Some(create_lead(harness).await.id),
        one_time_charge: Money::kept(-5),
        contract_file: Some("a.pdf".into()),
        ..client("a")
    };
    let customer = harness.clients.create(&known, by).await.unwrap();
    harness.clients.delete(&customer, by).await.unwrap();
    assert_eq!(undo_newest(harness).await.verb.as_str(), "client.restored");
    assert_eq!(harness.clients.find(customer.id).await.unwrap(), Some(customer));
}

pub async fn a_deletion_is_not_undone_if_something_is_in_the_way(harness: &Harness) {
    let by = &some_act();
    let gone = create_lead(harness).await;
    harness.leads.delete(&gone, by).await.unwrap();
    let deletion = newest(harness).await;
    undo_newest(harness).await;
    let outcome = undone(harness, deletion.id).await;
    assert!(matches!(outcome, Err(UndoError::Exists)), "{outcome:?}");
    let ana = harness.subscribers.create(&subscriber("ana@acme.hr"), by).await.unwrap();
    harness.subscribers.delete(&ana, by).await.unwrap();
    let deletion = newest(harness).await;
    harness.subscribers.create(&subscriber("ana@acme.hr"), by).await.unwrap();
    let outcome = undone(harness, deletion.id).await;
    assert!(matches!(outcome, Err(UndoError::Taken("email"))), "{outcome:?}");
    let known = NewClient { lead: Some(gone.id), ..client("a") };
    let customer = harness.clients.create(&known, by).await.unwrap();
    harness.clients.delete(&customer, by).await.unwrap();
    let deletion = newest(harness).await;
    let other = harness.clients.create(&known, by).await.unwrap();
    let outcome = undone(harness, deletion.id).await;
    assert!(matches!(outcome, Err(UndoError::Taken("lead_id"))), "{outcome:?}");
    harness.clients.delete(&other, by).await.unwrap();
    harness.leads.delete(&gone, by).await.unwrap();
    let before = count(harness).await;
    let outcome = undone(harness, deletion.id).await;
    assert!(matches!(outcome, Err(UndoError::Missing("lead_id"))), "{outcome:?}");
    assert_eq!(count(harness).await, before);
}

pub async fn a_creation_and_a_restore_are_undone_if_nothing_followed(harness: &Harness) {
    let by = &some_act();
    let first = create_lead(harness).await;
    let creation = newest(harness).await;
    // Another row does not matter.
    let other = create_lead(harness).await;
    let details = lead().full_name("Eva").build();
    let changed = harness.leads.update(&other, &details, &other.work, by).await.unwrap();
    assert_eq!(undone(harness, creation.id).await.unwrap(), Undone::default());
    assert_eq!(find_lead(harness, &first).await, None);
    assert!(matches!(undone(harness, creation.id).await, Err(UndoError::Gone)));
    let history = history(&app(harness), "lead", other.id.0, None, 10).await.unwrap();
    let creation = history.last().unwrap();
    assert_eq!(creation.verb.action(), Verb::CREATED);
    let outcome = undone(harness, creation.id).await;
    assert!(matches!(outcome, Err(UndoError::Overtaken)), "{outcome:?}");
    assert_eq!(find_lead(harness, &other).await.as_ref(), Some(&changed));
    // A restore.
    harness.leads.delete(&changed, by).await.unwrap();
    let restore = undo_newest(harness).await;
    harness.leads.update(&changed, &lead().build(), &changed.work, by).await.unwrap();
    let outcome = undone(harness, restore.id).await;
    assert!(matches!(outcome, Err(UndoError::Overtaken)), "{outcome:?}");
    harness.subscribers.create(&subscriber("ana@acme.hr"), by).await.unwrap();
    assert_eq!(undo_newest(harness).await.verb.as_str(), "subscriber.deleted");
    harness.clients.create(&client("a"), by).await.unwrap();
    assert_eq!(undo_newest(harness).await.verb.as_str(), "client.deleted");
}

/// Clocks of nodes differ, so the times of events may be in another order than their ids.
pub async fn what_came_later_is_not_a_question_of_time(harness: &Harness) {
    let by = some_act().author;
    let first = harness.leads.create(&lead().build(), &by.at(at(9_000))).await.unwrap();
    let creation = newest(harness).await;
    let details = lead().full_name("Eva").build();
    let second =
        harness.leads.update(&first, &details, &first.work, &by.at(at(5_000))).await.unwrap();
    let outcome = undone(harness, creation.id).await;
    assert!(matches!(outcome, Err(UndoError::Overtaken)), "{outcome:?}");
    harness.leads.delete(&second, &by.at(at(5_000))).await.unwrap();
    let batch = BatchId("c".into());
    let by = Author { batch: Some(batch.clone()), ..by };
    harness.leads.restore(&second, None, &by.at(at(3_000))).await.unwrap();
    let restore = newest(harness).await;
    let mut now = second.clone();
    for (name, time) in [("Iva", 2_000), ("Ivo", 1_000), ("Ines", 1_000), ("Ida", 2_500)] {
        let details = lead().full_name(name).build();
        now = harness.leads.update(&now, &details, &now.work, &by.at(at(time))).await.unwrap();
    }
    let outcomes = undo_batch(&app(harness), &batch, &author()).await.unwrap();
    assert!(outcomes.iter().all(|(_, outcome)| outcome.is_ok()), "{outcomes:?}");
    assert_eq!((outcomes.len(), outcomes[4].0), (5, restore.id));
    assert_eq!(find_lead(harness, &first).await, None);
}

pub async fn a_lead_keeps_a_way_to_reach_it(harness: &Harness) {
    let only_mail = lead().phone_number(None).build();
    let first = harness.leads.create(&only_mail, &some_act()).await.unwrap();
    let both = lead().phone_number(Some("+385911234567")).build();
    let second = harness.leads.update(&first, &both, &first.work, &some_act()).await.unwrap();
    let change = newest(harness).await;
    let only_phone = lead().email(None).phone_number(Some("+385911234567")).build();
    let third =
        harness.leads.update(&second, &only_phone, &second.work, &some_act()).await.unwrap();
    let outcome = undone(harness, change.id).await;
    assert!(matches!(outcome, Err(UndoError::Invalid(_))), "{outcome:?}");
    assert_eq!(find_lead(harness, &first).await, Some(third));
    // As soon as the address is back, the number may go.
    undo_newest(harness).await;
    assert_eq!(undone(harness, change.id).await.unwrap(), Undone::default());
    assert_eq!(find_lead(harness, &first).await.unwrap().details, only_mail);
}

pub async fn profiles_of_staff_are_undone_and_nothing_else_of_accounts(harness: &Harness) {
    let by = &some_act();
    let refused = async || {
        let outcome = undone(harness, newest(harness).await.id).await;
        assert!(matches!(outcome, Err(UndoError::NotUndoable(_))), "{outcome:?}");
    };
    let account = harness.staff.create(&staff("ana"), by).await.unwrap();
    refused().await;
    let profile = StaffProfile { is_active: false, ..staff("eva").profile };
    harness.staff.update(&account, &profile, by).await.unwrap();
    let change = undo_newest(harness).await;
    assert_eq!(change.verb.as_str(), "staff.updated");
    let find = async || harness.staff.find(account.id).await.unwrap();
    assert_eq!(find().await.as_ref(), Some(&account));
    let password = PasswordHash::kept("second".into());
    harness.staff.set_password(&account, &password, by).await.unwrap();
    refused().await;
    // Another password is no reason not to undo a change of the profile.
    assert_eq!(undone(harness, change.id).await.unwrap(), Undone::default());
    assert_eq!(find().await, Some(Staff { profile, password, ..account }));
    harness.staff.create(&staff("ana"), by).await.unwrap();
    let outcome = undone(harness, newest_update(harness).await).await;
    assert!(matches!(outcome, Err(UndoError::Taken("username"))), "{outcome:?}");
    let boss = harness.staff.create(&staff("boss"), by).await.unwrap();
    let mut profile = boss.profile.clone();
    profile.set_role(Role::Owner);
    harness.staff.update(&boss, &profile, by).await.unwrap();
    let outcome = undone(harness, newest_update(harness).await).await;
    assert!(matches!(outcome, Err(UndoError::LastOwner)), "{outcome:?}");
    harness.api_keys.create(&api_key("a", 1), by).await.unwrap();
    refused().await;
    harness.api_keys.revoke(&"a".into(), by).await.unwrap();
    refused().await;
}

/// The newest change of a profile.
pub(super) async fn newest_update(harness: &Harness) -> EventId {
    let mut events = stored(harness).await;
    events.retain(|event| event.verb.as_str() == "staff.updated");
    events.pop().unwrap().id
}
