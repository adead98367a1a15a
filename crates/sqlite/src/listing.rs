//! Lists of any table: numbered pages with an exact count, and steps of a walk.

use diesel::prelude::*;
use diesel::query_dsl::LoadQuery;
use diesel::sql_types::BigInt;
use exit3_domain::order::{ListPosition, Order, Sort};
use exit3_domain::paging::{Direction, Page, PageRequest, Slice, Step};
use exit3_ports::StoreError;

use crate::merge::{Arm, Merge, start_beyond};
use crate::sql::Sql;
use crate::store::Store;
use crate::window::{Access, Window};

/// A row as the domain knows it.
type Item<F> = <<F as Listed>::Sort as Sort>::Row;

/// The filter of a list, which describes how its rows are found. The defaults suffice for a table
/// of a few thousand rows; for larger ones, each order and filter needs an index and an [`Arm`] to
/// use it.
pub(crate) trait Listed: Clone + Default + Send + 'static {
    /// The sort keys.
    type Sort: Sort;
    /// A row as it is read.
    type Row: Send;
    /// The SQL types of its columns.
    type Types: Send;

    const TABLE: &'static str;
    const COLUMNS: &'static str;

    /// The sort columns of an order, at most three. The last one is the id.
    fn key(by: Self::Sort) -> &'static [&'static str];

    /// Converts a row to one of the domain.
    fn read(row: Self::Row) -> Result<Item<Self>, StoreError>;

    /// The words that a row's search document must contain.
    fn words(&self) -> &[String];

    /// Adds all conditions that the arms do not fulfil, each after ` AND `.
    fn conditions<ST>(&self, select: &mut Sql<ST>);

    /// Whether the list is one of so few that its statements may be cached.
    fn is_common(&self) -> bool {
        false
    }

    /// The statement that adds up stored counts, if there are any for this filter.
    fn stored_count(&self) -> Option<Sql<BigInt>> {
        None
    }

    /// Two lists, the second of which is a part of the first: this one has the other rows of the
    /// first. `None` if its rows can be counted as they are.
    fn difference(&self) -> Option<(Self, Self)> {
        None
    }

    /// Whether no index has the matching rows in this order, so that all must be sorted.
    fn is_unordered(&self, _: Self::Sort) -> bool {
        false
    }

    /// The parts of indexes that have the matching rows in this order or, if the rows will be
    /// sorted anyway, in any order.
    fn arms(&self, _: &mut SqliteConnection, _: Access, _: Self::Sort) -> QueryResult<Vec<Arm>> {
        Ok(vec![Arm::all("")])
    }

    /// The filter and the start of a walk beyond `from`, without what the other one implies.
    fn beyond<'a>(
        &self,
        _: Self::Sort,
        from: Option<&'a ListPosition>,
        _descending: bool,
    ) -> (Self, Option<&'a ListPosition>) {
        (self.clone(), from)
    }

    /// Whether all matching rows with the first sort value of `from` lie beyond it.
    fn begins_beyond(&self, _from: &ListPosition, _descending: bool) -> bool {
        false
    }
}

impl Store {
    /// One page of a list; `None` past the last page.
    pub(crate) async fn page<F: Listed>(
        &self,
        filter: &F,
        order: Order<F::Sort>,
        request: PageRequest,
    ) -> Result<Option<Page<Item<F>>>, StoreError>
    where
        for<'q> Sql<F::Types>: LoadQuery<'q, SqliteConnection, F::Row>,
    {
        let filter = filter.clone();
        let page =
            move |connection: &mut SqliteConnection| page(connection, &filter, order, request);
        let Some(Page { count, number, rows }) = self.readers.read(page).await? else {
            return Ok(None);
        };
        let rows = rows.into_iter().map(F::read).collect::<Result<_, _>>()?;
        Ok(Some(Page { count, number, rows }))
    }

    /// One step of a walk through a list.
    pub(crate) async fn walk<F: Listed>(
        &self,
        filter: &F,
        order: Order<F::Sort>,
        step: &Step,
    ) -> Result<Slice<Item<F>>, StoreError>
    where
        for<'q> Sql<F::Types>: LoadQuery<'q, SqliteConnection, F::Row>,
    {
        let (filter, own) = (filter.clone(), step.clone());
        let walk = move |connection: &mut SqliteConnection| rows(connection, &filter, order, &own);
        let rows = self.readers.read(walk).await?;
        Ok(Slice::of(step, rows.into_iter().map(F::read).collect::<Result<_, _>>()?))
    }
}

