//! Copies of a database during concurrent changes.

use exit3_ports::{Transfer, table};
use exit3_testkit::builders::{act, at, lead};
use exit3_testkit::log::Log;
use exit3_testkit::postgres;

use crate::{shared, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_waits_for_a_session_that_replaces_all_rows() {
    let (pg, database) = shared().await;
    pg.repositories().leads.create(&lead().build(), &act(at(1))).await.unwrap();
    let other = postgres::client(database.url()).await;
    other
        .batch_execute(
            "BEGIN; CREATE TEMP TABLE kept AS SELECT * FROM leads; TRUNCATE leads CASCADE; \
             INSERT INTO leads OVERRIDING SYSTEM VALUE SELECT * FROM kept",
        )
        .await
        .unwrap();
    let transfer = pg.transfer();
    let snapshot = tokio::spawn(async move { transfer.snapshot().await });
    let admin = postgres::client(database.url()).await;
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted \
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    until(async || admin.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) > 0).await;
    other.batch_execute("COMMIT").await.unwrap();
    let mut snapshot = snapshot.await.unwrap().unwrap();
    assert_eq!(snapshot.count(table("leads").unwrap()).await.unwrap(), 1);
}

/// A trigger on clients writes to the table of contract files.
#[tokio::test(flavor = "multi_thread")]
async fn waiting_to_restore_is_no_deadlock_for_a_writer_of_clients() {
    let (own, database) = shared().await;
    let writer = postgres::client(database.url()).await;
    writer.batch_execute("BEGIN; UPDATE clients SET team_id = team_id").await.unwrap();
    let loading = tokio::spawn(async move { own.transfer().load().await.map(drop) });
    let admin = postgres::client(database.url()).await;
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'ExclusiveLock' \
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    until(async || admin.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) > 0).await;
    // Shorter than the time after which PostgreSQL resolves a deadlock.
    let note = "SET LOCAL lock_timeout = '300ms'; \
                INSERT INTO contract_files (file) VALUES ('a.pdf'); COMMIT";
    writer.batch_execute(note).await.unwrap();
    loading.await.unwrap().unwrap();
}

#[tokio::test]
async fn waiting_to_restore_is_logged_with_the_blocking_session() {
    let (own, database) = shared().await;
    let writer = postgres::client(database.url()).await;
    let write = "SET application_name = 'slow'; BEGIN; UPDATE leads SET notes = notes";
    writer.batch_execute(write).await.unwrap();
    let log = Log::default();
    let _told = tracing::subscriber::set_default(log.subscriber());
    let loading = tokio::spawn(async move { own.transfer().load().await.map(drop) });
    until(async || log.text().contains("waiting for others who use the tables: process ")).await;
    assert!(log.text().contains("(slow, "), "{}", log.text());
    assert!(!loading.is_finished());
    writer.batch_execute("COMMIT").await.unwrap();
    loading.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_counts_are_found() {
    for (harm, table) in [
        ("UPDATE lead_counts SET n = n + 1", "lead_counts"),
        ("INSERT INTO subscriber_counts VALUES (true, 0, 1)", "subscriber_counts"),
    ] {
        let (pg, database) = shared().await;
        pg.repositories().leads.create(&lead().build(), &act(at(1))).await.unwrap();
        let damage = async || pg.transfer().snapshot().await.unwrap().damage().await.unwrap();
        assert_eq!(damage().await, None);
        postgres::client(database.url()).await.batch_execute(harm).await.unwrap();
        assert!(damage().await.is_some_and(|found| found.contains(table)), "{table}");
    }
}
