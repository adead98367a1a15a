//! Undoing deletions and creations of leads that are or were clients.

use exit3_app::events::{CLIENT, UndoError, Undone, undo_batch};
use exit3_domain::clients::{Client, NewClient};
use exit3_domain::events::{Act, BatchId, Changes, Event, EventId};
use exit3_domain::leads::{Lead, LeadId};

use super::Harness;
use super::clients::client;
use super::event_lists::stored;
use super::undo::{app, author, create_lead, find_lead, in_batch, newest, undone};
use crate::builders::{at, some_act};

async fn client_of(harness: &Harness, lead: &Lead) -> Client {
    let details = NewClient { lead: Some(lead.id), ..client("a") };
    harness.clients.create(&details, &some_act()).await.unwrap()
}

/// The newest event with this verb.
async fn last(harness: &Harness, verb: &str) -> Event {
    let mut events = stored(harness).await;
    events.retain(|event| event.verb.as_str() == verb);
    events.pop().unwrap()
}

/// Deletes a lead, and returns the event of the deletion.
async fn delete(harness: &Harness, lead: &Lead, act: &Act) -> EventId {
    harness.leads.delete(lead, act).await.unwrap();
    last(harness, "lead.deleted").await.id
}

async fn find(harness: &Harness, client: &Client) -> Option<Client> {
    harness.clients.find(client.id).await.unwrap()
}

async fn change(harness: &Harness, client: &Client, lead: Option<LeadId>, team: &str) -> Client {
    let seen = find(harness, client).await.unwrap();
    let details = NewClient { lead, team_id: team.to_owned(), ..seen.details.clone() };
    harness.clients.update(&seen, &details, &some_act()).await.unwrap()
}

/// What the undo reports if the client could not get its lead again.
fn without_client() -> Undone {
    Undone { conflicts: vec![CLIENT.to_owned()] }
}

pub async fn a_lead_that_comes_back_is_given_to_its_client_again(harness: &Harness) {
    let lead = create_lead(harness).await;
    let customer = client_of(harness, &lead).await;
    let mut deletion = delete(harness, &lead, &some_act()).await;
    // The undo is undone and done again, all in the same moment.
    for _ in 0..2 {
        assert_eq!(undone(harness, deletion).await.unwrap(), Undone::default());
        assert_eq!(find_lead(harness, &lead).await.as_ref(), Some(&lead));
        assert_eq!(find(harness, &customer).await.as_ref(), Some(&customer));
        let (restore, given) =
            (last(harness, "lead.restored").await, last(harness, "client.updated").await);
        assert_eq!((&given.act, given.subject.id), (&restore.act, customer.id.0));
        assert_eq!(given.changes, Changes::one("lead", None, Some(lead.id)));
        assert_eq!(undone(harness, restore.id).await.unwrap(), Undone::default());
        assert_eq!(find_lead(harness, &lead).await, None);
        assert_eq!(find(harness, &customer).await.unwrap().details.lead, None);
        let lost = last(harness, "client.updated").await;
        assert_eq!(lost.changes, Changes::one("lead", Some(lead.id), None));
        deletion = last(harness, "lead.deleted").await.id;
    }
}

pub async fn a_client_keeps_what_has_changed_when_its_lead_comes_back(harness: &Harness) {
    let by = some_act().author;
    let lead = create_lead(harness).await;
    let other = create_lead(harness).await;
    let customer = client_of(harness, &lead).await;
    let deletion = delete(harness, &lead, &by.at(at(20))).await;
    // It has another lead now.
    let moved = change(harness, &customer, Some(other.id), "b").await;
    assert_eq!(undone(harness, deletion).await.unwrap(), without_client());
    assert_eq!(find_lead(harness, &lead).await.as_ref(), Some(&lead));
    assert_eq!(find(harness, &customer).await.as_ref(), Some(&moved));
    assert_eq!(newest(harness).await.verb.as_str(), "lead.restored");
    // It has none again, but another team.
    let deletion = delete(harness, &lead, &by.at(at(21))).await;
    change(harness, &customer, None, "c").await;
    assert_eq!(undone(harness, deletion).await.unwrap(), Undone::default());
    assert_eq!(find(harness, &customer).await.unwrap().details.lead, None, "it had lost it before");
    let given = change(harness, &customer, Some(lead.id), "d").await;
    let deletion = delete(harness, &lead, &by.at(at(22))).await;
    let alone = change(harness, &customer, None, "e").await;
    assert_eq!(undone(harness, deletion).await.unwrap(), Undone::default());
    let team_id = alone.details.team_id;
    let details = NewClient { team_id, ..given.details };
    assert_eq!(find(harness, &customer).await.unwrap().details, details);
    // It is gone.
    let deletion = delete(harness, &lead, &by.at(at(23))).await;
    let seen = find(harness, &customer).await.unwrap();
    harness.clients.delete(&seen, &some_act()).await.unwrap();
    assert_eq!(undone(harness, deletion).await.unwrap(), without_client());
    assert_eq!(find_lead(harness, &lead).await, Some(lead));
}

