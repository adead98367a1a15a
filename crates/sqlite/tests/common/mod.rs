//! The repositories of a database, as the contract suite needs them.

use std::sync::Arc;

use exit3_sqlite::SqliteDatabase;
use exit3_testkit::contract::Harness;

/// Nothing but the database must be kept alive.
pub(crate) fn harness_over(database: &SqliteDatabase) -> Harness {
    Harness {
        leads: Arc::new(database.leads()),
        subscribers: Arc::new(database.subscribers()),
        api_keys: Arc::new(database.api_keys()),
        clients: Arc::new(database.clients()),
        staff: Arc::new(database.staff()),
        health: Arc::new(database.health()),
        transfer: Arc::new(database.transfer()),
        backups: Arc::new(database.backups()),
        guard: Box::new(database.clone()),
    }
}
