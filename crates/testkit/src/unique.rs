//! Unique values and the rules that name them.

use exit3_ports::{Constraint, Table};

use crate::postgres;

/// The unique indexes of these tables in a PostgreSQL database that no rule of the table names. A
/// duplicate there is answered with 503 instead of an error of the field, so a module has a test that
/// there are none:
///
/// ```no_run
/// # const TAGS: exit3_ports::Table = exit3_ports::Table::EMPTY;
/// # async fn of(database: exit3_testkit::postgres::TestDatabase) {
/// // The database is migrated, with the module.
/// let without = exit3_testkit::unique::without_rule(database.url(), &[TAGS]).await;
/// assert!(without.is_empty(), "{without:?}");
/// # }
/// ```
pub async fn without_rule(url: &str, tables: &[Table]) -> Vec<String> {
    let sql = "SELECT indexrelid::regclass::text FROM pg_index
               WHERE indrelid = $1::text::regclass AND indisunique AND NOT indisprimary ORDER BY 1";
    let client = postgres::client(url).await;
    let mut without = Vec::new();
    for table in tables {
        let ruled: Vec<String> = table.rules.iter().filter_map(name).collect();
        let indexes = client.query(sql, &[&table.name]).await.expect("the table exists");
        without.extend(indexes.iter().map(|row| row.get(0)).filter(|it| !ruled.contains(it)));
    }
    without
}

/// How the index must be called for the adapter to recognise the rule.
fn name(rule: &Constraint) -> Option<String> {
    let Constraint::Taken { table, column } = rule else { return None };
    Some(format!("{table}_{}_key", column.strip_suffix("_id").unwrap_or(column)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAGS: Table = Table {
        name: "tags",
        rules: &[Constraint::Taken { table: "tags", column: "lead_id" }],
        ..Table::EMPTY
    };

    #[tokio::test(flavor = "multi_thread")]
    async fn finds_unique_indexes_that_no_rule_names() {
        let database = postgres::shared().create_database().await;
        let create = "CREATE TABLE tags (id bigint PRIMARY KEY, lead_id bigint, name text UNIQUE);
                      CREATE UNIQUE INDEX tags_lead_key ON tags (lead_id)";
        postgres::client(database.url()).await.batch_execute(create).await.unwrap();
        assert_eq!(without_rule(database.url(), &[TAGS]).await, ["tags_name_key"]);
    }
}
