//! Migrates the schema up and down.

pub(crate) mod records;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use exit3_ports::{Ladder, Migration, ModuleRecord, Moved, Rows, SchemaState, Target, Way};

use crate::connection::OpenError;
use crate::freeze;
use crate::sql::Sql;

pub(crate) const MIGRATIONS: &[Migration] = exit3_ports::migrations::SQLITE;

/// The service's own migrations.
pub(crate) const OWN: Ladder = Ladder::own(MIGRATIONS);

/// The table of applied migrations, named as diesel's own tool names it.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS __diesel_schema_migrations (
    version VARCHAR(50) PRIMARY KEY NOT NULL,
    run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
)";

/// Whether the schema is `target` already. Needs neither a lock nor free space.
pub(crate) fn is_there(
    connection: &mut SqliteConnection,
    ladder: &Ladder,
    target: Target,
) -> Result<bool, OpenError> {
    let way = Way::find(ladder.steps, &applied(connection, ladder)?, target)?;
    Ok(way.is_empty() && records::is_defined(connection, ladder, target)?)
}

/// Migrates to the schema `target`, completely or not at all. Reads continue meanwhile; writes
/// wait. A frozen database gets no tables of modules: no trigger would refuse rows in them.
pub(crate) fn run(
    connection: &mut SqliteConnection,
    ladder: &Ladder,
    target: Target,
    rows: Rows,
) -> Result<Moved, OpenError> {
    connection.immediate_transaction(|connection| {
        connection.batch_execute(ladder.module.map_or(TABLE, |_| records::TABLE))?;
        let way = Way::find(ladder.steps, &applied(connection, ladder)?, target)?;
        if let (Some(_), Some(step)) = (&ladder.module, way.up.first().or(way.down.first())) {
            let failed = |source| OpenError::Migration { name: ladder.name_of(step), source };
            freeze::refuse(connection).map_err(failed)?;
        }
        for step in &way.up {
            take(connection, ladder, step, true)?;
        }
        if ladder.module.is_none() && !way.down.is_empty() {
            ModuleRecord::let_go(records::newest(connection)?, &way.down)?;
        }
        for step in &way.down {
            if rows == Rows::Keep {
                refuse_rows(connection, step)?;
            }
            take(connection, ladder, step, false)?;
        }
        if !records::is_defined(connection, ladder, target)? {
            records::define(connection, ladder)?;
        }
        Ok(way.moved())
    })
}

/// Applies or reverts a step, and records it.
fn take(
    connection: &mut SqliteConnection,
    ladder: &Ladder,
    step: &Migration,
    is_up: bool,
) -> Result<(), OpenError> {
    let failed = |source| OpenError::Migration { name: ladder.name_of(step), source };
    let statements = if is_up { step.up } else { step.down };
    connection.batch_execute(statements).map_err(failed)?;
    if let Some(module) = &ladder.module {
        return records::note(connection, module, step, is_up).map_err(failed);
    }
    let version = step.version();
    let note = if is_up {
        format!("INSERT INTO __diesel_schema_migrations (version) VALUES ('{version}')")
    } else {
        format!("DELETE FROM __diesel_schema_migrations WHERE version = '{version}'")
    };
    connection.batch_execute(&note).map_err(failed)
}

/// Refuses to migrate down if rows or values would be lost.
fn refuse_rows(connection: &mut SqliteConnection, step: &Migration) -> Result<(), OpenError> {
    for dropped in step.back_drops {
        let any: Any = diesel::sql_query(dropped.query() + " AS \"any\"").get_result(connection)?;
        if any.any {
            return Err(dropped.refusal().into());
        }
    }
    Ok(())
}

/// Whether there is any row.
#[derive(QueryableByName)]
struct Any {
    #[diesel(sql_type = Bool)]
    any: bool,
}

/// The names of pending migrations that change existing rows.
pub(crate) fn pending_data_changes(
    connection: &mut SqliteConnection,
    ladder: &Ladder,
) -> Result<Vec<&'static str>, OpenError> {
    Ok(Way::data_changes(ladder.steps, &applied(connection, ladder)?)?)
}

/// Which migrations are applied and which are pending.
pub(crate) fn state(
    connection: &mut SqliteConnection,
    ladder: &Ladder,
) -> QueryResult<SchemaState> {
    Ok(SchemaState::of(ladder.steps, &applied(connection, ladder)?))
}

fn applied(connection: &mut SqliteConnection, ladder: &Ladder) -> QueryResult<Vec<String>> {
    if let Some(module) = &ladder.module {
        return records::versions(connection, module);
    }
    let table = "SELECT count(*) FROM sqlite_schema WHERE name = '__diesel_schema_migrations'";
    if Sql::<BigInt>::new(table).get_result::<i64>(connection)? == 0 {
        return Ok(Vec::new());
    }
    Sql::<Text>::new("SELECT version FROM __diesel_schema_migrations").load(connection)
}

#[cfg(test)]
mod tests {
    use exit3_ports::Dropped;

    use super::*;

    #[test]
    fn a_column_with_values_is_not_dropped_on_the_way_back() {
        const STEP: Migration = Migration {
            name: "99_notes",
            up: "",
            down: "",
            changes_data: false,
            back_drops: &[Dropped::of("leads", Some("notes"))],
        };
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        run(&mut connection, &OWN, Target::Newest, Rows::Keep).unwrap();
        let insert = |notes: &str| {
            format!(
                "INSERT INTO leads (full_name, position, source, status, category, created_at,
                 updated_at, search_document, notes)
                 VALUES ('Ana', 'CTO', 'other', 'new', 'web_dev', 1, 1, '', {notes})"
            )
        };
        connection.batch_execute(&insert("NULL")).unwrap();
        assert!(refuse_rows(&mut connection, &STEP).is_ok());
        connection.batch_execute(&insert("''")).unwrap();
        let refused = refuse_rows(&mut connection, &STEP).unwrap_err().to_string();
        assert!(refused.contains("the column notes of the table leads"), "{refused}");
    }
}
