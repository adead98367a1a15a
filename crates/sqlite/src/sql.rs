//! Statements that diesel's query builder cannot express or does not cache.

use std::marker::PhantomData;

use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use diesel::sqlite::Sqlite;
use exit3_ports::{Kind, Value};

enum Part {
    Sql(&'static str),
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
    Null(Kind),
}

/// A statement made of fixed texts and bound values. Its rows have the SQL types `ST`.
///
/// Diesel's own queries work as well; they may take longer, because diesel does not cache all of
/// them.
pub struct Sql<ST = ()> {
    parts: Vec<Part>,
    cached: bool,
    types: PhantomData<ST>,
}

impl<ST> Sql<ST> {
    /// Starts a statement with `sql`. The whole text must be one of a small set, because every
    /// connection keeps it prepared.
    pub fn new(sql: &'static str) -> Self {
        Self { parts: vec![Part::Sql(sql)], cached: true, types: PhantomData }
    }

    /// Adds text.
    pub fn sql(&mut self, sql: &'static str) -> &mut Self {
        self.parts.push(Part::Sql(sql));
        self
    }

    /// Binds a whole number.
    pub fn int(&mut self, value: i64) -> &mut Self {
        self.parts.push(Part::Int(value));
        self
    }

    /// Binds a text.
    pub fn text(&mut self, value: impl Into<String>) -> &mut Self {
        self.parts.push(Part::Text(value.into()));
        self
    }

    pub(crate) fn int_or_null(&mut self, value: Option<i64>) -> &mut Self {
        self.value(value.map_or(Value::Null, Value::Integer), Kind::Integer)
    }

    pub(crate) fn text_or_null(&mut self, value: Option<String>) -> &mut Self {
        self.value(value.map_or(Value::Null, Value::Text), Kind::Text)
    }

    pub(crate) fn bytes(&mut self, value: Vec<u8>) -> &mut Self {
        self.parts.push(Part::Bytes(value));
        self
    }

    /// Adds conditions that the search document contains all of these words.
    pub(crate) fn words(&mut self, words: &[String]) {
        for word in words {
            self.sql(" AND instr(search_document, ").text(word).sql(") > 0");
        }
    }

    /// Binds a value of a column of this kind.
    pub(crate) fn value(&mut self, value: Value, kind: Kind) -> &mut Self {
        self.parts.push(match value {
            Value::Null => Part::Null(kind),
            Value::Integer(number) | Value::Time(number) => Part::Int(number),
            Value::Boolean(truth) => Part::Int(truth.into()),
            Value::Text(text) => Part::Text(text),
            Value::Bytes(bytes) => Part::Bytes(bytes),
        });
        self
    }

    /// Prepares the statement each time. Use it for statements with very many variants,
    /// because a connection caches statements forever.
    pub(crate) fn uncached(&mut self) -> &mut Self {
        self.cached = false;
        self
    }
}

impl<ST> QueryFragment<Sqlite> for Sql<ST> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        if !self.cached {
            out.unsafe_to_cache_prepared();
        }
        for part in &self.parts {
            match part {
                Part::Sql(sql) => out.push_sql(sql),
                Part::Int(value) => out.push_bind_param::<BigInt, _>(value)?,
                Part::Text(value) => out.push_bind_param::<Text, _>(value)?,
                Part::Bytes(value) => out.push_bind_param::<Binary, _>(value)?,
                // Bound as the column's type, because cached statements are distinguished by types.
                Part::Null(Kind::Text) => {
                    out.push_bind_param::<Nullable<Text>, _>(&None::<&str>)?;
                }
                Part::Null(Kind::Bytes) => {
                    out.push_bind_param::<Nullable<Binary>, _>(&None::<&[u8]>)?;
                }
                Part::Null(_) => out.push_bind_param::<Nullable<BigInt>, _>(&None::<i64>)?,
            }
        }
        Ok(())
    }
}

impl<ST> QueryId for Sql<ST> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<ST> Query for Sql<ST> {
    type SqlType = ST;
}

impl<ST> RunQueryDsl<SqliteConnection> for Sql<ST> {}

/// Lets diesel cache a statement with a fixed text. For an UPDATE it cannot tell.
pub(crate) struct Cached<T>(pub(crate) T);

impl<T: QueryFragment<Sqlite>> QueryFragment<Sqlite> for Cached<T> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, _: &Sqlite) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<T> QueryId for Cached<T> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T: Query> Query for Cached<T> {
    type SqlType = T::SqlType;
}

impl<T> RunQueryDsl<SqliteConnection> for Cached<T> {}
