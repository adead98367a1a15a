//! Consumers of events. On PostgreSQL, transactions in other databases of the server may hold
//! events back, so the rules wait for them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use exit3_domain::events::{Event, EventId, Verb};
use exit3_domain::jobs::NewJob;
use exit3_ports::events::Unread;
use exit3_ports::jobs::JobFilter;
use exit3_ports::{Constraint, EventRepository, StoreError};
use tokio::task::JoinSet;

use super::Harness;
use super::event_lists::{event, stored};
use crate::builders::{at, lead, some_act};

/// Stores rows in every table of consumers.
pub(crate) async fn fill(harness: &Harness) {
    harness.events.unread("mail", 1).await.unwrap();
}

async fn note(harness: &Harness, count: i64) {
    for n in 0..count {
        harness.events.note(&event("lead.created", n), &some_act()).await.unwrap();
    }
}

/// The ids of all stored events, in order.
async fn ids(harness: &Harness) -> Vec<EventId> {
    ids_of(&stored(harness).await)
}

fn ids_of(events: &[Event]) -> Vec<EventId> {
    events.iter().map(|event| event.id).collect()
}

/// What is unread, as soon as that are `count` events.
async fn unread(harness: &Harness, consumer: &str, count: usize, size: u32) -> Unread {
    loop {
        let unread = harness.events.unread(consumer, size).await.unwrap();
        assert!(unread.events.len() <= count, "{} instead of {count}", unread.events.len());
        if unread.events.len() == count {
            return unread;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn is_stale(refused: &Result<(), StoreError>) -> bool {
    matches!(refused, Err(StoreError::Conflict(Constraint::Stale)))
}

pub async fn a_new_consumer_begins_behind_what_is_there(harness: &Harness) {
    // Waits until no open transaction could hold the first events back.
    harness.events.unread("first", 10).await.unwrap();
    note(harness, 3).await;
    let first = unread(harness, "first", 3, 10).await;
    let begun = harness.events.unread("second", 10).await.unwrap();
    assert_eq!((begun.events, begun.from), (vec![], begun.to));
    note(harness, 1).await;
    let last = *ids(harness).await.last().unwrap();
    assert_eq!(ids_of(&unread(harness, "second", 1, 10).await.events), [last]);
    // The first one has noted nothing yet.
    let all = unread(harness, "first", 4, 10).await;
    assert_eq!((all.from, &all.events[..3]), (first.from, &first.events[..]));
}

pub async fn a_consumer_reads_each_event_once_and_in_order(harness: &Harness) {
    harness.events.unread("mail", 10).await.unwrap();
    note(harness, 25).await;
    let all = ids(harness).await;
    let mut read = Vec::new();
    let mut last = None;
    for expected in [10, 10, 5] {
        let step = unread(harness, "mail", expected, 10).await;
        assert!(step.from < step.to);
        assert!(last.is_none_or(|last| last == step.from));
        last = Some(step.to);
        harness.events.note_read("mail", &step, &[]).await.unwrap();
        read.extend(ids_of(&step.events));
    }
    assert_eq!(read, all);
    let nothing = harness.events.unread("mail", 10).await.unwrap();
    assert_eq!((nothing.events.len(), nothing.from, nothing.to), (0, nothing.to, last.unwrap()));
    // Noting that there was nothing is allowed.
    harness.events.note_read("mail", &nothing, &[]).await.unwrap();
    note(harness, 1).await;
    let step = unread(harness, "mail", 1, 10).await;
    assert_eq!(step.from, nothing.to);
    assert_eq!(harness.events.find(step.events[0].id).await.unwrap().as_ref(), step.events.first());
}

pub async fn a_consumer_that_dies_before_noting_reads_again(harness: &Harness) {
    harness.events.unread("mail", 10).await.unwrap();
    note(harness, 5).await;
    let read = unread(harness, "mail", 3, 3).await;
    assert_eq!(unread(harness, "mail", 3, 3).await, read);
    let more = unread(harness, "mail", 5, 10).await;
    assert_eq!((more.from, &more.events[..3]), (read.from, &read.events[..]));
    // What is noted is what was handled, even if more could be read.
    harness.events.note_read("mail", &read, &[]).await.unwrap();
    assert_eq!(unread(harness, "mail", 2, 10).await.events, more.events[3..]);
}

pub async fn unread_events_are_never_removed(harness: &Harness) {
    harness.events.unread("mail", 10).await.unwrap();
    note(harness, 5).await;
    let all = ids(harness).await;
    let remove = async || harness.events.remove_before(at(i64::MAX / 1_000), 10).await.unwrap();
    assert_eq!(remove().await, 0);
    // One consumer has read everything, another one only a part.
    let part = unread(harness, "mail", 2, 2).await;
    harness.events.unread("fast", 10).await.unwrap();
    harness.events.note_read("mail", &part, &[]).await.unwrap();
    assert_eq!(remove().await, 2);
    assert_eq!(ids(harness).await, all[2..]);
    assert_eq!(ids_of(&unread(harness, "mail", 3, 10).await.events), all[2..]);
}

pub async fn one_of_two_nodes_moves_the_consumer(harness: &Harness) {
    harness.events.unread("mail", 10).await.unwrap();
    note(harness, 5).await;
    let (slow, fast) = (unread(harness, "mail", 2, 2).await, unread(harness, "mail", 5, 10).await);
    harness.events.note_read("mail", &fast, &[]).await.unwrap();
    for late in [&slow, &fast] {
        assert!(is_stale(&harness.events.note_read("mail", late, &[]).await));
    }
    note(harness, 1).await;
    let next = unread(harness, "mail", 1, 10).await;
    assert_eq!(next.from, fast.to);
    assert!(is_stale(&harness.events.note_read("unknown", &next, &[]).await));
}

pub async fn jobs_are_stored_with_the_position_or_not_at_all(harness: &Harness) {
    let job = |payload: &str| NewJob {
        kind: "mail".to_owned(),
        payload: payload.to_owned(),
        run_at: None,
        unique_key: None,
    };
    let everything = JobFilter { kind: None, state: None, most: 10 };
    harness.events.unread("mail", 10).await.unwrap();
    note(harness, 2).await;
    let read = unread(harness, "mail", 2, 10).await;
    // A job that cannot be stored leaves the position where it is.
    let wrong = [job("1"), job("a\0b")];
    assert!(harness.events.note_read("mail", &read, &wrong).await.is_err());
    assert_eq!(unread(harness, "mail", 2, 10).await, read);
    harness.events.note_read("mail", &read, &[job("1"), job("2")]).await.unwrap();
    assert!(is_stale(&harness.events.note_read("mail", &read, &[job("3")]).await));
    let stored = harness.jobs.list(&everything).await.unwrap();
    let payloads: Vec<_> = stored.iter().map(|job| job.payload.as_str()).collect();
    assert_eq!(payloads, ["2", "1"]);
}

pub async fn loaded_events_are_not_told_again(harness: &Harness) {
    note(harness, 3).await;
    harness.events.unread("mail", 10).await.unwrap();
    note(harness, 2).await;
    let mut load = harness.transfer.load().await.unwrap();
    let shapes = load.shapes().await.unwrap();
    let events = shapes.iter().find(|shape| shape.table.name == "events").unwrap();
    let rows = load.rows(events, 0, 100).await.unwrap();
    // The archive is older than the database.
    load.clear().await.unwrap();
    load.write(events, rows[..4].to_vec()).await.unwrap();
    load.keep_ids(events.table, 4).await.unwrap();
    load.pass_events().await.unwrap();
    load.commit().await.unwrap();
    assert_eq!(harness.events.unread("mail", 10).await.unwrap().events, []);
    note(harness, 1).await;
    let last = *ids(harness).await.last().unwrap();
    assert_eq!(ids_of(&unread(harness, "mail", 1, 10).await.events), [last]);
}

pub async fn a_copy_carries_what_consumers_have_not_read(harness: &Harness) {
    harness.events.unread("all", 10).await.unwrap();
    harness.events.unread("some", 10).await.unwrap();
    note(harness, 5).await;
    let ids = ids(harness).await;
    unread(harness, "all", 5, 10).await;
    let step = unread(harness, "some", 2, 2).await;
    harness.events.note_read("some", &step, &[]).await.unwrap();
    harness.events.unread("none", 10).await.unwrap();
    let mut snapshot = harness.transfer.snapshot().await.unwrap();
    let consumers = snapshot.consumers().await.unwrap();
    drop(snapshot);
    let expected = [("all", ids[0].0 - 1), ("none", ids[4].0), ("some", ids[1].0)];
    let expected = expected.map(|(name, read): (&str, i64)| (name.to_owned(), read));
    assert_eq!(consumers, expected);
    let mut load = harness.transfer.load().await.unwrap();
    let shapes = load.shapes().await.unwrap();
    let events = shapes.iter().find(|shape| shape.table.name == "events").unwrap();
    let rows = load.rows(events, 0, 100).await.unwrap();
    load.clear().await.unwrap();
    load.write(events, rows).await.unwrap();
    load.pass_events().await.unwrap();
    for (name, read) in consumers.into_iter().chain([("another".to_owned(), ids[3].0)]) {
        load.place_consumer(&name, read).await.unwrap();
    }
    load.commit().await.unwrap();
    note(harness, 1).await;
    for (name, left) in [("all", 6), ("some", 4), ("another", 2), ("none", 1)] {
        let read = ids_of(&unread(harness, name, left, 10).await.events);
        assert_eq!(read[..left - 1], ids[6 - left..], "{name}");
    }
}

pub async fn consumers_do_not_disturb_each_other(harness: &Harness) {
    for consumer in ["mail", "Mail"] {
        harness.events.unread(consumer, 10).await.unwrap();
    }
    note(harness, 3).await;
    let mail = unread(harness, "mail", 3, 10).await;
    harness.events.note_read("mail", &mail, &[]).await.unwrap();
    assert_eq!(unread(harness, "Mail", 3, 10).await.events, mail.events);
    assert_eq!(harness.events.unread("mail", 10).await.unwrap().events, []);
}

pub async fn a_consumer_that_is_forgotten_keeps_no_events(harness: &Harness) {
    for consumer in ["tags.mail", "gone", "tags_mail", "Tags"] {
        harness.events.unread(consumer, 10).await.unwrap();
    }
    let consumers = async || {
        let all = harness.events.consumers().await.unwrap();
        all.into_iter().map(|it| (it.name, it.unread_since)).collect::<Vec<_>>()
    };
    let named = |name: &str, since| (name.to_owned(), since);
    let none = ["Tags", "gone", "tags.mail", "tags_mail"].map(|name| named(name, None));
    assert_eq!(consumers().await, none);
    note(harness, 3).await;
    let read = unread(harness, "gone", 1, 1).await;
    harness.events.note_read("gone", &read, &[]).await.unwrap();
    let all = stored(harness).await;
    let (first, second) = (Some(all[0].act.at), Some(all[1].act.at));
    let expected = [("Tags", first), ("gone", second), ("tags.mail", first), ("tags_mail", first)];
    assert_eq!(consumers().await, expected.map(|(name, since)| named(name, since)));
    for consumer in ["Tags", "tags_mail", "tags.mail"] {
        let forgotten = harness.events.forget_consumer(consumer).await;
        assert!(forgotten.is_ok(), "{consumer}: {forgotten:?}");
        let again = harness.events.forget_consumer(consumer).await;
        assert!(matches!(again, Err(StoreError::NotFound)), "{again:?}");
    }
    assert_eq!(consumers().await, [named("gone", second)]);
    let remove = async || harness.events.remove_before(at(i64::MAX / 1_000), 10).await.unwrap();
    assert_eq!(remove().await, 1);
    harness.events.forget_consumer("gone").await.unwrap();
    assert_eq!(remove().await, 2);
    // A consumer that comes back begins behind the events that are stored by then.
    assert_eq!(harness.events.unread("tags.mail", 10).await.unwrap().events, []);
}

pub async fn names_of_consumers_are_limited(harness: &Harness) {
    let longest = "\u{111}".repeat(100);
    harness.events.unread(&longest, 10).await.unwrap();
    note(harness, 1).await;
    let read = unread(harness, &longest, 1, 10).await;
    harness.events.note_read(&longest, &read, &[]).await.unwrap();
    for refused in ["\u{111}".repeat(101), "a\0b".to_owned()] {
        let outcome = harness.events.unread(&refused, 10).await;
        assert!(matches!(outcome, Err(StoreError::Other(_))), "{refused:?}: {outcome:?}");
    }
}

/// Starts fifty writers that each create, update and delete a lead; every third refuses a row in
/// between, so that transactions end without an event. Returns how many events there will be.
fn writers(harness: &Harness) -> (JoinSet<()>, usize) {
    let mut writers = JoinSet::new();
    for n in 0..50 {
        let leads = Arc::clone(&harness.leads);
        writers.spawn(async move {
            let by = some_act();
            let seen = leads.create(&lead().build(), &by).await.unwrap();
            if n % 3 == 0 {
                let too_long = lead().full_name("x".repeat(256)).build();
                leads.create(&too_long, &by).await.unwrap_err();
            }
            let seen =
                leads.update(&seen, &lead().notes(None).build(), &seen.work, &by).await.unwrap();
            leads.delete(&seen, &by).await.unwrap();
        });
    }
    (writers, 150)
}

/// Checks that these are all stored events, each once, and those of each row in order.
async fn are_all_once_and_in_order(harness: &Harness, read: &[Event]) {
    let unique: BTreeSet<EventId> = read.iter().map(|event| event.id).collect();
    assert_eq!(unique.len(), read.len(), "an event was read twice");
    assert_eq!(unique, ids(harness).await.into_iter().collect(), "an event was missed");
    let mut rows: BTreeMap<i64, Vec<&str>> = BTreeMap::new();
    for event in read {
        rows.entry(event.subject.id).or_default().push(event.verb.action());
    }
    for (row, actions) in rows {
        assert_eq!(actions, [Verb::CREATED, Verb::UPDATED, Verb::DELETED], "{row}");
    }
}

pub async fn events_of_fifty_writers_are_read_once_each_and_in_order(harness: &Harness) {
    harness.events.unread("mail", 10).await.unwrap();
    let (writers, expected) = writers(harness);
    let mut read: Vec<Event> = Vec::new();
    while read.len() < expected {
        let step = harness.events.unread("mail", 7).await.unwrap();
        harness.events.note_read("mail", &step, &[]).await.unwrap();
        read.extend(step.events);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    writers.join_all().await;
    assert_eq!(harness.events.unread("mail", 7).await.unwrap().events, []);
    are_all_once_and_in_order(harness, &read).await;
}

/// Reads as one of several nodes until `expected` events are handled by all together. Only events
/// whose position this node could note count as handled.
async fn node(
    events: Arc<dyn EventRepository>,
    handled: Arc<tokio::sync::Mutex<Vec<Event>>>,
    expected: usize,
) {
    loop {
        let step = events.unread("mail", 5).await.unwrap();
        // Another node reads the same in between.
        tokio::time::sleep(Duration::from_millis(1)).await;
        let mut handled = handled.lock().await;
        match events.note_read("mail", &step, &[]).await {
            Ok(()) => handled.extend(step.events),
            Err(StoreError::Conflict(Constraint::Stale)) => {}
            Err(error) => panic!("{error:?}"),
        }
        if handled.len() >= expected {
            return;
        }
    }
}

pub async fn two_nodes_share_a_consumer_while_others_write(harness: &Harness) {
    harness.events.unread("mail", 10).await.unwrap();
    let (writers, expected) = writers(harness);
    let handled = Arc::new(tokio::sync::Mutex::new(Vec::new()));
    let mut nodes = JoinSet::new();
    for _ in 0..2 {
        nodes.spawn(node(Arc::clone(&harness.events), Arc::clone(&handled), expected));
    }
    nodes.join_all().await;
    writers.join_all().await;
    let handled = handled.lock().await;
    are_all_once_and_in_order(harness, &handled).await;
}
