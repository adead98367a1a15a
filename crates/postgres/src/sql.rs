//! Statements written as SQL text, with typed values and rows.

use std::marker::PhantomData;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Binary, Bool, Nullable, Text, Timestamptz};
use exit3_domain::order::{ListPosition, SortValue};

/// A piece of a statement.
#[derive(Debug, Clone)]
enum Piece {
    Sql(&'static str),
    /// A number from this program, which the planner should see.
    Literal(i64),
    Value(Value),
}

/// A value of a statement.
#[derive(Debug, Clone)]
pub enum Value {
    /// A whole number.
    BigInt(i64),
    /// A whole number, or NULL.
    Number(Option<i64>),
    /// Whole numbers.
    BigInts(Vec<i64>),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A boolean, or NULL.
    Bool(Option<bool>),
    /// A text, or NULL. PostgreSQL refuses a text with NUL.
    Text(Option<String>),
    /// A time. Use [`Value::time`] for one that nobody has checked.
    Time(DateTime<Utc>),
    /// Booleans.
    Bools(Vec<bool>),
    /// Texts, and NULL in place of some of them.
    Texts(Vec<Option<String>>),
    /// Texts of this program.
    Words(Vec<&'static str>),
    /// Times.
    Times(Vec<DateTime<Utc>>),
}

impl Value {
    /// A time within PostgreSQL's range, which starts later than chrono's. No row is that old.
    pub fn time(time: DateTime<Utc>) -> Self {
        let earliest = NaiveDate::from_ymd_opt(-4000, 1, 1).unwrap_or_default();
        Self::Time(time.max(earliest.and_time(NaiveTime::MIN).and_utc()))
    }

    /// The values of a position, in the order of the list's key.
    pub(crate) fn of_position(position: &ListPosition) -> Vec<Self> {
        let values = position.values.iter().map(|value| match value {
            SortValue::Time(time) => Self::time(*time),
            SortValue::Text(text) => Self::Text(Some(text.clone())),
            SortValue::Word(word) => Self::Text(Some((*word).to_owned())),
            SortValue::Boolean(truth) => Self::Bool(Some(*truth)),
            SortValue::Number(number) => Self::BigInt(*number),
        });
        values.chain([Self::BigInt(position.id)]).collect()
    }
}

/// A statement, made of fixed texts and of values. Its rows have the SQL type `ST`.
pub struct Sql<ST = ()> {
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
    /// Starts a statement with `sql`. The whole text must be one of a small set, because every
    /// connection keeps the statement prepared, with one plan for all values.
    pub fn cached(sql: &'static str) -> Self {
        Self { pieces: vec![Piece::Sql(sql)], cached: true, row: PhantomData }
    }

    /// Starts a statement that is planned each time, for its values.
    pub(crate) fn planned(sql: &'static str) -> Self {
        Self { cached: false, ..Self::cached(sql) }
    }

    /// Adds text.
    #[must_use]
    pub fn sql(mut self, sql: &'static str) -> Self {
        self.pieces.push(Piece::Sql(sql));
        self
    }

    /// Adds names, separated by commas.
    pub(crate) fn names(mut self, names: &[&'static str]) -> Self {
        for (number, name) in names.iter().enumerate() {
            self = self.sql(if number == 0 { "" } else { ", " }).sql(name);
        }
        self
    }

    /// Adds a number to the text. Do not use it for numbers that vary much in a prepared statement.
    pub(crate) fn literal(mut self, number: i64) -> Self {
        self.pieces.push(Piece::Literal(number));
        self
    }

    /// Adds a placeholder and its value.
    #[must_use]
    pub fn value(mut self, value: Value) -> Self {
        self.pieces.push(Piece::Value(value));
        self
    }

    /// Adds conditions after WHERE.
    pub(crate) fn all_of(self, conditions: &Conditions) -> Self {
        self.each_of(conditions, " WHERE ")
    }

    /// Adds conditions after AND.
    pub(crate) fn and_all_of(self, conditions: &Conditions) -> Self {
        self.each_of(conditions, " AND ")
    }

    fn each_of(mut self, conditions: &Conditions, mut begin: &'static str) -> Self {
        for condition in &conditions.0 {
            self.pieces.push(Piece::Sql(begin));
            self.pieces.extend(condition.iter().cloned());
            begin = " AND ";
        }
        self
    }
}

/// Conditions that must all hold. No conditions allow every row.
#[derive(Debug, Clone, Default)]
pub struct Conditions(Vec<Vec<Piece>>);

impl Conditions {
    /// Whether every row is allowed.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a condition made of `before`, a value and `after`.
    pub fn add(&mut self, before: &'static str, value: Value, after: &'static str) {
        self.0.push(vec![Piece::Sql(before), Piece::Value(value), Piece::Sql(after)]);
    }

