//! Pages of leads with counts, in bounded time.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use exit3_domain::contact::Contact;
use exit3_domain::leads::counts::{StatusCounts, rest};
use exit3_domain::leads::{Lead, LeadFilter, LeadOrder, LeadPage, LeadSort, LeadStatus};
use exit3_domain::paging::{COUNTED_TO, Count, Glance, Slice, Step};
use exit3_domain::search;
use exit3_ports::StoreError;

use super::list::{choices, work};
use super::row::{LeadRow, LeadTypes};
use crate::listing::searched::{self, Start, reach};
use crate::listing::{self, Indexed, is_descending};
use crate::merge::{Arm, Merge};
use crate::search::candidates;
use crate::sql::Sql;
use crate::store::SqliteStore;
use crate::window::Access;

/// To count the leads of one status, this part of the rows is looked at that a search looks at before
/// it asks the index.
const SAMPLE: usize = 10;

/// Of a list with a part of an index of its own, this part of those rows is counted.
const OWN_SAMPLE: usize = 2;

/// The rows of a step, in no order, and whether it was cut short.
type Rows = (Vec<LeadRow>, bool);

pub(super) async fn glance(
    store: &SqliteStore,
    filter: &LeadFilter,
    order: LeadOrder,
    step: &Step,
) -> Result<Glance<Lead>, StoreError> {
    let (filter, own, ahead) = (filter.ordered_by(order.by), step.clone(), store.ahead);
    let glance =
        move |connection: &mut SqliteConnection| rows(connection, &filter, order, &own, ahead);
    glance_of(step, order, store.read(glance).await?)
}

pub(super) async fn page(
    store: &SqliteStore,
    filter: &LeadFilter,
    order: LeadOrder,
    step: &Step,
) -> Result<LeadPage, StoreError> {
    let filter = &filter.ordered_by(order.by);
    let (own_filter, own, ahead) = (filter.clone(), step.clone(), store.ahead);
    let page = move |connection: &mut SqliteConnection| {
        if own_filter.words.is_empty() || own_filter.own_arm().is_some() {
            let rows = rows(connection, &own_filter, order, &own, ahead)?;
            return Ok((rows, counts(connection, &own_filter, ahead)?, None));
        }
        searched_page(connection, &own_filter, order, &own, ahead)
    };
    let (rows, by_status, count) = store.read(page).await?;
    let count = count.unwrap_or_else(|| filter.total(&by_status));
    Ok(LeadPage { glance: glance_of(step, order, rows)?, count, by_status })
}

fn glance_of(
    step: &Step,
    order: LeadOrder,
    (rows, is_cut_short): Rows,
) -> Result<Glance<Lead>, StoreError> {
    let mut rows = rows.into_iter().map(Lead::try_from).collect::<Result<Vec<_>, _>>()?;
    searched::sort(&mut rows, order.by, is_descending(order, step));
    Ok(Glance { slice: Slice::of(step, rows), is_cut_short })
}

/// The newest leads that may have the contact: their documents contain its telling part.
pub(super) fn resembling(
    connection: &mut SqliteConnection,
    contact: &Contact,
    most: i64,
) -> QueryResult<Vec<LeadRow>> {
    let words = vec![search::fold(contact.telling())];
    let filter = LeadFilter { words, ..LeadFilter::default() };
    let Some(query) = filter.query() else { return Ok(Vec::new()) };
    let Some(ids) = candidates(connection, &query, u64::MAX)? else { return Ok(Vec::new()) };
    let (arms, newest) = ([Arm::found(&ids)], LeadOrder::NEWEST);
    let merge = Merge {
        table: LeadFilter::TABLE,
        columns: LeadFilter::COLUMNS,
        key: LeadFilter::key(newest.by),
        descending: newest.descending,
        arms: &arms,
    };
    let mut select: Sql<LeadTypes> =
        merge.select(most, None, |select, _| filter.conditions(select));
    select.uncached();
    select.load(connection)
}

/// The rows of a step. Words that the search index cannot find are only looked for among the next
/// rows of the list.
fn rows(
    connection: &mut SqliteConnection,
    filter: &LeadFilter,
    order: LeadOrder,
    step: &Step,
    reach: usize,
) -> QueryResult<Rows> {
    if filter.words.is_empty() || filter.query().is_some() || filter.own_arm().is_some() {
        return Ok((listing::rows(connection, filter, order, step, reach)?, false));
    }
    let most = step.size as usize + 1;
    let ahead = searched::ahead(connection, filter, start(order, step, reach), most)?;
    let is_cut_short = !ahead.is_end && ahead.ids.len() < most;
    Ok((searched::load::<LeadFilter>(connection, &ahead.ids)?, is_cut_short))
}

fn start(order: LeadOrder, step: &Step, ahead: usize) -> Start<'_, LeadSort> {
    Start { by: order.by, descending: is_descending(order, step), from: step.from.as_ref(), ahead }
}

