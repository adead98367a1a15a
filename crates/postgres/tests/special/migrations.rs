//! Bringing a schema up to date.

use exit3_ports::DatabaseHealth;
use exit3_testkit::contract::transfer::assert_nothing_is_left_out;
use exit3_testkit::postgres;

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
    // Each of them was applied once, by whichever node.
    let admin = postgres::client(database.url()).await;
    let row = admin.query_one("SELECT count(*) FROM __diesel_schema_migrations", &[]);
    let recorded: i64 = row.await.unwrap().get(0);
    assert_eq!(usize::try_from(recorded).unwrap(), applied);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_schema_is_there_but_not_ready() {
    let database = postgres::shared().create_database().await;
    let health = open(database.url()).health();
    health.ping().await.unwrap();
    assert!(!health.schema_is_current().await.unwrap());
    open(database.url()).migrate().await.unwrap();
    assert!(health.schema_is_current().await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_column_is_left_out_of_a_backup() {
    let (_, database) = shared().await;
    let admin = postgres::client(database.url()).await;
    let sql = "SELECT table_name::text, column_name::text FROM information_schema.columns \
               WHERE table_schema = 'public'";
    let rows = admin.query(sql, &[]).await.unwrap();
    let columns: Vec<_> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_nothing_is_left_out(&columns);
}
