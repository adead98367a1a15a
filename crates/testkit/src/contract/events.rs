//! One call, one event, in the same transaction: for every method of a port that writes.

use std::collections::BTreeSet;
use std::pin::Pin;

use exit3_domain::clients::{Client, Money, NewClient};
use exit3_domain::events::{
    Act, Actor, Author, BatchId, Changes, Event, EventId, NewEvent, Subject, Verb, record,
};
use exit3_domain::leads::LeadStatus;
use exit3_domain::staff::{PasswordHash, StaffProfile};
use exit3_domain::subscribers::NewSubscriber;
use exit3_ports::{Row, Shape, StoreError};

use super::Harness;
use super::api_keys::api_key;
use super::clients::client;
use super::event_lists::stored;
use super::lead_calls::{lead_calls, note_calls};
use super::staff::staff;
use crate::builders::{at, lead, some_act, subscriber, unsubscribed};

/// Every method that writes: each is called at least once by [`calls`]. Two more methods write and
/// leave no event, because what they note is no change: `api_keys.note_uses` and
/// `sign_ins.note_seen`.
const WRITES: &[(&str, &str)] = &[
    ("leads", "create"),
    ("leads", "create_as"),
    ("leads", "create_with_work"),
    ("leads", "create_many"),
    ("leads", "update"),
    ("leads", "delete"),
    ("leads", "restore"),
    ("lead_notes", "add"),
    ("lead_notes", "remove"),
    ("lead_notes", "restore"),
    ("subscribers", "create"),
    ("subscribers", "ensure"),
    ("subscribers", "create_many"),
    ("subscribers", "update"),
    ("subscribers", "delete"),
    ("subscribers", "restore"),
    ("clients", "create"),
    ("clients", "convert"),
    ("clients", "update"),
    ("clients", "delete"),
    ("clients", "restore"),
    ("contract_files", "note_download"),
    ("staff", "create"),
    ("staff", "update"),
    ("staff", "set_password"),
    ("staff", "set_preferences"),
    ("sign_ins", "begin"),
    ("sign_ins", "end"),
    ("sign_ins", "change_password"),
    ("invitations", "invite"),
    ("invitations", "invite_new"),
    ("invitations", "accept"),
    ("invitations", "accept_as_owner"),
    ("api_keys", "create"),
    ("api_keys", "revoke"),
    ("events", "note"),
];

/// An event that a call must leave: the verb, the id of the row, and the changes.
pub(super) type Expected = (&'static str, i64, Changes);

pub(super) type Outcome = Result<Vec<Expected>, StoreError>;

pub(super) type Running<'a> = Pin<Box<dyn Future<Output = Outcome> + 'a>>;

/// A call that has not been made yet and can be made again if it fails.
pub(super) struct Call<'a> {
    method: (&'static str, &'static str),
    make: Box<dyn Fn(Act) -> Running<'a> + 'a>,
}

pub(super) fn call<'a, F>(
    port: &'static str,
    method: &'static str,
    make: impl Fn(Act) -> F + 'a,
) -> Call<'a>
where
    F: Future<Output = Outcome> + 'a,
{
    Call { method: (port, method), make: Box::new(move |act| Box::pin(make(act))) }
}

/// An act in which everything has a value of its own.
fn special(at_microseconds: i64) -> Act {
    let author = Author {
        actor: Actor::ApiKey { name: "website".into(), prefix: "Zk3vZk3vZk3v".into() },
        request: Some("request-7".into()),
        batch: Some(BatchId("batch-7".into())),
    };
    author.at(at(at_microseconds))
}

async fn newest(harness: &Harness) -> EventId {
    stored(harness).await.last().map_or(EventId(0), |event| event.id)
}

/// The events after this one, oldest first.
async fn since(harness: &Harness, last: EventId) -> Vec<Event> {
    let mut events = stored(harness).await;
    events.retain(|event| event.id > last);
    events
}

pub(super) fn created(verb: &'static str, id: i64) -> Vec<Expected> {
    vec![(verb, id, Changes::None)]
}

/// Stores rows, and prepares calls of all methods that write.
async fn calls(harness: &Harness) -> Vec<Call<'_>> {
    let mut calls = lead_calls(harness).await;
    calls.append(&mut note_calls(harness).await);
    calls.append(&mut subscriber_calls(harness).await);
    calls.append(&mut client_calls(harness).await);
    calls.append(&mut super::event_calls::contract_calls(harness).await);
    calls.append(&mut account_calls(harness).await);
    calls.append(&mut super::event_calls::sign_in_calls(harness).await);
    let called: BTreeSet<_> = calls.iter().map(|call| call.method).collect();
    assert_eq!(called, WRITES.iter().copied().collect());
    calls
}

