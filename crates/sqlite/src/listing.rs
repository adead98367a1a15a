//! Lists of any table: numbered pages with an exact count, and steps of a walk.

mod plain;
pub(crate) mod searched;

use diesel::prelude::*;
use diesel::query_dsl::LoadQuery;
use diesel::sql_types::BigInt;
use exit3_domain::order::{ListPosition, Order, Sort};
use exit3_domain::paging::{Direction, Page, PageRequest, Slice, Step};
use exit3_ports::StoreError;

pub use self::plain::Listed;
use self::searched::Start;
use crate::merge::{Arm, Merge, start_beyond};
use crate::sql::Sql;
use crate::store::SqliteStore;
use crate::window::{Access, Window};

/// A row as the domain knows it.
type Item<S> = <S as Sort>::Row;

/// The filter of a list of this crate. It can be a larger table: then each order and filter needs an
/// index and an [`Arm`] to use it.
pub(crate) trait Indexed: Clone + Default + Send + 'static {
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
    fn read(row: Self::Row) -> Result<Item<Self::Sort>, StoreError>;

    /// The words that a row's search document must contain.
    fn words(&self) -> &[String];

    /// Adds all conditions that the arms do not fulfil, each after ` AND `.
    fn conditions<ST>(&self, select: &mut Sql<ST>);

    /// The columns that [`Self::conditions`] look at, and the id. For lists with a search index.
    const CHECKED: &'static str = "id";

    /// A part of an index that has all matching rows, and few others.
    fn own_arm(&self) -> Option<Arm> {
        None
    }

    /// Adds those of the conditions that the index of an order fulfils.
    fn range<ST>(&self, _: Self::Sort, _: &mut Sql<ST>) {}

    /// The query of the search index that finds all rows with the words; `None` if there is no
    /// index for them.
    fn query(&self) -> Option<String> {
        None
    }

    /// The statement that adds up the stored counts of all rows with the filter's choices, without
    /// regard to its other conditions.
    fn choice_count(&self) -> Option<Sql<BigInt>> {
        None
    }

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

impl SqliteStore {
    /// One page of a list; `None` past the last page.
    pub(crate) async fn indexed_page<F: Indexed>(
        &self,
        filter: &F,
        order: Order<F::Sort>,
        request: PageRequest,
    ) -> Result<Option<Page<Item<F::Sort>>>, StoreError>
    where
        for<'q> Sql<F::Types>: LoadQuery<'q, SqliteConnection, F::Row>,
    {
        let filter = filter.clone();
        let page =
            move |connection: &mut SqliteConnection| page(connection, &filter, order, request);
        let Some(Page { count, number, rows }) = self.read(page).await? else {
            return Ok(None);
        };
        let rows = rows.into_iter().map(F::read).collect::<Result<_, _>>()?;
        Ok(Some(Page { count, number, rows }))
    }

    /// One step of a walk through a list.
    pub(crate) async fn indexed_walk<F: Indexed>(
        &self,
        filter: &F,
        order: Order<F::Sort>,
        step: &Step,
    ) -> Result<Slice<Item<F::Sort>>, StoreError>
    where
        for<'q> Sql<F::Types>: LoadQuery<'q, SqliteConnection, F::Row>,
    {
        let ahead = self.ahead;
        let may_be_unsorted = filter.query().is_some();
        let (filter, own) = (filter.clone(), step.clone());
        let walk =
            move |connection: &mut SqliteConnection| rows(connection, &filter, order, &own, ahead);
        let rows = self.read(walk).await?;
        let mut rows = rows.into_iter().map(F::read).collect::<Result<Vec<_>, _>>()?;
        if may_be_unsorted {
            searched::sort(&mut rows, order.by, is_descending(order, step));
        }
        Ok(Slice::of(step, rows))
    }
}

/// Whether a step reads the rows with the largest keys first.
pub(crate) fn is_descending<S>(order: Order<S>, step: &Step) -> bool {
    order.descending != (step.direction == Direction::Backward)
}

