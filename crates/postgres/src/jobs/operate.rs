//! What operators see and do.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::OptionalExtension;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use exit3_domain::jobs::{Job, JobId, JobState, attempts_of};
use exit3_ports::StoreError;
use exit3_ports::jobs::{Change, Depth, JobFilter, MOST_COUNTED};

use crate::pool::PgPool;
use crate::sql::{Conditions, Sql, Value};
use crate::word::Word;

type JobTypes = (
    BigInt,
    Text,
    Text,
    Nullable<Text>,
    Text,
    BigInt,
    Timestamptz,
    Timestamptz,
    Nullable<Timestamptz>,
    Nullable<Text>,
);
type JobRow = (
    i64,
    String,
    String,
    Option<String>,
    Word<JobState>,
    i64,
    DateTime<Utc>,
    DateTime<Utc>,
    Option<DateTime<Utc>>,
    Option<String>,
);

fn job(row: JobRow) -> Job {
    let (id, kind, payload, unique_key, state, attempts, due_at, enqueued_at, ended_at, error) =
        row;
    Job {
        id: JobId(id),
        kind,
        payload,
        unique_key,
        state: state.0,
        attempts: attempts_of(attempts),
        due_at,
        enqueued_at,
        ended_at,
        last_error: error,
    }
}

pub(super) async fn list(pool: &PgPool, filter: &JobFilter) -> Result<Vec<Job>, StoreError> {
    let mut conditions = Conditions::default();
    if let Some(kind) = &filter.kind {
        // Stored texts contain no NUL, and PostgreSQL refuses it as a parameter.
        if kind.contains('\0') {
            return Ok(Vec::new());
        }
        conditions.add("kind = ", Value::Text(Some(kind.clone())), "");
    }
    if let Some(state) = filter.state {
        conditions.add("state = ", Value::Text(Some(state.as_str().to_owned())), "");
    }
    let statement = Sql::<JobTypes>::planned(
        "SELECT id, kind, payload, unique_key, state, attempts, due_at, enqueued_at, ended_at, \
         last_error FROM jobs",
    )
    .all_of(&conditions)
    .sql(" ORDER BY id DESC LIMIT ")
    .value(Value::BigInt(filter.most.into()));
    let listed = pool.read(|mut connection| {
        let statement = statement.clone();
        async move {
            let listed = statement.load(&mut *connection).await;
            connection.done(listed)
        }
    });
    let rows: Vec<JobRow> = listed.await?;
    Ok(rows.into_iter().map(job).collect())
}

pub(super) async fn retry(pool: &PgPool, id: JobId) -> Result<Change, StoreError> {
    let set = "state = 'waiting', due_at = now(), ended_at = NULL, \
               attempts = CASE WHEN found.state = 'waiting' THEN attempts ELSE 0 END";
    change(pool, id, set, "'waiting', 'failed', 'cancelled'").await
}

pub(super) async fn cancel(pool: &PgPool, id: JobId) -> Result<Change, StoreError> {
    let set = "state = 'cancelled', ended_at = now()";
    change(pool, id, set, "'waiting', 'running', 'failed'").await
}

/// Changes a job that is in one of the states `from`.
async fn change(
    pool: &PgPool,
    id: JobId,
    set: &'static str,
    from: &'static str,
) -> Result<Change, StoreError> {
    let statement =
        Sql::<(Text, Bool)>::planned("WITH found AS (SELECT id, state FROM jobs WHERE id = ")
            .value(Value::BigInt(id.0))
            .sql(" FOR UPDATE), changed AS (UPDATE jobs SET ")
            .sql(set)
            .sql(" FROM found WHERE jobs.id = found.id AND found.state IN (")
            .sql(from)
            .sql(") RETURNING jobs.id) SELECT state, EXISTS (SELECT FROM changed) FROM found");
    let changed = pool.write(|mut connection| {
        let statement = statement.clone();
        async move {
            let changed = statement.get_result(&mut *connection).await;
            connection.done(changed.optional())
        }
    });
    let changed: Option<(Word<JobState>, bool)> = changed.await?;
    let (state, is_done) = changed.ok_or(StoreError::NotFound)?;
    Ok(if is_done { Change::Done } else { Change::Refused(state.0) })
}

pub(super) async fn depths(pool: &PgPool) -> Result<Vec<Depth>, StoreError> {
    type Types = (Text, Text, BigInt, Nullable<BigInt>);
    type Row = (String, Word<JobState>, i64, Option<i64>);
    // Jumps from one combination to the next in the index, instead of reading all rows.
    let statement = Sql::<Types>::cached(
        "WITH RECURSIVE parts (kind, state) AS (\
             (SELECT kind, state FROM jobs ORDER BY kind, state LIMIT 1) \
             UNION ALL \
             SELECT next.kind, next.state FROM parts CROSS JOIN LATERAL (\
                 SELECT jobs.kind, jobs.state FROM jobs \
                 WHERE (jobs.kind, jobs.state) > (parts.kind, parts.state) \
                 ORDER BY jobs.kind, jobs.state LIMIT 1\
             ) AS next\
         ) \
         SELECT kind, state, (\
             SELECT count(*) FROM (\
                 SELECT FROM jobs WHERE jobs.kind = parts.kind AND jobs.state = parts.state LIMIT ",
    )
    .literal(MOST_COUNTED.into())
    .sql(
        ") AS counted\
         ), (\
             SELECT (extract(epoch FROM now() - min(due_at)) * 1000000)::bigint FROM jobs \
             WHERE jobs.kind = parts.kind AND jobs.state IN ('waiting', 'running') \
               AND due_at <= now()\
         ) FROM parts ORDER BY kind, state",
    );
    let counted = pool.read(|mut connection| {
        let statement = statement.clone();
        async move {
            let counted = statement.load(&mut *connection).await;
            connection.done(counted)
        }
    });
    let rows: Vec<Row> = counted.await?;
    let part = |(kind, state, count, overdue): Row| {
        let overdue = overdue.map(|micros| Duration::from_micros(micros.unsigned_abs()));
        (kind, state.0, count.unsigned_abs(), overdue)
    };
    Ok(Depth::of_parts(rows.into_iter().map(part)))
}
