//! Statements that are written as SQL, with typed values and rows.

use std::marker::PhantomData;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz};

/// A piece of a statement.
#[derive(Debug, Clone)]
enum Piece {
    Sql(&'static str),
    /// A number of our own making, which the planner is to see.
    Literal(i64),
    Value(Value),
}

/// A value of a statement.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    BigInt(i64),
    BigInts(Vec<i64>),
    Bool(Option<bool>),
    Text(Option<String>),
    Time(DateTime<Utc>),
    Bools(Vec<bool>),
    Texts(Vec<Option<String>>),
    Words(Vec<&'static str>),
    Times(Vec<DateTime<Utc>>),
}

impl Value {
    /// A time within the reach of PostgreSQL, which begins later than that of
    /// the program; no row is as old as that.
    pub(crate) fn time(time: DateTime<Utc>) -> Self {
        let earliest = NaiveDate::from_ymd_opt(-4000, 1, 1).unwrap_or_default();
        Self::Time(time.max(earliest.and_time(NaiveTime::MIN).and_utc()))
    }
}

/// A statement whose rows have the SQL type `ST`.
pub(crate) struct Sql<ST = ()> {
    pieces: Vec<Piece>,
    cached: bool,
    row: PhantomData<fn() -> ST>,
}

impl<ST> Clone for Sql<ST> {
    fn clone(&self) -> Self {
        Self { pieces: self.pieces.clone(), cached: self.cached, row: PhantomData }
    }
}

impl<ST> Sql<ST> {
    /// Begins a statement with `sql`. Its whole text must come from a small set
    /// of texts: every connection keeps it prepared, with a plan that serves any
    /// values.
    pub(crate) fn cached(sql: &'static str) -> Self {
        Self { pieces: vec![Piece::Sql(sql)], cached: true, row: PhantomData }
    }

    /// Begins a statement that is planned anew each time, with its values.
    pub(crate) fn planned(sql: &'static str) -> Self {
        Self { cached: false, ..Self::cached(sql) }
    }

    /// Adds text.
    pub(crate) fn sql(mut self, sql: &'static str) -> Self {
        self.pieces.push(Piece::Sql(sql));
        self
    }

    /// Adds a number to the text. One that varies much does not belong in a
    /// statement that is kept prepared.
    pub(crate) fn literal(mut self, number: i64) -> Self {
        self.pieces.push(Piece::Literal(number));
        self
    }

    /// Adds a placeholder and its value.
    pub(crate) fn value(mut self, value: Value) -> Self {
        self.pieces.push(Piece::Value(value));
        self
    }

    /// Adds a condition, begun with WHERE or AND.
    pub(crate) fn all_of(mut self, conditions: &Conditions) -> Self {
        for (number, condition) in conditions.0.iter().enumerate() {
            self.pieces.push(Piece::Sql(if number == 0 { " WHERE " } else { " AND " }));
            self.pieces.extend(condition.iter().cloned());
        }
        self
    }
}

/// Conditions that must all hold; none restricts nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conditions(Vec<Vec<Piece>>);

impl Conditions {
    /// Adds the condition that is made of `before`, a value and `after`.
    pub(crate) fn add(&mut self, before: &'static str, value: Value, after: &'static str) {
        self.0.push(vec![Piece::Sql(before), Piece::Value(value), Piece::Sql(after)]);
    }

    /// Adds the condition that a column has one of these words.
    pub(crate) fn add_choice(
        &mut self,
        equals: &'static str,
        equals_any: &'static str,
        words: Vec<&'static str>,
    ) {
        // An index on the column gives an order only to rows of one word. Words
        // are ours, and few: in the text the planner sees them, and plans once.
        match words.as_slice() {
            [word] => self.0.push([equals, "'", word, "'"].map(Piece::Sql).to_vec()),
            _ => self.add(equals_any, Value::Words(words), ")"),
        }
    }

    /// Adds the condition that a row lies beyond a position.
    pub(crate) fn add_beyond(&mut self, comparison: &'static str, position: Vec<Value>) {
        let mut pieces = vec![Piece::Sql(comparison)];
        for (number, value) in position.into_iter().enumerate() {
            pieces.push(Piece::Sql(if number == 0 { "(" } else { ", " }));
            pieces.push(Piece::Value(value));
        }
        pieces.push(Piece::Sql(")"));
        self.0.push(pieces);
    }

    /// Adds a condition without values.
    pub(crate) fn add_sql(&mut self, sql: &'static str) {
        self.0.push(vec![Piece::Sql(sql)]);
    }

    /// Adds what a search asks of a row: that its document has all the words.
    pub(crate) fn add_words(&mut self, words: &[String]) {
        for word in words {
            // A text of the database has no NUL, and none may be sent.
            if word.contains('\0') {
                self.add_sql("false");
            } else {
                self.add("search_document LIKE ", Value::Text(Some(containing(word))), "");
            }
        }
    }
}

/// The LIKE pattern of the texts that contain `word`.
fn containing(word: &str) -> String {
    let mut pattern = String::with_capacity(word.len() + 2);
    pattern.push('%');
    for c in word.chars() {
        if matches!(c, '\\' | '%' | '_') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

impl<ST> QueryFragment<Pg> for Sql<ST> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        for piece in &self.pieces {
            match piece {
                Piece::Sql(sql) => out.push_sql(sql),
                Piece::Literal(number) => out.push_sql(&number.to_string()),
                Piece::Value(value) => match value {
                    Value::BigInt(number) => out.push_bind_param::<BigInt, _>(number)?,
                    Value::BigInts(numbers) => {
                        out.push_bind_param::<Array<BigInt>, _>(numbers)?;
                    }
                    Value::Bool(bool) => out.push_bind_param::<Nullable<Bool>, _>(bool)?,
                    Value::Text(text) => out.push_bind_param::<Nullable<Text>, _>(text)?,
                    Value::Time(time) => out.push_bind_param::<Timestamptz, _>(time)?,
                    Value::Bools(bools) => out.push_bind_param::<Array<Bool>, _>(bools)?,
                    Value::Texts(texts) => {
                        out.push_bind_param::<Array<Nullable<Text>>, _>(texts)?;
                    }
                    Value::Words(words) => out.push_bind_param::<Array<Text>, _>(words)?,
                    Value::Times(times) => out.push_bind_param::<Array<Timestamptz>, _>(times)?,
                },
            }
        }
        Ok(())
    }

    fn is_safe_to_cache_prepared(&self, _: &Pg) -> QueryResult<bool> {
        Ok(self.cached)
    }
}

impl<ST> QueryId for Sql<ST> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<ST> Query for Sql<ST> {
    type SqlType = ST;
}

/// A statement of diesel's that is kept prepared although diesel would not: its
/// text is always the same.
pub(crate) struct Cached<Q>(pub(crate) Q);

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Cached<Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, _: &Pg) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Q> QueryId for Cached<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Cached<Q> {
    type SqlType = Q::SqlType;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_plain_characters() {
        assert_eq!(containing(r"100%_\'"), r"%100\%\_\\'%");
    }
}
