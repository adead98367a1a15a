//! Jobs in SQLite. Before the writer is asked to hand out jobs or to note an occurrence, a reader
//! looks whether there is anything to do, so that an idle service writes nothing.

mod claim;
pub(crate) mod enqueue;
mod operate;

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use exit3_domain::jobs::{Job, JobError, JobId, NewJob, Schedule, micros};
use exit3_ports::StoreError;
use exit3_ports::jobs::{
    Capacity, Change, Claim, Claimed, Depth, Hold, JobFilter, JobQueue, Occurrence,
};

use crate::error::from_diesel;
use crate::sql::Sql;
use crate::store::SqliteStore;
use crate::values::microseconds_rounded_up;

/// The current time in microseconds. SQLite knows it to the millisecond.
pub(crate) const NOW: &str = "CAST(unixepoch('subsec') * 1000000 AS INTEGER)";

/// Follows the kind in a condition; the current time comes next.
const IS_DUE: &str = " AND state IN ('waiting', 'running') AND due_at <= ";

/// Stores jobs in SQLite.
#[derive(Clone)]
pub(crate) struct SqliteJobQueue {
    store: SqliteStore,
}

impl SqliteJobQueue {
    pub(crate) fn new(store: SqliteStore) -> Self {
        Self { store }
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.store.write(work).await
    }

    /// Runs a statement that changes rows; returns how many it has changed.
    async fn change(&self, statement: Sql) -> Result<usize, StoreError> {
        self.write(move |connection| statement.execute(connection).map_err(from_diesel)).await
    }

    /// Runs a statement that changes the one job that a claim holds.
    async fn change_held(&self, mut statement: Sql, claim: Claim) -> Result<Hold, StoreError> {
        held_by(&mut statement, claim);
        Ok(if self.change(statement).await? == 0 { Hold::Lost } else { Hold::Held })
    }
}

/// Adds the condition that a claim holds the job.
fn held_by<ST>(statement: &mut Sql<ST>, claim: Claim) {
    statement.sql(" WHERE id = ").int(claim.id.0).sql(" AND claims = ").int(claim.token);
    statement.sql(" AND state = 'running'");
}

#[async_trait]
impl JobQueue for SqliteJobQueue {
    async fn enqueue(&self, jobs: &[NewJob]) -> Result<u64, StoreError> {
        if jobs.is_empty() {
            return Ok(0);
        }
        let jobs = jobs.to_vec();
        self.write(move |connection| enqueue::insert(connection, &jobs)).await
    }

    async fn enqueue_occurrence(
        &self,
        schedule: &Schedule,
        job: &NewJob,
    ) -> Result<Occurrence, StoreError> {
        enqueue::occurrence(self, *schedule, job.clone()).await
    }

    async fn claim(&self, capacities: &[Capacity], lease: Duration) -> Result<Claimed, StoreError> {
        claim::claim(self, capacities, lease).await
    }

    async fn extend(&self, claims: &[Claim], lease: Duration) -> Result<Vec<Claim>, StoreError> {
        claim::extend(self, claims.to_vec(), lease).await
    }

    async fn complete(&self, claim: Claim) -> Result<Hold, StoreError> {
        self.change_held(Sql::new("DELETE FROM jobs"), claim).await
    }

    async fn fail(
        &self,
        claim: Claim,
        error: &JobError,
        again: Option<Duration>,
    ) -> Result<Hold, StoreError> {
        let mut failed;
        match again {
            Some(wait) => {
                failed = Sql::new("UPDATE jobs SET state = 'waiting', due_at = ");
                failed.sql(NOW).sql(" + ").int(micros(wait));
            }
            None => {
                failed = Sql::new("UPDATE jobs SET state = 'failed', ended_at = ");
                failed.sql(NOW);
            }
        }
        failed.sql(", last_error = ").text(error.as_str());
        self.change_held(failed, claim).await
    }

    async fn release(&self, claims: &[Claim]) -> Result<(), StoreError> {
        claim::release(self, claims.to_vec()).await
    }

    async fn list(&self, filter: &JobFilter) -> Result<Vec<Job>, StoreError> {
        operate::list(&self.store, filter).await
    }

    async fn retry(&self, id: JobId) -> Result<Change, StoreError> {
        operate::retry(self, id).await
    }

    async fn cancel(&self, id: JobId) -> Result<Change, StoreError> {
        operate::cancel(self, id).await
    }

    async fn depths(&self) -> Result<Vec<Depth>, StoreError> {
        operate::depths(&self.store).await
    }

    async fn remove_ended(&self, before: DateTime<Utc>, most: u32) -> Result<u64, StoreError> {
        let mut statement =
            Sql::new("DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE ended_at < ");
        statement.int(microseconds_rounded_up(before));
        statement.sql(" ORDER BY ended_at LIMIT ").int(most.into()).sql(")");
        Ok(self.change(statement).await? as u64)
    }
}
