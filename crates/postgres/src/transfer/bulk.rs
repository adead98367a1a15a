//! A connection with one transaction that reads or writes the whole database.

use std::collections::HashSet;
use std::pin::{Pin, pin};

use async_trait::async_trait;
use exit3_ports::{
    EMPTIED, Load, Mark, ModuleRecord, PAGE_BYTES, Row, Shape, Snapshot, StoreError, TABLES, Table,
};
use futures_util::TryStreamExt;
use tokio::runtime::Handle;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error};

use super::consumers;
use super::counts;
use super::value::{self, Bind};
use crate::error::{Failure, timed_out};
use crate::migrations::lock::{self, What};
use crate::migrations::records;
use crate::obstacles::{LACKS, NEEDED, Needs, all_tables};
use crate::settings::PgSettings;

/// How often to ask for the initial locks, for two seconds each time.
const ATTEMPTS: u32 = 15;
/// How long to wait for later locks.
const LATER: &str = "SET LOCAL lock_timeout = '30s'";

/// The transaction ends with the connection, and is rolled back unless it was committed.
pub(crate) struct PgBulkTransaction {
    client: Client,
    copy: Option<CopyIn>,
}

/// Rows being copied into one table. All of them belong to one statement, so triggers that count
/// rows run once.
struct CopyIn {
    shape: Shape,
    rows: Pin<Box<BinaryCopyInWriter>>,
}

impl PgBulkTransaction {
    pub(crate) async fn open(settings: &PgSettings, runtime: &Handle) -> Result<Self, StoreError> {
        let connect = settings.config.connect(settings.tls.clone());
        let connected = tokio::time::timeout(settings.timeout, connect).await;
        let (client, connection) =
            connected.map_err(|_| timed_out(settings.timeout))?.map_err(failed)?;
        runtime.spawn(connection);
        Ok(Self { client, copy: None })
    }

    /// Starts the transaction and locks tables; logs which sessions it waits for.
    pub(crate) async fn begin_with(&self, mode: &str, locks: &str) -> Result<(), StoreError> {
        let mut patience = ATTEMPTS;
        loop {
            self.begin(mode).await?;
            let ask = format!("SET LOCAL lock_timeout = '2s'; {locks}; {LATER}");
            match self.client.batch_execute(&ask).await {
                Err(error) if lock::is_busy(&error) && patience > 1 => {
                    patience -= 1;
                    self.execute("ROLLBACK").await?;
                    let holders = lock::holders(&self.client, What::Tables).await;
                    tracing::warn!("waiting for others who use the tables{holders}");
                }
                locked => return locked.map_err(failed),
            }
        }
    }

    /// Starts the transaction. It configures itself, because behind a pooler session settings would
    /// reach other programs.
    pub(crate) async fn begin(&self, mode: &str) -> Result<(), StoreError> {
        self.execute(&format!(
            "BEGIN ISOLATION LEVEL {mode}; SET LOCAL statement_timeout = 0; \
             SET LOCAL idle_in_transaction_session_timeout = 0; {LATER}; \
             SET LOCAL TIME ZONE 'UTC'; SET LOCAL datestyle = 'ISO'"
        ))
        .await
    }

    pub(crate) async fn execute(&self, sql: &str) -> Result<(), StoreError> {
        self.client.batch_execute(sql).await.map_err(failed)
    }

