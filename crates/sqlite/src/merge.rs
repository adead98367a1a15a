//! Lists by choices, which are merged from one part of an index for each value.
//!
//! An index that begins with the chosen columns has the rows of each combination of
//! values side by side, in the order of the list. SQLite merges these parts row by row,
//! so how many rows are read depends on the page alone, and not on which are the newest.
//! The indexes are named, because SQLite would choose by statistics, which may be old, or
//! by a guess.

use crate::sql::Sql;

/// The rows of one combination of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arm {
    /// ` INDEXED BY ...` or ` NOT INDEXED`.
    pub(crate) index: &'static str,
    /// Columns and what they are.
    pub(crate) equal: Vec<(&'static str, Equal)>,
    /// Whether only rows beyond the position of a walk count.
    pub(crate) is_beyond: bool,
}

/// What a column of an [`Arm`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Equal {
    Text(String),
    Int(i64),
}

impl Arm {
    /// All rows of that index.
    pub(crate) fn all(index: &'static str) -> Self {
        Self { index, equal: Vec::new(), is_beyond: true }
    }

    /// Adds the table, and the condition that a row is of the combination.
    pub(crate) fn rows<ST>(&self, select: &mut Sql<ST>, table: &'static str) {
        select.sql(" FROM ").sql(table).sql(self.index).sql(" WHERE 1");
        for (column, value) in &self.equal {
            select.sql(" AND ").sql(column).sql(" = ");
            match value {
                Equal::Text(text) => select.text(text),
                Equal::Int(number) => select.int(*number),
            };
        }
    }
}

/// A list of one table.
pub(crate) struct Merge<'a> {
    pub(crate) table: &'static str,
    pub(crate) columns: &'static str,
    /// What it is sorted by; the last column tells rows apart. At most three.
    pub(crate) key: &'static [&'static str],
    pub(crate) descending: bool,
    /// At least one.
    pub(crate) arms: &'a [Arm],
}

const NAMES: [&str; 3] = ["key_1", "key_2", "key_3"];

impl Merge<'_> {
    /// The statement that reads `limit` rows after the first `offset` ones. `conditions`
    /// adds what else a row of an arm must fulfil.
    pub(crate) fn select<ST>(
        &self,
        limit: i64,
        offset: Option<i64>,
        conditions: impl Fn(&mut Sql<ST>, &Arm),
    ) -> Sql<ST> {
        let mut select = Sql::new("SELECT ");
        select.sql(self.columns);
        if let [arm] = self.arms {
            arm.rows(&mut select, self.table);
            conditions(&mut select, arm);
            self.order(&mut select, self.key.iter().copied());
        } else {
            select.sql(" FROM (").uncached();
            for (place, arm) in self.arms.iter().enumerate() {
                select.sql(if place == 0 { "SELECT " } else { " UNION ALL SELECT " });
                select.sql(self.columns);
                for (column, name) in self.key.iter().zip(NAMES) {
                    select.sql(", ").sql(column).sql(" AS ").sql(name);
                }
                arm.rows(&mut select, self.table);
                conditions(&mut select, arm);
            }
            self.order(&mut select, self.names());
        }
        select.sql(" LIMIT ").int(limit);
        if let Some(offset) = offset {
            select.sql(" OFFSET ").int(offset);
        }
        if self.arms.len() != 1 {
            select.sql(")");
            self.order(&mut select, self.names());
        }
        select
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        NAMES.into_iter().take(self.key.len())
    }

    fn order<ST>(&self, select: &mut Sql<ST>, columns: impl Iterator<Item = &'static str>) {
        for (place, column) in columns.enumerate() {
            select.sql(if place == 0 { " ORDER BY " } else { ", " }).sql(column);
            select.sql(if self.descending { " DESC" } else { "" });
        }
    }
}

/// Only what lies beyond a position; its values follow.
pub(crate) fn beyond<ST>(select: &mut Sql<ST>, columns: &[&'static str], descending: bool) {
    for (place, column) in columns.iter().enumerate() {
        select.sql(if place == 0 { " AND (" } else { ", " }).sql(column);
    }
    select.sql(if descending { ") < (" } else { ") > (" });
}
