//! Refuses all writes by triggers. Triggers are part of the file, so they apply to every process of
//! any version and survive a crash. They cost nothing while they do not exist.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use exit3_ports::{STAYING, StoreError, TABLES};

use crate::error::{FROZEN, from_diesel};
use crate::sql::Sql;

/// Waits for writes in progress, and refuses all later ones.
pub(crate) fn freeze(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    all(connection, |table, event| {
        format!(
            "CREATE TRIGGER IF NOT EXISTS frozen_{table}_{event} BEFORE {event} ON {table} \
             BEGIN SELECT RAISE(ABORT, '{FROZEN}'); END;"
        )
    })
}

/// Allows writes again.
pub(crate) fn thaw(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    all(connection, |table, event| format!("DROP TRIGGER IF EXISTS frozen_{table}_{event};"))
}

/// Whether writes are refused.
pub(crate) fn is_frozen(connection: &mut SqliteConnection) -> Result<bool, StoreError> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND name GLOB 'frozen_*'";
    let triggers = Sql::<BigInt>::new(sql).get_result::<i64>(connection).map_err(from_diesel)?;
    Ok(triggers > 0)
}

fn all(
    connection: &mut SqliteConnection,
    statement: impl Fn(&str, &str) -> String,
) -> Result<(), StoreError> {
    let events = ["insert", "update", "delete"];
    let statements = TABLES.iter().chain(STAYING).flat_map(|table| {
        let statement = &statement;
        events.iter().map(move |event| statement(table.name, event))
    });
    let statements: String = statements.collect();
    let work = |connection: &mut SqliteConnection| connection.batch_execute(&statements);
    connection.immediate_transaction(work).map_err(from_diesel)
}
