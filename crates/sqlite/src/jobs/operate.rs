//! What operators see and do.

use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use exit3_domain::jobs::{Job, JobId, JobState, attempts_of};
use exit3_ports::StoreError;
use exit3_ports::jobs::{Change, Depth, JobFilter, MOST_COUNTED};

use super::{IS_DUE, NOW, SqliteJobQueue};
use crate::error::from_diesel;
use crate::sql::Sql;
use crate::store::SqliteStore;
use crate::values::{moment, unreadable};

type JobTypes = (
    BigInt,
    Text,
    Text,
    Nullable<Text>,
    Text,
    BigInt,
    BigInt,
    BigInt,
    Nullable<BigInt>,
    Nullable<Text>,
);
type JobRow =
    (i64, String, String, Option<String>, String, i64, i64, i64, Option<i64>, Option<String>);

fn job(row: JobRow) -> Result<Job, StoreError> {
    let (id, kind, payload, unique_key, state, attempts, due_at, enqueued_at, ended_at, error) =
        row;
    Ok(Job {
        id: JobId(id),
        kind,
        payload,
        unique_key,
        state: word(&state)?,
        attempts: attempts_of(attempts),
        due_at: moment(due_at)?,
        enqueued_at: moment(enqueued_at)?,
        ended_at: ended_at.map(moment).transpose()?,
        last_error: error,
    })
}

fn word(state: &str) -> Result<JobState, StoreError> {
    JobState::from_word(state).ok_or_else(unreadable)
}

pub(super) async fn list(store: &SqliteStore, filter: &JobFilter) -> Result<Vec<Job>, StoreError> {
    let mut statement = Sql::<JobTypes>::new(
        "SELECT id, kind, payload, unique_key, state, attempts, due_at, enqueued_at, ended_at, \
         last_error FROM jobs WHERE true",
    );
    if let Some(kind) = &filter.kind {
        statement.sql(" AND kind = ").text(kind.as_str());
    }
    if let Some(state) = filter.state {
        statement.sql(" AND state = ").text(state.as_str());
    }
    statement.sql(" ORDER BY id DESC LIMIT ").int(filter.most.into());
    let list = move |connection: &mut SqliteConnection| statement.load(connection);
    let rows: Vec<JobRow> = store.readers.run(list).await?;
    rows.into_iter().map(job).collect()
}

pub(super) async fn retry(queue: &SqliteJobQueue, id: JobId) -> Result<Change, StoreError> {
    const STATES: &[JobState] = &[JobState::Waiting, JobState::Failed, JobState::Cancelled];
    let set = "state = 'waiting', ended_at = NULL, \
               attempts = CASE WHEN state = 'waiting' THEN attempts ELSE 0 END, due_at = ";
    change(queue, id, set, STATES).await
}

pub(super) async fn cancel(queue: &SqliteJobQueue, id: JobId) -> Result<Change, StoreError> {
    const STATES: &[JobState] = &[JobState::Waiting, JobState::Running, JobState::Failed];
    change(queue, id, "state = 'cancelled', ended_at = ", STATES).await
}

/// Changes a job that is in one of the states `from`. The current time follows `set`.
async fn change(
    queue: &SqliteJobQueue,
    id: JobId,
    set: &'static str,
    from: &'static [JobState],
) -> Result<Change, StoreError> {
    let change = move |connection: &mut SqliteConnection| {
        let mut found = Sql::<Text>::new("SELECT state FROM jobs WHERE id = ");
        found.int(id.0);
        let found: Option<String> = found.get_result(connection).optional().map_err(from_diesel)?;
        let state = word(&found.ok_or(StoreError::NotFound)?)?;
        if !from.contains(&state) {
            return Ok(Change::Refused(state));
        }
        let mut statement = Sql::<()>::new("UPDATE jobs SET ");
        statement.sql(set).sql(NOW).sql(" WHERE id = ").int(id.0);
        statement.execute(connection).map_err(from_diesel)?;
        Ok(Change::Done)
    };
    queue.write(change).await
}

pub(super) async fn depths(store: &SqliteStore) -> Result<Vec<Depth>, StoreError> {
    let parts = store.read(parts).await?;
    let part = |(kind, state, count, overdue): PartRow| {
        let overdue = overdue.map(|micros| Duration::from_micros(micros.unsigned_abs()));
        Ok((kind, word(&state)?, count.unsigned_abs(), overdue))
    };
    let parts: Result<Vec<_>, StoreError> = parts.into_iter().map(part).collect();
    Ok(Depth::of_parts(parts?))
}

/// Kind, state, number, and for how long a job of the kind has been due.
type PartRow = (String, String, i64, Option<i64>);

/// Jumps from one combination of kind and state to the next in the index, instead of reading all
/// rows.
fn parts(connection: &mut SqliteConnection) -> QueryResult<Vec<PartRow>> {
    let mut parts: Vec<PartRow> = Vec::new();
    loop {
        let mut next = Sql::<(Text, Text)>::new("SELECT kind, state FROM jobs");
        if let Some((kind, state, ..)) = parts.last() {
            next.sql(" WHERE (kind, state) > (").text(kind.as_str()).sql(", ");
            next.text(state.as_str()).sql(")");
        }
        next.sql(" ORDER BY kind, state LIMIT 1");
        let next: Option<(String, String)> = next.get_result(connection).optional()?;
        let Some((kind, state)) = next else { return Ok(parts) };
        let mut counts = Sql::<(BigInt, Nullable<BigInt>)>::new(
            "SELECT (SELECT count(*) FROM (SELECT 1 FROM jobs WHERE kind = ",
        );
        counts.text(kind.as_str()).sql(" AND state = ").text(state.as_str()).sql(" LIMIT ");
        counts.int(MOST_COUNTED.into()).sql(")), (SELECT ").sql(NOW);
        counts.sql(" - min(due_at) FROM jobs WHERE kind = ").text(kind.as_str());
        counts.sql(IS_DUE).sql(NOW).sql(")");
        let (count, overdue): (i64, Option<i64>) = counts.get_result(connection)?;
        parts.push((kind, state, count, overdue));
    }
}
