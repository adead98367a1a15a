//! Checks a database for damage.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use crate::sql::Sql;

/// SQLite's own check of pages, rows and indexes.
const STRUCTURE: &str = "PRAGMA integrity_check(1)";
const REFERENCES: &str = "SELECT \"table\" FROM pragma_foreign_key_check LIMIT 1";

/// Tables with stored counts, and the queries that compare them with the rows.
const COUNTS: &[(&str, &str, &str)] = &[
    (
        "lead_counts",
        "SELECT status, source, category, n FROM lead_counts WHERE n > 0",
        "SELECT status, source, category, count(*) FROM leads NOT INDEXED \
         GROUP BY status, source, category",
    ),
    (
        "subscriber_counts",
        "SELECT is_subscribed, n FROM subscriber_counts WHERE n > 0",
        "SELECT is_subscribed, count(*) FROM subscribers NOT INDEXED GROUP BY is_subscribed",
    ),
];

/// Returns the first problem found.
pub(super) fn damage(connection: &mut SqliteConnection) -> QueryResult<Option<String>> {
    match find(connection) {
        // The file is too damaged to be read.
        Err(diesel::result::Error::DatabaseError(_, information))
            if information.message() == "database disk image is malformed" =>
        {
            Ok(Some(information.message().to_owned()))
        }
        found => found,
    }
}

fn find(connection: &mut SqliteConnection) -> QueryResult<Option<String>> {
    let structure: String = Sql::<Text>::new(STRUCTURE).get_result(connection)?;
    if structure != "ok" {
        return Ok(structure.lines().next().map(str::to_owned));
    }
    let broken: Option<String> = Sql::<Text>::new(REFERENCES).get_result(connection).optional()?;
    if let Some(table) = broken {
        return Ok(Some(format!("a row of table {table} refers to a missing row")));
    }
    for (table, kept, counted) in COUNTS {
        let mut there = Sql::<BigInt>::new("SELECT count(*) FROM sqlite_schema WHERE name = ");
        there.text(*table);
        if there.get_result::<i64>(connection)? == 0 {
            continue;
        }
        let mut differs = Sql::<Bool>::new("SELECT EXISTS (SELECT * FROM (");
        differs.sql(kept).sql(" EXCEPT ").sql(counted).sql(") UNION ALL SELECT * FROM (");
        differs.sql(counted).sql(" EXCEPT ").sql(kept).sql("))");
        if differs.get_result(connection)? {
            return Ok(Some(format!("the counts in table {table} do not match its rows")));
        }
    }
    Ok(None)
}
