//! Consumers of events miss none, no matter in which order transactions end. Each test has a server
//! of its own, because transactions in other databases of a server hold consumers up too.

use exit3_domain::events::{Event, EventFilter};
use exit3_ports::EventRepository;
use exit3_testkit::builders::{lead, some_act};
use exit3_testkit::postgres::{self, TestPostgres, client};
use tokio::task::block_in_place;

use crate::{alone, open};

/// Stores a lead's event in a transaction that stays open.
const OPEN: &str = "BEGIN; INSERT INTO events (at, actor, verb, resource, resource_id) \
                    VALUES (now(), 'command:slow', 'lead.created', 'lead', 77)";

async fn read(events: &dyn EventRepository) -> Vec<i64> {
    read_as(events, "mail").await
}

async fn read_as(events: &dyn EventRepository, consumer: &str) -> Vec<i64> {
    let unread = events.unread(consumer, 100).await.unwrap();
    if !unread.events.is_empty() {
        events.note_read(consumer, &unread, &[]).await.unwrap();
    }
    ids(&unread.events)
}

fn run(arguments: &[&str]) {
    let output = postgres::program(arguments[0]).args(&arguments[1..]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Dumps a server's database, and restores it into a new server.
fn into_a_new_server(server: &TestPostgres) -> TestPostgres {
    let directory = tempfile::tempdir().unwrap();
    let dump = directory.path().join("dump");
    let (dump, from) = (dump.to_str().unwrap(), server.url("postgres"));
    run(&["pg_dump", "-Fc", "-d", &from, "-f", dump]);
    let new = TestPostgres::start();
    run(&["pg_restore", "-d", &new.url("postgres"), dump]);
    new
}

/// Uses up transactions, as a server does that has run for long.
const LONG: &str = "DO $$ BEGIN FOR n IN 1..2000 LOOP PERFORM pg_current_xact_id(); COMMIT; \
                    END LOOP; END $$";

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

#[tokio::test(flavor = "multi_thread")]
async fn consumers_go_on_in_a_new_server_where_they_were_in_the_dump() {
    let (database, server) = alone().await;
    let repositories = database.repositories();
    let admin = client(&server.url("postgres")).await;
    let create = async |repositories: &exit3_ports::Repositories| {
        repositories.leads.create(&lead().build(), &some_act()).await.unwrap();
    };
    let events = &*repositories.events;
    for consumer in ["all", "some", "none"] {
        events.unread(consumer, 1).await.unwrap();
    }
    // Some events are from a time that the new server will see again.
    for n in 1..=6 {
        create(&repositories).await;
        if n == 2 {
            assert_eq!(read_as(events, "some").await, [1, 2]);
            admin.batch_execute(LONG).await.unwrap();
        }
    }
    assert_eq!(read_as(events, "none").await, [1, 2, 3, 4, 5, 6]);
    // The dump has it in the middle of the transactions of the events.
    let four = events.unread("some", 2).await.unwrap();
    events.note_read("some", &four, &[]).await.unwrap();
    let everything = events.list(&EventFilter::default(), None, 100).await.unwrap();

    let new = block_in_place(|| into_a_new_server(&server));
    let moved = open(&new.url("postgres"));
    let repositories = moved.repositories();
    // Before anybody looks, there are new events.
    create(&repositories).await;
    let events = &*repositories.events;
    assert!(read_as(events, "later").await.is_empty(), "it begins behind all events");
    create(&repositories).await;
    assert_eq!(read_as(events, "some").await, [5, 6, 7, 8]);
    assert_eq!(read_as(events, "all").await, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(read_as(events, "none").await, [7, 8]);
    assert_eq!(read_as(events, "later").await, [8]);
    let now = events.list(&EventFilter::default(), None, 100).await.unwrap();
    assert_eq!(now[2..], everything, "nothing else has changed");
    create(&repositories).await;
    for consumer in ["some", "all", "none", "later"] {
        assert_eq!(read_as(events, consumer).await, [9], "{consumer}");
    }
    // Once more, as soon as the first transactions of the dump have come again.
    client(&new.url("postgres")).await.batch_execute(&LONG.replace("2000", "5000")).await.unwrap();
    for consumer in ["some", "all", "none", "later"] {
        assert!(read_as(events, consumer).await.is_empty(), "{consumer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_whose_events_are_gone_goes_on_in_a_new_server() {
    let (database, server) = alone().await;
    let repositories = database.repositories();
    let admin = client(&server.url("postgres")).await;
    let by = some_act();
    let events = &*repositories.events;
    repositories.leads.create(&lead().build(), &by).await.unwrap();
    admin.batch_execute(LONG).await.unwrap();
    for consumer in ["fresh", "read"] {
        assert!(read_as(events, consumer).await.is_empty());
    }
    repositories.leads.create(&lead().build(), &by).await.unwrap();
    assert_eq!(read_as(events, "read").await, [2]);
    admin.batch_execute("DELETE FROM events WHERE id = 2").await.unwrap();
    let new = block_in_place(|| into_a_new_server(&server));
    let repositories = open(&new.url("postgres")).repositories();
    let events = &*repositories.events;
    for consumer in ["fresh", "read"] {
        assert!(read_as(events, consumer).await.is_empty(), "{consumer}");
    }
    repositories.leads.create(&lead().build(), &by).await.unwrap();
    for consumer in ["fresh", "read"] {
        assert_eq!(read_as(events, consumer).await, [3], "{consumer}");
    }
}
