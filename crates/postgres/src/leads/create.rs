//! Creates of leads: one lead alone, or all that wait at the same time in one statement.

use chrono::{DateTime, Utc};
use diesel::SelectableHelper;
use diesel::prelude::ExpressionMethods;
use diesel_async::RunQueryDsl;
use exit3_domain::leads::NewLead;
use exit3_ports::{Consistency, StoreError};

use super::row::{DetailsRow, LeadRow, insert_group, leads};
use crate::error::Failure;
use crate::lane::Grouped;
use crate::pool::PgPool;
use crate::sql::Cached;

/// Creates that share statements.
pub(super) struct Creates;

impl Grouped for Creates {
    type Row = (NewLead, DateTime<Utc>);
    type Stored = LeadRow;

    fn size((lead, _): &Self::Row) -> usize {
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
        } = lead;
        let texts = [company_name, phone_number, email, notes];
        let texts = texts.into_iter().flatten().map(String::len).sum::<usize>();
        // The search document repeats most texts.
        2 * (full_name.len() + position.len() + texts)
    }

    async fn one(pool: &PgPool, (lead, now): &Self::Row) -> Result<LeadRow, StoreError> {
        one(pool, lead, *now).await
    }

    async fn all(
        pool: &PgPool,
        callers: &[Consistency],
        rows: &[&Self::Row],
    ) -> Result<Vec<LeadRow>, Failure> {
        let mut stored: Vec<LeadRow> = pool
            .write_for(callers, |mut connection| {
                let insert = insert_group(rows);
                async move {
                    let stored = insert.load(&mut *connection).await;
                    connection.done(stored)
                }
            })
            .await?;
        // PostgreSQL assigns ids in the given order, but does not promise to return them in it.
        stored.sort_by_key(LeadRow::id);
        Ok(stored)
    }
}

/// Stores one lead.
pub(super) async fn one(
    pool: &PgPool,
    lead: &NewLead,
    now: DateTime<Utc>,
) -> Result<LeadRow, StoreError> {
    let document = lead.search_document();
    let created = pool.write(|mut connection| {
        let query = diesel::insert_into(leads::table)
            .values((
                DetailsRow::of(lead, &document),
                leads::created_at.eq(now),
                leads::updated_at.eq(now),
            ))
            .returning(LeadRow::as_returning());
        async move {
            let created = Cached(query).get_result(&mut *connection).await;
            connection.done(created)
        }
    });
    created.await
}
