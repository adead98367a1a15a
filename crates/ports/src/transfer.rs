use async_trait::async_trait;

use crate::StoreError;
use crate::tables::{Row, Shape, Table};

/// A page of rows ends with the row that brings it to so many bytes, 1 MiB: however long rows
/// are, no more than that and one of them are in memory.
pub const PAGE_BYTES: usize = 1 << 20;

/// Copies a database as a whole: out of it, and into it.
///
/// Every method, here and below, may fail with [`StoreError::Unavailable`].
#[async_trait]
pub trait Transfer: Send + Sync {
    /// The version of the newest migration that this program knows.
    fn newest_schema(&self) -> &'static str;

    /// Looks at the database as it is at this moment. Others go on writing meanwhile;
    /// nothing of that is seen.
    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError>;

    /// Begins to load rows. Others cannot write until that has come to its end, and see
    /// nothing of it before. What is dropped without [`Load::commit`] has not happened.
    async fn load(&self) -> Result<Box<dyn Load>, StoreError>;
}

/// One state of a database.
#[async_trait]
pub trait Snapshot: Send {
    /// The version of the newest migration that has been applied; empty without any.
    async fn schema(&mut self) -> Result<String, StoreError>;

    /// What there is of [`crate::TABLES`], in their order.
    async fn shapes(&mut self) -> Result<Vec<Shape>, StoreError>;

    /// What is wrong with the database, in one line: with its structure, as far as it can tell,
    /// or with counts that it keeps. Reads all of it.
    async fn damage(&mut self) -> Result<Option<String>, StoreError>;

    /// Confirms, after the last row was read, that all rows came from intact files. Fails where
    /// another process has found meanwhile that its database files were damaged.
    async fn confirm(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// How many rows a table has.
    async fn count(&mut self, table: &'static Table) -> Result<u64, StoreError>;

    /// The highest id that a row of the table has ever had; 0 where there was none.
    async fn last_id(&mut self, table: &'static Table) -> Result<i64, StoreError>;

    /// The first rows with an id above `after`, by id: at most `limit`, and fewer where they
    /// take [`PAGE_BYTES`]. None come only where there are no more.
    async fn rows(&mut self, shape: &Shape, after: i64, limit: u32)
    -> Result<Vec<Row>, StoreError>;
}

/// Rows on their way into a database. What has been written so far can be read back.
#[async_trait]
pub trait Load: Snapshot {
    /// Removes all rows of [`crate::TABLES`].
    async fn clear(&mut self) -> Result<(), StoreError>;

    /// Adds rows with the ids and times that they have. What follows from them, as
    /// counts do, is kept as always.
    async fn write(&mut self, shape: &Shape, rows: Vec<Row>) -> Result<(), StoreError>;

    /// Gives the rows that are there under the same ids other values; what refers to
    /// them goes on to.
    async fn replace(&mut self, shape: &Shape, rows: Vec<Row>) -> Result<(), StoreError>;

    /// Removes the rows of these ids, where they are there.
    async fn remove(&mut self, table: &'static Table, ids: Vec<i64>) -> Result<(), StoreError>;

    /// Sees to it that no new row of the table gets an id up to `id`.
    async fn keep_ids(&mut self, table: &'static Table, id: i64) -> Result<(), StoreError>;

    /// Makes all of it last.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}
