//! Erasing a person through the ports that copy a whole database.

use exit3_app::erasure::{Found, erase, look, look_ahead, note};
use exit3_domain::contact::{Contact, ContactKind};
use exit3_domain::events::{Changes, EventFilter};
use exit3_domain::jobs::{JobError, NewJob};
use exit3_domain::leads::Lead;
use exit3_ports::Value;
use exit3_ports::jobs::JobFilter;
use serde_json::json;

use super::Harness;
use crate::builders::{lead, some_act, subscriber};

fn is_ana(contact: &Contact) -> bool {
    Some(contact) == Contact::read(ContactKind::Email, "ana@acme.hr").as_ref()
}

fn job(payload: &str, key: Option<&str>) -> NewJob {
    NewJob {
        kind: "mail".to_owned(),
        payload: payload.to_owned(),
        run_at: None,
        unique_key: key.map(str::to_owned),
    }
}

async fn enqueue(harness: &Harness, payload: &str) {
    harness.jobs.enqueue(&[job(payload, None)]).await.unwrap();
}

pub async fn removes_jobs_that_mention_the_person_anywhere(harness: &Harness) {
    let others = ["xana@acme.hr", "ana@acme.hr.example"];
    let failed = [job(r#"{"n": 1}"#, None), job(r#"{"n": 2}"#, None)];
    harness.jobs.enqueue(&failed).await.unwrap();
    let claimed = super::jobs::claim(harness, "mail", 2, super::jobs::LONG).await;
    for (claimed, address) in claimed.iter().zip(["ana@acme.hr", others[0]]) {
        let error = JobError::new(&format!("550 <{address}>: refused"));
        harness.jobs.fail(claimed.claim, &error, None).await.unwrap();
    }
    let waiting = [
        job(r#"{"to": "Ana <Ana@acme.hr>"}"#, None),
        job("no JSON: ana@acme.hr", None),
        job("{}", Some("welcome ana@acme.hr")),
        job(r#"{"to": "xana@acme.hr"}"#, Some("welcome ana@acme.hr.example")),
    ];
    harness.jobs.enqueue(&waiting).await.unwrap();
    let mut load = harness.transfer.load().await.unwrap();
    let erased = erase(load.as_mut(), &is_ana, &Found::default()).await.unwrap();
    load.commit().await.unwrap();
    assert_eq!(erased.counts(), [("jobs", 4)]);
    let all = JobFilter { kind: None, state: None, most: 10 };
    let left = harness.jobs.list(&all).await.unwrap();
    let payloads: Vec<&str> = left.iter().map(|job| job.payload.as_str()).collect();
    assert_eq!(payloads, [waiting[3].payload.as_str(), failed[1].payload.as_str()]);
}

pub async fn removes_rows_and_jobs_and_the_values_of_events(harness: &Harness) {
    let hers = lead().full_name("Ana").email(Some("Ana@acme.hr")).build();
    let seen = harness.leads.create(&hers, &some_act()).await.unwrap();
    let renamed = lead().full_name("Ana Horvat").email(Some("Ana@acme.hr")).build();
    harness.leads.update(&seen, &renamed, &seen.work, &some_act()).await.unwrap();
    let other = lead().full_name("Eva").email(Some("eva@acme.hr")).build();
    let other = harness.leads.create(&other, &some_act()).await.unwrap();
    harness.subscribers.create(&subscriber("ana@acme.hr"), &some_act()).await.unwrap();
    enqueue(harness, r#"{"to": "ana@acme.hr"}"#).await;
    enqueue(harness, r#"{"to": "eva@acme.hr"}"#).await;
    for lead in [seen.id, other.id] {
        harness.lead_notes.add(lead, "called", &some_act()).await.unwrap();
    }
    // A lead that was deleted before.
    let gone = lead().full_name("Ana").email(Some("ana@acme.hr")).build();
    let gone = harness.leads.create(&gone, &some_act()).await.unwrap();
    harness.lead_notes.add(gone.id, "called too", &some_act()).await.unwrap();
    let removed = harness.lead_notes.add(gone.id, "removed", &some_act()).await.unwrap();
    harness.lead_notes.remove(&removed, &some_act()).await.unwrap();
    harness.leads.delete(&gone, &some_act()).await.unwrap();
    let mut snapshot = harness.transfer.snapshot().await.unwrap();
    let found = look(snapshot.as_mut(), &is_ana).await.unwrap();
    drop(snapshot);
    let all = [("jobs", 1), ("lead_notes", 2), ("leads", 1), ("subscribers", 1), ("events", 6)];
    assert_eq!(found.counts(), all);
    let mut load = harness.transfer.load().await.unwrap();
    let erased = erase(load.as_mut(), &is_ana, &found).await.unwrap();
    note(load.as_mut(), &erased, "somebody", Some("entry"), &some_act()).await.unwrap();
    load.commit().await.unwrap();
    assert_eq!(erased.counts(), all);
    assert_eq!(harness.leads.find(seen.id).await.unwrap(), None);
    assert_eq!(harness.leads.find(other.id).await.unwrap(), Some(other.clone()));
    for (lead, count) in [(seen.id, 0), (gone.id, 0), (other.id, 1)] {
        assert_eq!(harness.lead_notes.list(lead, None, 9).await.unwrap().len(), count);
    }
    assert_eq!(harness.subscribers.find_by_email("ana@acme.hr").await.unwrap(), None);
    let jobs = JobFilter { kind: None, state: None, most: 10 };
    let jobs = harness.jobs.list(&jobs).await.unwrap();
    assert_eq!(jobs.len(), 1);
    assert!(jobs[0].payload.contains("eva"));
    let events = harness.events.list(&EventFilter::default(), None, 100).await.unwrap();
    let removal = events.iter().find(|event| event.verb.as_str() == "lead.note_removed").unwrap();
    assert_eq!(removal.changes, Changes::one("note", None::<()>, None));
    let update = events.iter().find(|event| event.verb.as_str() == "lead.updated").unwrap();
    assert_eq!(update.changes, Changes::one("full_name", None::<()>, None));
    let noted = events.iter().find(|event| event.verb.as_str() == "person.erased").unwrap();
    let Changes::Row(counts) = &noted.changes else { panic!("{noted:?}") };
    let expected = json!({"person": "somebody", "entry": "entry", "jobs": 1, "lead_notes": 2, "leads": 1, "subscribers": 1, "events": 6});
    assert_eq!(serde_json::Value::from(counts.clone()), expected);
}

/// Changes a text of a row without an event.
async fn change(harness: &Harness, table: &str, id: i64, name: &str, text: &str) {
    let mut load = harness.transfer.load().await.unwrap();
    let shapes = load.shapes().await.unwrap();
    let shape = shapes.iter().find(|shape| shape.table.name == table).unwrap();
    let mut row = load.rows(shape, id - 1, 1).await.unwrap().remove(0);
    row[shape.columns.iter().position(|column| column.name == name).unwrap()] =
        Value::Text(text.to_owned());
    load.replace(shape, vec![row]).await.unwrap();
    load.commit().await.unwrap();
}

/// What a search of the whole database finds.
async fn found(harness: &Harness) -> Vec<(&'static str, usize)> {
    let mut snapshot = harness.transfer.snapshot().await.unwrap();
    look(snapshot.as_mut(), &is_ana).await.unwrap().counts()
}

pub async fn what_changes_between_two_searches_is_erased(harness: &Harness) {
    let leads = &harness.leads;
    let create = async |email: &str| {
        leads.create(&lead().email(Some(email)).build(), &some_act()).await.unwrap()
    };
    let rename = async |seen: &Lead, email: &str, name: &str| {
        let details = lead().email(Some(email)).full_name(name).build();
        leads.update(seen, &details, &seen.work, &some_act()).await.unwrap()
    };
    let (hers, deleted, given) =
        (create("ana@acme.hr").await, create("Ana@acme.hr").await, create("ana@acme.hr").await);
    rename(&hers, "ana@acme.hr", "Ana Kos").await;
    let (quiet, told, other) =
        (create("eva@acme.hr").await, create("eva@acme.hr").await, create("eva@acme.hr").await);
    // Before the first search, nothing tells that this is about her.
    rename(&quiet, "eva@acme.hr", "Ana Before").await;
    let other = rename(&other, "eva@acme.hr", "Eva Kos").await;
    let eva = harness.subscribers.create(&subscriber("eva@acme.hr"), &some_act()).await.unwrap();
    enqueue(harness, r#"{"to": "ana@acme.hr", "n": 1}"#).await;
    let mut snapshot = harness.transfer.snapshot().await.unwrap();
    let before = look_ahead(snapshot.as_mut(), &is_ana).await.unwrap();
    drop(snapshot);
    leads.delete(&deleted, &some_act()).await.unwrap();
    rename(&given, "bob@acme.hr", "Bob").await;
    rename(&told, "ana@acme.hr", "Ana").await;
    // A note about her in a row that stays.
    let noted = lead().email(Some("eva@acme.hr")).full_name("Eva Horvat");
    let noted = noted.notes(Some("knows Ana <ana@acme.hr>")).build();
    let other = leads.update(&other, &noted, &other.work, &some_act()).await.unwrap();
    change(harness, "leads", quiet.id.0, "email", "ANA@acme.hr").await;
    change(harness, "subscribers", eva.id.0, "email", "ana@acme.hr").await;
    create("ana@acme.hr").await;
    let gone = create("ana@acme.hr").await;
    leads.delete(&gone, &some_act()).await.unwrap();
    enqueue(harness, r#"{"to": "ana@acme.hr", "n": 2}"#).await;
    let all = found(harness).await;
    assert_eq!(all, [("jobs", 2), ("leads", 4), ("subscribers", 1), ("events", 7)]);
    let mut load = harness.transfer.load().await.unwrap();
    let erased = erase(load.as_mut(), &is_ana, &before).await.unwrap();
    load.commit().await.unwrap();
    assert_eq!(erased.counts(), all);
    assert_eq!(found(harness).await, []);
    for (lead, is_kept) in [(&hers, false), (&quiet, false), (&told, false), (&given, true)] {
        assert_eq!(leads.find(lead.id).await.unwrap().is_some(), is_kept, "{lead:?}");
    }
    assert_eq!(leads.find(other.id).await.unwrap(), Some(other));
    let events = harness.events.list(&EventFilter::default(), None, 100).await.unwrap();
    let texts: String = events.iter().filter_map(|event| event.changes.to_text()).collect();
    for trace in ["ana@", "Ana@", "ANA@", "Ana Kos", "Ana Before", "Bob"] {
        assert!(!texts.contains(trace), "{trace} in {texts}");
    }
    for kept in ["Eva Kos", "Eva Horvat", r#""notes":[null,null]"#] {
        assert!(texts.contains(kept), "{kept} in {texts}");
    }
}

/// A search that found nothing is no reason to find nothing again.
pub async fn a_person_who_comes_after_the_first_search_is_erased(harness: &Harness) {
    let other = lead().full_name("Eva").email(Some("eva@acme.hr")).build();
    let other = harness.leads.create(&other, &some_act()).await.unwrap();
    let mut snapshot = harness.transfer.snapshot().await.unwrap();
    let before = look_ahead(snapshot.as_mut(), &is_ana).await.unwrap();
    drop(snapshot);
    harness.subscribers.create(&subscriber("ana@acme.hr"), &some_act()).await.unwrap();
    let mut load = harness.transfer.load().await.unwrap();
    let erased = erase(load.as_mut(), &is_ana, &before).await.unwrap();
    load.commit().await.unwrap();
    assert_eq!(erased.counts(), [("subscribers", 1)]);
    assert_eq!(harness.leads.find(other.id).await.unwrap(), Some(other));
    assert_eq!(found(harness).await, []);
}
