//! Migrates the schema up and down.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use exit3_ports::{Migration, Moved, Rows, SchemaState, Target, Way};

use crate::connection::OpenError;
use crate::sql::Sql;

pub(crate) const MIGRATIONS: &[Migration] = exit3_ports::migrations::SQLITE;

/// The table of applied migrations, named as diesel's own tool names it.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS __diesel_schema_migrations (
    version VARCHAR(50) PRIMARY KEY NOT NULL,
    run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
)";

/// Whether the schema is `target` already. Needs neither a lock nor free space.
pub(crate) fn is_there(
    connection: &mut SqliteConnection,
    target: Target,
) -> Result<bool, OpenError> {
    Ok(Way::find(MIGRATIONS, &applied(connection)?, target)?.is_empty())
}

/// Migrates to the schema `target`, completely or not at all. Reads continue meanwhile; writes
/// wait.
pub(crate) fn run(
    connection: &mut SqliteConnection,
    target: Target,
    rows: Rows,
) -> Result<Moved, OpenError> {
    connection.immediate_transaction(|connection| {
        connection.batch_execute(TABLE)?;
        let way = Way::find(MIGRATIONS, &applied(connection)?, target)?;
        for step in &way.up {
            let note = format!(
                "INSERT INTO __diesel_schema_migrations (version) VALUES ('{}')",
                step.version()
            );
            take(connection, step, step.up, &note)?;
        }
        for step in &way.down {
            if rows == Rows::Keep {
                refuse_rows(connection, step)?;
            }
            let forget = format!(
                "DELETE FROM __diesel_schema_migrations WHERE version = '{}'",
                step.version()
            );
            take(connection, step, step.down, &forget)?;
        }
        Ok(way.moved())
    })
}

fn take(
    connection: &mut SqliteConnection,
    step: &Migration,
    statements: &str,
    note: &str,
) -> Result<(), OpenError> {
    let failed = |source| OpenError::Migration { name: step.name, source };
    connection.batch_execute(statements).map_err(failed)?;
    connection.batch_execute(note).map_err(failed)
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
) -> Result<Vec<&'static str>, OpenError> {
    Ok(Way::data_changes(MIGRATIONS, &applied(connection)?)?)
}

/// Which migrations are applied and which are pending.
pub(crate) fn state(connection: &mut SqliteConnection) -> QueryResult<SchemaState> {
    Ok(SchemaState::of(MIGRATIONS, &applied(connection)?))
}

fn applied(connection: &mut SqliteConnection) -> QueryResult<Vec<String>> {
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
        run(&mut connection, Target::Newest, Rows::Keep).unwrap();
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
