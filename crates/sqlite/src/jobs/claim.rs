use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use exit3_domain::jobs::{JobId, attempts_of, micros};
use exit3_ports::StoreError;
use exit3_ports::jobs::{Capacity, Claim, Claimed, ClaimedJob, RUNNER_DIED};

use super::{IS_DUE, NOW, SqliteJobQueue, held_by};
use crate::error::from_diesel;
use crate::sql::Sql;

pub(super) async fn claim(
    queue: &SqliteJobQueue,
    capacities: &[Capacity],
    lease: Duration,
) -> Result<Claimed, StoreError> {
    let wanted: Vec<Capacity> = capacities.iter().filter(|it| it.free > 0).cloned().collect();
    let kinds: Vec<String> = wanted.iter().map(|it| it.kind.clone()).collect();
    if kinds.is_empty() || !queue.store.readers.run(move |on| is_any_due(on, kinds)).await? {
        return Ok(Claimed::default());
    }
    let take = move |connection: &mut SqliteConnection| {
        let mut claimed = Vec::new();
        for wanted in &wanted {
            take(connection, wanted, lease, &mut claimed).map_err(from_diesel)?;
        }
        Ok(claimed)
    };
    let mut rows = queue.write(take).await?;
    rows.sort_by_key(|(due_at, (id, ..))| (*due_at, *id));
    let mut claimed = Claimed::default();
    for (_, (id, token, kind, payload, attempts, is_running)) in rows {
        let id = JobId(id);
        if is_running {
            let attempts = attempts_of(attempts);
            let claim = Claim { id, token };
            claimed.jobs.push(ClaimedJob { claim, kind, payload, attempts });
        } else {
            claimed.given_up.push((id, kind));
        }
    }
    Ok(claimed)
}

fn is_any_due(connection: &mut SqliteConnection, kinds: Vec<String>) -> QueryResult<bool> {
    let mut statement = Sql::<Bool>::new("SELECT ");
    for (number, kind) in kinds.into_iter().enumerate() {
        statement.sql(if number == 0 { "" } else { " OR " });
        statement.sql("EXISTS (SELECT 1 FROM jobs WHERE kind = ").text(kind);
        statement.sql(IS_DUE).sql(NOW).sql(")");
    }
    statement.get_result(connection)
}

/// When the row became due, and the row.
type ClaimedRow = (i64, (i64, i64, String, String, i64, bool));

/// Begins an attempt of each due job of one kind.
fn take(
    connection: &mut SqliteConnection,
    wanted: &Capacity,
    lease: Duration,
    claimed: &mut Vec<ClaimedRow>,
) -> QueryResult<()> {
    let mut due =
        Sql::<(BigInt, BigInt, BigInt)>::new("SELECT id, due_at, attempts FROM jobs WHERE kind = ");
    due.text(wanted.kind.as_str()).sql(IS_DUE).sql(NOW);
    due.sql(" ORDER BY due_at, id LIMIT ").int(wanted.free.into());
    let due: Vec<(i64, i64, i64)> = due.load(connection)?;
    for (id, due_at, attempts) in due {
        let mut statement = Sql::<(BigInt, BigInt, Text, Text, BigInt, Bool)>::new(
            // A number that cannot grow must not stop the claims of all other jobs.
            "UPDATE jobs SET claims = CASE WHEN claims < 9223372036854775807 THEN claims + 1 ELSE 1 END, ",
        );
        if attempts < i64::from(wanted.attempts) {
            statement.sql("state = 'running', attempts = attempts + 1, due_at = ");
            statement.sql(NOW).sql(" + ").int(micros(lease));
        } else {
            statement.sql("state = 'failed', ended_at = ").sql(NOW);
            statement.sql(", last_error = ").text(RUNNER_DIED);
        }
        statement.sql(" WHERE id = ").int(id);
        statement.sql(" RETURNING id, claims, kind, payload, attempts, state = 'running'");
        claimed.push((due_at, statement.get_result(connection)?));
    }
    Ok(())
}

pub(super) async fn extend(
    queue: &SqliteJobQueue,
    claims: Vec<Claim>,
    lease: Duration,
) -> Result<Vec<Claim>, StoreError> {
    change_held(queue, claims, move || {
        let mut statement = Sql::new("UPDATE jobs SET due_at = ");
        statement.sql(NOW).sql(" + ").int(micros(lease));
        statement
    })
    .await
}

pub(super) async fn release(queue: &SqliteJobQueue, claims: Vec<Claim>) -> Result<(), StoreError> {
    let set = || {
        let mut statement = Sql::new(
            "UPDATE jobs SET state = 'waiting', attempts = max(attempts, 1) - 1, due_at = ",
        );
        statement.sql(NOW);
        statement
    };
    change_held(queue, claims, set).await.map(drop)
}

/// Changes the jobs that these claims hold; returns the claims that do.
async fn change_held(
    queue: &SqliteJobQueue,
    mut claims: Vec<Claim>,
    set: impl Fn() -> Sql + Send + 'static,
) -> Result<Vec<Claim>, StoreError> {
    if claims.is_empty() {
        return Ok(claims);
    }
    let change = move |connection: &mut SqliteConnection| {
        let mut failure = Ok(());
        claims.retain(|claim| {
            let mut statement = set();
            held_by(&mut statement, *claim);
            match statement.execute(connection) {
                Ok(changed) => changed > 0,
                Err(error) => {
                    failure = Err(from_diesel(error));
                    false
                }
            }
        });
        failure.map(|()| claims)
    };
    queue.write(change).await
}
