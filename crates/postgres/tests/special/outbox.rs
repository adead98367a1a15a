//! Consumers of events miss none, no matter in which order transactions end. Each test has a server
//! of its own, because transactions in other databases of a server hold consumers up too.

use exit3_domain::events::{Event, EventFilter};
use exit3_ports::EventRepository;
use exit3_testkit::builders::{lead, some_act};
use exit3_testkit::postgres::client;

use crate::alone;

/// Stores a lead's event in a transaction that stays open.
const OPEN: &str = "BEGIN; INSERT INTO events (at, actor, verb, resource, resource_id) \
                    VALUES (now(), 'command:slow', 'lead.created', 'lead', 77)";

async fn read(events: &dyn EventRepository) -> Vec<i64> {
    let unread = events.unread("mail", 100).await.unwrap();
    if !unread.events.is_empty() {
        events.note_read("mail", &unread, &[]).await.unwrap();
    }
    ids(&unread.events)
}

fn ids(events: &[Event]) -> Vec<i64> {
    events.iter().map(|event| event.id.0).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_ends_late_is_read_before_those_that_began_after_it() {
    let (database, server) = alone().await;
    let repositories = database.repositories();
    let events = &*repositories.events;
    let create = async || {
        repositories.leads.create(&lead().build(), &some_act()).await.unwrap();
        let all = events.list(&EventFilter::default(), None, 100).await.unwrap();
        ids(&all).into_iter().max().unwrap()
    };
    assert!(read(events).await.is_empty());
    let before = create().await;
    let slow = client(&server.url("postgres")).await;
    slow.batch_execute(OPEN).await.unwrap();
    assert_eq!(read(events).await, [before]);
    let (one, two) = (create().await, create().await);
    // The slow event has the lowest id, and a consumer that read past it would never see it.
    assert!(read(events).await.is_empty());
    slow.batch_execute("COMMIT").await.unwrap();
    let three = create().await;
    assert_eq!(read(events).await, [before + 1, one, two, three]);
    assert!(read(events).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_is_undone_or_only_reads_holds_nothing_up() {
    let (database, server) = alone().await;
    let repositories = database.repositories();
    let events = &*repositories.events;
    assert!(read(events).await.is_empty());
    let (slow, reader) =
        (client(&server.url("postgres")).await, client(&server.url("postgres")).await);
    reader.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; TABLE events").await.unwrap();
    repositories.leads.create(&lead().build(), &some_act()).await.unwrap();
    assert_eq!(read(events).await.len(), 1);
    slow.batch_execute(OPEN).await.unwrap();
    repositories.leads.create(&lead().build(), &some_act()).await.unwrap();
    assert!(read(events).await.is_empty());
    slow.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(read(events).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_consumer_misses_no_transaction_that_is_open() {
    let (database, server) = alone().await;
    let events = database.repositories().events;
    let slow = client(&server.url("postgres")).await;
    slow.batch_execute(OPEN).await.unwrap();
    assert!(read(&*events).await.is_empty());
    slow.batch_execute("COMMIT").await.unwrap();
    assert_eq!(read(&*events).await.len(), 1);
}
