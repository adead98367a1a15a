use std::time::Duration;

use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;
use exit3_domain::jobs::{JobId, attempts_of, micros};
use exit3_ports::StoreError;
use exit3_ports::jobs::{Capacity, Claim, Claimed, ClaimedJob, RUNNER_DIED};

use crate::pool::PgPool;
use crate::sql::{Sql, Value};

/// The place of the row in the order of due rows, and the row.
type ClaimedTypes = (BigInt, BigInt, BigInt, Text, Text, BigInt, Text);
type ClaimedRow = (i64, i64, i64, String, String, i64, String);

pub(super) async fn claim(
    pool: &PgPool,
    capacities: &[Capacity],
    lease: Duration,
) -> Result<Claimed, StoreError> {
    let wanted: Vec<&Capacity> = capacities.iter().filter(|it| it.free > 0).collect();
    if wanted.is_empty() {
        return Ok(Claimed::default());
    }
    let numbers = |number: fn(&Capacity) -> u32| {
        Value::BigInts(wanted.iter().map(|it| number(it).into()).collect())
    };
    // A number of claims that cannot grow, which only a hand can have written, begins anew: it must
    // not stop the claims of all other jobs.
    // The rows are locked in an expression of their own, which runs once. As a subquery of the
    // UPDATE, it might run again for each row and lock more rows than wanted.
    let statement = Sql::<ClaimedTypes>::cached("WITH wanted AS (SELECT * FROM unnest(")
        .value(Value::Texts(wanted.iter().map(|it| Some(it.kind.clone())).collect()))
        .sql(", ")
        .value(numbers(|it| it.free))
        .sql(", ")
        .value(numbers(|it| it.attempts))
        .sql(
            ") AS wanted (kind, free, most)\
         ), due AS MATERIALIZED (\
             SELECT locked.id, wanted.most, \
                 row_number() OVER (ORDER BY locked.due_at, locked.id) AS place \
             FROM wanted CROSS JOIN LATERAL (\
                 SELECT jobs.id, jobs.due_at FROM jobs \
                 WHERE jobs.kind = wanted.kind AND state IN ('waiting', 'running') \
                   AND jobs.due_at <= now() \
                 ORDER BY jobs.due_at, jobs.id LIMIT wanted.free FOR UPDATE SKIP LOCKED\
             ) AS locked\
         ) \
         UPDATE jobs SET \
             state = CASE WHEN attempts < most THEN 'running' ELSE 'failed' END, \
             claims = CASE WHEN claims < 9223372036854775807 THEN claims + 1 ELSE 1 END, \
             attempts = CASE WHEN attempts < most THEN attempts + 1 ELSE attempts END, \
             due_at = CASE WHEN attempts < most THEN now() + ",
        )
        .value(Value::BigInt(micros(lease)))
        .sql(
            " * interval '1 microsecond' ELSE jobs.due_at END, \
             ended_at = CASE WHEN attempts < most THEN NULL ELSE now() END, \
             last_error = CASE WHEN attempts < most THEN last_error ELSE ",
        )
        .value(Value::Text(Some(RUNNER_DIED.to_owned())))
        .sql(
            " END FROM due WHERE jobs.id = due.id \
         RETURNING due.place, jobs.id, claims, kind, payload, attempts, state",
        );
    let claimed = pool.write(|mut connection| {
        let statement = statement.clone();
        async move {
            let claimed = statement.load(&mut *connection).await;
            connection.done(claimed)
        }
    });
    let mut rows: Vec<ClaimedRow> = claimed.await?;
    rows.sort_by_key(|(place, ..)| *place);
    let mut claimed = Claimed::default();
    for (_, id, token, kind, payload, attempts, state) in rows {
        let id = JobId(id);
        if state == "running" {
            let attempts = attempts_of(attempts);
            let claim = Claim { id, token };
            claimed.jobs.push(ClaimedJob { claim, kind, payload, attempts });
        } else {
            claimed.given_up.push((id, kind));
        }
    }
    Ok(claimed)
}

pub(super) async fn extend(
    pool: &PgPool,
    claims: &[Claim],
    lease: Duration,
) -> Result<Vec<Claim>, StoreError> {
    let set = Sql::cached("UPDATE jobs SET due_at = now() + ")
        .value(Value::BigInt(micros(lease)))
        .sql(" * interval '1 microsecond'");
    change_held(pool, set, claims).await
}

pub(super) async fn release(pool: &PgPool, claims: &[Claim]) -> Result<(), StoreError> {
    let set =
        "UPDATE jobs SET state = 'waiting', due_at = now(), attempts = greatest(attempts, 1) - 1";
    change_held(pool, Sql::cached(set), claims).await.map(drop)
}

/// Changes the jobs that these claims hold; returns the claims that do.
async fn change_held(
    pool: &PgPool,
    set: Sql<(BigInt, BigInt)>,
    claims: &[Claim],
) -> Result<Vec<Claim>, StoreError> {
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    let numbers = |number: fn(&Claim) -> i64| Value::BigInts(claims.iter().map(number).collect());
    let statement = set
        .sql(" FROM unnest(")
        .value(numbers(|claim| claim.id.0))
        .sql(", ")
        .value(numbers(|claim| claim.token))
        .sql(
            ") AS held (held_id, token) \
             WHERE id = held_id AND claims = token AND state = 'running' RETURNING id, claims",
        );
    let changed = pool.write(|mut connection| {
        let statement = statement.clone();
        async move {
            let changed = statement.load(&mut *connection).await;
            connection.done(changed)
        }
    });
    let rows: Vec<(i64, i64)> = changed.await?;
    Ok(rows.into_iter().map(|(id, token)| Claim { id: JobId(id), token }).collect())
}
