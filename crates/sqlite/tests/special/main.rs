//! Behaviour specific to SQLite, in addition to the contract of the ports.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod bookings;
mod canaries;
mod erasure;
mod events;
mod frozen;
mod jobs;
mod schema;
mod search;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use exit3_domain::clients::ClientFilter;
use exit3_domain::fields::FieldKind;
use exit3_domain::leads::{FIELDS, LeadFilter, LeadOrder};
use exit3_domain::paging::PageRequest;
use exit3_ports::{StoreError, Transfer};
use exit3_sqlite::{SqliteDatabase, SqliteSettings};
use exit3_testkit::builders;
use exit3_testkit::contract::clients::client;

struct Kept {
    database: SqliteDatabase,
    path: PathBuf,
    _directory: tempfile::TempDir,
}

fn kept() -> Kept {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kept.sqlite3");
    let database = open(&path);
    database.migrate().unwrap();
    Kept { database, path, _directory: directory }
}

fn open(path: &Path) -> SqliteDatabase {
    SqliteDatabase::open(path, &SqliteSettings::default()).unwrap()
}

/// A connection that bypasses the adapter.
fn raw(path: &Path) -> SqliteConnection {
    SqliteConnection::establish(path.to_str().unwrap()).unwrap()
}

async fn count(database: &SqliteDatabase) -> u64 {
    let all = LeadFilter::default();
    let page =
        database.repositories().leads.list(&all, LeadOrder::NEWEST, PageRequest::first()).await;
    page.unwrap().unwrap().count
}

fn insert(connection: &mut SqliteConnection, column: &str, value: &str) -> bool {
    let mut columns = vec![
        ("full_name", "'Ana'"),
        ("position", "'CTO'"),
        ("source", "'other'"),
        ("status", "'new'"),
        ("category", "'web_dev'"),
        ("created_at", "1"),
        ("updated_at", "1"),
        ("search_document", "''"),
    ];
    if columns.iter().all(|(name, _)| *name != column) {
        columns.push((column, "NULL"));
    }
    let value = |(name, usual): &(&str, &str)| match *name == column {
        true => value.to_owned(),
        false => (*usual).to_owned(),
    };
    let values: Vec<String> = columns.iter().map(value).collect();
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let statement =
        format!("INSERT INTO leads ({}) VALUES ({})", names.join(", "), values.join(", "));
    connection.batch_execute(&statement).is_ok()
}

