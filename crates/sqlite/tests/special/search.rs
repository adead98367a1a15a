//! The search index of leads.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use exit3_domain::leads::{LeadFilter, LeadOrder};
use exit3_domain::paging::{Direction, PageRequest, Step};
use exit3_domain::search;
use exit3_ports::{Rows, Shape, Target, Transfer, Value};
use exit3_sqlite::{SqliteDatabase, SqliteSettings};
use exit3_testkit::builders::{at, lead, some_act};

use super::{Kept, kept, raw};

#[derive(QueryableByName)]
struct Integer {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// The result of `SELECT … AS n`.
fn integer(connection: &mut SqliteConnection, sql: &str) -> i64 {
    diesel::sql_query(sql).get_result::<Integer>(connection).unwrap().n
}

fn open(path: &std::path::Path) -> SqliteDatabase {
    // So few that searches come to the index.
    let settings = SqliteSettings { ahead: 1, ..SqliteSettings::default() };
    SqliteDatabase::open(path, &settings).unwrap()
}

/// The ids of the leads that a search finds. Lists, walks and pages must agree.
async fn found(database: &SqliteDatabase, query: &str) -> Vec<i64> {
    let leads = database.repositories().leads;
    let filter = LeadFilter { words: search::words(query).unwrap(), ..LeadFilter::default() };
    let step = Step { from: None, direction: Direction::Forward, size: 200 };
    let request = PageRequest { size: 200, ..PageRequest::first() };
    let listed = leads.list(&filter, LeadOrder::NEWEST, request).await.unwrap().unwrap();
    let walked = leads.walk(&filter, LeadOrder::NEWEST, &step).await.unwrap();
    let page = leads.page(&filter, LeadOrder::NEWEST, &step).await.unwrap();
    assert_eq!(listed.rows, walked.rows);
    assert_eq!(listed.count, listed.rows.len() as u64);
    assert_eq!(page.glance.slice, walked);
    let mut ids: Vec<i64> = listed.rows.iter().map(|lead| lead.id.0).collect();
    ids.sort_unstable();
    ids
}

async fn store(database: &SqliteDatabase, names: impl Iterator<Item = String>) {
    let new = names.enumerate().map(|(n, name)| {
        (lead().full_name(name).build(), at(1_000_000 * (1 + i64::try_from(n).unwrap())))
    });
    let new: Vec<_> = new.collect();
    database.repositories().leads.create_many(&new, &some_act()).await.unwrap();
}

/// 100 leads. The index has the first 60.
async fn half_indexed() -> Kept {
    let Kept { path, _directory, .. } = kept();
    let database = open(&path);
    store(&database, (1..=100).map(|n| format!("Number{:03} Horvat", n % 10))).await;
    assert_eq!(database.index_leads(60).await.unwrap(), 60);
    Kept { database, path, _directory }
}

async fn index_all(database: &SqliteDatabase) {
    while database.index_leads(7).await.unwrap() > 0 {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_leaves_an_index_that_can_be_used() {
    let kept = half_indexed().await;
    raw(&kept.path)
        .batch_execute("UPDATE leads SET search_document = 'zebra' WHERE id = 5")
        .unwrap();
    // What a killed process leaves are its files.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kept.sqlite3");
    for end in ["", "-wal"] {
        let from = format!("{}{end}", kept.path.display());
        std::fs::copy(from, format!("{}{end}", path.display())).unwrap();
    }
    let database = open(&path);
    for _ in 0..2 {
        assert_eq!(found(&database, "zebra").await, [5]);
        assert_eq!(found(&database, "number005").await, [15, 25, 35, 45, 55, 65, 75, 85, 95]);
        assert_eq!(found(&database, "horvat").await.len(), 99);
        index_all(&database).await;
    }
    assert_eq!(database.index_leads(100).await.unwrap(), 0);
}

/// An earlier release and other programs know nothing of the index.
#[tokio::test(flavor = "multi_thread")]
async fn writes_of_other_programs_are_found() {
    let kept = half_indexed().await;
    let row = |id: i64, document: &str| {
        format!(
            "REPLACE INTO leads (id, full_name, position, source, status, category, created_at,
             updated_at, search_document)
             VALUES ({id}, 'Ana', 'CTO', 'other', 'new', 'web_dev', 1, 1, '{document}');"
        )
    };
    let mut other = raw(&kept.path);
    for statement in [
        "DELETE FROM leads WHERE id IN (10, 20, 90)".to_owned(),
        row(20, "zebra"),
        row(30, "zebra"),
        row(70, "zebra"),
        row(-3, "zebra"),
        row(1000, "zebra"),
        "UPDATE leads SET id = 2000 WHERE id = 60".to_owned(),
        "UPDATE leads SET id = 10 WHERE id = 51".to_owned(),
    ] {
        other.batch_execute(&statement).unwrap();
    }
    for most in [1, 3, 100] {
        assert_eq!(found(&kept.database, "zebra").await, [-3, 20, 30, 70, 1000]);
        assert_eq!(found(&kept.database, "number000").await, [40, 50, 80, 100, 2000]);
        assert_eq!(
            found(&kept.database, "number001").await,
            [1, 10, 11, 21, 31, 41, 61, 71, 81, 91]
        );
        kept.database.index_leads(most).await.unwrap();
    }
    index_all(&kept.database).await;
    assert_eq!(found(&kept.database, "zebra").await, [-3, 20, 30, 70, 1000]);
    let stale = "SELECT count(*) AS n FROM lead_search_docsize WHERE id IN (51, 60, 90)";
    assert_eq!(integer(&mut other, stale), 0, "removed leads leave the index");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_migration_goes_down_and_up_with_an_index() {
    let kept = half_indexed().await;
    kept.database.migrate_to(Target::Version(11), Rows::Keep).unwrap();
    let left = "SELECT count(*) AS n FROM sqlite_schema WHERE name LIKE '%lead%search%' \
                AND name NOT LIKE 'leads_with%'";
    assert_eq!(integer(&mut raw(&kept.path), left), 0);
    kept.database.migrate_to(Target::Newest, Rows::Keep).unwrap();
    for _ in 0..2 {
        assert_eq!(found(&kept.database, "number004").await.len(), 10);
        index_all(&kept.database).await;
    }
}

/// A restore clears all tables, and may store other rows under the same ids.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_begins_a_new_index() {
    let kept = half_indexed().await;
    let mut snapshot = kept.database.transfer().snapshot().await.unwrap();
    let shapes = snapshot.shapes().await.unwrap();
    let shape: &Shape = shapes.iter().find(|shape| shape.table.name == "leads").unwrap();
    let rows = snapshot.rows(shape, 0, 1000).await.unwrap();
    drop(snapshot);
    let name = shape.columns.iter().position(|column| column.name == "full_name").unwrap();
    let rows = rows.into_iter().take(30).map(|mut row| {
        row[name] = Value::Text("Restored".to_owned());
        row
    });
    let mut load = kept.database.transfer().load().await.unwrap();
    load.clear().await.unwrap();
    load.write(shape, rows.collect()).await.unwrap();
    load.commit().await.unwrap();
    for _ in 0..2 {
        assert_eq!(found(&kept.database, "restored").await.len(), 30);
        assert_eq!(found(&kept.database, "number004").await, [0; 0]);
        index_all(&kept.database).await;
    }
}
