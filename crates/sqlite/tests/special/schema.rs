//! The schema agrees with what the program knows about it.

use std::path::Path;

use diesel::prelude::*;
use diesel::sql_types::Text;
use exit3_ports::{Guard, RULES};
use exit3_testkit::contract::transfer::assert_nothing_is_left_out;

use super::{kept, raw};

#[derive(QueryableByName)]
struct ColumnRow {
    #[diesel(sql_type = Text)]
    of: String,
    #[diesel(sql_type = Text)]
    name: String,
}

/// The columns of a rule, and the kind of the rule.
fn rules_of(path: &Path, sql: &str, guard: Guard) -> Vec<(String, String, Guard)> {
    let rows: Vec<ColumnRow> = diesel::sql_query(sql).load(&mut raw(path)).unwrap();
    rows.into_iter().map(|row| (row.of, row.name, guard)).collect()
}

#[test]
fn every_constraint_of_the_schema_has_a_rule() {
    let kept = kept();
    let unique = "SELECT s.name AS \"of\", c.name AS name
        FROM sqlite_schema s, pragma_index_list(s.name) l, pragma_index_info(l.name) c
        WHERE s.type = 'table' AND l.\"unique\" AND l.origin <> 'pk'";
    let references = "SELECT s.name AS \"of\", f.\"from\" AS name
        FROM sqlite_schema s, pragma_foreign_key_list(s.name) f WHERE s.type = 'table'";
    let mut found = rules_of(&kept.path, unique, Guard::Unique);
    let references = rules_of(&kept.path, references, Guard::Reference);
    let mut tables: Vec<&String> = references.iter().map(|(table, ..)| table).collect();
    tables.dedup();
    assert_eq!(tables.len(), references.len(), "SQLite does not name the broken reference");
    found.extend(references);
    let known = RULES.iter().map(|rule| (rule.table.into(), rule.column.into(), rule.guard));
    let mut known: Vec<(String, String, Guard)> = known.collect();
    let order = |rule: &(String, String, Guard)| format!("{rule:?}");
    found.sort_by_key(order);
    known.sort_by_key(order);
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