/// Returns a page and the count of all rows, from one state of the database.
fn page<F: Indexed>(
    connection: &mut SqliteConnection,
    filter: &F,
    order: Order<F::Sort>,
    request: PageRequest,
) -> QueryResult<Option<Page<F::Row>>>
where
    for<'q> Sql<F::Types>: LoadQuery<'q, SqliteConnection, F::Row>,
{
    let found = searched::found(connection, filter)?;
    let count = count(connection, filter, found.as_ref())?;
    let Some(window) = Window::of(count, request) else {
        return Ok(None);
    };
    let mut rows = Vec::new();
    if window.limit > 0 {
        let access = access(connection, filter, order.by, count, window.reach())?;
        let arms = match found {
            Some(arm) if access == Access::Sorted => vec![arm],
            _ => filter.arms(connection, access, order.by)?,
        };
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

/// Returns the rows of a step, and one more row if there is one. They are in no order if a search
/// index has words of the filter.
pub(crate) fn rows<F: Indexed>(
    connection: &mut SqliteConnection,
    filter: &F,
    order: Order<F::Sort>,
    step: &Step,
    ahead: usize,
) -> QueryResult<Vec<F::Row>>
where
    for<'q> Sql<F::Types>: LoadQuery<'q, SqliteConnection, F::Row>,
{
    let descending = is_descending(order, step);
    let most = step.size as usize + 1;
    let start = Start { by: order.by, descending, from: step.from.as_ref(), ahead };
    if filter.query().is_some() && filter.own_arm().is_none() {
        let ahead = searched::ahead(connection, filter, start, most)?;
        if ahead.is_end || ahead.ids.len() >= most {
            return searched::load::<F>(connection, &ahead.ids);
        }
    }
    let found = searched::found(connection, filter)?;
    beyond(connection, filter, start, most, found)
}

/// Returns the next `most` rows beyond `from`: those that the search index has found, or those of
/// the whole list.
fn beyond<F: Indexed>(
    connection: &mut SqliteConnection,
    filter: &F,
    start: Start<'_, F::Sort>,
    most: usize,
    found: Option<Arm>,
) -> QueryResult<Vec<F::Row>>
where
    for<'q> Sql<F::Types>: LoadQuery<'q, SqliteConnection, F::Row>,
{
    let Start { by, descending, from, .. } = start;
    let (filter, from) = filter.beyond(by, from, descending);
    let mut arms = match found {
        Some(arm) => vec![arm],
        None => {
            let is_unordered = filter.is_unordered(by);
            let access = match is_unordered && is_sorted_fast(connection, &filter, most)? {
                true => Access::Sorted,
                // Words are checked row by row.
                false => Access::InOrder,
            };
            filter.arms(connection, access, by)?
        }
    };
    let key = F::key(by);
    if let Some(from) = from {
        let begins_beyond = filter.begins_beyond(from, descending);
        start_beyond(&mut arms, key, from, begins_beyond, descending);
    }
    if arms.is_empty() {
        return Ok(Vec::new());
    }
    let merge = merge::<F>(&arms, by, descending);
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let select = merge.select(most, None, |select, arm| {
        filter.conditions(select);
        if let Some(from) = from.filter(|_| arm.is_beyond) {
            arm.beyond(select, key, from, descending);
        }
    });
    cached_if_common(select, &filter).load(connection)
}

/// Whether sorting all matching rows is faster than walking along the index of the order and leaving
/// out the others.
fn is_sorted_fast<F: Indexed>(
    connection: &mut SqliteConnection,
    filter: &F,
    reach: usize,
) -> QueryResult<bool> {
    let Some(mut chosen) = filter.choice_count().filter(|_| filter.own_arm().is_none()) else {
        return Ok(true);
    };
    chosen.uncached();
    let total = chosen.get_result::<i64>(connection)?.unsigned_abs();
    let reach = reach as u64;
    let most = reach.saturating_mul(total).isqrt().saturating_add(1);
    let arms = filter.arms(connection, Access::Sorted, F::Sort::NEWEST.by)?;
    let mut count = Sql::<BigInt>::new("SELECT count(*) FROM (");
    for (place, arm) in arms.iter().enumerate() {
        count.sql(if place == 0 { "SELECT 1" } else { " UNION ALL SELECT 1" });
        arm.rows(&mut count, F::TABLE);
        filter.range(F::Sort::NEWEST.by, &mut count);
    }
    if arms.is_empty() {
        return Ok(true);
    }
    count.sql(" LIMIT ").int(i64::try_from(most).unwrap_or(i64::MAX)).sql(")").uncached();
    let count = count.get_result::<i64>(connection)?.unsigned_abs();
    Ok(Access::choose(count, total, reach) == Access::Sorted)
}

fn merge<F: Indexed>(arms: &[Arm], by: F::Sort, descending: bool) -> Merge<'_> {
    Merge { table: F::TABLE, columns: F::COLUMNS, key: F::key(by), descending, arms }
}

fn cached_if_common<F: Indexed, ST>(mut select: Sql<ST>, filter: &F) -> Sql<ST> {
    if !filter.is_common() {
        select.uncached();
    }
    select
}

/// The number of matching rows. `found` is the search index, if it is the fastest way to count them.
pub(crate) fn count<F: Indexed>(
    connection: &mut SqliteConnection,
    filter: &F,
    found: Option<&Arm>,
) -> QueryResult<u64> {
    if let Some((all, others)) = filter.difference() {
        let others = count(connection, &others, None)?;
        return Ok(count(connection, &all, None)?.saturating_sub(others));
    }
    let select = match filter.stored_count() {
        Some(select) => select,
        None => {
            let arms = match found {
                Some(arm) => vec![arm.clone()],
                None => filter.arms(connection, Access::Sorted, F::Sort::NEWEST.by)?,
            };
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
fn access<F: Indexed>(
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
    let total = self::count(connection, &F::default(), None)?;
    Ok(Access::choose(count, total, reach))
}
