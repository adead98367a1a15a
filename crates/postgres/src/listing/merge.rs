//! Lists filtered by choices, merged from one part of an index for each value.
//!
//! An index that begins with the filtered columns has the rows of each combination of values side
//! by side, in the order of the list. Each combination yields its first rows, and the first of
//! these are the page. So the number of rows read depends only on the page.
//!
//! The planner would rather walk along the index of the order if its statistics, which may be out
//! of date, say that most rows match. The statements prevent that: the filtered columns lie between
//! two equal bounds, so the planner does not know that they have a single value, and no other index
//! has the rows in an order that begins like this one. Rows are compared as whole rows and with
//! values that the planner does not see, so its estimates are always the same.

use crate::sql::{Sql, Value};

/// The first columns of an index.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Begin {
    /// The single filtered column.
    Column,
    /// The filtered columns as one text, separated by blanks, and a mark of the index.
    Texts(&'static str),
    /// The single column as a number.
    Number,
}

/// A column with its allowed values.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    pub(crate) column: &'static str,
    /// The end of an array literal of its type: `}'::text[]`.
    pub(crate) array: &'static str,
    /// The values, without duplicates.
    pub(crate) words: Vec<&'static str>,
}

/// The rows of some combinations of values.
#[derive(Debug, Clone)]
pub(crate) struct Arm {
    /// The filtered columns, which the index begins with.
    pub(crate) choices: Vec<Choice>,
    pub(crate) begin: Begin,
    /// The columns that follow in the index.
    pub(crate) tail: &'static [&'static str],
    /// A lower bound of every value of the first `tail` column.
    pub(crate) least: &'static str,
    /// The position to start beyond: values of the `tail` columns.
    pub(crate) from: Option<Vec<Value>>,
    /// The lower bound (inclusive) of the first `tail` column.
    pub(crate) after: Option<Value>,
    /// The upper bound (exclusive) of the first `tail` column.
    pub(crate) before: Option<Value>,
}

impl Arm {
    /// The number of combinations.
    pub(crate) fn count(&self) -> usize {
        self.choices.iter().map(|choice| choice.words.len()).product()
    }

    /// Adds a FROM clause that joins every combination with the rows that `each` selects for it.
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

    /// Adds the conditions that a row belongs to the combination and lies within the bounds.
    pub(crate) fn within<ST>(&self, sql: Sql<ST>, descending: bool) -> Sql<ST> {
        let sql = self.bound(sql.sql(" WHERE "), !descending, false).sql(" AND ");
        self.bound(sql, descending, true)
    }

    /// Adds the lower or the upper bound. `first` says whether the walk meets this bound first, in
    /// which case a position replaces it.
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

    /// Adds a row of the index's first columns and of the first `tail` other ones.
    fn row<ST>(&self, sql: Sql<ST>, tail: usize) -> Sql<ST> {
        let sql = self.beginning(sql.sql("("), "", "");
        let tail = self.tail.iter().take(tail);
        tail.fold(sql, |sql, column| sql.sql(", ").sql(column)).sql(")")
    }

    /// Adds a row of the combination's values, without the closing parenthesis.
    fn words<ST>(&self, sql: Sql<ST>) -> Sql<ST> {
        self.beginning(sql.sql("("), "of_", ".word")
    }

    /// Adds the index's first columns, with a prefix and a suffix to each name.
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

    /// For statements that read all rows of each combination in no order: tells the planner that
    /// the rows are few, so that it uses the index.
    pub(crate) fn few<ST>(&self, sql: Sql<ST>) -> Sql<ST> {
        let bound = |sql: Sql<ST>, comparison| {
            let sql = self.beginning(sql.sql(" AND "), "", "").sql(comparison);
            self.beginning(sql, "of_", ".word")
        };
        bound(bound(sql, " >= "), " <= ")
    }

    /// Adds an ORDER BY clause that only this index can serve.
    pub(crate) fn order<ST>(&self, sql: Sql<ST>, descending: bool) -> Sql<ST> {
        let direction = if descending { " DESC" } else { "" };
        let sql = self.beginning(sql.sql(" ORDER BY "), "", "").sql(direction);
        self.tail.iter().fold(sql, |sql, column| sql.sql(", ").sql(column).sql(direction))
    }
}
