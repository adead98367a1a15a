use std::collections::HashSet;

use async_trait::async_trait;

use crate::StoreError;

/// A table in the database of another program.
#[derive(Debug, PartialEq, Eq)]
pub struct ForeignTable {
    /// Its name.
    pub name: &'static str,
    /// The columns to read. The first is the `id`, a whole number.
    pub columns: &'static [&'static str],
}

/// A row of such a table: its columns in the order of [`ForeignTable::columns`], as text in the
/// form that the database gives them, or NULL.
pub type ForeignRow = Vec<Option<String>>;

/// The database of another program as it was at one moment, read only.
///
/// Every method may fail with [`StoreError::Unavailable`].
#[async_trait]
pub trait ForeignSource: Send {
    /// The names of all tables, each with the name of one of its columns.
    async fn columns(&mut self) -> Result<HashSet<(String, String)>, StoreError>;

    /// The first `limit` rows of a table with an id above `after`, by id. Times are UTC.
    async fn rows(
        &mut self,
        table: &'static ForeignTable,
        after: i64,
        limit: u32,
    ) -> Result<Vec<ForeignRow>, StoreError>;
}
