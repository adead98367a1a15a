//! A database that another program has locked.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use exit3_ports::Obstacle;
use exit3_sqlite::{SqliteDatabase, SqliteSettings};
use exit3_testkit::builders;

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_of_another_program_is_reported_until_it_is_released() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("locked.sqlite3");
    let database = SqliteDatabase::open(&path, &SqliteSettings::default()).unwrap();
    database.migrate().unwrap();
    let (leads, health) = (database.repositories().leads, database.repositories().health);
    let lead = builders::lead().build();
    leads.create(&lead, &builders::act(builders::at(0))).await.unwrap();
    let mut other = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    assert_eq!(health.obstacle().await.unwrap(), None, "nobody has noticed yet");
    assert!(leads.create(&lead, &builders::act(builders::at(1))).await.is_err());
    let begun = Instant::now();
    let told = loop {
        // The write may give up slightly before or after SQLite does.
        if let Some(Obstacle::WritesFail(told)) = health.obstacle().await.unwrap() {
            break told;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "the lock is not reported");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(told.contains("another program"), "{told}");
    health.ping().await.unwrap();
    assert!(health.schema_is_current().await.unwrap());
    other.batch_execute("ROLLBACK").unwrap();
    // Without a client's write, because those may go elsewhere while this node is not ready.
    while health.obstacle().await.unwrap().is_some() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the database does not recover");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    leads.create(&lead, &builders::act(builders::at(2))).await.unwrap();
}
