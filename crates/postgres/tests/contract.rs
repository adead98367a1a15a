//! The adapter keeps the contract of the ports.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::sync::Arc;

use exit3_postgres::{PgSettings, connect};
use exit3_testkit::contract::Harness;
use exit3_testkit::postgres;
use tokio::runtime::Handle;

async fn harness() -> Harness {
    let database = postgres::shared().create_migrated(migrate).await;
    let settings = PgSettings::parse(database.url()).unwrap();
    let connected = connect(&settings, Handle::current());
    let (leads, subscribers) = (connected.leads(), connected.subscribers());
    let (health, api_keys) = (connected.health(), connected.api_keys());
    let (clients, staff) = (connected.clients(), connected.staff());
    Harness {
        leads: Arc::new(leads),
        subscribers: Arc::new(subscribers),
        api_keys: Arc::new(api_keys),
        clients: Arc::new(clients),
        staff: Arc::new(staff),
        health: Arc::new(health),
        guard: Box::new(database),
    }
}

async fn migrate(url: String) {
    let settings = PgSettings::parse(&url).unwrap();
    connect(&settings, Handle::current()).migrate().await.unwrap();
}

exit3_testkit::repository_contract!(harness().await);
