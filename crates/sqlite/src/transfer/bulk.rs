//! A connection with one transaction that reads or writes the whole database. SQLite returns rows
//! as JSON.

use std::collections::HashSet;

use async_trait::async_trait;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use exit3_ports::{
    Column, EMPTIED, Kind, Load, ModuleRecord, PAGE_BYTES, Row, Shape, Snapshot, StoreError,
    TABLES, Table, Value, events,
};
use serde_json::Value as Json;

use crate::connection::{Connector, OpenError};
use crate::error::{Refusal, from_diesel, unreachable};
use crate::migrations::records;
use crate::search;
use crate::sql::Sql;
use crate::transfer::damage::damage;
use crate::writer::{NOTICED, content};

/// The transaction ends with the connection, and is rolled back unless it was committed.
pub(crate) struct SqliteBulkTransaction {
    connection: Option<SqliteConnection>,
    connector: Connector,
}

impl SqliteBulkTransaction {
    pub(crate) async fn begin(
        connector: &Connector,
        open: fn(&Connector) -> Result<SqliteConnection, OpenError>,
        begin: &'static str,
    ) -> Result<Self, StoreError> {
        let connector = connector.clone();
        blocking(move || {
            let mut connection = open(&connector).map_err(unreachable)?;
            content(&mut connection, connector.files())?;
            connector.files().check_elsewhere().map_err(unreachable)?;
            execute(&mut connection, begin)?;
            // A transaction starts with its first read.
            tables(&mut connection).map_err(from_diesel)?;
            Ok(Self { connection: Some(connection), connector })
        })
        .await
    }

    /// Runs `work` on a blocking thread. An error drops the connection, and the transaction with
    /// it.
    pub(crate) async fn with<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let mut connection = self.connection.take().ok_or(Refusal::Closed)?;
        let (connection, done) = blocking(move || {
            let done = work(&mut connection)?;
            Ok((connection, done))
        })
        .await?;
        self.connection = Some(connection);
        Ok(done)
    }

    /// The statement that inserts a row with bound values. Passing the row as JSON for SQLite to
    /// parse would take fifty times its size in memory.
    fn insert(shape: &Shape, row: Row) -> Sql<()> {
        let document = shape.search_document(&row);
        let mut insert = Sql::<()>::new("INSERT INTO ");
        insert.sql(shape.table.name).sql(" (");
        for (at, column) in shape.columns.iter().enumerate() {
            insert.sql(if at == 0 { "" } else { ", " }).sql(column.name);
        }
        insert.sql(if document.is_some() { ", search_document) VALUES (" } else { ") VALUES (" });
        for (at, (value, column)) in row.into_iter().zip(&shape.columns).enumerate() {
            insert.sql(if at == 0 { "" } else { ", " }).value(value, column.kind);
        }
        if let Some(document) = document {
            insert.sql(", ").text(document);
        }
        insert.sql(")");
        insert
    }
}

pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Refusal::Panicked)?
}

#[async_trait]
impl Snapshot for SqliteBulkTransaction {
    async fn schema(&mut self) -> Result<String, StoreError> {
        self.with(|connection| {
            if !tables(connection).map_err(from_diesel)?.contains("__diesel_schema_migrations") {
                return Ok(String::new());
            }
            let newest = "SELECT coalesce(max(version), '') FROM __diesel_schema_migrations";
            Sql::<Text>::new(newest).get_result(connection).map_err(from_diesel)
        })
        .await
    }

    async fn modules(&mut self) -> Result<Vec<ModuleRecord>, StoreError> {
        self.with(|connection| records::newest(connection).map_err(from_diesel)).await
    }

    async fn shapes(&mut self) -> Result<Vec<Shape>, StoreError> {
        self.with(shapes).await
    }

    async fn damage(&mut self) -> Result<Option<String>, StoreError> {
        self.with(|connection| damage(connection).map_err(from_diesel)).await
    }

    /// A connection opened after the damage cannot tell an overwritten file from the original. A
    /// process that had the database open before can, once it has checked again.
    async fn confirm(&mut self) -> Result<(), StoreError> {
        if self.connector.files().are_open_elsewhere() {
            tokio::time::sleep(NOTICED).await;
        }
        self.connector.files().in_place()?;
        self.connector.files().check_elsewhere().map_err(unreachable)
    }

    async fn consumers(&mut self) -> Result<Vec<(String, i64)>, StoreError> {
        self.with(|connection| {
            // A schema of before has none.
            if !tables(connection).map_err(from_diesel)?.contains(events::CONSUMERS.name) {
                return Ok(Vec::new());
            }
            let select = "SELECT name, event_id FROM event_consumers ORDER BY name";
            Sql::<(Text, BigInt)>::new(select).load(connection).map_err(from_diesel)
        })
        .await
    }

