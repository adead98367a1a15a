use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use exit3_ports::jobs::{Capacity, Claim, ClaimedJob};
use exit3_ports::{JobQueue, StoreError, with_causes};
use tokio::sync::watch;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use super::attempt::Attempt;
use super::registry::Registry;
use super::{rounds, telemetry};
use crate::App;

/// The times of a runner.
#[derive(Debug, Clone, Copy)]
pub struct RunnerSettings {
    /// How often it looks for due jobs while nobody in this process enqueues any.
    pub poll: Duration,
    /// How long a job is held without a sign of life from its runner. A runner gives a sign four
    /// times as often.
    pub lease: Duration,
    /// How long running jobs may go on when the process stops.
    pub grace: Duration,
    /// Returns random numbers from 0 to 1.
    pub random: fn() -> f64,
}

/// Why a lease was not extended.
const SLOW: &str = "a lease was not extended in time";

/// A job that this process runs.
struct Held {
    claim: Claim,
    kind: &'static str,
    /// Tells the attempt when the lease ends, as far as this process knows.
    until: watch::Sender<Instant>,
    task: AbortHandle,
}

/// Runs jobs until the process stops.
pub struct Runner {
    app: App,
    registry: Registry,
    settings: RunnerSettings,
    tasks: JoinSet<()>,
    held: HashMap<Id, Held>,
    /// When to ask for the next occurrence of each schedule.
    asks: Vec<Instant>,
    /// Whether more jobs may be due than there was room for.
    more: bool,
    /// Whether the last statement failed.
    away: bool,
}

impl Runner {
    /// A runner of the work in a registry.
    pub fn new(app: App, registry: Registry, settings: RunnerSettings) -> Self {
        registry.handlers.keys().for_each(|kind| telemetry::begin(kind));
        let asks = registry.schedules.iter().map(|_| Instant::now()).collect();
        let (tasks, held) = (JoinSet::new(), HashMap::new());
        Self { app, registry, settings, tasks, held, asks, more: false, away: false }
    }

