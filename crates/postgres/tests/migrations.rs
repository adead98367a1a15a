//! Migrating the schema down and up.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod common;

use std::time::Duration;

use exit3_domain::paging::PageRequest;
use exit3_ports::{Migration, ModuleSchema, Rows, Target};
use exit3_postgres::{PgDatabase, PgSettings, connect};
use exit3_testkit::contract::{Harness, fill};
use exit3_testkit::log::Log;
use exit3_testkit::migrations::{
    Table, Tables, inserted, serves_beside_another_release, statements_of_earlier_releases, walk,
};
use exit3_testkit::modules::ModuleDatabase;
use exit3_testkit::postgres;
use tokio::runtime::Handle;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

const MIGRATIONS: &[Migration] = exit3_ports::migrations::POSTGRES;

fn open(url: &str) -> PgDatabase {
    connect(&PgSettings::parse(url).unwrap(), Handle::current())
}

async fn column(admin: &Client, sql: &str) -> Vec<String> {
    admin.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

async fn tables(admin: &Client) -> Tables {
    let names = "SELECT relname::text FROM pg_class WHERE relkind = 'r' \
                 AND relnamespace = 'public'::regnamespace \
                 AND relname <> '__diesel_schema_migrations'";
    let mut tables = Tables::new();
    for name in column(admin, names).await {
        let definition = format!(
            "SELECT concat_ws(' ', attname, format_type(atttypid, atttypmod), attnotnull,
                              attidentity, attcollation::regcollation,
                              pg_get_expr(adbin, adrelid))
             FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
             WHERE attrelid = '{name}'::regclass AND attnum > 0 AND NOT attisdropped
             UNION SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
             WHERE conrelid = '{name}'::regclass
             UNION SELECT indexdef FROM pg_indexes WHERE tablename = '{name}'
             UNION SELECT pg_get_triggerdef(t.oid) || pg_get_functiondef(tgfoid)
             FROM pg_trigger t WHERE tgrelid = '{name}'::regclass AND NOT tgisinternal
             ORDER BY 1"
        );
        // The slot of a count does not matter.
        let rows = format!("SELECT (to_jsonb(t) - 'slot')::text FROM {name} t ORDER BY 1");
        let (definition, rows) = (column(admin, &definition).await, column(admin, &rows).await);
        tables.insert(name, Table::new(definition, &rows));
    }
    tables
}

