//! Refuses all writes by triggers. Triggers are part of the file, so they apply to every process of
//! any version and survive a crash. They cost nothing while they do not exist.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_types::{BigInt, Text};
use exit3_ports::{STAYING, Shape, StoreError, TABLES, table};

use crate::error::{FROZEN, from_diesel};
use crate::sql::Sql;

/// Waits for writes in progress, and refuses all later ones. `shapes` are those of the database.
pub(crate) fn freeze(
    connection: &mut SqliteConnection,
    shapes: &[Shape],
) -> Result<(), StoreError> {
    let events = ["insert", "update", "delete"];
    let of_modules = shapes.iter().map(|shape| shape.table).filter(|it| table(it.name).is_none());
    let tables = TABLES.iter().chain(STAYING).chain(of_modules).map(|table| table.name);
    let statements = tables.flat_map(|table| {
        events.iter().map(move |event| {
            format!(
                "CREATE TRIGGER IF NOT EXISTS frozen_{table}_{event} BEFORE {event} ON {table} \
                 BEGIN SELECT RAISE(ABORT, '{FROZEN}'); END;"
            )
        })
    });
    let statements: String = statements.collect();
    let work = |connection: &mut SqliteConnection| connection.batch_execute(&statements);
    connection.immediate_transaction(work).map_err(from_diesel)
}

/// Allows writes again, also to tables that this release does not know.
pub(crate) fn thaw(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let work = |connection: &mut SqliteConnection| {
        let mut drops = Sql::<Text>::new("SELECT 'DROP TRIGGER \"' || name || '\";' ");
        drops.sql(TRIGGERS);
        let drops: Vec<String> = drops.load(connection)?;
        connection.batch_execute(&drops.concat())
    };
    connection.immediate_transaction(work).map_err(from_diesel)
}

/// Whether writes are refused. Every release knows the table of leads.
pub(crate) fn is_frozen(connection: &mut SqliteConnection) -> Result<bool, StoreError> {
    count(connection, "frozen_leads_*").map(|triggers| triggers > 0).map_err(from_diesel)
}

/// Fails as a write does, if writes are refused. No trigger refuses a migration that only makes
/// tables, and rows could then be written to those.
pub(crate) fn refuse(connection: &mut SqliteConnection) -> QueryResult<()> {
    match count(connection, "frozen_leads_*")? {
        0 => Ok(()),
        _ => Err(Error::DatabaseError(DatabaseErrorKind::Unknown, Box::new(FROZEN.to_owned()))),
    }
}

/// Whether writes to some tables are still refused, because an earlier release has allowed writes to
/// those that it knew.
pub(crate) fn is_half_thawed(connection: &mut SqliteConnection) -> Result<bool, StoreError> {
    let any = count(connection, "frozen_*").map_err(from_diesel)? > 0;
    Ok(any && !is_frozen(connection)?)
}

const TRIGGERS: &str = "FROM sqlite_schema WHERE type = 'trigger' AND name GLOB 'frozen_*'";

fn count(connection: &mut SqliteConnection, names: &str) -> QueryResult<i64> {
    let mut count = Sql::<BigInt>::new("SELECT count(*) ");
    count.sql(TRIGGERS).sql(" AND name GLOB ").text(names);
    count.get_result(connection)
}
