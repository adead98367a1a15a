use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};
use exit3_domain::jobs::{NewJob, Schedule};
use exit3_ports::StoreError;
use exit3_ports::jobs::Occurrence;
use exit3_ports::{Kind, Value};

use super::{NOW, SqliteJobQueue};
use crate::error::from_diesel;
use crate::sql::Sql;
use crate::values::{moment, text};

/// Stores jobs within the transaction of the caller, which may be that of another method. Returns
/// how many it has stored.
pub(crate) fn insert(
    connection: &mut SqliteConnection,
    jobs: &[NewJob],
) -> Result<u64, StoreError> {
    let mut count = 0;
    for job in jobs {
        let key = job.unique_key.as_deref().map(text).transpose()?;
        let earliest = job.run_at.map_or(0, |at| at.timestamp_micros());
        let mut statement = Sql::<()>::new(
            "INSERT INTO jobs (kind, payload, unique_key, due_at, enqueued_at) VALUES (",
        );
        statement.text(text(&job.kind)?).sql(", ").text(text(&job.payload)?).sql(", ");
        statement.value(key.map_or(Value::Null, Value::Text), Kind::Text);
        statement.sql(", max(").int(earliest).sql(", ").sql(NOW).sql("), ").sql(NOW);
        statement.sql(
            ") ON CONFLICT (unique_key) \
             WHERE unique_key IS NOT NULL AND state IN ('waiting', 'running') DO NOTHING",
        );
        count += statement.execute(connection).map_err(from_diesel)?;
    }
    Ok(count as u64)
}

/// The current time, and the occurrence that was noted last.
type Noted = (i64, Option<i64>);

fn noted(connection: &mut SqliteConnection, name: &str) -> QueryResult<Noted> {
    let mut statement = Sql::<(BigInt, Nullable<BigInt>)>::new("SELECT ");
    statement.sql(NOW).sql(", (SELECT occurred_at FROM schedules WHERE name = ");
    statement.text(name).sql(")");
    statement.get_result(connection)
}

/// The occurrence that is due, if it is not noted yet, and the time until the next one.
fn due(
    schedule: &Schedule,
    (now, noted): Noted,
) -> Result<(Option<DateTime<Utc>>, Duration), StoreError> {
    let now = moment(now)?;
    let last = schedule.last(now);
    // A time from the future is a mistake of the clock, and must not stop the schedule.
    let future = last.timestamp_micros().saturating_add(schedule.period());
    let is_noted = noted.is_some_and(|noted| last.timestamp_micros() <= noted && noted <= future);
    let next_in = (schedule.next(now) - now).to_std().unwrap_or_default();
    Ok(((!is_noted).then_some(last), next_in))
}

/// Notes an occurrence and stores its job, unless a reader sees that it is noted already.
pub(super) async fn occurrence(
    queue: &SqliteJobQueue,
    schedule: Schedule,
    job: NewJob,
) -> Result<Occurrence, StoreError> {
    let seen = queue.store.readers.run(move |connection| noted(connection, schedule.name)).await?;
    let (occurrence, next_in) = due(&schedule, seen)?;
    if occurrence.is_none() {
        return Ok(Occurrence { enqueued: false, next_in });
    }
    let note = move |connection: &mut SqliteConnection| {
        let seen = noted(connection, schedule.name).map_err(from_diesel)?;
        let (occurrence, next_in) = due(&schedule, seen)?;
        let Some(occurrence) = occurrence else {
            return Ok(Occurrence { enqueued: false, next_in });
        };
        let mut statement = Sql::<()>::new("INSERT INTO schedules (name, occurred_at) VALUES (");
        statement.text(schedule.name).sql(", ").int(occurrence.timestamp_micros());
        statement.sql(") ON CONFLICT (name) DO UPDATE SET occurred_at = excluded.occurred_at");
        statement.execute(connection).map_err(from_diesel)?;
        let enqueued = insert(connection, std::slice::from_ref(&job))? > 0
            || pull_back(connection, &job, schedule.period()).map_err(from_diesel)? > 0;
        Ok(Occurrence { enqueued, next_in })
    };
    queue.write(note).await
}

/// Makes the unfinished job with the unique key of `job` due now, if a clock that was ahead has stored
/// it or extended its lease. Returns the number of jobs.
fn pull_back(connection: &mut SqliteConnection, job: &NewJob, period: i64) -> QueryResult<usize> {
    let Some(key) = job.unique_key.as_deref() else { return Ok(0) };
    let mut statement = Sql::<()>::new("UPDATE jobs SET due_at = ");
    statement.sql(NOW).sql(", enqueued_at = ").sql(NOW).sql(" WHERE unique_key = ").text(key);
    statement.sql(" AND state IN ('waiting', 'running') AND enqueued_at > ").sql(NOW);
    statement.sql(" AND due_at > ").sql(NOW).sql(" + ").int(period);
    statement.execute(connection)
}

#[cfg(test)]
mod tests {
    use exit3_ports::jobs::JobFilter;
    use exit3_testkit::contract::jobs::job;

    use super::*;
    use crate::error::Refusal;
    use crate::{SqliteDatabase, SqliteSettings};

    #[tokio::test]
    async fn jobs_of_another_transaction_exist_if_it_does() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kept.sqlite3");
        let database = SqliteDatabase::open(&path, &SqliteSettings::default()).unwrap();
        database.migrate().unwrap();
        for (fails, expected) in [(true, 0), (false, 2)] {
            let store = &database.store;
            let outcome = store.write(move |connection| {
                let stored = insert(connection, &[job("mail"), job("hook")])?;
                if fails { Err(Refusal::Nul.into()) } else { Ok(stored) }
            });
            assert_eq!(outcome.await.is_err(), fails);
            let all = JobFilter { kind: None, state: None, most: 9 };
            let jobs = database.repositories().jobs.list(&all).await.unwrap();
            assert_eq!(jobs.len(), expected);
        }
    }
}