/// The id of the subscriber with this address.
async fn id_of(harness: &Harness, email: &str) -> i64 {
    harness.subscribers.find_by_email(email).await.unwrap().unwrap().id.0
}

async fn subscriber_calls(harness: &Harness) -> Vec<Call<'_>> {
    let subscribers = &harness.subscribers;
    let create =
        async |email: &str| subscribers.create(&unsubscribed(email), &some_act()).await.unwrap();
    let (changed, gone, back, again) = (
        create("changed@acme.hr").await,
        create("gone@acme.hr").await,
        create("back@acme.hr").await,
        create("again@acme.hr").await,
    );
    subscribers.delete(&back, &some_act()).await.unwrap();
    vec![
        call("subscribers", "create", move |act| async move {
            let new = subscribers.create(&subscriber("new@acme.hr"), &act).await?;
            Ok(created("subscriber.created", new.id.0))
        }),
        call("subscribers", "ensure", move |act| async move {
            subscribers.ensure(&subscriber("ensured@acme.hr"), &act).await?;
            Ok(created("subscriber.created", id_of(harness, "ensured@acme.hr").await))
        }),
        call("subscribers", "ensure", move |act| {
            let id = again.id.0;
            async move {
                subscribers.ensure(&subscriber("Again@acme.hr"), &act).await?;
                Ok(vec![("subscriber.updated", id, Changes::one("is_subscribed", false, true))])
            }
        }),
        call("subscribers", "create_many", move |act| async move {
            let new = ["many-1@acme.hr", "gone@acme.hr", "many-2@acme.hr", "many-1@acme.hr"];
            let stored = subscribers.create_many(&new.map(subscriber), &act).await?;
            assert_eq!(stored, 2);
            let mut ids =
                [id_of(harness, "many-1@acme.hr").await, id_of(harness, "many-2@acme.hr").await];
            ids.sort_unstable();
            Ok(ids.map(|id| ("subscriber.created", id, Changes::None)).to_vec())
        }),
        call("subscribers", "update", move |act| {
            let (seen, details) = (changed.clone(), subscriber("moved@acme.hr"));
            async move {
                let changes = Changes::between(&NewSubscriber::from(seen.clone()), &details);
                subscribers.update(&seen, &details, &act).await?;
                Ok(vec![("subscriber.updated", seen.id.0, changes)])
            }
        }),
        call("subscribers", "delete", move |act| {
            let seen = gone.clone();
            async move {
                subscribers.delete(&seen, &act).await?;
                Ok(vec![("subscriber.deleted", seen.id.0, Changes::Row(record(&seen)))])
            }
        }),
        call("subscribers", "restore", move |act| {
            let row = back.clone();
            async move {
                subscribers.restore(&row, &act).await?;
                Ok(created("subscriber.restored", row.id.0))
            }
        }),
    ]
}

async fn client_calls(harness: &Harness) -> Vec<Call<'_>> {
    let clients = &harness.clients;
    let promising = harness.leads.create(&lead().build(), &some_act()).await.unwrap();
    let create =
        async |team: &str| -> Client { clients.create(&client(team), &some_act()).await.unwrap() };
    let (changed, gone, back) = (create("a").await, create("b").await, create("c").await);
    clients.delete(&back, &some_act()).await.unwrap();
    let details = NewClient { monthly_charge: Money::charge(120_050), ..client("d") };
    vec![
        call("clients", "create", move |act| async move {
            let new = clients.create(&client("new"), &act).await?;
            Ok(created("client.created", new.id.0))
        }),
        call("clients", "convert", move |act| {
            let seen = promising.clone();
            async move {
                let new = clients.convert(&seen, seen.work.owner, &client("e"), &act).await?;
                let changes = Changes::one("status", seen.details.status, LeadStatus::Converted);
                let converted = ("lead.updated", seen.id.0, changes);
                Ok([vec![converted], created("client.created", new.id.0)].concat())
            }
        }),
        call("clients", "update", move |act| {
            let (seen, details) = (changed.clone(), details.clone());
            async move {
                let changes = Changes::between(&seen.details, &details);
                clients.update(&seen, &details, &act).await?;
                Ok(vec![("client.updated", seen.id.0, changes)])
            }
        }),
        call("clients", "delete", move |act| {
            let seen = gone.clone();
            async move {
                clients.delete(&seen, &act).await?;
                Ok(vec![("client.deleted", seen.id.0, Changes::Row(record(&seen)))])
            }
        }),
        call("clients", "restore", move |act| {
            let row = back.clone();
            async move {
                clients.restore(&row, &act).await?;
                Ok(created("client.restored", row.id.0))
            }
        }),
    ]
}

