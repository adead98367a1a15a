//! The adapter keeps the contract of the ports.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::sync::Arc;

use exit3_sqlite::{SqliteDatabase, SqliteSettings};
use exit3_testkit::contract::Harness;

async fn harness() -> Harness {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("contract.sqlite3");
    let database = SqliteDatabase::open(&path, &SqliteSettings::default()).unwrap();
    database.migrate().unwrap();
    let (leads, subscribers) = (database.leads(), database.subscribers());
    let (health, api_keys) = (database.health(), database.api_keys());
    let (clients, staff) = (database.clients(), database.staff());
    let guard = (database, directory);
    Harness {
        leads: Arc::new(leads),
        subscribers: Arc::new(subscribers),
        api_keys: Arc::new(api_keys),
        clients: Arc::new(clients),
        staff: Arc::new(staff),
        health: Arc::new(health),
        guard: Box::new(guard),
    }
}

exit3_testkit::repository_contract!(harness().await);
