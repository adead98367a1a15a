//! Erasing a person through the ports that copy a whole database.

use exit3_app::erasure::{erase, look, note};
use exit3_domain::contact::{Contact, ContactKind};
use exit3_domain::events::{Changes, EventFilter};
use exit3_domain::jobs::{JobError, NewJob};
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
    let erased = erase(load.as_mut(), &is_ana).await.unwrap();
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
    harness.leads.update(&seen, &renamed, &some_act()).await.unwrap();
    let other = lead().full_name("Eva").email(Some("eva@acme.hr")).build();
    let other = harness.leads.create(&other, &some_act()).await.unwrap();
    harness.subscribers.create(&subscriber("ana@acme.hr"), &some_act()).await.unwrap();
    enqueue(harness, r#"{"to": "ana@acme.hr"}"#).await;
    enqueue(harness, r#"{"to": "eva@acme.hr"}"#).await;
    let mut snapshot = harness.transfer.snapshot().await.unwrap();
    let found = look(snapshot.as_mut(), &is_ana).await.unwrap();
    drop(snapshot);
    let all = [("jobs", 1), ("leads", 1), ("subscribers", 1), ("events", 1)];
    assert_eq!(found.counts(), all);
    let mut load = harness.transfer.load().await.unwrap();
    let erased = erase(load.as_mut(), &is_ana).await.unwrap();
    note(load.as_mut(), &erased, "somebody", Some("entry"), &some_act()).await.unwrap();
    load.commit().await.unwrap();
    assert_eq!(erased.counts(), all);
    assert_eq!(harness.leads.find(seen.id).await.unwrap(), None);
    assert_eq!(harness.leads.find(other.id).await.unwrap(), Some(other));
    assert_eq!(harness.subscribers.find_by_email("ana@acme.hr").await.unwrap(), None);
    let jobs = JobFilter { kind: None, state: None, most: 10 };
    let jobs = harness.jobs.list(&jobs).await.unwrap();
    assert_eq!(jobs.len(), 1);
    assert!(jobs[0].payload.contains("eva"));
    let events = harness.events.list(&EventFilter::default(), None, 100).await.unwrap();
    let update = events.iter().find(|event| event.verb.as_str() == "lead.updated").unwrap();
    assert_eq!(update.changes, Changes::one("full_name", None::<()>, None));
    let noted = events.iter().find(|event| event.verb.as_str() == "person.erased").unwrap();
    let Changes::Row(counts) = &noted.changes else { panic!("{noted:?}") };
    let expected = json!({"person": "somebody", "entry": "entry", "jobs": 1, "leads": 1, "subscribers": 1, "events": 1});
    assert_eq!(serde_json::Value::from(counts.clone()), expected);
}