async fn account_calls(harness: &Harness) -> Vec<Call<'_>> {
    let (accounts, keys) = (&harness.staff, &harness.api_keys);
    let create = async |name: &str| accounts.create(&staff(name), &some_act()).await.unwrap();
    let (changed, secured) = (create("changed").await, create("secured").await);
    let profile = StaffProfile { is_active: false, ..staff("renamed").profile };
    let revoked =
        async |entropy| keys.create(&api_key("revoked", entropy), &some_act()).await.unwrap().id.0;
    let revoked = [revoked(7).await, revoked(8).await];
    vec![
        call("staff", "create", move |act| async move {
            let new = accounts.create(&staff("new"), &act).await?;
            Ok(created("staff.created", new.id.0))
        }),
        call("staff", "update", move |act| {
            let (seen, profile) = (changed.clone(), profile.clone());
            async move {
                let changes = Changes::between(&seen.profile, &profile);
                accounts.update(&seen, &profile, &act).await?;
                Ok(vec![("staff.updated", seen.id.0, changes)])
            }
        }),
        call("staff", "set_password", move |act| {
            let seen = secured.clone();
            async move {
                let password = PasswordHash::kept("second".to_owned());
                accounts.set_password(&seen, &password, &act).await?;
                Ok(created("staff.password_set", seen.id.0))
            }
        }),
        call("api_keys", "create", move |act| async move {
            let new = keys.create(&api_key("new", 9), &act).await?;
            Ok(created("api_key.created", new.id.0))
        }),
        call("api_keys", "revoke", move |act| async move {
            keys.revoke(&"revoked".into(), &act).await?;
            let changes = || Changes::one("revoked_at", None, Some(act.at));
            Ok(revoked.map(|id| ("api_key.revoked", id, changes())).to_vec())
        }),
        call("events", "note", move |act| async move {
            let event = NewEvent {
                verb: Verb::from_word("contract.downloaded"),
                subject: Subject { resource: "contract".into(), id: 7 },
                changes: Changes::one("leads", 1, 0),
            };
            harness.events.note(&event, &act).await?;
            Ok(vec![("contract.downloaded", 7, event.changes)])
        }),
    ]
}

pub async fn each_write_leaves_one_event_for_each_row(harness: &Harness) {
    for (place, call) in (1..).zip(calls(harness).await) {
        let (method, act) = (call.method, special(place));
        let last = newest(harness).await;
        let mut expected = (call.make)(act.clone()).await.unwrap();
        let events = since(harness, last).await;
        let mut found: Vec<Expected> = Vec::new();
        for event in &events {
            assert_eq!(event.act, act, "{method:?}");
            let (resource, _) = event.verb.as_str().rsplit_once('.').unwrap();
            assert_eq!(&*event.subject.resource, resource, "{method:?}");
            let known = expected.iter().find(|(verb, ..)| *verb == event.verb.as_str());
            let (verb, ..) = known.unwrap_or_else(|| panic!("{method:?} left {event:?}"));
            found.push((verb, event.subject.id, event.changes.clone()));
            assert_eq!(harness.events.find(event.id).await.unwrap().as_ref(), Some(event));
        }
        let order = |one: &Expected, other: &Expected| (one.0, one.1).cmp(&(other.0, other.1));
        found.sort_by(order);
        expected.sort_by(order);
        assert_eq!(found, expected, "{method:?}");
    }
}

/// All rows of all tables.
async fn rows(harness: &Harness) -> Vec<(Shape, Vec<Row>)> {
    let mut snapshot = harness.transfer.snapshot().await.unwrap();
    let mut all = Vec::new();
    for shape in snapshot.shapes().await.unwrap() {
        let rows = snapshot.rows(&shape, i64::MIN, 1_000).await.unwrap();
        all.push((shape, rows));
    }
    all
}

pub async fn a_write_whose_event_cannot_be_stored_does_not_happen(harness: &Harness) {
    let mut wrong = Vec::new();
    for call in calls(harness).await {
        let before = rows(harness).await;
        harness.refuse_events(true).await;
        let refused = (call.make)(some_act()).await;
        let is_unchanged = rows(harness).await == before;
        harness.refuse_events(false).await;
        if refused.is_err() && is_unchanged {
            // Only the event was missing.
            (call.make)(some_act()).await.unwrap();
        } else {
            wrong.push((call.method, refused.is_ok(), is_unchanged));
        }
    }
    assert!(
        wrong.is_empty(),
        "method, whether it succeeded, whether all rows are as before: {wrong:#?}"
    );
}

#[cfg(test)]
#[path = "../event_methods.rs"]
mod tests;
