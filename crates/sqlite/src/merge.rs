//! Lists filtered by choices, merged from one part of an index for each value.
//!
//! An index that begins with the filtered columns has the rows of each combination of values side
//! by side, in the order of the list. SQLite merges these parts row by row, so the number of rows
//! read depends only on the page. The statements name the indexes, because SQLite would choose by
//! statistics, which may be out of date, or by a guess.

use crate::sql::Sql;

/// The rows of one combination of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arm {
    /// ` INDEXED BY ...` or ` NOT INDEXED`.
    pub(crate) index: &'static str,
    /// Columns and their values.
    pub(crate) equal: Vec<(&'static str, Equal)>,
    /// Whether rows before the position of a walk must be excluded.
    pub(crate) is_beyond: bool,
}

/// The value of a column in an [`Arm`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Equal {
    Text(String),
    Int(i64),
}

impl Arm {
    /// All rows of one index.
    pub(crate) fn all(index: &'static str) -> Self {
        Self { index, equal: Vec::new(), is_beyond: true }
    }

    /// Adds the table and the conditions of the combination.
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

/// A sorted list of one table.
pub(crate) struct Merge<'a> {
    pub(crate) table: &'static str,
    pub(crate) columns: &'static str,
    /// The sort columns, at most three; the last one is unique.
    pub(crate) key: &'static [&'static str],
    pub(crate) descending: bool,
    /// At least one arm.
    pub(crate) arms: &'a [Arm],
}

const NAMES: [&str; 3] = ["key_1", "key_2", "key_3"];

impl Merge<'_> {
    /// Builds the statement that reads `limit` rows after the first `offset` ones. `conditions`
    /// adds further conditions to each arm.
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

/// Restricts rows to those beyond a position. The caller adds the values.
pub(crate) fn beyond<ST>(select: &mut Sql<ST>, columns: &[&'static str], descending: bool) {
    for (place, column) in columns.iter().enumerate() {
        select.sql(if place == 0 { " AND (" } else { ", " }).sql(column);
    }
    select.sql(if descending { ") < (" } else { ") > (" });
}
