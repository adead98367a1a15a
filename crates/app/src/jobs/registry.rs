use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use exit3_domain::jobs::{NewJob, Retries, Schedule};
use exit3_ports::{StoreError, with_causes};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;

use super::owner::Owner;
use crate::App;
use crate::modules::{Claim, Switch};

/// What a handler gets. The type decides the kind of the job, so that those who enqueue a job and
/// its handler agree.
///
/// A newer program must still read the payloads of an older one, and the other way round.
///
/// ```
/// use exit3_app::jobs::Payload;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Remind {
///     meeting: i64,
/// }
///
/// impl Payload for Remind {
///     const KIND: &'static str = "meetings.remind";
/// }
///
/// let job = Remind { meeting: 7 }.job()?;
/// assert_eq!((&*job.kind, &*job.payload), ("meetings.remind", r#"{"meeting":7}"#));
/// # Ok::<_, serde_json::Error>(())
/// ```
pub trait Payload: Serialize + DeserializeOwned + Send + 'static {
    /// The kind: 1 to 100 characters, such as `backups.check`.
    const KIND: &'static str;

    /// A job with this payload, to be run at once.
    ///
    /// # Errors
    /// The payload cannot be written as JSON, for example because of a map without texts as keys.
    fn job(&self) -> Result<NewJob, serde_json::Error> {
        Ok(NewJob {
            kind: Self::KIND.to_owned(),
            payload: serde_json::to_string(self)?,
            run_at: None,
            unique_key: None,
        })
    }
}

/// Why an attempt failed. Operators see the text, so it must not contain personal data.
#[derive(Debug, thiserror::Error)]
pub enum JobFailure {
    /// Another attempt may succeed.
    #[error("{0}")]
    Again(String),
    /// No further attempt can succeed, so the job is given up at once.
    #[error("{0}")]
    Never(String),
}

impl From<StoreError> for JobFailure {
    fn from(error: StoreError) -> Self {
        Self::Again(with_causes(&error))
    }
}

/// How jobs of one kind are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handling {
    /// The most jobs of the kind that one node runs at the same time.
    pub at_once: u32,
    /// How long an attempt may take. Then it is dropped, and counts as failed.
    pub time_limit: Duration,
    /// How often a job is tried, and how long it waits in between.
    pub retries: Retries,
}

impl Default for Handling {
    /// One at a time, a minute for each attempt, and five attempts within a quarter of an hour.
    fn default() -> Self {
        let minute = Duration::from_secs(60);
        let retries = Retries { attempts: 5, first: minute, longest: minute * 10 };
        Self { at_once: 1, time_limit: minute, retries }
    }
}

pub(super) type Running<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Begins an attempt with a payload.
type Run = dyn Fn(App, &str) -> Running<Result<(), JobFailure>> + Send + Sync;

/// Runs the jobs of one kind.
pub(super) struct Handler {
    pub(super) handling: Handling,
    pub(super) run: Box<Run>,
    pub(super) owner: Owner,
}

/// Something that every node does for itself, and how often.
pub(super) struct Round {
    /// The consumer of events, if it is one.
    pub(super) consumer: Option<&'static str>,
    pub(super) every: Duration,
    pub(super) run: Arc<dyn Fn(App) -> Running<()> + Send + Sync>,
    pub(super) owner: Owner,
}

/// What a node runs: the kinds of jobs that it knows, and their schedules.
///
/// ```
/// use std::time::Duration;
///
/// use exit3_app::App;
/// use exit3_app::jobs::{Handling, JobFailure, Payload, Registry};
/// use exit3_domain::jobs::Schedule;
/// use exit3_ports::StoreError;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Tidy {}
///
/// impl Payload for Tidy {
///     const KIND: &'static str = "tags.tidy";
/// }
///
/// async fn tidy(app: App, _: Tidy) -> Result<(), JobFailure> {
///     Ok(app.repositories()?.health.ping().await?)
/// }
///
/// let mut registry = Registry::default();
/// let hourly = Schedule::every(Tidy::KIND, Duration::from_secs(3600));
/// registry.schedule(hourly, &Tidy {}, Handling::default(), tidy)?;
/// registry.consume("tags.follow", |_, events| async move {
///     let leads = events.iter().filter(|event| &*event.subject.resource == "lead");
///     let job = |_| Tidy {}.job().map_err(|error| StoreError::Other(error.into()));
///     leads.map(job).collect()
/// });
///
/// let claims: Vec<_> = registry.claims().map(|(_, claim)| claim.to_string()).collect();
/// let job = ["the kind of jobs tags.tidy", "the schedule tags.tidy"];
/// assert_eq!(claims, [job[0], job[1], "the consumer tags.follow"]);
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Default)]
pub struct Registry {
    pub(super) handlers: BTreeMap<&'static str, Arc<Handler>>,
    pub(super) schedules: Vec<(Schedule, NewJob)>,
    pub(super) rounds: Vec<Round>,
    pub(super) modules: Vec<Owner>,
    /// Who owns what is added now.
    owner: Owner,
    claims: Vec<(Option<&'static str>, Claim)>,
}

impl Registry {
    /// Adds the work of a module. It runs on this runtime, which the module should have for itself,
    /// and rests while the module is off.
    pub fn within<T>(
        &mut self,
        switch: &'static Switch,
        runtime: Handle,
        add: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let module = Owner::of(switch, runtime);
        self.modules.push(module.clone());
        let outer = std::mem::replace(&mut self.owner, module);
        let added = catch_unwind(AssertUnwindSafe(|| add(self)));
        // What is added later must not belong to a module that has panicked.
        self.owner = outer;
        added.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// The kinds of jobs, schedules and consumers, each with the module that has added it. Of two
    /// handlers for one kind, only the second one would run.
    pub fn claims(&self) -> impl Iterator<Item = (Option<&'static str>, Claim)> {
        self.claims.iter().cloned()
    }

    /// The names of all consumers of events.
    pub fn consumers(&self) -> impl Iterator<Item = &'static str> {
        self.rounds.iter().filter_map(|round| round.consumer)
    }

