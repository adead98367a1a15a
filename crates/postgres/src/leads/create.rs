//! Creates of leads: one lead alone, or all that wait at the same time in one statement.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use diesel::prelude::ExpressionMethods;
use diesel::sql_types::BigInt;
use diesel::{QueryResult, SelectableHelper};
use diesel_async::RunQueryDsl;
use exit3_domain::events::{Act, Changes, Verb};
use exit3_domain::leads::{Lead, LeadId, LeadWork, NewLead, RESOURCE};
use exit3_ports::leads::ID_TAKEN;
use exit3_ports::{Consistency, RowRefused, StoreError};

use super::row::{DetailsRow, LeadRow, WorkRow, insert_group, leads};
use crate::connection::PgConnection;
use crate::error::Failure;
use crate::events::{EventRow, Noted, NotedEach};
use crate::lane::Grouped;
use crate::pool::PgPool;
use crate::sql::{Sql, Value};

/// Creates that share statements. In one lane, all leads have an id, or none has.
pub(super) struct Creates;

/// A lead to create, and the id that was reserved for it.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) id: Option<LeadId>,
    pub(super) lead: NewLead,
    pub(super) act: Act,
}

impl Grouped for Creates {
    type Row = Row;
    type Stored = Lead;

    fn size(row: &Row) -> usize {
        let NewLead {
            full_name,
            position,
            company_name,
            phone_number,
            email,
            source: _,
            status: _,
            notes,
            category: _,
        } = &row.lead;
        let texts = [company_name, phone_number, email, notes];
        let texts = texts.into_iter().flatten().map(String::len).sum::<usize>();
        // The search document repeats most texts.
        2 * (full_name.len() + position.len() + texts)
    }

    async fn one(pool: &PgPool, Row { id, lead, act }: &Row) -> Result<Lead, StoreError> {
        one(pool, *id, lead, act).await
    }

    async fn all(
        pool: &PgPool,
        callers: &[Consistency],
        rows: &[&Row],
    ) -> Result<Vec<Lead>, Failure> {
        // The events are stored in the order of the ids.
        let mut ordered = rows.to_vec();
        ordered.sort_by_key(|row| row.id);
        let stored = pool.write_for(callers, |mut connection| {
            let acts = ordered.iter().map(|row| &row.act);
            let insert = NotedEach::new(insert_group(&ordered), RESOURCE, Verb::CREATED, acts);
            async move {
                let stored: QueryResult<Vec<LeadRow>> = insert.load(&mut *connection).await;
                connection.done(stored)
            }
        });
        let stored: Vec<Lead> = stored.await?.into_iter().map(Lead::from).collect();
        // Triggers of others have left out all rows.
        if stored.is_empty() {
            let error = StoreError::Other("the database stores no row".into());
            return Err(Failure { is_undone: true, ..Failure::from(error) });
        }
        if rows.iter().all(|row| row.id.is_some()) {
            return Ok(by_id(rows, stored));
        }
        Ok(in_order(rows.iter().map(|row| &row.lead), stored))
    }
}

/// The stored leads in the order of the given ones, which have ids.
fn by_id(given: &[&Row], stored: Vec<Lead>) -> Vec<Lead> {
    let mut stored: BTreeMap<_, _> = stored.into_iter().map(|lead| (lead.id, lead)).collect();
    given.iter().filter_map(|row| stored.remove(&row.id?)).collect()
}

/// The stored leads in the order of the given ones. PostgreSQL stores and returns rows in the given
/// order, but does not promise it. If the contents are in the same order, the rows are too: equal
/// leads may swap their ids. Leads that a trigger of somebody else has changed fill the gaps.
fn in_order<'a>(given: impl Iterator<Item = &'a NewLead> + Clone, stored: Vec<Lead>) -> Vec<Lead> {
    if given.clone().zip(&stored).all(|(given, stored)| *given == stored.details) {
        return stored;
    }
    let mut rest = stored;
    let found: Vec<Option<Lead>> = given
        .map(|given| {
            let at = rest.iter().position(|stored| stored.details == *given)?;
            Some(rest.remove(at))
        })
        .collect();
    let mut rest = rest.into_iter();
    found.into_iter().filter_map(|found| found.or_else(|| rest.next())).collect()
}

/// Stores one lead, with the id that was reserved for it, if one was.
pub(super) async fn one(
    pool: &PgPool,
    id: Option<LeadId>,
    lead: &NewLead,
    act: &Act,
) -> Result<Lead, StoreError> {
    let created = pool.write(|mut connection| async move {
        let created = insert(&mut connection, id, lead, act).await;
        connection.done(created)
    });
    let created = created.await;
    if id.is_some() { created } else { created.map_err(assigned) }
}