    async fn count(&mut self, table: &'static Table) -> Result<u64, StoreError> {
        self.with(|connection| {
            let mut count = Sql::<BigInt>::new("SELECT count(*) FROM ");
            count.sql(table.name);
            let count = count.get_result::<i64>(connection).map_err(from_diesel)?;
            Ok(count.unsigned_abs())
        })
        .await
    }

    async fn last_id(&mut self, table: &'static Table) -> Result<i64, StoreError> {
        self.with(|connection| last_id(connection, table)).await
    }

    async fn rows(
        &mut self,
        shape: &Shape,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Row>, StoreError> {
        let shape = shape.clone();
        self.with(move |connection| {
            let mut select = Sql::<Text>::new("SELECT json_array(");
            for (at, column) in shape.columns.iter().enumerate() {
                select.sql(if at == 0 { "" } else { ", " });
                match column.kind {
                    Kind::Bytes => {
                        select.sql("iif(").sql(column.name).sql(" IS NULL, NULL, hex(");
                        select.sql(column.name).sql("))")
                    }
                    _ => select.sql(column.name),
                };
            }
            select.sql(") FROM ").sql(shape.table.name).sql(" WHERE id > ").int(after);
            select.sql(" ORDER BY id LIMIT ").int(limit.into());
            let (mut rows, mut bytes) = (Vec::new(), 0);
            for row in select.load_iter::<String, _>(connection).map_err(from_diesel)? {
                let row = row.map_err(from_diesel)?;
                bytes += row.len();
                rows.push(parse(&row, &shape.columns)?);
                if bytes >= PAGE_BYTES {
                    break;
                }
            }
            Ok(rows)
        })
        .await
    }
}

#[async_trait]
impl Load for SqliteBulkTransaction {
    async fn clear(&mut self) -> Result<(), StoreError> {
        self.with(|connection| {
            // First, so that the triggers do not note every removed row.
            search::reset(connection).map_err(from_diesel)?;
            let shapes = shapes(connection)?;
            let tables = shapes.iter().map(|shape| shape.table).chain(EMPTIED);
            for table in tables.rev() {
                let mut delete = Sql::<()>::new("DELETE FROM ");
                delete.sql(table.name);
                delete.execute(connection).map_err(from_diesel)?;
            }
            Ok(())
        })
        .await
    }

    async fn write(&mut self, shape: &Shape, rows: Vec<Row>) -> Result<(), StoreError> {
        let shape = shape.clone();
        self.with(move |connection| {
            for row in rows {
                Self::insert(&shape, row).execute(connection).map_err(from_diesel)?;
            }
            Ok(())
        })
        .await
    }

    async fn replace(&mut self, shape: &Shape, rows: Vec<Row>) -> Result<(), StoreError> {
        let shape = shape.clone();
        self.with(move |connection| {
            overwrite_what_goes(connection)?;
            for row in rows {
                let mut insert = Self::insert(&shape, row);
                let document = (!shape.table.searched_by.is_empty()).then_some("search_document");
                let names = shape.columns.iter().map(|column| column.name).chain(document).skip(1);
                insert.sql(" ON CONFLICT (id) DO UPDATE SET ");
                for (at, name) in names.enumerate() {
                    insert.sql(if at == 0 { "" } else { ", " });
                    insert.sql(name).sql(" = excluded.").sql(name);
                }
                insert.execute(connection).map_err(from_diesel)?;
            }
            Ok(())
        })
        .await
    }

    /// The transaction has locked the whole database.
    async fn lock(&mut self, _: &'static Table) -> Result<(), StoreError> {
        Ok(())
    }

    async fn remove(&mut self, table: &'static Table, ids: Vec<i64>) -> Result<(), StoreError> {
        self.with(move |connection| {
            overwrite_what_goes(connection)?;
            let mut delete = Sql::<()>::new("DELETE FROM ");
            delete.sql(table.name).sql(" WHERE id IN (SELECT value FROM json_each(");
            delete.text(Json::from(ids).to_string()).sql("))");
            delete.execute(connection).map(drop).map_err(from_diesel)
        })
        .await
    }

    async fn keep_ids(&mut self, table: &'static Table, id: i64) -> Result<(), StoreError> {
        self.with(move |connection| {
            let id = last_id(connection, table)?.max(id);
            let mut forget = Sql::<()>::new("DELETE FROM sqlite_sequence WHERE name = ");
            forget.text(table.name);
            forget.execute(connection).map_err(from_diesel)?;
            let mut note = Sql::<()>::new("INSERT INTO sqlite_sequence (name, seq) VALUES (");
            note.text(table.name).sql(", ").int(id).sql(")");
            note.execute(connection).map_err(from_diesel)?;
            Ok(())
        })
        .await
    }

