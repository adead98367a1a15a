//! Applying migrations.

use exit3_ports::TABLES;
use exit3_testkit::contract::fill;
use exit3_testkit::contract::transfer::assert_nothing_is_left_out;
use exit3_testkit::log::Log;
use exit3_testkit::postgres;

use crate::common::harness_over;
use crate::{open, shared};

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_start_together_migrate_once() {
    let database = postgres::shared().create_database().await;
    let nodes: Vec<_> = (0..8)
        .map(|_| {
            let url = database.url().to_owned();
            tokio::spawn(async move { open(&url).migrate().await })
        })
        .collect();
    let mut applied = 0;
    for node in nodes {
        applied += node.await.unwrap().unwrap();
    }
    assert!(applied > 0);
    assert_eq!(open(database.url()).migrate().await.unwrap(), 0);
    // Each was applied once, by any of the nodes.
    let admin = postgres::client(database.url()).await;
    let row = admin.query_one("SELECT count(*) FROM __diesel_schema_migrations", &[]);
    let recorded: i64 = row.await.unwrap().get(0);
    assert_eq!(usize::try_from(recorded).unwrap(), applied);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_a_schema_is_available_but_not_ready() {
    let database = postgres::shared().create_database().await;
    let health = open(database.url()).repositories().health;
    health.ping().await.unwrap();
    assert!(!health.schema_is_current().await.unwrap());
    open(database.url()).migrate().await.unwrap();
    assert!(health.schema_is_current().await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_column_is_in_a_backup() {
    let (_, database) = shared().await;
    let admin = postgres::client(database.url()).await;
    let sql = "SELECT table_name::text, column_name::text FROM information_schema.columns \
               WHERE table_schema = 'public'";
    let rows = admin.query(sql, &[]).await.unwrap();
    let columns: Vec<_> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_nothing_is_left_out(&columns);
}

/// The key of the lock that a migrating program holds.
const LOCK: i64 = 0x6578_6974_3300_0001;

#[tokio::test]
async fn waiting_for_another_program_is_logged_and_ends_with_it() {
    let database = postgres::shared().create_database().await;
    let other = postgres::client(database.url()).await;
    // As an earlier release did, which locked for its session.
    let hold = format!("SET application_name = 'older'; SELECT pg_advisory_lock({LOCK})");
    other.batch_execute(&hold).await.unwrap();
    let process: i32 = other.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    let log = Log::default();
    let _told = tracing::subscriber::set_default(log.subscriber());
    let migrating = tokio::spawn({
        let own = open(database.url());
        async move { own.migrate().await }
    });
    let sentence = format!(
        "waiting for another program that holds the migration lock: process {process} of role \
         postgres (older, 127.0.0.1, idle for"
    );
    crate::until(async || log.text().contains(&sentence)).await;
    assert!(!migrating.is_finished());
    other.batch_execute("SELECT pg_advisory_unlock_all()").await.unwrap();
    assert!(migrating.await.unwrap().unwrap() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_current_schema_needs_no_lock() {
    let (own, database) = shared().await;
    let other = postgres::client(database.url()).await;
    other.batch_execute(&format!("SELECT pg_advisory_lock({LOCK})")).await.unwrap();
    assert_eq!(own.migrate().await.unwrap(), 0);
}

/// As `pg_restore` does, which empties the search_path.
#[tokio::test(flavor = "multi_thread")]
async fn a_single_table_can_be_restored_and_its_rows_are_counted() {
    let (from, database) = shared().await;
    fill(&harness_over(&from)).await;
    let (_, target) = shared().await;
    let directory = tempfile::tempdir().unwrap();
    let dump = directory.path().join("dump");
    run(&["pg_dump", "-Fc", "-d", database.url(), "-f", dump.to_str().unwrap()]);
    for table in TABLES {
        let dump = dump.to_str().unwrap();
        run(&["pg_restore", "--data-only", "-t", table.name, "-d", target.url(), dump]);
    }
    let [filled, restored] =
        [postgres::client(database.url()).await, postgres::client(target.url()).await];
    for (table, counts) in [("leads", "lead_counts"), ("subscribers", "subscriber_counts")] {
        let rows = format!("SELECT count(*) FROM {table}");
        let counted = format!("SELECT sum(n)::bigint FROM {counts}");
        let rows: i64 = filled.query_one(&rows, &[]).await.unwrap().get(0);
        let counted: i64 = restored.query_one(&counted, &[]).await.unwrap().get(0);
        assert!(rows > 0);
        assert_eq!(counted, rows, "{table}");
    }
    restored.batch_execute("SET search_path = ''; SELECT public.recount_rows()").await.unwrap();
}

fn run(words: &[&str]) {
    let output = postgres::program(words[0]).args(&words[1..]).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Covers all functions that migrations create, now and later.
#[tokio::test(flavor = "multi_thread")]
async fn functions_of_the_schema_do_not_depend_on_the_search_path() {
    let (_, database) = shared().await;
    let admin = postgres::client(database.url()).await;
    let bare = "SELECT proname || ': ' || relname FROM pg_proc p, pg_class c
                WHERE pronamespace = 'public'::regnamespace
                AND relnamespace = 'public'::regnamespace AND relkind = 'r'
                AND prosrc ~ ('(?<!public\\.)\\m' || relname || '\\M')
                AND NOT coalesce(array_to_string(proconfig, ' '), '') LIKE '%search_path=%'
                AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND deptype = 'e')";
    let rows = admin.query(bare, &[]).await.unwrap();
    let bare: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(bare, [""; 0]);
}
