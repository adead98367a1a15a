use std::time::Duration;

use chrono::DateTime;
use diesel::QueryResult;
use diesel::sql_types::{BigInt, Bool};
use diesel_async::RunQueryDsl;
use exit3_domain::jobs::{NewJob, Schedule};
use exit3_ports::StoreError;
use exit3_ports::jobs::Occurrence;

use crate::connection::PgConnection;
use crate::pool::PgPool;
use crate::sql::{Sql, Value};

/// If the unique key of a job belongs to an unfinished one.
const IF_TAKEN: &str = " ON CONFLICT (unique_key) \
    WHERE unique_key IS NOT NULL AND state IN ('waiting', 'running')";

/// Stores jobs with one statement on a connection, which may be in a transaction of another method.
/// Returns how many it has stored.
pub(crate) async fn insert(connection: &mut PgConnection, jobs: &[NewJob]) -> QueryResult<u64> {
    let texts = |text: fn(&NewJob) -> Option<&str>| {
        Value::Texts(jobs.iter().map(|job| text(job).map(str::to_owned)).collect())
    };
    let times = jobs.iter().map(|job| job.run_at.unwrap_or_default().max(DateTime::UNIX_EPOCH));
    let statement = Sql::<()>::cached(
        "INSERT INTO jobs (kind, payload, unique_key, due_at, enqueued_at) \
         SELECT kind, payload, unique_key, greatest(run_at, now()), now() FROM unnest(",
    )
    .value(texts(|job| Some(&job.kind)))
    .sql(", ")
    .value(texts(|job| Some(&job.payload)))
    .sql(", ")
    .value(texts(|job| job.unique_key.as_deref()))
    .sql(", ")
    .value(Value::Times(times.collect()))
    // Jobs with keys come in the order of the keys, so that two statements do not wait for each
    // other in turn.
    .sql(
        ") WITH ORDINALITY AS new (kind, payload, unique_key, run_at, place) \
         ORDER BY unique_key COLLATE \"C\", place",
    )
    .sql(IF_TAKEN)
    .sql(" DO NOTHING");
    statement.execute(connection).await.map(|rows| rows as u64)
}

/// Notes an occurrence and stores its job, in one statement.
pub(super) async fn occurrence(
    pool: &PgPool,
    schedule: &Schedule,
    job: &NewJob,
) -> Result<Occurrence, StoreError> {
    let text = |text: &str| Value::Text(Some(text.to_owned()));
    let period = || Value::BigInt(schedule.period());
    let statement = Sql::<(Bool, BigInt)>::cached(
        "WITH clock AS (\
             SELECT now, now - (now - shift) % period AS last, period FROM (\
                 SELECT (extract(epoch FROM now()) * 1000000)::bigint, ",
    )
    .value(period())
    .sql(", ")
    .value(Value::BigInt(schedule.shift()))
    .sql(
        ") AS given (now, period, shift)\
         ), noted AS (\
             INSERT INTO schedules (name, occurred_at) SELECT ",
    )
    .value(text(schedule.name))
    // A time from the future is a mistake of the clock, and must not stop the schedule.
    .sql(
        ", 'epoch'::timestamptz + last * interval '1 microsecond' FROM clock \
             ON CONFLICT (name) DO UPDATE SET occurred_at = excluded.occurred_at \
             WHERE schedules.occurred_at < excluded.occurred_at \
                OR schedules.occurred_at > excluded.occurred_at + ",
    )
    .value(period())
    .sql(
        " * interval '1 microsecond' RETURNING name\
         ), added AS (\
             INSERT INTO jobs (kind, payload, unique_key, due_at, enqueued_at) SELECT ",
    )
    .value(text(&job.kind))
    .sql(", ")
    .value(text(&job.payload))
    .sql(", ")
    .value(Value::Text(job.unique_key.clone()))
    .sql(", now(), now() FROM noted")
    .sql(IF_TAKEN)
    // A clock that was ahead has stored the job, or extended its lease.
    .sql(
        " DO UPDATE SET due_at = now(), enqueued_at = now() \
         WHERE jobs.enqueued_at > now() AND jobs.due_at > now() + ",
    )
    .value(period())
    .sql(" * interval '1 microsecond' RETURNING id) SELECT EXISTS (SELECT FROM added), last + period - now FROM clock");
    let noted = pool.write(|mut connection| {
        let statement = statement.clone();
        async move {
            let noted = statement.get_result(&mut *connection).await;
            connection.done(noted)
        }
    });
    let (enqueued, next_in): (bool, i64) = noted.await?;
    Ok(Occurrence { enqueued, next_in: Duration::from_micros(next_in.unsigned_abs()) })
}

#[cfg(test)]
mod tests {
    use diesel_async::SimpleAsyncConnection;
    use exit3_ports::jobs::JobFilter;
    use exit3_testkit::contract::jobs::job;
    use exit3_testkit::postgres;
    use tokio::runtime::Handle;

    use super::*;
    use crate::{PgSettings, connect};

    #[tokio::test(flavor = "multi_thread")]
    async fn jobs_of_another_transaction_exist_if_it_does() {
        let database = postgres::shared().create_database().await;
        let connected = connect(&PgSettings::parse(database.url()).unwrap(), Handle::current());
        connected.migrate().await.unwrap();
        for (end, expected) in [("ROLLBACK", 0), ("COMMIT", 2)] {
            let stored = connected.pool.write(|mut connection| async move {
                let stored = async {
                    connection.batch_execute("BEGIN").await?;
                    let stored = insert(&mut connection, &[job("mail"), job("hook")]).await?;
                    connection.batch_execute(end).await?;
                    Ok(stored)
                };
                let stored = stored.await;
                connection.done_in_transaction(stored)
            });
            assert_eq!(stored.await.unwrap(), 2);
            let all = JobFilter { kind: None, state: None, most: 9 };
            let jobs = connected.repositories().jobs.list(&all).await.unwrap();
            assert_eq!(jobs.len(), expected, "{end}");
        }
    }
}
