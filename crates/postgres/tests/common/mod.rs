//! The repositories of a database, as the contract suite needs them.

use std::sync::Arc;

use exit3_postgres::PgDatabase;
use exit3_testkit::contract::Harness;

/// Nothing else must be kept alive.
pub(crate) fn harness_over(database: &PgDatabase) -> Harness {
    Harness {
        repositories: database.repositories(),
        transfer: Arc::new(database.transfer()),
        // PostgreSQL indexes every row when it is written.
        index_leads: Box::new(|_| Box::pin(async { 0 })),
        refuse_events: Box::new(|_| panic!("only the contract suite refuses events")),
        guard: Box::new(()),
    }
}