    async fn pass_events(&mut self) -> Result<(), StoreError> {
        self.with(|connection| {
            let last = last_id(connection, &events::TABLE)?;
            let mut behind = Sql::<()>::new("UPDATE event_consumers SET event_id = ");
            behind.int(last);
            behind.execute(connection).map(drop).map_err(from_diesel)
        })
        .await
    }

    async fn place_consumer(&mut self, name: &str, read: i64) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.with(move |connection| {
            let mut place = Sql::<()>::new(
                "INSERT INTO event_consumers (name, transaction_id, event_id) VALUES (",
            );
            place.text(name).sql(", 0, ").int(read);
            place.sql(") ON CONFLICT (name) DO UPDATE SET event_id = excluded.event_id");
            place.execute(connection).map(drop).map_err(from_diesel)
        })
        .await
    }

    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        let connector = self.connector.clone();
        self.with(move |connection| {
            connector.files().in_place()?;
            execute(connection, "COMMIT")?;
            // A write to files that are gone is lost.
            Ok(connector.files().in_place()?)
        })
        .await
    }
}

/// Makes SQLite overwrite with zeros what later statements of the connection remove, because it may
/// be what a person has asked to erase.
pub(crate) fn overwrite_what_goes(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    connection.batch_execute("PRAGMA secure_delete = ON").map_err(from_diesel)
}

fn tables(connection: &mut SqliteConnection) -> QueryResult<HashSet<String>> {
    let names: Vec<String> =
        Sql::<Text>::new("SELECT name FROM sqlite_schema WHERE type = 'table'").load(connection)?;
    Ok(names.into_iter().collect())
}

/// The tables to copy: ours, and those of modules.
pub(crate) fn shapes(connection: &mut SqliteConnection) -> Result<Vec<Shape>, StoreError> {
    let has = columns(connection).map_err(from_diesel)?;
    let modules = records::newest(connection).map_err(from_diesel)?;
    let has = |table: &str, name: &str| has.contains(&(table.to_owned(), name.to_owned()));
    let shape = |table: &'static Table| Shape::of(table, |name| has(table.name, name));
    let mut shapes: Vec<Shape> = TABLES.iter().filter_map(shape).collect();
    shapes.extend(ModuleRecord::shapes(&modules, has)?);
    Ok(shapes)
}

/// The columns of all tables.
pub(crate) fn columns(connection: &mut SqliteConnection) -> QueryResult<HashSet<(String, String)>> {
    let sql = "SELECT s.name, c.name FROM sqlite_schema s, pragma_table_info(s.name) c \
               WHERE s.type = 'table'";
    let columns: Vec<(String, String)> = Sql::<(Text, Text)>::new(sql).load(connection)?;
    Ok(columns.into_iter().collect())
}

/// The highest id that a row of this table has or had.
pub(crate) fn last_id(connection: &mut SqliteConnection, table: &Table) -> Result<i64, StoreError> {
    let mut select = Sql::<BigInt>::new("SELECT max(coalesce((SELECT max(id) FROM ");
    select.sql(table.name).sql("), 0), coalesce((SELECT max(seq) FROM sqlite_sequence");
    select.sql(" WHERE name = ").text(table.name).sql("), 0))");
    select.get_result(connection).map_err(from_diesel)
}

fn execute(connection: &mut SqliteConnection, sql: &'static str) -> Result<(), StoreError> {
    Sql::<()>::new(sql).execute(connection).map(drop).map_err(from_diesel)
}

/// Parses a row that [`Snapshot::rows`] has selected.
fn parse(row: &str, columns: &[&Column]) -> Result<Row, StoreError> {
    let row: Vec<Json> =
        serde_json::from_str(row).map_err(|error| StoreError::Other(error.into()))?;
    let values = row.into_iter().zip(columns);
    values.map(|(value, column)| value_of(value, column.kind).ok_or_else(strange)).collect()
}

fn value_of(value: Json, kind: Kind) -> Option<Value> {
    Some(match (kind, value) {
        (_, Json::Null) => Value::Null,
        (Kind::Integer, Json::Number(number)) => Value::Integer(number.as_i64()?),
        (Kind::Boolean, Json::Number(number)) => Value::Boolean(number.as_i64()? != 0),
        (Kind::Time, Json::Number(number)) => Value::Time(number.as_i64()?),
        (Kind::Text, Json::String(text)) => Value::Text(text),
        (Kind::Bytes, Json::String(hex)) => Value::Bytes(hex::decode(hex).ok()?),
        _ => return None,
    })
}

/// Cannot happen, because the tables are STRICT.
fn strange() -> StoreError {
    StoreError::Other("a column with a value of another kind".into())
}
