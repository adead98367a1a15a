//! The writes of leads and of notes about them.

use exit3_domain::clients::NewClient;
use exit3_domain::events::{Changes, record};
use exit3_domain::lead_notes::LeadNote;
use exit3_domain::leads::{LeadId, LeadStatus, NewLead};

use super::Harness;
use super::clients::client;
use super::events::{Call, call, created};
use super::lead_work::work;
use crate::builders::{at, lead, some_act};

pub(super) async fn lead_calls(harness: &Harness) -> Vec<Call<'_>> {
    let leads = &harness.leads;
    let create = async || leads.create(&lead().build(), &some_act()).await.unwrap();
    let (changed, gone, known) = (create().await, create().await, create().await);
    let (back, back_too) = (create().await, create().await);
    for lead in [&back, &back_too] {
        leads.delete(lead, &some_act()).await.unwrap();
    }
    let alone = harness.clients.create(&client("alone"), &some_act()).await.unwrap();
    let of_known = NewClient { lead: Some(known.id), ..client("known") };
    let of_known = harness.clients.create(&of_known, &some_act()).await.unwrap();
    let details = NewLead { status: LeadStatus::Closed, notes: None, ..changed.details.clone() };
    vec![
        call("leads", "create", move |act| async move {
            let new = leads.create(&lead().build(), &act).await?;
            Ok(created("lead.created", new.id.0))
        }),
        call("leads", "create_as", move |act| async move {
            let id = *leads.reserve_ids(1).await?[0].start();
            leads.create_as(LeadId(id), &lead().build(), &act).await?;
            Ok(created("lead.created", id))
        }),
        call("leads", "create_with_work", move |act| async move {
            let new = leads.create_with_work(&lead().build(), &work(), &act).await?;
            Ok(created("lead.created", new.id.0))
        }),
        call("leads", "create_many", move |act| async move {
            let last = newest_lead(harness).await;
            let new = [5, 6].map(|time| (lead().build(), at(time)));
            leads.create_many(&new, &act).await?;
            Ok([1, 2].map(|n| ("lead.created", last + n, Changes::None)).to_vec())
        }),
        call("leads", "update", move |act| {
            let (seen, details) = (changed.clone(), details.clone());
            async move {
                let changes = seen.changes(&details, &work());
                leads.update(&seen, &details, &work(), &act).await?;
                Ok(vec![("lead.updated", seen.id.0, changes)])
            }
        }),
        call("leads", "delete", move |act| {
            let seen = gone.clone();
            async move {
                leads.delete(&seen, &act).await?;
                Ok(vec![("lead.deleted", seen.id.0, Changes::Row(record(&seen)))])
            }
        }),
        // The client of a deleted lead loses it, which is a change of the client.
        call("leads", "delete", move |act| {
            let (seen, client) = (known.clone(), of_known.id.0);
            async move {
                leads.delete(&seen, &act).await?;
                let lost = Changes::one("lead", Some(seen.id.0), None);
                Ok(vec![
                    ("lead.deleted", seen.id.0, Changes::Row(record(&seen))),
                    ("client.updated", client, lost),
                ])
            }
        }),
        call("leads", "restore", move |act| {
            let row = back.clone();
            async move {
                leads.restore(&row, None, &act).await?;
                Ok(created("lead.restored", row.id.0))
            }
        }),
        // A restored lead is given to its client again, which is a change of the client.
        call("leads", "restore", move |act| {
            let (row, client) = (back_too.clone(), alone.id);
            async move {
                leads.restore(&row, Some(client), &act).await?;
                let given = Changes::one("lead", None, Some(row.id.0));
                Ok(vec![
                    ("lead.restored", row.id.0, Changes::None),
                    ("client.updated", client.0, given),
                ])
            }
        }),
    ]
}

pub(super) async fn note_calls(harness: &Harness) -> Vec<Call<'_>> {
    let notes = &harness.lead_notes;
    let lead = harness.leads.create(&lead().build(), &some_act()).await.unwrap().id;
    let add = async |text: &str| notes.add(lead, text, &some_act()).await.unwrap();
    let (gone, back) = (add("gone").await, add("back").await);
    notes.remove(&back, &some_act()).await.unwrap();
    vec![
        call("lead_notes", "add", move |act| async move {
            let new = notes.add(lead, "new", &act).await?;
            Ok(vec![("lead.noted", lead.0, LeadNote::addition(new.id))])
        }),
        call("lead_notes", "remove", move |act| {
            let note = gone.clone();
            async move {
                notes.remove(&note, &act).await?;
                Ok(vec![("lead.note_removed", lead.0, note.removal())])
            }
        }),
        call("lead_notes", "restore", move |act| {
            let note = back.clone();
            async move {
                notes.restore(&note, &act).await?;
                Ok(vec![("lead.note_restored", lead.0, LeadNote::addition(note.id))])
            }
        }),
    ]
}

/// The id of the newest lead.
async fn newest_lead(harness: &Harness) -> i64 {
    let all = super::model::everything(harness.leads.as_ref()).await;
    all.iter().map(|lead| lead.id.0).max().unwrap()
}
