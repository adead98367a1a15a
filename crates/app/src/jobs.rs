//! Background jobs: enqueuing them, running them, and what operators see and do.
//!
//! A job is run at least once: if its runner dies, or cannot note the result, another one runs it
//! again. So every handler must be idempotent, and its documentation says how it is.

mod attempt;
mod ended;
mod owner;
mod registry;
mod rounds;
mod runner;
mod telemetry;
#[cfg(test)]
mod tests;

use exit3_domain::jobs::{Job, JobId, NewJob};
use exit3_ports::StoreError;
use exit3_ports::jobs::{Change, Depth, JobFilter};
use tokio::sync::Notify;

pub use ended::{RemoveEnded, remove_ended};
pub use registry::is_of;
pub use registry::{Handling, JobFailure, Payload, Registry};
pub use runner::{Runner, RunnerSettings};

use crate::App;

/// Wakes the runner of this process, which otherwise looks for work about once a second.
#[derive(Debug, Default)]
pub struct Bell(Notify);

impl Bell {
    /// To be called after a transaction that has stored jobs.
    pub fn ring(&self) {
        self.0.notify_one();
    }

    async fn rung(&self) {
        self.0.notified().await;
    }
}

/// Stores all jobs or none, and wakes the runner of this process. Returns how many were stored: a
/// job whose unique key belongs to an unfinished job is left out.
///
/// # Errors
/// [`StoreError`].
pub async fn enqueue(app: &App, jobs: &[NewJob]) -> Result<u64, StoreError> {
    let enqueued = app.repositories()?.jobs.enqueue(jobs).await?;
    app.bell.ring();
    Ok(enqueued)
}

/// The newest jobs that match the filter, newest first.
///
/// # Errors
/// [`StoreError`] if the query fails.
pub async fn list(app: &App, filter: &JobFilter) -> Result<Vec<Job>, StoreError> {
    app.repositories()?.jobs.list(filter).await
}

/// Makes a job due now that waits, has failed or was cancelled.
///
/// # Errors
/// [`StoreError::NotFound`]; [`StoreError::Conflict`] if an unfinished job has its unique key.
pub async fn retry(app: &App, id: JobId) -> Result<Change, StoreError> {
    let retried = app.repositories()?.jobs.retry(id).await?;
    app.bell.ring();
    Ok(retried)
}

/// Ends a job that waits, runs or has failed.
///
/// # Errors
/// [`StoreError::NotFound`].
pub async fn cancel(app: &App, id: JobId) -> Result<Change, StoreError> {
    app.repositories()?.jobs.cancel(id).await
}

/// The numbers of jobs by kind and state.
///
/// # Errors
/// [`StoreError`] if the query fails.
pub async fn depths(app: &App) -> Result<Vec<Depth>, StoreError> {
    app.repositories()?.jobs.depths().await
}
