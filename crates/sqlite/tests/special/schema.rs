//! The schema agrees with what the program knows about it.

use std::path::Path;

use diesel::prelude::*;
use diesel::sql_types::Text;
use exit3_ports::{Constraint, rules};
use exit3_testkit::contract::transfer::assert_nothing_is_left_out;

use super::{kept, raw};

#[derive(QueryableByName)]
struct ColumnRow {
    #[diesel(sql_type = Text)]
    of: String,
    #[diesel(sql_type = Text)]
    name: String,
}

/// Table, column, and whether the column refers to another table.
fn guards(path: &Path, sql: &str, refers: bool) -> Vec<(String, String, bool)> {
    let rows: Vec<ColumnRow> = diesel::sql_query(sql).load(&mut raw(path)).unwrap();
    rows.into_iter().map(|row| (row.of, row.name, refers)).collect()
}

#[test]
fn every_constraint_of_the_schema_has_a_rule() {
    let kept = kept();
    // A rule is named after the first column of its index. An index over an expression has the name
    // of the rule.
    let unique = "SELECT s.name AS \"of\",
            coalesce(c.name, replace(replace(l.name, s.name || '_', ''), '_key', '')) AS name
        FROM sqlite_schema s, pragma_index_list(s.name) l, pragma_index_info(l.name) c
        WHERE s.type = 'table' AND l.\"unique\" AND l.origin <> 'pk' AND c.seqno = 0";
    let references = "SELECT s.name AS \"of\", f.\"from\" AS name
        FROM sqlite_schema s, pragma_foreign_key_list(s.name) f WHERE s.type = 'table'";
    let mut found = guards(&kept.path, unique, false);
    let references = guards(&kept.path, references, true);
    let mut tables: Vec<&String> = references.iter().map(|(table, ..)| table).collect();
    tables.dedup();
    assert_eq!(tables.len(), references.len(), "SQLite does not name the broken reference");
    found.extend(references);
    let known = rules().map(|rule| match rule {
        Constraint::Taken { table, column } => (table.to_owned(), column.to_owned(), false),
        Constraint::Missing { table, column } => (table.to_owned(), column.to_owned(), true),
        other => panic!("no schema guards {other:?}"),
    });
    let mut known: Vec<(String, String, bool)> = known.collect();
    found.sort();
    known.sort();
    assert_eq!(found, known);
}

#[test]
fn every_column_is_in_a_backup() {
    let kept = kept();
    let sql = "SELECT s.name AS \"of\", c.name AS name
               FROM sqlite_schema s, pragma_table_info(s.name) c WHERE s.type = 'table'";
    let rows: Vec<ColumnRow> = diesel::sql_query(sql).load(&mut raw(&kept.path)).unwrap();
    let columns: Vec<_> = rows.into_iter().map(|row| (row.of, row.name)).collect();
    assert_nothing_is_left_out(&columns);
}