/// The rows of a search, with counts: exact ones if the search index has found all leads.
fn searched_page(
    connection: &mut SqliteConnection,
    filter: &LeadFilter,
    order: LeadOrder,
    step: &Step,
    reach: usize,
) -> QueryResult<(Rows, StatusCounts, Option<Count>)> {
    let (start, most) = (start(order, step, reach), step.size as usize + 1);
    let ahead = searched::ahead(connection, filter, start, most)?;
    if ahead.is_end || ahead.ids.len() >= most {
        let is_all = ahead.is_end && step.from.is_none() && ahead.ids.len() < most;
        let count = is_all.then_some(Count::Exact(ahead.ids.len() as u64));
        let rows = searched::load::<LeadFilter>(connection, &ahead.ids)?;
        return Ok(((rows, false), counts(connection, filter, reach)?, count));
    }
    // Leads of other statuses are counted too.
    let any_status = LeadFilter { statuses: None, ..filter.clone() };
    let Some(arm) = searched::found(connection, &any_status)? else {
        let rows = match filter.query() {
            Some(_) => (listing::rows(connection, filter, order, step, reach)?, false),
            None => (searched::load::<LeadFilter>(connection, &ahead.ids)?, true),
        };
        return Ok((rows, counts(connection, filter, reach)?, None));
    };
    let gathered = searched::gather(connection, &any_status, &arm, start)?;
    let counts = LeadStatus::ALL.iter().map(|status| {
        let found = gathered.iter().filter(|(_, word, _)| word == status.as_str()).count();
        (*status, Count::Exact(found as u64))
    });
    let is_wanted = |word: &str| match &filter.statuses {
        Some(statuses) => statuses.iter().any(|status| status.as_str() == word),
        None => true,
    };
    let wanted = gathered.iter().filter(|(_, word, beyond)| *beyond && is_wanted(word));
    let ids: Vec<i64> = wanted.map(|(id, ..)| *id).take(most).collect();
    let rows = searched::load::<LeadFilter>(connection, &ids)?;
    Ok(((rows, false), counts.collect(), None))
}

/// The number of leads of each status that match the rest of the filter.
fn counts(
    connection: &mut SqliteConnection,
    filter: &LeadFilter,
    ahead: usize,
) -> QueryResult<StatusCounts> {
    let any_status = LeadFilter { statuses: None, ..filter.clone() };
    if filter.is_counted() {
        let mut select =
            Sql::<(Text, BigInt)>::new("SELECT status, sum(n) FROM lead_counts WHERE 1");
        choices(&mut select, &any_status);
        select.sql(" GROUP BY status").uncached();
        let counted: Vec<(String, i64)> = select.load(connection)?;
        let of = |status: &LeadStatus| {
            let found = counted.iter().find(|(word, _)| word == status.as_str());
            (*status, Count::Exact(found.map_or(0, |(_, n)| n.unsigned_abs())))
        };
        return Ok(LeadStatus::ALL.iter().map(of).collect());
    }
    if let Some(arm) = any_status.own_arm() {
        return count_own(connection, &any_status, &arm, ahead / OWN_SAMPLE);
    }
    if let Some((all, part)) = any_status.difference() {
        let (all, part) = (counts(connection, &all, ahead)?, counts(connection, &part, ahead)?);
        if let Some(rest) = rest(&all, &part) {
            return Ok(rest);
        }
    }
    let of = |status: &LeadStatus| {
        let one = LeadFilter { statuses: Some(vec![*status]), ..any_status.clone() };
        Ok((*status, count_newest(connection, &one, ahead)?))
    };
    LeadStatus::ALL.iter().map(of).collect()
}

/// Counts the matching leads of each status among the first `most` ones of the filter's own part of an
/// index.
fn count_own(
    connection: &mut SqliteConnection,
    filter: &LeadFilter,
    arm: &Arm,
    most: usize,
) -> QueryResult<StatusCounts> {
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let mut select = Sql::<(Text, BigInt, BigInt)>::new("SELECT status, count(*), ");
    if filter.words.is_empty() {
        // The index has the columns of all conditions.
        select.sql("count(*) FROM (SELECT status");
    } else {
        select.sql("coalesce(sum(1");
        filter.conditions(&mut select);
        select.sql("), 0) FROM (SELECT ").sql(LeadFilter::CHECKED);
    }
    arm.rows(&mut select, LeadFilter::TABLE);
    if filter.words.is_empty() {
        filter.conditions(&mut select);
    } else {
        work(filter, &mut select);
    }
    select.sql(" LIMIT ").int(limit).sql(") GROUP BY status").uncached();
    let counted: Vec<(String, i64, i64)> = select.load(connection)?;
    let is_complete = counted.iter().map(|(_, looked, _)| looked).sum::<i64>() < limit;
    let of = |status: &LeadStatus| {
        let one = counted.iter().find(|(word, ..)| word == status.as_str());
        let found = one.map_or(0, |(.., found)| found.unsigned_abs());
        let is_exact = is_complete && found > COUNTED_TO;
        (*status, if is_exact { Count::Exact(found) } else { Count::of(found, is_complete) })
    };
    Ok(LeadStatus::ALL.iter().map(of).collect())
}

/// Counts the matching leads among the newest ones that have the filter's choices and lie within
/// its bounds.
fn count_newest(
    connection: &mut SqliteConnection,
    filter: &LeadFilter,
    ahead: usize,
) -> QueryResult<Count> {
    let newest = LeadOrder::NEWEST;
    let arms = filter.arms(connection, Access::InOrder, newest.by)?;
    if arms.is_empty() {
        return Ok(Count::Exact(0));
    }
    let most = match filter.is_indexed() {
        true => usize::try_from(COUNTED_TO).unwrap_or(usize::MAX).saturating_add(1),
        false => reach(ahead / SAMPLE, arms.len()),
    };
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let columns = if filter.is_indexed() { "id" } else { LeadFilter::CHECKED };
    let key = LeadFilter::key(newest.by);
    let mut select = Sql::<(BigInt, BigInt)>::new("SELECT count(*), coalesce(sum(1");
    if !filter.is_indexed() {
        filter.conditions(&mut select);
    }
    select.sql("), 0) FROM (").uncached();
    let merge = Merge { table: "leads", columns, key, descending: true, arms: &arms };
    merge.add(&mut select, limit, |select, _| filter.range(newest.by, select));
    select.sql(")");
    let (looked, found): (i64, i64) = select.get_result(connection)?;
    Ok(Count::of(found.unsigned_abs(), looked < limit))
}
