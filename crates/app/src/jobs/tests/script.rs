//! A mocked queue that follows a script.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use exit3_domain::jobs::{JobId, Retries};
use exit3_ports::StoreError;
use exit3_ports::jobs::{Claim, Claimed, ClaimedJob, Hold, Occurrence};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use crate::App;
use crate::jobs::{Handling, JobFailure, Payload, Registry, Runner, RunnerSettings};
use crate::testing::{Mocks, away};

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const HANDLING: Handling = Handling {
    at_once: 2,
    time_limit: Duration::from_secs(100),
    retries: Retries { attempts: 3, first: SECOND, longest: Duration::from_secs(60) },
};
pub(super) const TIMES: RunnerSettings = RunnerSettings {
    poll: SECOND,
    lease: Duration::from_secs(40),
    grace: Duration::from_secs(10),
    random: || 0.0,
};

#[derive(Serialize, Deserialize)]
pub(super) struct Mail {
    pub(super) to: String,
}

impl Payload for Mail {
    const KIND: &'static str = "mail";
}

/// What the mocked queue answers, and what it was asked.
#[derive(Default)]
pub(super) struct Script {
    pub(super) claims: VecDeque<Result<Claimed, StoreError>>,
    /// Claims that the queue does not know any more.
    pub(super) lost: Vec<Claim>,
    /// How many of the next statements about results and leases fail.
    pub(super) failures: u32,
    pub(super) occurrences: VecDeque<Result<Occurrence, StoreError>>,
    pub(super) log: Vec<String>,
}

pub(super) type Shared = Arc<Mutex<Script>>;

pub(super) fn claim(id: i64) -> Claim {
    Claim { id: JobId(id), token: id * 10 }
}

pub(super) fn claimed(id: i64, attempts: u32) -> ClaimedJob {
    let payload = r#"{"to":"ana"}"#.to_owned();
    ClaimedJob { claim: claim(id), kind: "mail".to_owned(), payload, attempts }
}

pub(super) fn jobs(ids: impl IntoIterator<Item = i64>) -> Result<Claimed, StoreError> {
    let jobs = ids.into_iter().map(|id| claimed(id, 1)).collect();
    Ok(Claimed { jobs, given_up: Vec::new() })
}

/// Writes down a statement, and fails if the script says so.
pub(super) fn write(script: &Shared, line: String) -> Result<(), StoreError> {
    let mut script = script.lock().unwrap();
    if script.failures > 0 {
        script.failures -= 1;
        return Err(away());
    }
    script.log.push(line);
    Ok(())
}

pub(super) fn app(script: &Shared) -> App {
    let mut mocks = Mocks::new();
    let queue = &mut mocks.repositories.jobs;
    let own = Arc::clone(script);
    queue.expect_claim().returning(move |capacities, lease| {
        assert_eq!(lease, TIMES.lease);
        let asked: Vec<String> =
            capacities.iter().map(|it| format!("{} {}", it.kind, it.free)).collect();
        let mut script = own.lock().unwrap();
        script.log.push(format!("claim {}", asked.join(", ")));
        script.claims.pop_front().unwrap_or_else(|| Ok(Claimed::default()))
    });
    let own = Arc::clone(script);
    queue.expect_extend().returning(move |claims, _| {
        write(&own, format!("extend {}", claims.len()))?;
        let lost = own.lock().unwrap().lost.clone();
        Ok(claims.iter().copied().filter(|claim| !lost.contains(claim)).collect())
    });
    let own = Arc::clone(script);
    queue.expect_complete().returning(move |claim| {
        write(&own, format!("complete {}", claim.id.0)).map(|()| Hold::Held)
    });
    let own = Arc::clone(script);
    queue.expect_fail().returning(move |claim, error, again| {
        let again = again.map_or("never".to_owned(), |wait| format!("in {wait:?}"));
        let line = format!("fail {} {again}: {}", claim.id.0, error.as_str());
        write(&own, line).map(|()| Hold::Held)
    });
    let own = Arc::clone(script);
    queue
        .expect_release()
        .returning(move |claims| write(&own, format!("release {}", claims.len())));
    let own = Arc::clone(script);
    queue.expect_enqueue_occurrence().returning(move |schedule, job| {
        let mut script = own.lock().unwrap();
        let line = format!("ask {} {} {:?}", schedule.name, job.kind, job.unique_key);
        script.log.push(line);
        let next_in = schedule.every;
        let usual = Ok(Occurrence { enqueued: false, next_in });
        script.occurrences.pop_front().unwrap_or(usual)
    });
    queue.expect_enqueue().returning(|jobs| Ok(jobs.len() as u64));
    mocks.into_app()
}

/// Runs for a while, stops, and returns what the queue was asked, without vain claims.
pub(super) async fn run_for(
    time: Duration,
    script: &Shared,
    app: App,
    registry: Registry,
) -> Vec<String> {
    Runner::new(app, registry, TIMES).run(sleep(time)).await;
    let log = script.lock().unwrap().log.clone();
    log.into_iter().filter(|line| !line.starts_with("claim")).collect()
}

/// Runs the jobs of the script with a handler.
pub(super) async fn run<F>(
    script: Script,
    time: Duration,
    handler: impl Fn(App, Mail) -> F + Send + Sync + 'static,
) -> Vec<String>
where
    F: Future<Output = Result<(), JobFailure>> + Send + 'static,
{
    let script = Arc::new(Mutex::new(script));
    let mut registry = Registry::default();
    registry.handle(HANDLING, handler);
    run_for(time, &script, app(&script), registry).await
}

pub(super) fn script(claims: impl IntoIterator<Item = Result<Claimed, StoreError>>) -> Script {
    Script { claims: claims.into_iter().collect(), ..Script::default() }
}

/// Writes down when it is dropped.
pub(super) struct Note(pub(super) Arc<Mutex<Option<Instant>>>);

impl Drop for Note {
    fn drop(&mut self) {
        *self.0.lock().unwrap() = Some(Instant::now());
    }
}
