//! Canaries leave no trace in any table, not even a number that is used up.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::Text;
use exit3_domain::canaries::CanaryId;
use exit3_testkit::builders::{at, lead, some_act};

use super::{kept, raw};

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

/// All rows of all tables.
fn dump(connection: &mut SqliteConnection) -> BTreeMap<String, Vec<String>> {
    let names = "SELECT name AS text FROM sqlite_schema WHERE type = 'table'";
    let mut dump = BTreeMap::new();
    for name in column(connection, names) {
        let values = format!(
            "SELECT group_concat('quote(\"' || name || '\")', ' || '', '' || ') AS text \
             FROM pragma_table_info('{name}')"
        );
        let values = column(connection, &values).concat();
        let rows = format!("SELECT {values} AS text FROM \"{name}\" ORDER BY 1");
        dump.insert(name, column(connection, &rows));
    }
    dump
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_changes_no_table() {
    let kept = kept();
    let repositories = kept.database.repositories();
    repositories.leads.create(&lead().build(), &some_act()).await.unwrap();
    while kept.database.index_leads(100).await.unwrap() > 0 {}
    let connection = &mut raw(&kept.path);
    let before = dump(connection);
    assert_eq!((before["leads"].len(), before["sqlite_sequence"].len()), (1, 2), "{before:?}");
    let id = CanaryId(7);
    repositories.canaries.create(id, &id.lead(), &some_act()).await.unwrap();
    assert_eq!(kept.database.index_leads(100).await.unwrap(), 0);
    assert_eq!(dump(connection)["canaries"].len(), 1);
    assert!(repositories.canaries.take(id, at(0)).await.unwrap());
    assert_eq!(dump(connection), before);
}
