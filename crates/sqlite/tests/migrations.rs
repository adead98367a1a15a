//! Migrating the schema down and up.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod common;

use std::path::PathBuf;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use exit3_domain::paging::PageRequest;
use exit3_ports::{Migration, Rows, Target};
use exit3_sqlite::{SqliteDatabase, SqliteSettings};
use exit3_testkit::contract::{Harness, fill};
use exit3_testkit::migrations::{
    Table, Tables, inserted, serves_beside_another_release, statements_of_earlier_releases, walk,
};
use exit3_testkit::modules::{GUESTS, ModuleDatabase, ROOMS};

const MIGRATIONS: &[Migration] = exit3_ports::migrations::SQLITE;

struct Kept {
    database: SqliteDatabase,
    path: PathBuf,
    _directory: tempfile::TempDir,
}

impl Kept {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kept.sqlite3");
        let database = SqliteDatabase::open(&path, &SqliteSettings::default()).unwrap();
        Self { database, path, _directory: directory }
    }

    /// A connection that bypasses the adapter.
    fn raw(&self) -> SqliteConnection {
        SqliteConnection::establish(self.path.to_str().unwrap()).unwrap()
    }
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    text: String,
}

/// The rows of `SELECT … AS text`.
fn column(connection: &mut SqliteConnection, sql: &str) -> Vec<String> {
    let rows: Vec<Column> = diesel::sql_query(sql).load(connection).unwrap();
    rows.into_iter().map(|row| row.text).collect()
}

fn tables(connection: &mut SqliteConnection) -> Tables {
    let names = "SELECT name AS text FROM sqlite_schema WHERE type = 'table' \
                 AND name NOT LIKE 'sqlite_%' AND name <> '__diesel_schema_migrations' \
                 AND name NOT LIKE 'lead_search%'";
    let mut tables = Tables::new();
    for name in column(connection, names) {
        let definition = format!(
            "SELECT name || coalesce(sql, '') AS text FROM sqlite_schema \
             WHERE tbl_name = '{name}' ORDER BY 1"
        );
        let definition = column(connection, &definition);
        let values = format!(
            "SELECT group_concat(quote(name) || ', quote(' || name || ')', ', ') AS text \
             FROM pragma_table_info('{name}')"
        );
        let values = column(connection, &values).concat();
        let rows = format!("SELECT json_object({values}) AS text FROM {name} ORDER BY 1");
        let rows = column(connection, &rows);
        tables.insert(name, Table::new(definition, &rows));
    }
    tables
}