#[tokio::test]
async fn enforces_the_rules_of_the_domain_and_counts_rows_of_every_writer() {
    let kept = kept();
    let mut connection = raw(&kept.path);
    let mut stored = 0;
    for field in FIELDS {
        let column = field.name;
        let FieldKind::Text { stored: Some(longest), .. } = field.kind else { continue };
        let longest = usize::try_from(longest).unwrap();
        let of = |length: usize| format!("'{}'", "đ".repeat(length));
        assert!(insert(&mut connection, column, &of(longest)), "{column}");
        assert!(!insert(&mut connection, column, &of(longest + 1)), "{column}");
        stored += 1;
    }
    for column in ["source", "status", "category"] {
        assert!(!insert(&mut connection, column, "'bogus'"), "{column}");
        assert!(!insert(&mut connection, column, "NULL"), "{column}");
    }
    assert!(!insert(&mut connection, "created_at", "'yesterday'"));
    assert_eq!(count(&kept.database).await, stored);
    connection.batch_execute("DELETE FROM leads WHERE id <= 2").unwrap();
    assert_eq!(count(&kept.database).await, stored - 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_start_together_migrate_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kept.sqlite3");
    let applied: usize = std::thread::scope(|scope| {
        let starts: Vec<_> =
            (0..6).map(|_| scope.spawn(|| open(&path).migrate().unwrap())).collect();
        starts.into_iter().map(|start| start.join().unwrap()).sum()
    });
    assert!(applied > 0);
    assert_eq!(open(&path).migrate().unwrap(), 0);
    assert!(open(&path).repositories().health.schema_is_current().await.unwrap());
}

#[tokio::test]
async fn only_the_owner_may_read_the_files() {
    let kept = kept();
    kept.database
        .repositories()
        .leads
        .create(&builders::lead().build(), &builders::act(builders::at(1)))
        .await
        .unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let path = format!("{}{suffix}", kept.path.display());
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_that_wait_share_a_commit() {
    let kept = kept();
    let before = kept.database.commits();
    let writers: Vec<_> = (0..400)
        .map(|n| {
            let leads = kept.database.repositories().leads;
            tokio::spawn(async move {
                leads
                    .create(&builders::lead().build(), &builders::act(builders::at(n)))
                    .await
                    .unwrap()
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let commits = kept.database.commits() - before;
    assert!(commits < 200, "400 writes took {commits} commits");
    assert_eq!(count(&kept.database).await, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answered_write_is_in_the_file() {
    let kept = kept();
    let leads = kept.database.repositories().leads;
    let mut connection = raw(&kept.path);
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    for n in 1..=20 {
        let created =
            leads.create(&builders::lead().build(), &builders::act(builders::at(n))).await.unwrap();
        let query = "SELECT count(*) AS n FROM leads WHERE id = ?";
        let found = diesel::sql_query(query).bind::<BigInt, _>(created.id.0);
        assert_eq!(found.get_result::<Found>(&mut connection).unwrap().n, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_to_a_removed_file_are_refused() {
    let kept = kept();
    let (leads, health) = (kept.database.repositories().leads, kept.database.repositories().health);
    let lead = builders::lead().build();
    leads.create(&lead, &builders::act(builders::at(1))).await.unwrap();
    let away = kept.path.with_extension("away");
    let assert_refused = async || {
        let refused = leads.create(&lead, &builders::act(builders::at(2))).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
        assert!(matches!(health.ping().await, Err(StoreError::Unavailable(_))));
        assert!(matches!(health.schema_is_current().await, Err(StoreError::Unavailable(_))));
    };
    std::fs::rename(&kept.path, &away).unwrap();
    assert_refused().await;
    // A different file in its place does not count.
    std::fs::copy(&away, &kept.path).unwrap();
    assert_refused().await;
    std::fs::remove_file(&kept.path).unwrap();
    assert_refused().await;

    std::fs::rename(&away, &kept.path).unwrap();
    leads.create(&lead, &builders::act(builders::at(3))).await.unwrap();
    assert!(health.schema_is_current().await.unwrap());
    // Refused writes were not stored, and acknowledged ones were.
    assert_eq!(count(&open(&kept.path)).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_of_another_process_is_reported_in_time_and_recovered_from() {
    let kept = kept();
    let leads = kept.database.repositories().leads;
    let lead = builders::lead().build();
    let mut other = raw(&kept.path);
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    let begun = Instant::now();
    let refused = leads.create(&lead, &builders::act(builders::at(1))).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    // The promise is 2 s; the rest allows for a machine that runs other tests.
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    // Reading continues meanwhile.
    assert_eq!(count(&kept.database).await, 0);
    other.batch_execute("ROLLBACK").unwrap();
    let begun = Instant::now();
    while leads.create(&lead, &builders::act(builders::at(2))).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(30), "the database does not recover");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_does_not_delay_writers() {
    let kept = kept();
    let mut reader = raw(&kept.path);
    reader.batch_execute("BEGIN; SELECT count(*) FROM leads").unwrap();
    let leads = kept.database.repositories().leads;
    for n in 0..50 {
        leads.create(&builders::lead().build(), &builders::act(builders::at(n))).await.unwrap();
    }
    assert_eq!(count(&kept.database).await, 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_write_does_not_affect_others_in_its_commit() {
    let kept = kept();
    let leads = kept.database.repositories().leads;
    let mut connection = raw(&kept.path);
    connection
        .batch_execute(
            "CREATE TRIGGER full BEFORE INSERT ON leads WHEN NEW.full_name = 'Full'
             BEGIN SELECT RAISE(ABORT, 'made to fail'); END",
        )
        .unwrap();
    let refused = builders::lead().full_name("Full").build();
    let good = builders::lead().build();
    let (good_one, bad, good_two) = tokio::join!(
        async { leads.create(&good, &builders::act(builders::at(1))).await },
        async { leads.create(&refused, &builders::act(builders::at(2))).await },
        async { leads.create(&good, &builders::act(builders::at(3))).await },
    );
    // The other writes in the commit succeed.
    assert!(good_one.is_ok() && bad.is_err() && good_two.is_ok());
    assert_eq!(count(&kept.database).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_of_an_earlier_release_are_folded_again() {
    let kept = kept();
    let leads = kept.database.repositories().leads;
    let lead = builders::lead().full_name("Đuro Šarić").company_name(None).build();
    for n in 0..230 {
        leads.create(&lead, &builders::act(builders::at(n))).await.unwrap();
    }
    let plain =
        leads.create(&builders::lead().build(), &builders::act(builders::at(7))).await.unwrap();
    kept.database
        .repositories()
        .subscribers
        .create(&builders::subscriber("đ@šarić.hr"), &builders::some_act())
        .await
        .unwrap();
    let clients = kept.database.repositories().clients;
    clients.create(&client("Šarić"), &builders::some_act()).await.unwrap();
    // As an earlier release stored them.
    raw(&kept.path)
        .batch_execute(
            "UPDATE leads SET search_document = substr(search_document, 1,
                instr(search_document, char(12)) - 2) WHERE instr(search_document, char(12)) > 0;
             UPDATE subscribers SET search_document = email;
             UPDATE clients SET search_document = NULL",
        )
        .unwrap();
    let found = async |word: &str| {
        let filter = LeadFilter { words: vec![word.to_owned()], ..LeadFilter::default() };
        let page = leads.list(&filter, LeadOrder::NEWEST, PageRequest::first()).await;
        page.unwrap().unwrap().count
    };
    assert_eq!((found("saric").await, found("šarić").await), (0, 230));
    let is_client_found = async || {
        let filter = ClientFilter { words: vec!["saric".to_owned()], ..ClientFilter::default() };
        clients.totals(&filter).await.unwrap().count == 1
    };
    assert!(!is_client_found().await);
    let mut steps = Vec::new();
    loop {
        match kept.database.fold_accents().await.unwrap() {
            0 => break,
            folded => steps.push(folded),
        }
        assert_eq!(found("šarić").await, 230);
    }
    assert_eq!(steps, [100, 100, 30, 1, 1]);
    assert_eq!((found("saric").await, found("šarić").await), (230, 230));
    assert!(is_client_found().await);
    assert_eq!(leads.find(plain.id).await.unwrap(), Some(plain));
    #[derive(QueryableByName)]
    struct Document {
        #[diesel(sql_type = diesel::sql_types::Text)]
        search_document: String,
    }
    let sql = "SELECT search_document FROM subscribers";
    let kept: Document = diesel::sql_query(sql).get_result(&mut raw(&kept.path)).unwrap();
    let wanted = exit3_domain::search::document([Some("đ@šarić.hr")]);
    assert_eq!(kept.search_document, wanted);
}

async fn damage(database: &SqliteDatabase) -> Option<String> {
    database.transfer().snapshot().await.unwrap().damage().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_damage_is_found() {
    for (harm, word) in [
        (
            "CREATE TABLE theirs (x); CREATE INDEX theirs_x ON theirs (x);
             PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET rootpage =
                 (SELECT rootpage FROM sqlite_schema WHERE name = 'theirs_x')
             WHERE name = 'leads_by_created_at'",
            "leads_by_created_at",
        ),
        ("UPDATE lead_counts SET n = n + 1", "lead_counts"),
        ("DELETE FROM subscriber_counts", "subscriber_counts"),
        (
            "PRAGMA foreign_keys = OFF;
             INSERT INTO clients (lead_id, team_id, short_description, category)
             VALUES (99, 't', 's', 'web_dev')",
            "clients",
        ),
    ] {
        let kept = kept();
        kept.database
            .repositories()
            .leads
            .create(&builders::lead().build(), &builders::act(builders::at(1)))
            .await
            .unwrap();
        let mut other = raw(&kept.path);
        other
            .batch_execute(
                "INSERT INTO subscribers (email, is_subscribed, search_document)
                 VALUES ('a@b.hr', 1, '')",
            )
            .unwrap();
        assert_eq!(damage(&kept.database).await, None);
        other.batch_execute(harm).unwrap();
        let found = damage(&kept.database).await.expect(word);
        assert!(found.contains(word) || word == "leads_by_created_at", "{word}: {found}");
    }
}
