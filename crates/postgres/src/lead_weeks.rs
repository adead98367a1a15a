//! Numbers of leads by week in PostgreSQL.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::{ExpressionMethods, QueryDsl, Queryable, Selectable};
use diesel::sql_types::{BigInt, Timestamptz};
use diesel::upsert::excluded;
use diesel::{QueryResult, SelectableHelper};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use exit3_domain::leads::{LeadId, LeadWeek, Week};
use exit3_ports::{LeadWeeks, StoreError};

use crate::pool::PgPool;
use crate::sql::{Sql, Value};

diesel::table! {
    lead_weeks (begins_at) {
        begins_at -> Timestamptz,
        received -> BigInt,
        contacted -> BigInt,
        half_waited -> Nullable<BigInt>,
        most_waited -> Nullable<BigInt>,
    }
}

/// A week as it is read.
#[derive(Queryable, Selectable)]
#[diesel(table_name = lead_weeks)]
struct WeekRow {
    begins_at: DateTime<Utc>,
    received: i64,
    contacted: i64,
    half_waited: Option<i64>,
    most_waited: Option<i64>,
}

impl From<WeekRow> for LeadWeek {
    fn from(row: WeekRow) -> Self {
        Self {
            week: Week::of(row.begins_at),
            received: row.received.unsigned_abs(),
            contacted: row.contacted.unsigned_abs(),
            half: row.half_waited.map(TimeDelta::microseconds),
            most: row.most_waited.map(TimeDelta::microseconds),
        }
    }
}

/// Stores numbers of leads by week.
#[derive(Clone)]
pub(crate) struct PgLeadWeeks {
    pool: PgPool,
}

impl PgLeadWeeks {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

/// Lets one node count at a time, so that no older count replaces a newer one. Readers do not wait.
const ONE_AT_A_TIME: &str = "; LOCK TABLE lead_weeks IN SHARE ROW EXCLUSIVE MODE";

fn received(week: Week) -> Sql<BigInt> {
    Sql::planned("SELECT count(*) FROM leads WHERE created_at >= ")
        .value(Value::time(week.begin()))
        .sql(" AND created_at < ")
        .value(Value::time(week.end()))
}

/// Of each lead that is not new, the time until the last event that took it out of the new ones.
fn waits(week: Week) -> Sql<BigInt> {
    Sql::planned(
        "SELECT (extract(epoch FROM contact.at - created_at) * 1000000)::bigint FROM leads \
         CROSS JOIN LATERAL (SELECT max(at) AS at FROM events WHERE resource = 'lead' \
         AND resource_id = leads.id AND verb = 'lead.updated' \
         AND changes::json #>> '{status,0}' = 'new') AS contact \
         WHERE status <> 'new' AND contact.at IS NOT NULL AND created_at >= ",
    )
    .value(Value::time(week.begin()))
    .sql(" AND created_at < ")
    .value(Value::time(week.end()))
}

#[async_trait]
impl LeadWeeks for PgLeadWeeks {
    async fn of(&self, leads: &[LeadId]) -> Result<Vec<Week>, StoreError> {
        let ids: Vec<i64> = leads.iter().map(|lead| lead.0).collect();
        let found = self.pool.read(|mut connection| {
            let select = Sql::<Timestamptz>::cached("SELECT created_at FROM leads WHERE id = ANY(")
                .value(Value::BigInts(ids.clone()))
                .sql(")");
            async move {
                let found: QueryResult<Vec<DateTime<Utc>>> = select.load(&mut *connection).await;
                connection.done(found)
            }
        });
        let weeks: BTreeSet<Week> = found.await?.into_iter().map(Week::of).collect();
        Ok(weeks.into_iter().collect())
    }

    async fn count(&self, week: Week) -> Result<(), StoreError> {
        let begin = self.pool.begin_bulk() + ONE_AT_A_TIME;
        let counted = self.pool.write_many(|mut connection| {
            let begin = &begin;
            async move {
                let counted = async {
                    connection.batch_execute(begin).await?;
                    let received: i64 = received(week).get_result(&mut *connection).await?;
                    let waits: Vec<i64> = waits(week).load(&mut *connection).await?;
                    let counted = LeadWeek::of(week, received.unsigned_abs(), waits);
                    let stored =
                        |time: Option<TimeDelta>| time.and_then(|time| time.num_microseconds());
                    diesel::insert_into(lead_weeks::table)
                        .values((
                            lead_weeks::begins_at.eq(counted.week.begin()),
                            lead_weeks::received.eq(counted.received.cast_signed()),
                            lead_weeks::contacted.eq(counted.contacted.cast_signed()),
                            lead_weeks::half_waited.eq(stored(counted.half)),
                            lead_weeks::most_waited.eq(stored(counted.most)),
                        ))
                        .on_conflict(lead_weeks::begins_at)
                        .do_update()
                        .set((
                            lead_weeks::received.eq(excluded(lead_weeks::received)),
                            lead_weeks::contacted.eq(excluded(lead_weeks::contacted)),
                            lead_weeks::half_waited.eq(excluded(lead_weeks::half_waited)),
                            lead_weeks::most_waited.eq(excluded(lead_weeks::most_waited)),
                        ))
                        .execute(&mut *connection)
                        .await?;
                    connection.batch_execute("COMMIT").await
                };
                let counted = counted.await;
                connection.done_in_transaction(counted)
            }
        });
        counted.await
    }

    async fn list(&self, from: Week) -> Result<Vec<LeadWeek>, StoreError> {
        let listed = self.pool.read(|mut connection| async move {
            let query = lead_weeks::table
                .filter(lead_weeks::begins_at.ge(from.begin()))
                .order(lead_weeks::begins_at)
                .select(WeekRow::as_select());
            let listed: QueryResult<Vec<WeekRow>> = query.load(&mut *connection).await;
            connection.done(listed)
        });
        Ok(listed.await?.into_iter().map(LeadWeek::from).collect())
    }
}