/// Returns a page and the count of all rows, from one state of the database.
fn page<F: Listed>(
    connection: &mut SqliteConnection,
    filter: &F,
    order: Order<F::Sort>,
    request: PageRequest,
) -> QueryResult<Option<Page<F::Row>>>
where
    for<'q> Sql<F::Types>: LoadQuery<'q, SqliteConnection, F::Row>,
{
    let count = count(connection, filter)?;
    let Some(window) = Window::of(count, request) else {
        return Ok(None);
    };
    let mut rows = Vec::new();
    if window.limit > 0 {
        let access = access(connection, filter, order.by, count, window.reach())?;
        let arms = filter.arms(connection, access, order.by)?;
        let merge = merge::<F>(&arms, order.by, order.descending != window.backward);
        let select = merge.select(window.limit, Some(window.offset), |select, _| {
            filter.conditions(select);
        });
        rows = cached_if_common(select, filter).load(connection)?;
        if window.backward {
            rows.reverse();
        }
    }
    Ok(Some(Page { count, number: window.number, rows }))
}

/// Returns the rows of a step in its direction, and one more row if there is one.
fn rows<F: Listed>(
    connection: &mut SqliteConnection,
    filter: &F,
    order: Order<F::Sort>,
    step: &Step,
) -> QueryResult<Vec<F::Row>>
where
    for<'q> Sql<F::Types>: LoadQuery<'q, SqliteConnection, F::Row>,
{
    let descending = order.descending != (step.direction == Direction::Backward);
    let (filter, from) = filter.beyond(order.by, step.from.as_ref(), descending);
    // Words are checked row by row.
    let access = if filter.is_unordered(order.by) { Access::Sorted } else { Access::InOrder };
    let mut arms = filter.arms(connection, access, order.by)?;
    let key = F::key(order.by);
    if let Some(from) = from {
        let begins_beyond = filter.begins_beyond(from, descending);
        start_beyond(&mut arms, key, from, begins_beyond, descending);
    }
    if arms.is_empty() {
        return Ok(Vec::new());
    }
    let merge = merge::<F>(&arms, order.by, descending);
    let select = merge.select(i64::from(step.size) + 1, None, |select, arm| {
        filter.conditions(select);
        if let Some(from) = from.filter(|_| arm.is_beyond) {
            arm.beyond(select, key, from, descending);
        }
    });
    cached_if_common(select, &filter).load(connection)
}

fn merge<F: Listed>(arms: &[Arm], by: F::Sort, descending: bool) -> Merge<'_> {
    Merge { table: F::TABLE, columns: F::COLUMNS, key: F::key(by), descending, arms }
}

fn cached_if_common<F: Listed, ST>(mut select: Sql<ST>, filter: &F) -> Sql<ST> {
    if !filter.is_common() {
        select.uncached();
    }
    select
}

/// The number of matching rows.
fn count<F: Listed>(connection: &mut SqliteConnection, filter: &F) -> QueryResult<u64> {
    if let Some((all, others)) = filter.difference() {
        return Ok(count(connection, &all)?.saturating_sub(count(connection, &others)?));
    }
    let select = match filter.stored_count() {
        Some(select) => select,
        None => {
            let arms = filter.arms(connection, Access::Sorted, F::Sort::NEWEST.by)?;
            if arms.is_empty() {
                return Ok(0);
            }
            let mut select = Sql::<BigInt>::new("SELECT coalesce(sum(n), 0) FROM (");
            for (place, arm) in arms.iter().enumerate() {
                select.sql(if place == 0 { "" } else { " UNION ALL " });
                select.sql("SELECT count(*) AS n");
                arm.rows(&mut select, F::TABLE);
                filter.conditions(&mut select);
            }
            select.sql(")");
            select
        }
    };
    let count = cached_if_common(select, filter).get_result::<i64>(connection)?;
    Ok(count.unsigned_abs())
}

/// Chooses how to reach `reach` rows of the `count` matching ones.
fn access<F: Listed>(
    connection: &mut SqliteConnection,
    filter: &F,
    by: F::Sort,
    count: u64,
    reach: u64,
) -> QueryResult<Access> {
    if filter.is_unordered(by) {
        return Ok(Access::Sorted);
    }
    if filter.words().is_empty() {
        return Ok(Access::InOrder);
    }
    // Counting has looked at every row. If few match, look at all once more; otherwise enough
    // matches are likely to come soon.
    let total = self::count(connection, &F::default())?;
    Ok(Access::choose(count, total, reach))
}
