//! Behaviour specific to PostgreSQL, in addition to the contract of the ports.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod bookings;
mod clients;
#[path = "../common/mod.rs"]
mod common;
mod complete;
mod documents;
mod durability;
mod erasure;
mod failures;
mod groups;
mod guards;
mod health;
mod ids;
mod migrations;
mod outbox;
mod plans;
mod pool;
mod pooler;
mod replica;
mod rights;
mod silence;
mod transfer;

use std::time::{Duration, Instant};

use exit3_postgres::{PgDatabase, PgSettings, connect};
use exit3_testkit::postgres::{self, TestDatabase, TestPostgres};
use tokio::runtime::Handle;

/// The database at `url`, with its schema.
async fn migrated(url: &str) -> PgDatabase {
    let database = open(url);
    database.migrate().await.unwrap();
    database
}

fn open(url: &str) -> PgDatabase {
    connect(&PgSettings::parse(url).unwrap(), Handle::current())
}

/// A separate database on the server that all tests share.
async fn shared() -> (PgDatabase, TestDatabase) {
    let migrate = async |url: String| {
        migrated(&url).await;
    };
    let database = postgres::shared().create_migrated(migrate).await;
    (open(database.url()), database)
}

/// A separate server, for a test that stops or pauses it.
async fn alone() -> (PgDatabase, TestPostgres) {
    let server = tokio::task::spawn_blocking(TestPostgres::start).await.unwrap();
    let database = migrated(&server.url("postgres")).await;
    (database, server)
}

/// Polls until the condition holds.
async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < Duration::from_secs(30), "the condition never holds");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
