use async_trait::async_trait;

use crate::StoreError;
use crate::modules::ModuleRecord;
use crate::tables::{Row, Shape, Table};

/// A page of rows ends with the row that brings its size to this many bytes (1 MiB). So memory
/// holds at most this plus one row, however long rows are.
pub const PAGE_BYTES: usize = 1 << 20;

/// A moment in the history of a database. Only the adapter knows what the number means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark(pub i64);

/// Reads and writes a whole database.
///
/// Every method, here and below, may fail with [`StoreError::Unavailable`].
///
/// How many rows a database has:
/// ```
/// use exit3_ports::{MockSnapshot, MockTransfer, Shape, StoreError, TABLES, Transfer};
///
/// async fn rows_of(database: &dyn Transfer) -> Result<u64, StoreError> {
///     let mut snapshot = database.snapshot().await?;
///     let mut rows = 0;
///     for shape in snapshot.shapes().await? {
///         rows += snapshot.count(shape.table).await?;
///     }
///     Ok(rows)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), exit3_ports::StoreError> {
/// let mut database = MockTransfer::new();
/// database.expect_snapshot().return_once(|| {
///     let mut snapshot = MockSnapshot::new();
///     let shape = |table| Shape { table, columns: vec![] };
///     snapshot.expect_shapes().returning(move || Ok(TABLES.iter().map(shape).collect()));
///     snapshot.expect_count().returning(|_| Ok(2));
///     Ok(Box::new(snapshot))
/// });
/// assert_eq!(rows_of(&database).await?, 2 * TABLES.len() as u64);
/// # Ok(())
/// # }
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Transfer: Send + Sync {
    /// The version of the newest migration that this program knows.
    fn newest_schema(&self) -> &'static str;

    /// Takes a snapshot of the current state. Others can keep writing; the snapshot does not see
    /// it.
    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError>;

    /// Starts to load rows. Until it ends, others cannot write and do not see the new rows.
    /// Dropping it without [`Load::commit`] rolls back.
    async fn load(&self) -> Result<Box<dyn Load>, StoreError>;
}

/// The state of a database at one moment.
///
/// All rows of a table, page by page:
/// ```
/// use exit3_ports::{MockSnapshot, Row, Shape, Snapshot, StoreError, TABLES, Value};
///
/// async fn all_rows(snapshot: &mut dyn Snapshot, shape: &Shape) -> Result<Vec<Row>, StoreError> {
///     let (mut all, mut after) = (vec![], 0);
///     loop {
///         let page = snapshot.rows(shape, after, 100).await?;
///         match page.last().and_then(|row| row.first()) {
///             Some(Value::Integer(id)) => after = *id,
///             _ => return Ok(all),
///         }
///         all.extend(page);
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), exit3_ports::StoreError> {
/// let mut snapshot = MockSnapshot::new();
/// let row = vec![Value::Integer(1)];
/// snapshot.expect_rows().returning(move |_, after, _| {
///     Ok(if after < 1 { vec![row.clone()] } else { vec![] })
/// });
/// let shape = Shape { table: &TABLES[0], columns: vec![] };
/// assert_eq!(all_rows(&mut snapshot, &shape).await?.len(), 1);
/// # Ok(())
/// # }
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Snapshot: Send {
    /// The version of the newest applied migration; empty if there is none.
    async fn schema(&mut self) -> Result<String, StoreError>;

    /// What the database knows of its modules, ordered by name.
    async fn modules(&mut self) -> Result<Vec<ModuleRecord>, StoreError>;

    /// The existing tables of [`crate::TABLES`], in their order, and then those of the modules.
    async fn shapes(&mut self) -> Result<Vec<Shape>, StoreError>;

    /// Describes damage in one line: a broken structure, as far as the database can tell, or wrong
    /// counts. Reads the whole database.
    async fn damage(&mut self) -> Result<Option<String>, StoreError>;

    /// Confirms, after the last row was read, that all rows came from intact files. Fails if
    /// another process has meanwhile found damage in the database files.
    async fn confirm(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// The consumers of events, each with the id of an event: it has read all events up to this one,
    /// and maybe more.
    async fn consumers(&mut self) -> Result<Vec<(String, i64)>, StoreError>;

    /// The number of rows in a table.
    async fn count(&mut self, table: &'static Table) -> Result<u64, StoreError>;

    /// The highest id that the table has ever assigned; 0 for none.
    async fn last_id(&mut self, table: &'static Table) -> Result<i64, StoreError>;

    /// The first rows with an id above `after`, ordered by id: at most `limit`, or fewer if they
    /// reach [`PAGE_BYTES`]. Empty only if there are no more rows.
    async fn rows(&mut self, shape: &Shape, after: i64, limit: u32)
    -> Result<Vec<Row>, StoreError>;

    /// The moment of this snapshot; `None` if the database cannot tell what changes later.
    async fn mark(&mut self) -> Result<Option<Mark>, StoreError> {
        Ok(None)
    }

    /// Like [`Self::rows`], but without rows that are the same as in the snapshot of `since`. An
    /// adapter without marks returns all rows.
    async fn changed(
        &mut self,
        shape: &Shape,
        since: Mark,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Row>, StoreError> {
        let Mark(_) = since;
        self.rows(shape, after, limit).await
    }
}

/// Writes rows into a database. What has been written so far can be read back.
///
/// Rows are written together, or not at all:
/// ```
/// use exit3_ports::{MockTransfer, Row, Shape, StoreError, Transfer};
///
/// async fn add(database: &dyn Transfer, shape: &Shape, rows: Vec<Row>) -> Result<(), StoreError> {
///     let mut load = database.load().await?;
///     load.write(shape, rows).await?;
///     // An error above has dropped the load, which takes everything back.
///     load.commit().await
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), exit3_ports::StoreError> {
/// # let shape = Shape { table: &exit3_ports::TABLES[0], columns: vec![] };
/// let mut database = MockTransfer::new();
/// database.expect_load().returning(|| Err(StoreError::Unavailable("it is frozen".into())));
/// assert!(matches!(add(&database, &shape, vec![]).await, Err(StoreError::Unavailable(_))));
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait Load: Snapshot {
    /// Deletes all rows of [`crate::TABLES`], and of the tables of modules.
    async fn clear(&mut self) -> Result<(), StoreError>;

    /// Inserts rows with their ids and times. Derived data, such as counts, is updated as usual.
    async fn write(&mut self, shape: &Shape, rows: Vec<Row>) -> Result<(), StoreError>;

    /// Replaces the values of existing rows with the same ids. References to them stay valid.
    async fn replace(&mut self, shape: &Shape, rows: Vec<Row>) -> Result<(), StoreError>;

    /// Keeps others from writing to a table that a load leaves alone, such as that of the jobs.
    async fn lock(&mut self, table: &'static Table) -> Result<(), StoreError>;

    /// Deletes the rows with these ids, if they exist.
    async fn remove(&mut self, table: &'static Table, ids: Vec<i64>) -> Result<(), StoreError>;

    /// Reserves ids: new rows of the table get ids above `id`.
    async fn keep_ids(&mut self, table: &'static Table, id: i64) -> Result<(), StoreError>;

    /// Places all consumers of events behind the loaded ones, which are about what happened before:
    /// nothing is sent again because of them. Consumers that begin later are not affected.
    async fn pass_events(&mut self) -> Result<(), StoreError>;

    /// Places a consumer behind the loaded event with this id, so that it reads the later ones.
    async fn place_consumer(&mut self, name: &str, read: i64) -> Result<(), StoreError>;

    /// Commits everything.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}