    /// Runs a query whose columns are texts.
    pub(crate) async fn texts(
        &self,
        sql: &str,
        binds: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Vec<Option<String>>>, StoreError> {
        let rows = self.client.query_typed(sql, binds).await.map_err(failed)?;
        let row = |row: &tokio_postgres::Row| (0..row.len()).map(|at| row.try_get(at)).collect();
        rows.iter().map(row).collect::<Result<_, _>>().map_err(failed)
    }

    /// Fails if the role lacks anything that it needs, or might not see all rows.
    pub(crate) async fn lacks_nothing(&self, needs: &Needs) -> Result<(), StoreError> {
        let sql = format!(
            "SELECT string_agg(text, '; ') FROM ({NEEDED}$1, $2, $3, $4{LACKS}) AS lacking (_, text)"
        );
        let texts = Type::TEXT_ARRAY;
        let binds: [(&(dyn ToSql + Sync), Type); 4] = [
            (&needs.names, texts.clone()),
            (&needs.rights, texts.clone()),
            (&needs.columns, texts),
            (&needs.whole, Type::BOOL_ARRAY),
        ];
        match self.ask::<Option<String>>(&sql, &binds).await? {
            Some(lacking) => Err(StoreError::Unavailable(lacking.into())),
            None => Ok(()),
        }
    }

    /// The tables to copy. Fails if a copy would be incomplete. A schema that this program has
    /// brought up to date has all tables; an older one may lack some.
    pub(crate) async fn complete(&mut self, newest: &str) -> Result<Vec<Shape>, StoreError> {
        let shapes = self.shapes().await?;
        if !shapes.is_empty() {
            let is_current = self.schema().await? == newest;
            let needed = if is_current { self.needed().await? } else { shapes.clone() };
            self.lacks_nothing(&Needs::of_copy(&needed, "SELECT")).await?;
        }
        Ok(shapes)
    }

    /// The tables of a current schema, whether they exist or not, and the existing ones of modules.
    pub(crate) async fn needed(&mut self) -> Result<Vec<Shape>, StoreError> {
        let (mut needed, shapes) = (all_tables(), self.shapes().await?);
        needed.extend(shapes.into_iter().filter(|it| exit3_ports::table(it.table.name).is_none()));
        Ok(needed)
    }

    /// The columns of all tables, including those that the role may not read.
    pub(crate) async fn columns(&self) -> Result<HashSet<(String, String)>, StoreError> {
        let sql = "SELECT relname::text, attname::text FROM pg_class \
                   JOIN pg_attribute ON attrelid = pg_class.oid \
                   WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND attnum > 0 \
                   AND NOT attisdropped AND pg_table_is_visible(pg_class.oid)";
        let rows = self.client.query_typed(sql, &[]).await.map_err(failed)?;
        let row = |row: &tokio_postgres::Row| Ok((row.try_get(0)?, row.try_get(1)?));
        rows.iter().map(row).collect::<Result<_, _>>().map_err(failed)
    }

    /// Runs a query for a single value.
    async fn ask<T>(
        &self,
        sql: &str,
        binds: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<T, StoreError>
    where
        T: for<'a> tokio_postgres::types::FromSql<'a>,
    {
        let rows = self.client.query_typed(sql, binds).await.map_err(failed)?;
        let row =
            rows.first().ok_or_else(|| StoreError::Other("an answer without a row".into()))?;
        row.try_get(0).map_err(failed)
    }

    /// The sequence of a table's ids.
    async fn sequence(&self, table: &Table) -> Result<String, StoreError> {
        let sql = "SELECT pg_get_serial_sequence($1, 'id')";
        self.ask(sql, &[(&table.name, Type::TEXT)]).await
    }

    /// The first rows above an id that meet a condition.
    async fn page(
        &mut self,
        shape: &Shape,
        condition: &str,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Row>, StoreError> {
        self.settle().await?;
        let sql = format!(
            "SELECT {} FROM \"{}\" WHERE id > $1 AND {condition} ORDER BY id LIMIT $2",
            list(shape.columns.iter().map(|column| column.name)),
            shape.table.name
        );
        let limit = i64::from(limit);
        let binds: [(&(dyn ToSql + Sync), Type); 2] = [(&after, Type::INT8), (&limit, Type::INT8)];
        // Rows arrive one by one; those that are not taken are discarded at the end.
        let mut come = pin!(self.client.query_typed_raw(&sql, binds).await.map_err(failed)?);
        let (mut rows, mut bytes) = (Vec::new(), 0);
        while bytes < PAGE_BYTES
            && let Some(row) = come.try_next().await.map_err(failed)?
        {
            bytes += row.raw_size_bytes();
            let columns = shape.columns.iter().enumerate();
            let values = columns.map(|(at, column)| value::read(&row, at, column.kind));
            rows.push(values.collect::<Result<_, _>>().map_err(failed)?);
        }
        Ok(rows)
    }

    /// Completes the copy in progress, so that the rows can be read.
    async fn settle(&mut self) -> Result<(), StoreError> {
        if let Some(mut copy) = self.copy.take() {
            copy.rows.as_mut().finish().await.map_err(failed)?;
        }
        Ok(())
    }

    /// The copy in progress for rows of this shape.
    async fn copy(&mut self, shape: &Shape) -> Result<&mut CopyIn, StoreError> {
        if self.copy.as_ref().is_none_or(|copy| copy.shape != *shape) {
            self.settle().await?;
            let searched = !shape.table.searched_by.is_empty();
            let names = shape.columns.iter().map(|column| column.name);
            let names = list(names.chain(searched.then_some("search_document")));
            let sql = format!("COPY \"{}\" ({names}) FROM STDIN BINARY", shape.table.name);
            let sink = self.client.copy_in(&sql).await.map_err(failed)?;
            let types = shape.columns.iter().map(|column| value::type_of(column.kind));
            let types: Vec<Type> = types.chain(searched.then_some(Type::TEXT)).collect();
            let rows = Box::pin(BinaryCopyInWriter::new(sink, &types));
            self.copy = Some(CopyIn { shape: shape.clone(), rows });
        }
        self.copy.as_mut().ok_or_else(|| StoreError::Other("nothing to copy to".into()))
    }
}

#[async_trait]
impl Snapshot for PgBulkTransaction {
    async fn schema(&mut self) -> Result<String, StoreError> {
        self.settle().await?;
        let known = "SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL";
        if !self.ask::<bool>(known, &[]).await? {
            return Ok(String::new());
        }
        let newest = "SELECT coalesce(max(version), '')::text FROM __diesel_schema_migrations";
        self.ask(newest, &[]).await
    }

    async fn modules(&mut self) -> Result<Vec<ModuleRecord>, StoreError> {
        self.settle().await?;
        records::newest(&self.client).await
    }

    async fn shapes(&mut self) -> Result<Vec<Shape>, StoreError> {
        let (modules, has) = (self.modules().await?, self.columns().await?);
        let has = |table: &str, name: &str| has.contains(&(table.to_owned(), name.to_owned()));
        let shape = |table: &'static Table| Shape::of(table, |name| has(table.name, name));
        let mut shapes: Vec<Shape> = TABLES.iter().filter_map(shape).collect();
        shapes.extend(ModuleRecord::shapes(&modules, has)?);
        Ok(shapes)
    }

    async fn damage(&mut self) -> Result<Option<String>, StoreError> {
        self.settle().await?;
        counts::damage(&self.client).await.map_err(failed)
    }

    async fn consumers(&mut self) -> Result<Vec<(String, i64)>, StoreError> {
        self.settle().await?;
        consumers::all(&self.client).await.map_err(failed)
    }

    async fn count(&mut self, table: &'static Table) -> Result<u64, StoreError> {
        self.settle().await?;
        let sql = format!("SELECT count(*) FROM \"{}\"", table.name);
        self.ask(&sql, &[]).await.map(i64::unsigned_abs)
    }

    async fn last_id(&mut self, table: &'static Table) -> Result<i64, StoreError> {
        self.settle().await?;
        let sequence = self.sequence(table).await?;
        let sql = format!(
            "SELECT greatest(CASE WHEN is_called THEN last_value ELSE 0 END, \
             (SELECT coalesce(max(id), 0) FROM \"{}\")) FROM {sequence}",
            table.name
        );
        self.ask(&sql, &[]).await
    }

    async fn rows(
        &mut self,
        shape: &Shape,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Row>, StoreError> {
        self.page(shape, "true", after, limit).await
    }

    async fn mark(&mut self) -> Result<Option<Mark>, StoreError> {
        self.settle().await?;
        // The oldest transaction that the snapshot may not see.
        self.ask("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint", &[])
            .await
            .map(|mark| Some(Mark(mark)))
    }

    async fn changed(
        &mut self,
        shape: &Shape,
        since: Mark,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Row>, StoreError> {
        // A row has the lower half of the number of the transaction that wrote it; ages compare such
        // numbers after they have begun anew. A row that is two billion transactions older may look
        // newer.
        let oldest = since.0.rem_euclid(1 << 32);
        let written = format!("age(xmin) <= (SELECT age('{oldest}'::xid))");
        self.page(shape, &written, after, limit).await
    }
}

#[async_trait]
impl Load for PgBulkTransaction {
    async fn clear(&mut self) -> Result<(), StoreError> {
        let shapes = self.shapes().await?;
        let tables = shapes.iter().map(|shape| shape.table).chain(EMPTIED);
        let names = list(tables.map(|table| table.name));
        self.execute(&format!("TRUNCATE {names}")).await
    }

    async fn write(&mut self, shape: &Shape, rows: Vec<Row>) -> Result<(), StoreError> {
        let copy = self.copy(shape).await?;
        for row in &rows {
            let document = shape.search_document(row);
            let binds: Vec<Bind<'_>> = row.iter().map(Bind).collect();
            let mut values: Vec<&(dyn ToSql + Sync)> =
                binds.iter().map(|bind| bind as &(dyn ToSql + Sync)).collect();
            if let Some(document) = &document {
                values.push(document);
            }
            copy.rows.as_mut().write(&values).await.map_err(failed)?;
        }
        Ok(())
    }

    async fn replace(&mut self, shape: &Shape, rows: Vec<Row>) -> Result<(), StoreError> {
        self.settle().await?;
        let (sql, types) = value::update(shape);
        for row in &rows {
            let document = shape.search_document(row);
            let values: Vec<Bind<'_>> = row.iter().map(Bind).collect();
            let values = values.iter().map(|value| value as &(dyn ToSql + Sync));
            let document = document.as_ref().map(|document| document as &(dyn ToSql + Sync));
            let binds: Vec<_> = values.chain(document).zip(types.iter().cloned()).collect();
            self.client.query_typed(&sql, &binds).await.map_err(failed)?;
        }
        Ok(())
    }

    async fn lock(&mut self, table: &'static Table) -> Result<(), StoreError> {
        self.settle().await?;
        self.execute(&format!("LOCK TABLE \"{}\" IN EXCLUSIVE MODE", table.name)).await
    }

    async fn remove(&mut self, table: &'static Table, ids: Vec<i64>) -> Result<(), StoreError> {
        self.settle().await?;
        let sql = format!("DELETE FROM \"{}\" WHERE id = ANY ($1)", table.name);
        let binds: [(&(dyn ToSql + Sync), Type); 1] = [(&ids, Type::INT8_ARRAY)];
        self.client.query_typed(&sql, &binds).await.map(drop).map_err(failed)
    }

    async fn keep_ids(&mut self, table: &'static Table, id: i64) -> Result<(), StoreError> {
        let known = self.last_id(table).await?;
        let sequence = self.sequence(table).await?;
        match known.max(id) {
            0 => Ok(()),
            id => self.execute(&format!("SELECT setval('{sequence}', {id})")).await,
        }
    }

    async fn pass_events(&mut self) -> Result<(), StoreError> {
        self.settle().await?;
        consumers::pass(&self.client).await.map_err(failed)
    }

    async fn place_consumer(&mut self, name: &str, read: i64) -> Result<(), StoreError> {
        self.settle().await?;
        consumers::place(&self.client, name, read).await.map_err(failed)
    }

    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        self.settle().await?;
        // Without it, the first lists would be planned as if the tables were empty.
        let names = list(self.shapes().await?.iter().map(|shape| shape.table.name));
        self.execute(&format!("ANALYZE {names}")).await?;
        self.execute("COMMIT").await
    }
}

/// Formats names as an SQL list.
pub(crate) fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
    names.join(", ")
}

fn failed(error: Error) -> StoreError {
    Failure::from(error).error
}