/// Inserts one lead and its event with one statement.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    id: Option<LeadId>,
    lead: &NewLead,
    act: &Act,
) -> QueryResult<Lead> {
    let document = lead.search_document();
    let query = diesel::insert_into(leads::table)
        .values((
            id.map(|id| leads::id.eq(id.0)),
            DetailsRow::of(lead, &document),
            leads::created_at.eq(act.at),
            leads::updated_at.eq(act.at),
        ))
        .returning(LeadRow::as_returning());
    let event = EventRow::of(act, RESOURCE, Verb::CREATED, &Changes::None);
    let created: LeadRow = Noted::new(query, event).get_result(connection).await?;
    Ok(created.into())
}

/// The error of a create whose id the database has assigned. If another lead has that id, somebody has
/// set the sequence back, and one of the next ids is free.
pub(crate) fn assigned(error: StoreError) -> StoreError {
    match error {
        StoreError::Conflict(ID_TAKEN) => {
            let again = "the database has assigned an id that another lead has";
            StoreError::Unavailable(Box::new(RowRefused(again.into())))
        }
        error => error,
    }
}

/// Reserves ids that no other lead will get.
pub(super) async fn reserve(
    pool: &PgPool,
    count: u32,
) -> Result<Vec<RangeInclusive<i64>>, StoreError> {
    let reserved = pool.write(|mut connection| {
        // The database has assigned ids to others in between.
        let query = Sql::<(BigInt, BigInt)>::cached(
            "SELECT min(id), max(id) FROM (SELECT id, id - row_number() OVER (ORDER BY id) AS run \
             FROM reserve_lead_ids(CAST(",
        );
        let query = query.value(Value::BigInt(count.into()));
        let query = query.sql(" AS integer)) AS id) AS ids GROUP BY run ORDER BY 1");
        async move {
            let reserved: QueryResult<Vec<(i64, i64)>> = query.load(&mut *connection).await;
            connection.done(reserved)
        }
    });
    Ok(reserved.await?.into_iter().map(|(first, last)| first..=last).collect())
}

/// Stores one lead together with the work on it.
pub(super) async fn with_work(
    pool: &PgPool,
    lead: &NewLead,
    work: &LeadWork,
    act: &Act,
) -> Result<Lead, StoreError> {
    let document = lead.search_document();
    let created = pool.write(|mut connection| {
        let query = diesel::insert_into(leads::table)
            .values((
                DetailsRow::of(lead, &document),
                WorkRow::of(work),
                leads::created_at.eq(act.at),
                leads::updated_at.eq(act.at),
            ))
            .returning(LeadRow::as_returning());
        let event = EventRow::of(act, RESOURCE, Verb::CREATED, &Changes::None);
        let query = Noted::new(query, event);
        async move {
            let created: QueryResult<LeadRow> = query.get_result(&mut *connection).await;
            connection.done(created)
        }
    });
    Ok(created.await.map_err(assigned)?.into())
}

#[cfg(test)]
mod tests {
    use exit3_testkit::builders::{at, lead};

    use super::*;

    #[test]
    fn each_caller_gets_its_own_lead_even_if_the_order_changes() {
        let named = |name: &str| lead().full_name(name).build();
        let given = ["Ana", "Eva", "Ivo", "Eva"].map(named);
        let stored = |id: i64, name: &str| Lead {
            id: LeadId(id),
            details: named(name),
            work: LeadWork::default(),
            created_at: at(1),
            updated_at: at(1),
        };
        let ids = |names: [&str; 4]| -> Vec<i64> {
            let rows = names.iter().zip(1..).map(|(name, id)| stored(id, name)).collect();
            in_order(given.iter(), rows).iter().map(|lead| lead.id.0).collect()
        };
        assert_eq!(ids(["Ana", "Eva", "Ivo", "Eva"]), [1, 2, 3, 4]);
        assert_eq!(ids(["Ivo", "Eva", "Eva", "Ana"]), [4, 2, 1, 3]);
        // A trigger has changed all names, or one.
        assert_eq!(ids(["ANA", "EVA", "IVO", "EVA"]), [1, 2, 3, 4]);
        assert_eq!(ids(["Ana", "EVA", "Ivo", "Eva"]), [1, 4, 3, 2]);
    }
}