    /// Runs jobs until `stop` is ready. Then it waits a little for the running ones, and gives back
    /// the others.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut rounds = JoinSet::new();
        for round in std::mem::take(&mut self.registry.rounds) {
            rounds.spawn(rounds::go_on(self.app.clone(), round));
        }
        for module in std::mem::take(&mut self.registry.modules) {
            rounds.spawn(module.watch());
        }
        let mut stop = std::pin::pin!(stop);
        let mut poll = interval(self.settings.poll);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut beat = interval(self.beat());
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let app = self.app.clone();
        loop {
            tokio::select! {
                // Leases must not end because there is so much to do.
                biased;
                () = &mut stop => break,
                _ = beat.tick() => self.extend().await,
                Some(ended) = self.tasks.join_next_with_id() => {
                    self.forget(ended);
                    if self.more {
                        self.claim().await;
                    }
                }
                () = app.bell.rung() => self.claim().await,
                _ = poll.tick() => {
                    self.ask_for_occurrences().await;
                    self.claim().await;
                }
            }
        }
        self.wind_down().await;
    }

    fn beat(&self) -> Duration {
        (self.settings.lease / 4).max(Duration::from_millis(1))
    }

    fn queue(&mut self) -> Option<Arc<dyn JobQueue>> {
        match self.app.repositories().map(|repositories| Arc::clone(&repositories.jobs)) {
            Ok(queue) => Some(queue),
            Err(error) => self.reached(Err(error)),
        }
    }

    /// Notes whether a statement succeeded. Only a change is logged, since a database may be away
    /// for long.
    fn reached<T>(&mut self, outcome: Result<T, StoreError>) -> Option<T> {
        match outcome {
            Ok(value) => {
                if std::mem::take(&mut self.away) {
                    tracing::info!("the queue of jobs can be reached again");
                }
                Some(value)
            }
            Err(error) => {
                let error = with_causes(&error);
                if std::mem::replace(&mut self.away, true) {
                    tracing::debug!(error, "the queue of jobs still cannot be reached");
                } else {
                    tracing::warn!(error, "the queue of jobs cannot be reached; trying again");
                }
                None
            }
        }
    }

    async fn ask_for_occurrences(&mut self) {
        for at in 0..self.asks.len() {
            let (Some(ask), Some((schedule, job))) =
                (self.asks.get(at), self.registry.schedules.get(at))
            else {
                return;
            };
            let handler = self.registry.handlers.get(job.kind.as_str());
            let is_on = handler.is_some_and(|handler| handler.owner.is_on());
            if !is_on || *ask > Instant::now() {
                continue;
            }
            let (schedule, job) = (*schedule, job.clone());
            let Some(queue) = self.queue() else { return };
            let noted = queue.enqueue_occurrence(&schedule, &job).await;
            let Some(noted) = self.reached(noted) else { return };
            if let Some(ask) = self.asks.get_mut(at) {
                *ask = Instant::now() + noted.next_in;
            }
        }
    }

    /// Starts the due jobs for which there is room.
    async fn claim(&mut self) {
        loop {
            let capacities = self.capacities();
            if capacities.iter().all(|capacity| capacity.free == 0) {
                self.more = !capacities.is_empty();
                return;
            }
            let Some(queue) = self.queue() else { return };
            let until = Instant::now() + self.settings.lease;
            let claimed = queue.claim(&capacities, self.settings.lease).await;
            let Some(claimed) = self.reached(claimed) else { return };
            for (id, kind) in &claimed.given_up {
                telemetry::failed(kind, true);
                tracing::error!(id = id.0, kind, "a job was given up: its runner died");
            }
            let count = |kind: &str| claimed.jobs.iter().filter(|job| job.kind == kind).count();
            let is_full = |it: &Capacity| it.free > 0 && count(&it.kind) >= it.free as usize;
            self.more = capacities.iter().any(|it| it.free == 0 || is_full(it));
            for job in claimed.jobs {
                self.start(job, until);
            }
            // They took the room of jobs that could run.
            if claimed.given_up.is_empty() {
                return;
            }
        }
    }

    fn capacities(&self) -> Vec<Capacity> {
        // An attempt of a module that blocks its thread would not begin.
        let handlers = self.registry.handlers.iter().filter(|(_, handler)| handler.owner.is_free());
        let capacity = |(kind, handler): (&&str, &Arc<super::registry::Handler>)| {
            let running = self.held.values().filter(|held| held.kind == *kind).count();
            let running = u32::try_from(running).unwrap_or(u32::MAX);
            let handling = handler.handling;
            Capacity {
                kind: (*kind).to_owned(),
                free: handling.at_once.saturating_sub(running),
                attempts: handling.retries.attempts,
            }
        };
        handlers.map(capacity).collect()
    }

    fn start(&mut self, job: ClaimedJob, until: Instant) {
        let handler = self.registry.handlers.get_key_value(job.kind.as_str());
        let Some((kind, handler)) = handler else { return };
        let (kind, claim) = (*kind, job.claim);
        let attempt = Attempt {
            app: self.app.clone(),
            kind,
            handler: Arc::clone(handler),
            job,
            random: (self.settings.random)(),
            pause: self.settings.poll,
        };
        let (until, end) = watch::channel(until);
        let task = self.tasks.spawn(attempt.make_within(end, self.beat()));
        self.held.insert(task.id(), Held { claim, kind, until, task });
    }

    fn forget(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => error.id(),
        };
        self.held.remove(&id);
    }

    /// Gives a sign of life for all running jobs, and drops those that this process has lost. A job
    /// whose lease is not extended drops itself.
    async fn extend(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let claims: Vec<Claim> = self.held.values().map(|held| held.claim).collect();
        let Some(queue) = self.queue() else { return };
        let (now, lease) = (Instant::now(), self.settings.lease);
        // The time limit of the database may be longer than a lease. The next try may succeed sooner.
        let extended = timeout(self.beat(), queue.extend(&claims, lease)).await;
        let extended = extended.unwrap_or_else(|_| Err(StoreError::Unavailable(SLOW.into())));
        let Some(kept) = self.reached(extended) else { return };
        for held in self.held.values() {
            if kept.contains(&held.claim) {
                held.until.send_replace(now + lease);
            } else {
                let (id, kind) = (held.claim.id.0, held.kind);
                // It may also have ended a moment ago.
                tracing::debug!(id, kind, "a job is not held any more");
                held.task.abort();
            }
        }
    }

    /// Lets running jobs end, then gives back the others.
    async fn wind_down(&mut self) {
        let deadline = Instant::now() + self.settings.grace;
        let mut beat = interval(self.beat());
        while !self.tasks.is_empty() {
            tokio::select! {
                biased;
                () = sleep_until(deadline) => break,
                Some(ended) = self.tasks.join_next_with_id() => self.forget(ended),
                _ = beat.tick() => self.extend().await,
            }
        }
        // No task is left when this returns, so no handler goes on after its job is given back: one of
        // a module no longer than until it lets go of its thread.
        self.tasks.shutdown().await;
        let claims: Vec<Claim> = self.held.drain().map(|(_, held)| held.claim).collect();
        if claims.is_empty() {
            return;
        }
        tracing::warn!(jobs = claims.len(), "running jobs were dropped and given back");
        let Some(queue) = self.queue() else { return };
        // If this fails, the leases end by themselves.
        let _ = timeout(self.settings.lease, queue.release(&claims)).await;
    }
}