    /// Adds a condition made of `before`, a value that the planner does not see, and `after`. Its
    /// estimate then does not depend on statistics.
    pub(crate) fn add_unseen(&mut self, before: &'static str, value: Value, after: &'static str) {
        let value = [Piece::Sql("(SELECT "), Piece::Value(value), Piece::Sql(")")];
        self.0.push([&[Piece::Sql(before)], &value[..], &[Piece::Sql(after)]].concat());
    }

    /// Adds the condition that a column has one of these words, which must be constants of this
    /// program.
    pub fn add_choice(&mut self, column: &'static str, words: &[&'static str]) {
        let mut pieces = vec![Piece::Sql(column)];
        // The words are constants, and few: as part of the text the planner sees them, and plans
        // once.
        match words {
            [word] => pieces.extend([" = '", word, "'"].map(Piece::Sql)),
            _ => {
                pieces.push(Piece::Sql(" = ANY("));
                pieces.push(Piece::Value(Value::Words(words.to_vec())));
                pieces.push(Piece::Sql(")"));
            }
        }
        self.0.push(pieces);
    }

    /// Adds the condition that a row lies beyond a position of an order.
    pub(crate) fn add_beyond(
        &mut self,
        columns: &'static [&'static str],
        below: bool,
        position: &[Value],
    ) {
        let mut pieces = Vec::new();
        for (number, column) in columns.iter().enumerate() {
            pieces.push(Piece::Sql(if number == 0 { "(" } else { ", " }));
            pieces.push(Piece::Sql(column));
        }
        pieces.push(Piece::Sql(if below { ") < " } else { ") > " }));
        for (number, value) in position.iter().enumerate() {
            pieces.push(Piece::Sql(if number == 0 { "(" } else { ", " }));
            pieces.push(Piece::Value(value.clone()));
        }
        pieces.push(Piece::Sql(")"));
        self.0.push(pieces);
    }

    /// Adds other conditions.
    pub(crate) fn add_all(&mut self, conditions: &Self) {
        self.0.extend(conditions.0.iter().cloned());
    }

    /// Adds conditions in a form that no index can serve.
    pub(crate) fn add_hidden(&mut self, conditions: &Self) {
        for condition in &conditions.0 {
            let condition = condition.iter().cloned();
            let begun = std::iter::once(Piece::Sql("(")).chain(condition);
            self.0.push(begun.chain([Piece::Sql(") IS TRUE")]).collect());
        }
    }

    /// Adds a condition without values.
    pub(crate) fn add_sql(&mut self, sql: &'static str) {
        self.0.push(vec![Piece::Sql(sql)]);
    }

    /// Adds the condition that a row's document contains a word. The planner does not see the word,
    /// so it always uses the trigram index.
    pub(crate) fn add_word(&mut self, word: &str) {
        // Stored texts contain no NUL, and PostgreSQL refuses it as a parameter.
        if word.contains('\0') {
            self.add_sql("false");
        } else {
            let word = Value::Text(Some(containing(word)));
            self.add_unseen("search_document LIKE ", word, "");
        }
    }

    /// Adds the condition that one of these documents contains a word.
    pub(crate) fn add_word_in(&mut self, documents: &[&'static str], word: &str) {
        if word.contains('\0') {
            return self.add_sql("false");
        }
        let mut pieces = vec![Piece::Sql("(")];
        for (number, document) in documents.iter().enumerate() {
            pieces.push(Piece::Sql(if number == 0 { "" } else { " OR " }));
            pieces.extend([Piece::Sql(document), Piece::Sql(" LIKE (SELECT ")]);
            pieces.extend([Piece::Value(Value::Text(Some(containing(word)))), Piece::Sql(")")]);
        }
        pieces.push(Piece::Sql(")"));
        self.0.push(pieces);
    }
}

/// Whether the trigram index can find a word: it needs three letters or digits in a row.
pub(crate) fn is_indexed(word: &str) -> bool {
    let mut runs = word.split(|c: char| !c.is_alphanumeric());
    runs.any(|run| run.chars().nth(2).is_some())
}

/// The LIKE pattern for texts that contain `word`.
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
                    Value::Number(number) => out.push_bind_param::<Nullable<BigInt>, _>(number)?,
                    Value::BigInts(numbers) => {
                        out.push_bind_param::<Array<BigInt>, _>(numbers)?;
                    }
                    Value::Bytes(bytes) => out.push_bind_param::<Binary, _>(bytes)?,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_literally() {
        assert_eq!(containing(r"100%_\'"), r"%100\%\_\\'%");
    }
}
