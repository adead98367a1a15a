//! The records of modules: which of their migrations are applied, and how their tables are defined.

use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_types::{BigInt, Text};
use exit3_ports::modules::RECORDS;
use exit3_ports::{Ladder, Migration, ModuleRecord, ModuleSchema, Target};

use crate::sql::Sql;

/// Creates the table of records.
pub(super) const TABLE: &str = "CREATE TABLE IF NOT EXISTS __exit3_modules (
    module TEXT NOT NULL,
    version TEXT NOT NULL,
    core TEXT NOT NULL,
    tables TEXT NOT NULL,
    run_on TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (module, version)
) STRICT";

/// The versions of the applied migrations of a module.
pub(super) fn versions(
    connection: &mut SqliteConnection,
    module: &ModuleSchema,
) -> QueryResult<Vec<String>> {
    if !exist(connection)? {
        return Ok(Vec::new());
    }
    let mut select = Sql::<Text>::new("SELECT version FROM __exit3_modules WHERE module = ");
    select.text(module.module);
    select.load(connection)
}

/// Records that a step was applied, or forgets it.
pub(super) fn note(
    connection: &mut SqliteConnection,
    module: &ModuleSchema,
    step: &Migration,
    is_up: bool,
) -> QueryResult<()> {
    let note = if is_up {
        let mut note =
            Sql::<()>::new("INSERT INTO __exit3_modules (module, version, core, tables) SELECT ");
        note.text(module.module).sql(", ").text(step.version());
        note.sql(", coalesce(max(version), ''), ").text(module.definition());
        note.sql(" FROM __diesel_schema_migrations");
        note
    } else {
        let mut forget = Sql::<()>::new("DELETE FROM __exit3_modules WHERE module = ");
        forget.text(module.module).sql(" AND version = ").text(step.version());
        forget
    };
    note.execute(connection).map(drop)
}

/// Whether the tables are recorded as the module defines them. A program that needs no migration may
/// define them otherwise than the one that migrated, for example with one more contact.
pub(super) fn is_defined(
    connection: &mut SqliteConnection,
    ladder: &Ladder,
    target: Target,
) -> QueryResult<bool> {
    let (Some(module), Target::Newest) = (&ladder.module, target) else { return Ok(true) };
    let Some(newest) = ladder.steps.last().map(Migration::version) else { return Ok(true) };
    if !exist(connection)? {
        return Ok(true);
    }
    let mut differs = Sql::<BigInt>::new("SELECT count(*) FROM __exit3_modules WHERE module = ");
    differs.text(module.module).sql(" AND version = ").text(newest);
    differs.sql(" AND tables <> ").text(module.definition());
    Ok(differs.get_result::<i64>(connection)? == 0)
}

/// Records how the module defines the tables.
pub(super) fn define(connection: &mut SqliteConnection, ladder: &Ladder) -> QueryResult<()> {
    let Some(module) = &ladder.module else { return Ok(()) };
    let Some(newest) = ladder.steps.last().map(Migration::version) else { return Ok(()) };
    let mut define = Sql::<()>::new("UPDATE __exit3_modules SET tables = ");
    define.text(module.definition()).sql(" WHERE module = ").text(module.module);
    define.sql(" AND version = ").text(newest);
    define.execute(connection).map(drop)
}

/// The newest record of each module.
pub(crate) fn newest(connection: &mut SqliteConnection) -> QueryResult<Vec<ModuleRecord>> {
    if !exist(connection)? {
        return Ok(Vec::new());
    }
    let select = "SELECT module, version, core, tables FROM __exit3_modules \
                  ORDER BY module, version";
    let rows: Vec<(String, String, String, String)> =
        Sql::<(Text, Text, Text, Text)>::new(select).load(connection)?;
    ModuleRecord::newest(rows).map_err(|error| Error::DeserializationError(error.into()))
}

fn exist(connection: &mut SqliteConnection) -> QueryResult<bool> {
    let mut count = Sql::<BigInt>::new("SELECT count(*) FROM sqlite_schema WHERE name = ");
    count.text(RECORDS);
    Ok(count.get_result::<i64>(connection)? > 0)
}
