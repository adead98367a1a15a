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
