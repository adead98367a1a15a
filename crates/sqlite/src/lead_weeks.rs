//! Numbers of leads by week in SQLite.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::TimeDelta;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel::upsert::excluded;
use exit3_domain::leads::{LeadId, LeadWeek, Week};
use exit3_ports::{LeadWeeks, StoreError};
use serde_json::Value as Json;

use crate::error::from_diesel;
use crate::sql::Sql;
use crate::store::SqliteStore;
use crate::values::{microseconds, moment};

diesel::table! {
    lead_weeks (begins_at) {
        begins_at -> BigInt,
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
    begins_at: i64,
    received: i64,
    contacted: i64,
    half_waited: Option<i64>,
    most_waited: Option<i64>,
}

impl TryFrom<WeekRow> for LeadWeek {
    type Error = StoreError;

    fn try_from(row: WeekRow) -> Result<Self, StoreError> {
        Ok(Self {
            week: Week::of(moment(row.begins_at)?),
            received: row.received.unsigned_abs(),
            contacted: row.contacted.unsigned_abs(),
            half: row.half_waited.map(TimeDelta::microseconds),
            most: row.most_waited.map(TimeDelta::microseconds),
        })
    }
}

/// Stores numbers of leads by week.
#[derive(Clone)]
pub(crate) struct SqliteLeadWeeks {
    store: SqliteStore,
}

impl SqliteLeadWeeks {
    pub(crate) fn new(store: SqliteStore) -> Self {
        Self { store }
    }
}

#[async_trait]
impl LeadWeeks for SqliteLeadWeeks {
    async fn of(&self, leads: &[LeadId]) -> Result<Vec<Week>, StoreError> {
        let ids = Json::from(leads.iter().map(|lead| lead.0).collect::<Vec<_>>()).to_string();
        let read = move |connection: &mut SqliteConnection| {
            let mut select = Sql::<BigInt>::new("SELECT created_at FROM leads WHERE id IN ");
            select.sql("(SELECT value FROM json_each(").text(ids).sql("))");
            select.load::<i64>(connection)
        };
        let times = self.store.readers.run(read).await?.into_iter().map(moment);
        let weeks = times.map(|at| at.map(Week::of)).collect::<Result<BTreeSet<_>, _>>()?;
        Ok(weeks.into_iter().collect())
    }

    /// A reader counts, so that the writer need not wait. The jobs of one process do not count at the
    /// same time, so no older count replaces a newer one.
    async fn count(&self, week: Week) -> Result<(), StoreError> {
        let (begin, end) = (microseconds(week.begin()), microseconds(week.end()));
        let read = move |connection: &mut SqliteConnection| {
            let mut count = Sql::<BigInt>::new(
                "SELECT count(*) FROM leads INDEXED BY leads_by_created_at WHERE created_at >= ",
            );
            count.int(begin).sql(" AND created_at < ").int(end);
            let received: i64 = count.get_result(connection)?;
            // Of a lead that is not new, the last event that took it out of the new ones.
            let mut waits = Sql::<BigInt>::new(
                "SELECT waited FROM (SELECT (SELECT max(at) FROM events INDEXED BY events_by_row \
                 WHERE resource = 'lead' AND resource_id = leads.id AND verb = 'lead.updated' \
                 AND json_extract(changes, '$.status[0]') = 'new') - created_at AS waited \
                 FROM leads INDEXED BY leads_by_status WHERE status IN \
                 ('contacted', 'interested', 'not_interested', 'converted', 'closed') \
                 AND created_at >= ",
            );
            waits.int(begin).sql(" AND created_at < ").int(end);
            waits.sql(") WHERE waited IS NOT NULL");
            Ok((received, waits.load::<i64>(connection)?))
        };
        let (received, waits) = self.store.read(read).await?;
        let counted = LeadWeek::of(week, received.unsigned_abs(), waits);
        let stored = |time: Option<TimeDelta>| time.and_then(|time| time.num_microseconds());
        let row = (
            lead_weeks::begins_at.eq(begin),
            lead_weeks::received.eq(received),
            lead_weeks::contacted.eq(counted.contacted.cast_signed()),
            lead_weeks::half_waited.eq(stored(counted.half)),
            lead_weeks::most_waited.eq(stored(counted.most)),
        );
        let replace = move |connection: &mut SqliteConnection| {
            diesel::insert_into(lead_weeks::table)
                .values(row)
                .on_conflict(lead_weeks::begins_at)
                .do_update()
                .set((
                    lead_weeks::received.eq(excluded(lead_weeks::received)),
                    lead_weeks::contacted.eq(excluded(lead_weeks::contacted)),
                    lead_weeks::half_waited.eq(excluded(lead_weeks::half_waited)),
                    lead_weeks::most_waited.eq(excluded(lead_weeks::most_waited)),
                ))
                .execute(connection)
                .map(drop)
                .map_err(from_diesel)
        };
        self.store.write(replace).await
    }

    async fn list(&self, from: Week) -> Result<Vec<LeadWeek>, StoreError> {
        let begin = microseconds(from.begin());
        let read = move |connection: &mut SqliteConnection| {
            lead_weeks::table
                .filter(lead_weeks::begins_at.ge(begin))
                .order(lead_weeks::begins_at)
                .select(WeekRow::as_select())
                .load(connection)
        };
        let rows: Vec<WeekRow> = self.store.readers.run(read).await?;
        rows.into_iter().map(LeadWeek::try_from).collect()
    }
}