#[tokio::test(flavor = "multi_thread")]
async fn every_migration_goes_down_and_up_again() {
    let kept = Kept::new();
    kept.database.migrate().unwrap();
    fill(&common::harness_over(&kept.database)).await;
    let go = async |target, rows| match kept.database.migrate_to(target, rows) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    };
    walk(MIGRATIONS, go, async || tables(&mut kept.raw())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_schema_is_used_and_not_changed() {
    let kept = Kept::new();
    kept.database.migrate().unwrap();
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99999999999999')";
    kept.raw().batch_execute(newer).unwrap();
    assert!(kept.database.repositories().health.schema_is_current().await.unwrap());
    assert_eq!(kept.database.migrate().unwrap(), 0);
    let refused = kept.database.migrate_to(Target::Version(1), Rows::Drop).unwrap_err();
    assert!(refused.to_string().contains("99999999999999"), "{refused}");
    kept.database.repositories().staff.list(PageRequest::first()).await.unwrap();
}

#[test]
fn an_empty_database_has_no_pending_data_changes() {
    let kept = Kept::new();
    assert_eq!(kept.database.pending_data_changes().unwrap(), [""; 0]);
    kept.database.migrate_to(Target::Version(1), Rows::Keep).unwrap();
    let changing = MIGRATIONS.iter().skip(1).filter(|step| step.changes_data);
    let changing: Vec<&str> = changing.map(|step| step.name).collect();
    assert_eq!(kept.database.pending_data_changes().unwrap(), changing);
}

#[test]
fn a_migration_does_not_wait_for_a_reader() {
    let kept = Kept::new();
    kept.database.migrate().unwrap();
    // These columns exist in every version, so the row fits the schema that the migration leaves.
    let insert = "INSERT INTO leads (full_name, position, source, status, category, created_at, \
                  updated_at, search_document) \
                  VALUES ('Ana', 'CTO', 'other', 'new', 'web_dev', 5, 5, '')";
    kept.raw().batch_execute(insert).unwrap();
    let mut reader = kept.raw();
    reader.batch_execute("BEGIN").unwrap();
    let before = tables(&mut reader);
    let moved = kept.database.migrate_to(Target::Version(1), Rows::Keep).unwrap();
    assert_eq!(moved.down, MIGRATIONS.len() - 1);
    // It continues to read the schema that it started with.
    assert_eq!(tables(&mut reader), before);
    reader.batch_execute("COMMIT").unwrap();
    kept.raw().batch_execute(insert).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_releases_share_a_schema() {
    let kept = Kept::new();
    kept.database.migrate().unwrap();
    let execute = async |sql: String| kept.raw().batch_execute(&sql).unwrap();
    serves_beside_another_release(&common::harness_over(&kept.database), execute).await;
}

#[test]
fn the_newest_schema_accepts_statements_of_earlier_releases() {
    let kept = Kept::new();
    kept.database.migrate().unwrap();
    let mut connection = kept.raw();
    for (sql, _) in statements_of_earlier_releases("sqlite") {
        // The adapter registers this function on its connections.
        let sql = sql.replace("in_time()", "true");
        let explained = connection.batch_execute(&format!("EXPLAIN {sql}"));
        assert!(explained.is_ok(), "{sql}: {:?}", explained.err());
        // An earlier release cannot fill columns that it does not know.
        if let Some((table, columns)) = inserted(&sql) {
            let required = format!(
                "SELECT name AS text FROM pragma_table_info('{table}') \
                 WHERE \"notnull\" AND dflt_value IS NULL AND NOT pk"
            );
            for name in column(&mut connection, &required) {
                assert!(columns.contains(&name.as_str()), "{name} is not in {sql}");
            }
        }
    }
}

async fn modules() -> ModuleDatabase {
    let kept = Kept::new();
    kept.database.migrate().unwrap();
    let path = kept.path.clone();
    let raw = move || SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let (own, state, changes) =
        (kept.database.clone(), kept.database.clone(), kept.database.clone());
    let read = raw.clone();
    ModuleDatabase {
        harness: Harness { guard: Box::new(kept), ..common::harness_over(&own) },
        migrate: Box::new(move |module, target, rows| {
            let moved = match module {
                Some(module) => own.migrate_module(module, target, rows),
                None => own.migrate_to(target, rows),
            };
            Box::pin(async { moved.map_err(|error| error.to_string()) })
        }),
        state: Box::new(move |module| {
            let state = state.module_state(module).unwrap();
            Box::pin(async move { state })
        }),
        data_changes: Box::new(move |module| {
            let changes = changes.module_data_changes(module).unwrap();
            Box::pin(async { changes })
        }),
        execute: Box::new(move |sql| {
            raw().batch_execute(sql).unwrap();
            Box::pin(async {})
        }),
        tables: Box::new(move || {
            let tables = tables(&mut read());
            Box::pin(async { tables })
        }),
    }
}

exit3_testkit::module_contract!(modules().await);

#[test]
fn tables_of_modules_are_frozen_too() {
    let kept = Kept::new();
    kept.database.migrate().unwrap();
    kept.database.migrate_module(GUESTS, Target::Newest, Rows::Keep).unwrap();
    let insert = "INSERT INTO guests (lead_id, name) VALUES (1, '')";
    kept.database.freeze().unwrap();
    let refused = kept.raw().batch_execute(insert).unwrap_err();
    assert!(refused.to_string().contains("read-only"), "{refused}");
    kept.database.thaw().unwrap();
    kept.raw().batch_execute(insert).unwrap();
}

#[test]
fn a_frozen_database_gets_no_tables_of_modules() {
    let kept = Kept::new();
    let database = &kept.database;
    database.migrate().unwrap();
    database.freeze().unwrap();
    let frozen = tables(&mut kept.raw());
    let refused = database.migrate_module(ROOMS, Target::Newest, Rows::Keep).unwrap_err();
    assert!(refused.to_string().ends_with(": the database is read-only"), "{refused}");
    assert!(refused.may_pass());
    assert_eq!(tables(&mut kept.raw()), frozen);
    database.thaw().unwrap();
    assert_eq!(database.migrate_module(ROOMS, Target::Newest, Rows::Keep).unwrap().up, 1);
}