    /// What is wrong with what was added: a sentence each.
    pub fn faults(&self) -> impl Iterator<Item = String> {
        let named = self.rounds.iter().filter_map(|it| Some((it.owner.module()?, it.consumer?)));
        // So the positions of a module's consumers are known without its code.
        named.filter(|(module, name)| !is_of(name, module)).map(|(module, name)| {
            format!(
                "the module {module} has a consumer of events called {name:?}, but its name must \
                 begin with \"{module}.\""
            )
        })
    }

    fn claim(&mut self, what: &'static str, name: &'static str) {
        self.claims.push((self.owner.module(), Claim::of(what, name)));
    }

    /// Adds a handler for the kind of job that its payload decides. It runs among other tasks, so it
    /// must not block the thread. If it panics, that is a failure of its attempt.
    pub fn handle<P, F>(
        &mut self,
        handling: Handling,
        run: impl Fn(App, P) -> F + Send + Sync + 'static,
    ) where
        P: Payload,
        F: Future<Output = Result<(), JobFailure>> + Send + 'static,
    {
        let run = move |app: App, payload: &str| -> Running<Result<(), JobFailure>> {
            match serde_json::from_str(payload) {
                Ok(payload) => Box::pin(run(app, payload)),
                // Another node may have a version of the program that can read it.
                Err(error) => {
                    let place = format!("line {}, column {}", error.line(), error.column());
                    let text = format!("the payload cannot be read: an error in {place}");
                    Box::pin(async { Err(JobFailure::Again(text)) })
                }
            }
        };
        self.claim("kind of jobs", P::KIND);
        let handler = Handler { handling, run: Box::new(run), owner: self.owner.clone() };
        self.handlers.insert(P::KIND, Arc::new(handler));
    }

    /// Adds a job that has a schedule, and its handler. One node runs each occurrence. An occurrence
    /// is left out while the job of an earlier one is unfinished.
    ///
    /// # Errors
    /// Those of [`Payload::job`].
    pub fn schedule<P, F>(
        &mut self,
        schedule: Schedule,
        payload: &P,
        handling: Handling,
        run: impl Fn(App, P) -> F + Send + Sync + 'static,
    ) -> Result<(), serde_json::Error>
    where
        P: Payload,
        F: Future<Output = Result<(), JobFailure>> + Send + 'static,
    {
        self.handle(handling, run);
        self.claim("schedule", schedule.name);
        let unique_key = Some(format!("schedule {}", schedule.name));
        self.schedules.push((schedule, NewJob { unique_key, ..payload.job()? }));
        Ok(())
    }

    /// Adds work that every node does for itself, because it is about the memory of one process: at
    /// the start, and then this long after the last time. Nothing is stored, and a failure is not
    /// repeated before the next time.
    pub fn on_each_node<F>(
        &mut self,
        every: Duration,
        run: impl Fn(App) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        self.round(None, every, run);
    }

    /// Adds a round, which may be that of a consumer of events.
    pub(crate) fn round<F>(
        &mut self,
        consumer: Option<&'static str>,
        every: Duration,
        run: impl Fn(App) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        if let Some(name) = consumer {
            self.claim("consumer", name);
        }
        let run = move |app: App| -> Running<()> { Box::pin(run(app)) };
        let owner = self.owner.clone();
        self.rounds.push(Round { consumer, every, run: Arc::new(run), owner });
    }
}

/// Whether a consumer of this name is one of the module.
pub fn is_of(consumer: &str, module: &str) -> bool {
    let own = consumer.strip_prefix(module).and_then(|rest| rest.strip_prefix('.'));
    own.is_some_and(|own| !own.is_empty())
}
