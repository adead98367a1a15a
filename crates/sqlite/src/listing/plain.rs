//! Lists of other crates.

use diesel::SqliteConnection;
use diesel::query_dsl::LoadQuery;
use exit3_domain::order::{Order, Sort};
use exit3_domain::paging::{Page, PageRequest, Slice, Step};
use exit3_ports::StoreError;

use super::{Indexed, Item};
use crate::sql::Sql;
use crate::store::SqliteStore;

/// The filter of a list, which says how its rows are found. This suffices for a table of a few
/// thousand rows.
pub trait Listed: Clone + Default + Send + 'static {
    /// The sort keys.
    type Sort: Sort;
    /// A row as it is read.
    type Row: Send;
    /// The SQL types of its columns.
    type Types: Send;

    /// The table.
    const TABLE: &'static str;
    /// The columns of a row, separated by commas.
    const COLUMNS: &'static str;

    /// The sort columns of an order, at most three. The last one is the id.
    fn key(by: Self::Sort) -> &'static [&'static str];

    /// Converts a row to one of the domain.
    ///
    /// # Errors
    /// The row has a value that no version of the program has written.
    fn read(row: Self::Row) -> Result<Item<Self::Sort>, StoreError>;

    /// The words that a row must contain in its column `search_document`.
    fn words(&self) -> &[String] {
        &[]
    }

    /// Adds all other conditions, each after ` AND `.
    fn conditions<ST>(&self, select: &mut Sql<ST>);
}

/// A list of another crate, as one of this crate.
#[derive(Clone, Default)]
struct Plain<F>(F);

impl<F: Listed> Indexed for Plain<F> {
    type Sort = F::Sort;
    type Row = F::Row;
    type Types = F::Types;

    const TABLE: &'static str = F::TABLE;
    const COLUMNS: &'static str = F::COLUMNS;

    fn key(by: F::Sort) -> &'static [&'static str] {
        F::key(by)
    }

    fn read(row: F::Row) -> Result<Item<F::Sort>, StoreError> {
        F::read(row)
    }

    fn words(&self) -> &[String] {
        self.0.words()
    }

    fn conditions<ST>(&self, select: &mut Sql<ST>) {
        self.0.conditions(select);
        if !self.words().is_empty() {
            select.words(self.words());
            select.sql(" AND in_time()");
        }
    }
}

impl SqliteStore {
    /// One page of a list, with its exact count; `None` past the last page.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn page<F: Listed>(
        &self,
        filter: &F,
        order: Order<F::Sort>,
        request: PageRequest,
    ) -> Result<Option<Page<Item<F::Sort>>>, StoreError>
    where
        for<'q> Sql<F::Types>: LoadQuery<'q, SqliteConnection, F::Row>,
    {
        self.indexed_page(&Plain(filter.clone()), order, request).await
    }

    /// One step of a walk through a list.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn walk<F: Listed>(
        &self,
        filter: &F,
        order: Order<F::Sort>,
        step: &Step,
    ) -> Result<Slice<Item<F::Sort>>, StoreError>
    where
        for<'q> Sql<F::Types>: LoadQuery<'q, SqliteConnection, F::Row>,
    {
        self.indexed_walk(&Plain(filter.clone()), order, step).await
    }
}