#[tokio::test(flavor = "multi_thread")]
async fn every_migration_goes_down_and_up_again() {
    let database = postgres::shared().create_database().await;
    let own = open(database.url());
    own.migrate().await.unwrap();
    fill(&common::harness_over(&own)).await;
    let admin = postgres::client(database.url()).await;
    let go = async |target, rows| match own.migrate_to(target, rows).await {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    };
    walk(MIGRATIONS, go, async || tables(&admin).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_schema_is_used_and_not_changed() {
    let database = postgres::shared().create_database().await;
    let own = open(database.url());
    own.migrate().await.unwrap();
    let admin = postgres::client(database.url()).await;
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99999999999999')";
    admin.batch_execute(newer).await.unwrap();
    assert!(own.repositories().health.schema_is_current().await.unwrap());
    assert_eq!(own.migrate().await.unwrap(), 0);
    let refused = own.migrate_to(Target::Version(1), Rows::Drop).await.unwrap_err();
    assert!(refused.to_string().contains("99999999999999"), "{refused}");
    own.repositories().staff.list(PageRequest::first()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_database_has_no_pending_data_changes() {
    let database = postgres::shared().create_database().await;
    let own = open(database.url());
    assert_eq!(own.pending_data_changes().await.unwrap(), [""; 0]);
    own.migrate_to(Target::Version(1), Rows::Keep).await.unwrap();
    let changing = MIGRATIONS.iter().skip(1).filter(|step| step.changes_data);
    let changing: Vec<&str> = changing.map(|step| step.name).collect();
    assert_eq!(own.pending_data_changes().await.unwrap(), changing);
}

/// Waits until a migration is queued for the table of leads.
async fn in_line(admin: &Client) {
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'leads'::regclass
                   AND mode = 'AccessExclusiveLock'";
    loop {
        let waiting: i64 = admin.query_one(waiting, &[]).await.unwrap().get(0);
        if waiting > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_waits_for_a_reader_does_not_block_writers() {
    let database = postgres::shared().create_database().await;
    let own = open(database.url());
    own.migrate().await.unwrap();
    let admin = postgres::client(database.url()).await;
    let reader = postgres::client(database.url()).await;
    reader.batch_execute("BEGIN; SELECT count(*) FROM leads").await.unwrap();
    let migration = tokio::spawn({
        let own = own.clone();
        async move { own.migrate_to(Target::Version(1), Rows::Keep).await }
    });
    for number in 0..3 {
        in_line(&admin).await;
        // These columns exist in every version, so the row fits the schema that the migration leaves.
        let insert = format!(
            "INSERT INTO leads (full_name, \"position\", created_at, updated_at, search_document)
             VALUES ('Ana {number}', 'CTO', now(), now(), '')"
        );
        admin.batch_execute(&insert).await.unwrap();
    }
    assert!(!migration.is_finished());
    reader.batch_execute("COMMIT").await.unwrap();
    let moved = migration.await.unwrap().unwrap();
    assert_eq!(moved.down, MIGRATIONS.len() - 1);
    let kept = column(&admin, "SELECT full_name FROM leads ORDER BY id").await;
    assert_eq!(kept, ["Ana 0", "Ana 1", "Ana 2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_releases_share_a_schema() {
    let database = postgres::shared().create_database().await;
    let own = open(database.url());
    own.migrate().await.unwrap();
    let admin = postgres::client(database.url()).await;
    let execute = async |sql: String| admin.batch_execute(&sql).await.unwrap();
    serves_beside_another_release(&common::harness_over(&own), execute).await;
}

fn type_of(name: &str) -> Type {
    let known = [
        Type::INT4,
        Type::INT8,
        Type::BOOL,
        Type::TEXT,
        Type::VARCHAR,
        Type::BYTEA,
        Type::TIMESTAMPTZ,
        Type::INT8_ARRAY,
        Type::BOOL_ARRAY,
        Type::TEXT_ARRAY,
        Type::TIMESTAMPTZ_ARRAY,
    ];
    known.into_iter().find(|known| known.name() == name).expect(name)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_schema_accepts_statements_of_earlier_releases() {
    let database = postgres::shared().create_database().await;
    open(database.url()).migrate().await.unwrap();
    let admin = postgres::client(database.url()).await;
    for (sql, types) in statements_of_earlier_releases("postgres") {
        let types: Vec<Type> = types.iter().map(|name| type_of(name)).collect();
        let prepared = admin.prepare_typed(&sql, &types).await;
        assert!(prepared.is_ok(), "{sql}: {:?}", prepared.err());
        // An earlier release cannot fill columns that it does not know.
        if let Some((table, columns)) = inserted(&sql) {
            let required = format!(
                "SELECT attname::text FROM pg_attribute WHERE attrelid = '{table}'::regclass \
                 AND attnum > 0 AND NOT attisdropped AND attnotnull AND NOT atthasdef \
                 AND attidentity = ''"
            );
            for name in column(&admin, &required).await {
                assert!(columns.contains(&name.as_str()), "{name} is not in {sql}");
            }
        }
    }
}

async fn modules() -> ModuleDatabase {
    let database = postgres::shared().create_database().await;
    let own = open(database.url());
    own.migrate().await.unwrap();
    let url = database.url().to_owned();
    let (state, changes, read) = (own.clone(), own.clone(), url.clone());
    ModuleDatabase {
        harness: Harness { guard: Box::new(database), ..common::harness_over(&own) },
        migrate: Box::new(move |module, target, rows| {
            let own = own.clone();
            Box::pin(async move {
                let moved = match module {
                    Some(module) => own.migrate_module(module, target, rows).await,
                    None => own.migrate_to(target, rows).await,
                };
                moved.map_err(|error| exit3_ports::with_causes(&error))
            })
        }),
        state: Box::new(move |module| {
            let own = state.clone();
            Box::pin(async move { own.module_state(module).await.unwrap() })
        }),
        data_changes: Box::new(move |module| {
            let own = changes.clone();
            Box::pin(async move { own.module_data_changes(module).await.unwrap() })
        }),
        execute: Box::new(move |sql| {
            let url = url.clone();
            Box::pin(async move { postgres::client(&url).await.batch_execute(sql).await.unwrap() })
        }),
        tables: Box::new(move || {
            let url = read.clone();
            Box::pin(async move { tables(&postgres::client(&url).await).await })
        }),
    }
}

exit3_testkit::module_contract!(modules().await);

/// A module with one migration.
fn module(module: &'static str, postgres: &'static [Migration]) -> ModuleSchema {
    ModuleSchema { module, tables: &[], postgres, sqlite: &[] }
}

const fn step(up: &'static str) -> Migration {
    Migration { name: "00000000000001_step", up, down: "", changes_data: false, back_drops: &[] }
}

/// Waits until an answer is true.
async fn until(admin: &Client, sql: &str) {
    let asked = async {
        while !admin.query_one(sql, &[]).await.unwrap().get::<_, bool>(0) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), asked).await.expect(sql);
}

#[tokio::test]
async fn a_module_whose_migration_hangs_delays_no_other_migrations_but_those_back() {
    const HANGING: &[Migration] = &[step("SELECT pg_sleep(3600)")];
    const HEALTHY: &[Migration] = &[step("SELECT 1")];
    let database = postgres::shared().create_database().await;
    let own = open(database.url());
    let before: u64 = MIGRATIONS[MIGRATIONS.len() - 2].version().parse().unwrap();
    own.migrate_to(Target::Version(before), Rows::Keep).await.unwrap();
    let admin = postgres::client(database.url()).await;
    let log = Log::default();
    let _told = tracing::subscriber::set_default(log.subscriber());
    let go = |module: ModuleSchema| {
        let own = own.clone();
        tokio::spawn(async move { own.migrate_module(module, Target::Newest, Rows::Keep).await })
    };
    let hanging = go(module("aa", HANGING));
    let hangs = "application_name = 'exit3 migration of aa' AND wait_event = 'PgSleep' \
                 AND datname = current_database()";
    until(&admin, &format!("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE {hangs})")).await;

    let soon = Duration::from_secs(30);
    let healthy = tokio::time::timeout(soon, go(module("aa_b", HEALTHY))).await;
    assert_eq!(healthy.expect("the other module waits").unwrap().unwrap().up, 1);
    let served = tokio::time::timeout(soon, own.migrate()).await;
    assert_eq!(served.expect("the service waits").unwrap(), 1);

    let again = go(module("aa", HANGING));
    let named = async {
        while !log.text().contains("(exit3 migration of aa, ") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(soon, named).await.expect("the log names the module");
    again.abort();

    // The module may need what is dropped.
    let back = tokio::spawn({
        let own = own.clone();
        async move { own.migrate_to(Target::Version(before), Rows::Keep).await }
    });
    let waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND mode = 'ShareLock' \
                 AND relation = '__exit3_modules'::regclass)";
    until(&admin, waits).await;
    assert!(!back.is_finished());
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE application_name = 'exit3 migration of aa' AND datname = current_database()";
    // The one that waited for the first may hang next.
    while !back.is_finished() {
        admin.batch_execute(end).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(hanging.await.unwrap().is_err());
    assert_eq!(back.await.unwrap().unwrap().down, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn modules_that_are_new_at_once_are_all_migrated() {
    const STEPS: &[Migration] = &[step("SELECT 1")];
    for _ in 0..3 {
        let database = postgres::shared().create_database().await;
        let own = open(database.url());
        own.migrate().await.unwrap();
        let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let all = names.map(|name| {
            let own = own.clone();
            let module = module(name, STEPS);
            tokio::spawn(
                async move { own.migrate_module(module, Target::Newest, Rows::Keep).await },
            )
        });
        for one in all {
            assert_eq!(one.await.unwrap().unwrap().up, 1);
        }
    }
}