pub async fn each_lead_is_given_to_the_client_that_it_had_last(harness: &Harness) {
    let (one, two) = (create_lead(harness).await, create_lead(harness).await);
    let (of_one, of_two) = (client_of(harness, &one).await, client_of(harness, &two).await);
    // Two in the same moment, and by the same author.
    let act = some_act();
    let deletions = [delete(harness, &one, &act).await, delete(harness, &two, &act).await];
    for deletion in deletions {
        assert_eq!(undone(harness, deletion).await.unwrap(), Undone::default());
    }
    assert_eq!(find(harness, &of_one).await.as_ref(), Some(&of_one));
    assert_eq!(find(harness, &of_two).await.as_ref(), Some(&of_two));
    // The same lead with another client, in the same moment and in another one.
    for time in [act.at, at(77)] {
        change(harness, &of_one, None, "a").await;
        let newer = client_of(harness, &one).await;
        let deletion = delete(harness, &one, &act.author.at(time)).await;
        assert_eq!(undone(harness, deletion).await.unwrap(), Undone::default());
        assert_eq!(find(harness, &of_one).await.unwrap().details.lead, None);
        assert_eq!(find(harness, &newer).await.as_ref(), Some(&newer));
        harness.clients.delete(&newer, &act).await.unwrap();
    }
}

pub async fn the_creation_of_a_lead_that_has_become_a_client_is_not_undone(harness: &Harness) {
    let lead = create_lead(harness).await;
    let creation = newest(harness).await;
    let customer = client_of(harness, &lead).await;
    let of_client = newest(harness).await;
    let outcome = undone(harness, creation.id).await;
    assert!(matches!(outcome, Err(UndoError::Overtaken)), "{outcome:?}");
    assert_eq!(find(harness, &customer).await.as_ref(), Some(&customer));
    assert_eq!(undone(harness, of_client.id).await.unwrap(), Undone::default());
    assert_eq!(undone(harness, creation.id).await.unwrap(), Undone::default());
    // A restore whose lead has become the client of another contract since.
    let lead = create_lead(harness).await;
    let customer = client_of(harness, &lead).await;
    let deletion = delete(harness, &lead, &some_act()).await;
    assert_eq!(undone(harness, deletion).await.unwrap(), Undone::default());
    let restore = last(harness, "lead.restored").await;
    let seen = find(harness, &customer).await.unwrap();
    harness.clients.delete(&seen, &some_act()).await.unwrap();
    client_of(harness, &lead).await;
    let outcome = undone(harness, restore.id).await;
    assert!(matches!(outcome, Err(UndoError::Overtaken)), "{outcome:?}");
    // A bulk action that did both.
    let by = &in_batch();
    let lead = harness.leads.create(&lead.details, by).await.unwrap();
    let details = NewClient { lead: Some(lead.id), ..client("a") };
    let customer = harness.clients.create(&details, by).await.unwrap();
    let outcomes = undo_batch(&app(harness), &BatchId("b".into()), &author()).await.unwrap();
    assert!(outcomes.iter().all(|(_, outcome)| outcome.is_ok()), "{outcomes:?}");
    assert_eq!(find_lead(harness, &lead).await, None);
    assert_eq!(find(harness, &customer).await, None);
}

pub async fn a_conversion_is_taken_back_in_two_steps(harness: &Harness) {
    let lead = create_lead(harness).await;
    let made =
        harness.clients.convert(&lead, lead.work.owner, &client("a"), &some_act()).await.unwrap();
    let (creation, conversion) =
        (last(harness, "client.created").await, last(harness, "lead.updated").await);
    // The lead itself is not deleted while it is a client.
    let created = last(harness, "lead.created").await.id;
    assert!(matches!(undone(harness, created).await, Err(UndoError::Overtaken)));
    assert_eq!(undone(harness, creation.id).await.unwrap(), Undone::default());
    assert_eq!(find(harness, &made).await, None);
    assert_eq!(undone(harness, conversion.id).await.unwrap(), Undone::default());
    let now = find_lead(harness, &lead).await.unwrap();
    assert_eq!(now.details, lead.details);
}
