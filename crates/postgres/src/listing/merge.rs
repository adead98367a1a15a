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
//! no other index has the rows in an order that begins like this one. Rows are compared as
//! whole rows, and with values that it does not see, so its estimates are always the same.

use crate::sql::{Sql, Value};

/// What an index begins with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Begin {
    /// The one column that is chosen.
    Column,
    /// The chosen columns, as texts with blanks between, and a mark of the index.
    Texts(&'static str),
    /// The one column, as a number.
    Number,
}

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
    /// The columns that the index begins with, and how.
    pub(crate) choices: Vec<Choice>,
    pub(crate) begin: Begin,
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

    /// What the index begins with, and as many of the other columns.
    fn row<ST>(&self, sql: Sql<ST>, tail: usize) -> Sql<ST> {
        let sql = self.beginning(sql.sql("("), "", "");
        let tail = self.tail.iter().take(tail);
        tail.fold(sql, |sql, column| sql.sql(", ").sql(column)).sql(")")
    }

    /// The values that the index begins with; the row is left open.
    fn words<ST>(&self, sql: Sql<ST>) -> Sql<ST> {
        self.beginning(sql.sql("("), "of_", ".word")
    }

    /// What the index begins with, of columns that are called so.
    fn beginning<ST>(
        &self,
        mut sql: Sql<ST>,
        before: &'static str,
        after: &'static str,
    ) -> Sql<ST> {
        sql = sql.sql(if matches!(self.begin, Begin::Column) { "" } else { "(" });
        for (place, choice) in self.choices.iter().enumerate() {
            sql = sql.sql(if place == 0 { "" } else { " || ' ' || " });
            sql = sql.sql(before).sql(choice.column).sql(after);
        }
        match self.begin {
            Begin::Column => sql,
            Begin::Texts(mark) => sql.sql(mark).sql(")"),
            Begin::Number => sql.sql("::int)"),
        }
    }

    /// For a statement that reads all rows of each combination, and in no order: tells
    /// the planner that they are few, so that it takes the index.
    pub(crate) fn few<ST>(&self, sql: Sql<ST>) -> Sql<ST> {
        let bound = |sql: Sql<ST>, comparison| {
            let sql = self.beginning(sql.sql(" AND "), "", "").sql(comparison);
            self.beginning(sql, "of_", ".word")
        };
        bound(bound(sql, " >= "), " <= ")
    }

    /// The ORDER BY clause that only the index can serve.
    pub(crate) fn order<ST>(&self, sql: Sql<ST>, descending: bool) -> Sql<ST> {
        let direction = if descending { " DESC" } else { "" };
        let sql = self.beginning(sql.sql(" ORDER BY "), "", "").sql(direction);
        self.tail.iter().fold(sql, |sql, column| sql.sql(", ").sql(column).sql(direction))
    }
}
