//! Lists by choices, which are merged from one part of an index for each value.
//!
//! An index that begins with the chosen columns has the rows of one combination of
//! values side by side, in the order of the list. So each combination gives its first
//! rows, and the first of these are the page. How many rows are read depends on the
//! page alone, and not on which rows are the newest.
//!
//! The planner would rather walk along the index of the order where its statistics say
//! that most rows match, and these may be old. It is kept from that: where the chosen
//! columns lie between two equal bounds, it does not know that they have one value, and
//! no other index has the rows in the order that is asked for. Rows are compared as
//! whole rows, and with values that it does not see, so its estimates are always the same.

use crate::sql::{Sql, Value};

/// A column that has one of a few values.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    pub(crate) column: &'static str,
    /// The end of an array of its type: `}'::text[]`.
    pub(crate) array: &'static str,
    /// Each value once.
    pub(crate) words: Vec<&'static str>,
}

/// The rows of some combinations of values.
#[derive(Debug, Clone)]
pub(crate) struct Arm {
    /// The columns that the index begins with.
    pub(crate) choices: Vec<Choice>,
    /// Those that follow in it.
    pub(crate) tail: &'static [&'static str],
    /// What no value of the first of these is below.
    pub(crate) least: &'static str,
    /// The values of `tail` to start beyond.
    pub(crate) from: Option<Vec<Value>>,
    /// The first of `tail` is this or above.
    pub(crate) after: Option<Value>,
    /// The first of `tail` is below this.
    pub(crate) before: Option<Value>,
}

impl Arm {
    /// Adds a FROM clause: every combination beside what `each` finds for it.
    pub(crate) fn combinations<ST>(
        &self,
        mut sql: Sql<ST>,
        each: impl FnOnce(Sql<ST>) -> Sql<ST>,
    ) -> Sql<ST> {
        sql = sql.sql(" FROM ");
        for choice in &self.choices {
            sql = sql.sql("unnest('{");
            for (place, word) in choice.words.iter().enumerate() {
                sql = sql.sql(if place == 0 { "" } else { "," }).sql(word);
            }
            sql = sql.sql(choice.array).sql(") AS of_").sql(choice.column);
            sql = sql.sql(" (word) CROSS JOIN ");
        }
        each(sql.sql("LATERAL (")).sql(") found")
    }

    /// Adds the condition that a row is of the combination, and within the bounds.
    pub(crate) fn within<ST>(&self, sql: Sql<ST>, descending: bool) -> Sql<ST> {
        let sql = self.bound(sql.sql(" WHERE "), !descending, false).sql(" AND ");
        self.bound(sql, descending, true)
    }

    /// One of the two bounds; a position is the one that is met first.
    fn bound<ST>(&self, sql: Sql<ST>, first: bool, upper: bool) -> Sql<ST> {
        if let (true, Some(from)) = (first, &self.from) {
            let sql = self.row(sql, self.tail.len()).sql(if upper { " < " } else { " > " });
            let sql =
                from.iter().fold(self.words(sql), |sql, value| sql.sql(", ").value(value.clone()));
            return sql.sql(")");
        }
        match (upper, &self.after, &self.before) {
            (false, Some(after), _) => {
                let sql = self.words(self.row(sql, 1).sql(" >= "));
                sql.sql(", ").value(after.clone()).sql(")")
            }
            (false, None, _) => {
                let sql = self.words(self.row(sql, 1).sql(" >= "));
                sql.sql(", ").sql(self.least).sql(")")
            }
            (true, _, Some(before)) => {
                let sql = self.words(self.row(sql, 1).sql(" < "));
                sql.sql(", ").value(before.clone()).sql(")")
            }
            (true, _, None) => self.words(self.row(sql, 0).sql(" <= ")).sql(")"),
        }
    }

    /// The chosen columns, and as many of the others.
    fn row<ST>(&self, mut sql: Sql<ST>, tail: usize) -> Sql<ST> {
        let choices = self.choices.iter().map(|choice| choice.column);
        for (place, column) in choices.chain(self.tail.iter().copied().take(tail)).enumerate() {
            sql = sql.sql(if place == 0 { "(" } else { ", " }).sql(column);
        }
        sql.sql(")")
    }

    /// The values of the chosen columns; the row is left open.
    fn words<ST>(&self, mut sql: Sql<ST>) -> Sql<ST> {
        for (place, choice) in self.choices.iter().enumerate() {
            sql = sql.sql(if place == 0 { "(of_" } else { ", of_" });
            sql = sql.sql(choice.column).sql(".word");
        }
        sql
    }

    /// For a statement that reads all rows of each combination, and in no order: tells
    /// the planner that they are few, so that it takes the index.
    pub(crate) fn few<ST>(&self, sql: Sql<ST>) -> Sql<ST> {
        let Some(first) = self.choices.first().map(|choice| choice.column) else { return sql };
        let bound = |sql: Sql<ST>, comparison| {
            sql.sql(" AND ").sql(first).sql(comparison).sql(first).sql(".word")
        };
        bound(bound(sql, " >= of_"), " <= of_")
    }

    /// The ORDER BY clause that only the index can serve.
    pub(crate) fn order<ST>(&self, mut sql: Sql<ST>, descending: bool) -> Sql<ST> {
        let choices = self.choices.iter().map(|choice| choice.column);
        for (place, column) in choices.chain(self.tail.iter().copied()).enumerate() {
            sql = sql.sql(if place == 0 { " ORDER BY " } else { ", " }).sql(column);
            sql = sql.sql(if descending { " DESC" } else { "" });
        }
        sql
    }
}
