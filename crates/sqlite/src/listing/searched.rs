//! Lists with words. The rows with frequent words are found by walking along the list; those with
//! rare words by the search index.

use diesel::prelude::*;
use diesel::query_dsl::LoadQuery;
use diesel::sql_types::{BigInt, Bool, Text};
use exit3_domain::order::{ListPosition, Order, Sort};

use super::Indexed;
use crate::merge::{Arm, Merge, json, start_beyond};
use crate::search::candidates;
use crate::sql::Sql;
use crate::window::Access;

/// The index finds rows faster than a scan of the table if they are at most this part of it.
const FEW: u64 = 8;

/// Matching rows among the next rows of a list.
pub(crate) struct Ahead {
    pub(crate) ids: Vec<i64>,
    /// Whether these are all that the list has in this direction.
    pub(crate) is_end: bool,
}

/// Where to start, and in which direction.
#[derive(Clone, Copy)]
pub(crate) struct Start<'a, S> {
    pub(crate) by: S,
    pub(crate) descending: bool,
    pub(crate) from: Option<&'a ListPosition>,
    /// How many rows to look at before the search index is asked.
    pub(crate) ahead: usize,
}

/// How many rows to look at: fewer if they are merged from many arms, because each row then costs
/// more.
pub(crate) fn reach(most: usize, arms: usize) -> usize {
    (most * 3).checked_div(arms.saturating_add(2)).unwrap_or(most)
}

/// Finds up to `most` matching rows among the next rows of the list.
pub(crate) fn ahead<F: Indexed>(
    connection: &mut SqliteConnection,
    filter: &F,
    start: Start<'_, F::Sort>,
    most: usize,
) -> QueryResult<Ahead> {
    let Start { by, descending, .. } = start;
    let (filter, from) = filter.beyond(by, start.from, descending);
    let mut arms = filter.arms(connection, Access::InOrder, by)?;
    if let Some(from) = from {
        let begins_beyond = filter.begins_beyond(from, descending);
        start_beyond(&mut arms, F::key(by), from, begins_beyond, descending);
    }
    if arms.is_empty() {
        return Ok(Ahead { ids: Vec::new(), is_end: true });
    }
    let reach = reach(start.ahead, arms.len());
    let limit = i64::try_from(reach).unwrap_or(i64::MAX);
    let key = F::key(by);
    let next = |select: &mut Sql<BigInt>, columns| {
        let merge = Merge { table: F::TABLE, columns, key, descending, arms: &arms };
        merge.add(select, limit, |select, arm| {
            filter.range(by, select);
            if let Some(from) = from.filter(|_| arm.is_beyond) {
                arm.beyond(select, key, from, descending);
            }
        });
    };
    let mut select = Sql::new("SELECT id FROM (");
    next(&mut select, F::CHECKED);
    select.sql(") WHERE 1");
    filter.conditions(&mut select);
    select.sql(" LIMIT ").int(i64::try_from(most).unwrap_or(i64::MAX)).uncached();
    let ids: Vec<i64> = select.load(connection)?;
    if ids.len() >= most {
        return Ok(Ahead { ids, is_end: false });
    }
    let mut count = Sql::new("SELECT count(*) FROM (");
    next(&mut count, "id");
    count.sql(")").uncached();
    let looked: i64 = count.get_result(connection)?;
    Ok(Ahead { ids, is_end: looked < limit })
}

/// The rows that the search index finds, if they are few. `None` for a list with a part of an index of
/// its own, which is read faster.
pub(crate) fn found<F: Indexed>(
    connection: &mut SqliteConnection,
    filter: &F,
) -> QueryResult<Option<Arm>> {
    let Some(query) = filter.query().filter(|_| filter.own_arm().is_none()) else {
        return Ok(None);
    };
    let total = super::count(connection, &F::default(), None)?;
    let mut most = total / FEW;
    if let Some(mut chosen) = filter.choice_count() {
        chosen.uncached();
        let chosen: i64 = chosen.get_result(connection)?;
        most = most.min(chosen.unsigned_abs());
    }
    let candidates = candidates(connection, &query, most)?;
    Ok(candidates.map(|ids| Arm::found(&ids)))
}

/// The rows with these ids, in no order.
pub(crate) fn load<F: Indexed>(
    connection: &mut SqliteConnection,
    ids: &[i64],
) -> QueryResult<Vec<F::Row>>
where
    for<'q> Sql<F::Types>: LoadQuery<'q, SqliteConnection, F::Row>,
{
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut select = Sql::new("SELECT ");
    select.sql(F::COLUMNS).sql(" FROM ").sql(F::TABLE);
    select.sql(" WHERE id IN (SELECT value FROM json_each(");
    select.text(json(ids)).sql("))");
    select.load(connection)
}

/// Sorts rows in the order of the list.
pub(crate) fn sort<S: Sort>(rows: &mut [S::Row], by: S, descending: bool) {
    let order = Order { by, descending };
    rows.sort_by_cached_key(|row| order.position(row));
    if descending {
        rows.reverse();
    }
}

/// A row that the index has found: its id and its status, and whether it lies beyond the start.
pub(crate) type Gathered = (i64, String, bool);

/// All matching rows that `arm` finds, in the order of the list.
pub(crate) fn gather<F: Indexed>(
    connection: &mut SqliteConnection,
    filter: &F,
    arm: &Arm,
    start: Start<'_, F::Sort>,
) -> QueryResult<Vec<Gathered>> {
    let Start { by, descending, from, .. } = start;
    let key = F::key(by);
    let mut select = Sql::<(BigInt, Text, Bool)>::new("SELECT id, status, 1");
    if let Some(from) = from {
        arm.beyond(&mut select, key, from, descending);
    }
    arm.rows(&mut select, F::TABLE);
    filter.conditions(&mut select);
    Merge { table: F::TABLE, columns: "", key, descending, arms: &[] }
        .order(&mut select, key.iter().copied());
    select.uncached();
    select.load(connection)
}
