//! The repositories of a database, as the contract suite needs them.

use std::sync::Arc;

use exit3_sqlite::SqliteDatabase;
use exit3_testkit::contract::Harness;

/// Nothing but the database must be kept alive.
pub(crate) fn harness_over(database: &SqliteDatabase) -> Harness {
    let indexed = database.clone();
    Harness {
        index_leads: Box::new(move |most| {
            let database = indexed.clone();
            Box::pin(async move { database.index_leads(most).await.unwrap() })
        }),
        repositories: database.repositories(),
        transfer: Arc::new(database.transfer()),
        refuse_events: Box::new(|_| panic!("only the contract suite refuses events")),
        guard: Box::new(database.clone()),
    }
}
