//! The schema, and whether it is up to date.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::database::OpenError;
use crate::sql::Sql;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// Runs what has not been run, all of it or nothing.
pub(crate) fn run(connection: &mut SqliteConnection) -> Result<usize, OpenError> {
    // No lock where there is nothing to do, which is nearly always.
    if is_current(connection)? {
        return Ok(0);
    }
    connection.immediate_transaction(|connection| {
        let run = connection.run_pending_migrations(MIGRATIONS).map_err(OpenError::Migration)?;
        Ok(run.len())
    })
}

/// Whether every migration that this program knows has been run. One that it
/// does not know, of a newer program, is no hindrance.
pub(crate) fn is_current(connection: &mut SqliteConnection) -> QueryResult<bool> {
    let table = "SELECT count(*) FROM sqlite_schema WHERE name = '__diesel_schema_migrations'";
    if Sql::<BigInt>::new(table).get_result::<i64>(connection)? == 0 {
        return Ok(false);
    }
    let applied: Vec<String> =
        Sql::<Text>::new("SELECT version FROM __diesel_schema_migrations").load(connection)?;
    let known = diesel::migration::MigrationSource::<Sqlite>::migrations(&MIGRATIONS)
        .map_err(diesel::result::Error::QueryBuilderError)?;
    Ok(known.iter().all(|migration| applied.contains(&migration.name().version().to_string())))
}
