use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use exit3_domain::jobs::JobError;
use exit3_ports::jobs::{ClaimedJob, Hold};
use exit3_ports::{StoreError, with_causes};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::owner::{End, Work};
use super::registry::{Handler, JobFailure};
use super::telemetry;
use crate::App;

/// One attempt of a job.
pub(super) struct Attempt {
    pub(super) app: App,
    pub(super) kind: &'static str,
    pub(super) handler: Arc<Handler>,
    pub(super) job: ClaimedJob,
    /// A random number from 0 to 1.
    pub(super) random: f64,
    /// How long to wait if the result cannot be noted.
    pub(super) pause: Duration,
}

impl Attempt {
    /// Makes the attempt, but drops it `margin` before its lease ends: another runner may have the job
    /// then, and it must not run twice at the same time. `end` tells when that is, and changes when
    /// the lease is extended.
    pub(super) async fn make_within(self, mut end: watch::Receiver<Instant>, margin: Duration) {
        let (id, kind) = (self.job.claim.id.0, self.kind);
        let mut attempt = pin!(self.make());
        loop {
            let until = *end.borrow_and_update();
            tokio::select! {
                // A lease may have ended before the attempt could begin.
                biased;
                () = sleep_until(until - margin) => {
                    if *end.borrow() == until {
                        tracing::warn!(id, kind, "a job was dropped, because its lease ends");
                        return;
                    }
                }
                () = &mut attempt => return,
            }
        }
    }

    /// Runs the handler and notes the result. If the future is dropped, the job is still held.
    async fn make(self) {
        let begun = Instant::now();
        let Some(result) = self.run().await else { return self.give_back().await };
        telemetry::took(self.kind, begun.elapsed());
        // The lease is extended meanwhile, so no other runner begins. Without a result, the job
        // would be run again.
        loop {
            match self.note(&result).await {
                Ok(hold) => return self.tell(&result, hold),
                Err(StoreError::Unavailable(_)) => sleep(self.pause).await,
                Err(error) => {
                    let (id, error) = (self.job.claim.id.0, with_causes(&error));
                    tracing::error!(id, error, "the result of a job could not be noted");
                    return;
                }
            }
        }
    }

    /// Runs the handler; `None` if that could not begin.
    async fn run(&self) -> Option<Result<(), JobFailure>> {
        let Handler { handling, owner, .. } = self.handler.as_ref();
        let (handler, app) = (Arc::clone(&self.handler), self.app.clone());
        let payload = self.job.payload.clone();
        let work = async move { (handler.run)(app, &payload).await };
        let module = owner.module().map(|module| format!(" of the module {module}"));
        let module = module.unwrap_or_default();
        let limit = handling.time_limit;
        let failure = match owner.run_within(limit, Work::Job(self.kind), work).await {
            End::Done(result) => return Some(result),
            End::NotBegun => return None,
            End::Panicked => format!("the handler{module} panicked: see the log"),
            End::Late if owner.is_blocked().await => {
                format!("no result within {limit:?}, and the thread{module} is blocked")
            }
            End::Late => format!("no result within {limit:?}"),
        };
        Some(Err(JobFailure::Again(failure)))
    }

    /// Lets another node run the job, or this one later. The attempt does not count.
    async fn give_back(&self) {
        let (id, kind, module) = (self.job.claim.id.0, self.kind, self.handler.owner.module());
        tracing::debug!(id, kind, module, "a job was given back: its module blocks its thread");
        // If this fails, the lease ends by itself.
        if let Ok(repositories) = self.app.repositories() {
            let _ = repositories.jobs.release(&[self.job.claim]).await;
        }
    }

    /// How long the job waits for its next attempt; `None` if it is given up.
    fn wait(&self, failure: &JobFailure) -> Option<Duration> {
        match failure {
            JobFailure::Never(_) => None,
            JobFailure::Again(_) => {
                self.handler.handling.retries.wait_after(self.job.attempts, self.random)
            }
        }
    }

    async fn note(&self, result: &Result<(), JobFailure>) -> Result<Hold, StoreError> {
        let (queue, claim) = (&self.app.repositories()?.jobs, self.job.claim);
        match result {
            Ok(()) => queue.complete(claim).await,
            Err(failure) => {
                let error = JobError::new(&failure.to_string());
                queue.fail(claim, &error, self.wait(failure)).await
            }
        }
    }

    fn tell(&self, result: &Result<(), JobFailure>, hold: Hold) {
        let (id, kind, attempts) = (self.job.claim.id.0, self.kind, self.job.attempts);
        if hold == Hold::Lost {
            tracing::warn!(id, kind, "a job was cancelled or taken over before it ended");
            return;
        }
        let Err(failure) = result else { return };
        let wait = self.wait(failure);
        telemetry::failed(kind, wait.is_none());
        let module = self.handler.owner.module();
        // `exit3 jobs list` shows the error, which a log must not contain.
        match wait {
            Some(wait) => {
                let text = "a job failed and will be tried again";
                tracing::warn!(id, kind, module, attempts, ?wait, "{text}");
            }
            None => tracing::error!(id, kind, module, attempts, "a job failed and was given up"),
        }
    }
}
