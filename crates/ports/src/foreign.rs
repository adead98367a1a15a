use std::collections::HashSet;

use async_trait::async_trait;

use crate::StoreError;

/// A table in another program's database.
#[derive(Debug, PartialEq, Eq)]
pub struct ForeignTable {
    /// Its name.
    pub name: &'static str,
    /// The columns to read. The first is the integer `id`.
    pub columns: &'static [&'static str],
}

/// A row of a foreign table: its values in the order of [`ForeignTable::columns`], as text in the
/// database's own format; `None` for NULL.
pub type ForeignRow = Vec<Option<String>>;

/// A read-only snapshot of another program's database.
///
/// Every method may fail with [`StoreError::Unavailable`].
///
/// The source is read page by page. A test has its rows in memory:
/// ```
/// use std::collections::HashSet;
///
/// use exit3_ports::{ForeignRow, ForeignSource, ForeignTable, StoreError};
///
/// struct OneRow(ForeignRow);
///
/// #[async_trait::async_trait]
/// impl ForeignSource for OneRow {
///     async fn columns(&mut self) -> Result<HashSet<(String, String)>, StoreError> {
///         Ok([("tags".to_owned(), "id".to_owned())].into())
///     }
///
///     async fn rows(
///         &mut self,
///         _: &'static ForeignTable,
///         after: i64,
///         _: u32,
///     ) -> Result<Vec<ForeignRow>, StoreError> {
///         Ok(if after < 1 { vec![self.0.clone()] } else { vec![] })
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), exit3_ports::StoreError> {
/// static TAGS: ForeignTable = ForeignTable { name: "tags", columns: &["id"] };
/// let mut source: Box<dyn ForeignSource> = Box::new(OneRow(vec![Some("1".to_owned())]));
/// assert_eq!(source.rows(&TAGS, 0, 100).await?.len(), 1);
/// assert_eq!(source.rows(&TAGS, 1, 100).await?.len(), 0);
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait ForeignSource: Send {
    /// All pairs of table name and column name.
    async fn columns(&mut self) -> Result<HashSet<(String, String)>, StoreError>;

    /// The first `limit` rows with an id above `after`, ordered by id. Times are UTC.
    async fn rows(
        &mut self,
        table: &'static ForeignTable,
        after: i64,
        limit: u32,
    ) -> Result<Vec<ForeignRow>, StoreError>;
}
