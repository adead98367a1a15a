//! Jobs in PostgreSQL. Each method is one short statement, and no transaction is open while a job
//! runs.

mod claim;
pub(crate) mod enqueue;
mod operate;

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel_async::RunQueryDsl;
use exit3_domain::jobs::{Job, JobError, JobId, NewJob, Schedule, micros};
use exit3_ports::StoreError;
use exit3_ports::jobs::{
    Capacity, Change, Claim, Claimed, Depth, Hold, JobFilter, JobQueue, Occurrence,
};

use crate::pool::PgPool;
use crate::sql::{Sql, Value};

/// Stores jobs in PostgreSQL.
#[derive(Clone)]
pub(crate) struct PgJobQueue {
    pool: PgPool,
}

impl PgJobQueue {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Runs a statement that changes rows; returns how many it has changed.
    async fn change(&self, statement: Sql) -> Result<u64, StoreError> {
        let changed = self.pool.write(|mut connection| {
            let statement = statement.clone();
            async move {
                let changed = statement.execute(&mut *connection).await;
                connection.done(changed.map(|rows| rows as u64))
            }
        });
        changed.await
    }

    /// Runs a statement that changes the one job that a claim holds.
    async fn change_held(&self, statement: Sql, claim: Claim) -> Result<Hold, StoreError> {
        let held = statement
            .sql(" WHERE id = ")
            .value(Value::BigInt(claim.id.0))
            .sql(" AND claims = ")
            .value(Value::BigInt(claim.token))
            .sql(" AND state = 'running'");
        Ok(if self.change(held).await? == 0 { Hold::Lost } else { Hold::Held })
    }
}

#[async_trait]
impl JobQueue for PgJobQueue {
    async fn enqueue(&self, jobs: &[NewJob]) -> Result<u64, StoreError> {
        if jobs.is_empty() {
            return Ok(0);
        }
        let enqueued = self.pool.write(|mut connection| async move {
            let enqueued = enqueue::insert(&mut connection, jobs).await;
            connection.done(enqueued)
        });
        enqueued.await
    }

    async fn enqueue_occurrence(
        &self,
        schedule: &Schedule,
        job: &NewJob,
    ) -> Result<Occurrence, StoreError> {
        enqueue::occurrence(&self.pool, schedule, job).await
    }

    async fn claim(&self, capacities: &[Capacity], lease: Duration) -> Result<Claimed, StoreError> {
        claim::claim(&self.pool, capacities, lease).await
    }

    async fn extend(&self, claims: &[Claim], lease: Duration) -> Result<Vec<Claim>, StoreError> {
        claim::extend(&self.pool, claims, lease).await
    }

    async fn complete(&self, claim: Claim) -> Result<Hold, StoreError> {
        self.change_held(Sql::cached("DELETE FROM jobs"), claim).await
    }

    async fn fail(
        &self,
        claim: Claim,
        error: &JobError,
        again: Option<Duration>,
    ) -> Result<Hold, StoreError> {
        let failed = match again {
            Some(wait) => Sql::cached("UPDATE jobs SET state = 'waiting', due_at = now() + ")
                .value(Value::BigInt(micros(wait)))
                .sql(" * interval '1 microsecond'"),
            None => Sql::cached("UPDATE jobs SET state = 'failed', ended_at = now()"),
        };
        let error = Value::Text(Some(error.as_str().to_owned()));
        self.change_held(failed.sql(", last_error = ").value(error), claim).await
    }

    async fn release(&self, claims: &[Claim]) -> Result<(), StoreError> {
        claim::release(&self.pool, claims).await
    }

    async fn list(&self, filter: &JobFilter) -> Result<Vec<Job>, StoreError> {
        operate::list(&self.pool, filter).await
    }

    async fn retry(&self, id: JobId) -> Result<Change, StoreError> {
        operate::retry(&self.pool, id).await
    }

    async fn cancel(&self, id: JobId) -> Result<Change, StoreError> {
        operate::cancel(&self.pool, id).await
    }

    async fn depths(&self) -> Result<Vec<Depth>, StoreError> {
        operate::depths(&self.pool).await
    }

    async fn remove_ended(&self, before: DateTime<Utc>, most: u32) -> Result<u64, StoreError> {
        let statement =
            Sql::cached("DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE ended_at < ")
                .value(Value::time(before))
                .sql(" ORDER BY ended_at LIMIT ")
                .value(Value::BigInt(most.into()))
                // Another node may be removing the same jobs.
                .sql(" FOR UPDATE SKIP LOCKED)");
        self.change(statement).await
    }
}
