//! Where background jobs wait.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use exit3_domain::contact::ContactKind;
use exit3_domain::jobs::{Job, JobError, JobId, JobState, NewJob, Schedule};

use crate::tables::{Column, Kind, Table};
use crate::{Constraint, StoreError};

/// Another unfinished job has this unique key.
pub const UNIQUE_KEY_TAKEN: Constraint = Constraint::Taken { table: "jobs", column: "unique_key" };

/// The table of jobs.
pub const TABLE: Table = Table {
    name: "jobs",
    columns: &[
        Column::new("id", Kind::Integer),
        Column::new("kind", Kind::Text),
        Column::new("payload", Kind::Text),
        Column::new("unique_key", Kind::Text),
        Column::new("state", Kind::Text),
        Column::new("attempts", Kind::Integer),
        Column::new("claims", Kind::Integer),
        Column::new("due_at", Kind::Time),
        Column::new("enqueued_at", Kind::Time),
        Column::new("ended_at", Kind::Time),
        Column::new("last_error", Kind::Text),
    ],
    resource: "",
    contacts: &[
        ("payload", ContactKind::Json),
        ("unique_key", ContactKind::Text),
        ("last_error", ContactKind::Text),
    ],
    rules: &[UNIQUE_KEY_TAKEN],
    rights: "SELECT, INSERT, UPDATE, DELETE",
    ..Table::EMPTY
};

/// The table of the last occurrence of each schedule.
pub const SCHEDULES: Table = Table {
    name: "schedules",
    columns: &[Column::new("name", Kind::Text), Column::new("occurred_at", Kind::Time)],
    resource: "",
    rights: "SELECT, INSERT, UPDATE",
    ..Table::EMPTY
};

/// The error of a job whose last runner died.
pub const RUNNER_DIED: &str = "the runner of the last attempt stopped without a result";

/// How many jobs of a kind a node can take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capacity {
    /// The kind.
    pub kind: String,
    /// The most jobs to claim.
    pub free: u32,
    /// The most attempts. A due job that has had so many is given up instead of claimed: the runner
    /// of its last attempt died.
    pub attempts: u32,
}

/// One runner's hold on a job. Each claim of a job has a higher number, the fencing token, so that
/// a runner whose lease has ended cannot change what the next runner does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claim {
    /// The job.
    pub id: JobId,
    /// The fencing token.
    pub token: i64,
}

/// A job that this node must run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedJob {
    /// The hold on it.
    pub claim: Claim,
    /// Its kind.
    pub kind: String,
    /// What its handler gets, as JSON.
    pub payload: String,
    /// The number of this attempt; the first is 1.
    pub attempts: u32,
}

/// The outcome of a claim.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claimed {
    /// The jobs to run, in the order in which they became due.
    pub jobs: Vec<ClaimedJob>,
    /// The jobs that were given up, because the runner of their last attempt died, and their kinds.
    pub given_up: Vec<(JobId, String)>,
}

/// Whether a runner still holds a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// It did, and the change was made.
    Held,
    /// It did not, and nothing was changed: the lease has ended and another runner has the job, or
    /// an operator has cancelled it.
    Lost,
}

/// The outcome of an operator's change of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was made.
    Done,
    /// The job is in a state that does not allow it. Nothing was changed.
    Refused(JobState),
}

/// The outcome of [`JobQueue::enqueue_occurrence`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occurrence {
    /// Whether a job was stored.
    pub enqueued: bool,
    /// The time until the next occurrence.
    pub next_in: Duration,
}

/// Which jobs to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFilter {
    /// Only jobs of this kind.
    pub kind: Option<String>,
    /// Only jobs in this state.
    pub state: Option<JobState>,
    /// The most jobs.
    pub most: u32,
}

/// How many jobs of a kind are counted in each state. More are not, so that counting takes the same
/// time however many there are.
pub const MOST_COUNTED: u32 = 10_000;

/// How many jobs of one kind there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Depth {
    /// The kind.
    pub kind: String,
    /// The number of jobs in each state that has any, up to [`MOST_COUNTED`].
    pub counts: BTreeMap<JobState, u64>,
    /// For how long the oldest due job has been due, if one is due. A running job is due when its
    /// lease has ended.
    pub overdue: Option<Duration>,
}

impl Depth {
    /// Puts together what was counted: kind, state, number, and for how long a job of the kind has
    /// been due. The parts of a kind come one after another.
    pub fn of_parts(
        parts: impl IntoIterator<Item = (String, JobState, u64, Option<Duration>)>,
    ) -> Vec<Self> {
        let mut depths: Vec<Self> = Vec::new();
        for (kind, state, count, overdue) in parts {
            match depths.last_mut().filter(|last| last.kind == kind) {
                Some(last) => drop(last.counts.insert(state, count)),
                None => depths.push(Self { kind, counts: [(state, count)].into(), overdue }),
            }
        }
        depths
    }
}

/// Stores jobs and hands them to runners.
///
/// All times come from the clock of the database, because the clocks of nodes differ. Every method
/// may fail with [`StoreError::Unavailable`].
///
/// A job whose unique key belongs to an unfinished one is left out:
/// ```
/// use exit3_domain::jobs::NewJob;
/// use exit3_ports::{MockRepositories, Repositories};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), exit3_ports::StoreError> {
/// let mut mocks = MockRepositories::default();
/// mocks.jobs.expect_enqueue().returning(|_| Ok(0));
/// let queue = Repositories::from(mocks).jobs;
///
/// let job = NewJob {
///     kind: "meetings.remind".to_owned(),
///     payload: "{}".to_owned(),
///     run_at: None,
///     unique_key: Some("meeting 7".to_owned()),
/// };
/// assert_eq!(queue.enqueue(&[job]).await?, 0);
/// # Ok(())
/// # }
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait JobQueue: Send + Sync {
    /// Stores all jobs or none; returns how many. A job whose unique key belongs to an unfinished
    /// job is left out.
    async fn enqueue(&self, jobs: &[NewJob]) -> Result<u64, StoreError>;

    /// Stores a job if an occurrence of the schedule has come that no node has noted, and notes it.
    /// Occurrences that passed while no node was running count as one. If the job's unique key
    /// belongs to an unfinished job, the occurrence is noted without a job. If a clock that was ahead
    /// has stored that job, and it is not due before the next occurrence, it is due now instead, and
    /// counts as stored.
    async fn enqueue_occurrence(
        &self,
        schedule: &Schedule,
        job: &NewJob,
    ) -> Result<Occurrence, StoreError>;

    /// Hands out due jobs of these kinds, those that have been due for longest first, and begins an
    /// attempt of each. The jobs are due again when the lease ends. No two callers get the same job.
    /// Changes nothing if no job is due.
    async fn claim(&self, capacities: &[Capacity], lease: Duration) -> Result<Claimed, StoreError>;

    /// Makes leases end this much later than now. Returns the claims that still hold their jobs;
    /// for the others nothing changes.
    async fn extend(&self, claims: &[Claim], lease: Duration) -> Result<Vec<Claim>, StoreError>;

    /// Deletes a job that has succeeded.
    async fn complete(&self, claim: Claim) -> Result<Hold, StoreError>;

    /// Notes that an attempt failed. The job waits for `again`; without it, the job is given up.
    async fn fail(
        &self,
        claim: Claim,
        error: &JobError,
        again: Option<Duration>,
    ) -> Result<Hold, StoreError>;

    /// Gives jobs back without counting the attempt. They are due at once. Claims that no longer
    /// hold their jobs change nothing.
    async fn release(&self, claims: &[Claim]) -> Result<(), StoreError>;

    /// The newest jobs that match the filter, newest first.
    async fn list(&self, filter: &JobFilter) -> Result<Vec<Job>, StoreError>;

    /// Makes a job due now that waits, has failed or was cancelled. Its attempts are counted anew,
    /// unless it waits.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] with [`UNIQUE_KEY_TAKEN`].
    async fn retry(&self, id: JobId) -> Result<Change, StoreError>;

    /// Ends a job that waits, runs or has failed. The runner of a running job notices when it next
    /// extends the lease, or at the end of the job.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn cancel(&self, id: JobId) -> Result<Change, StoreError>;

    /// The numbers of jobs of each kind that has any, by kind.
    async fn depths(&self) -> Result<Vec<Depth>, StoreError>;

    /// Deletes up to `most` jobs that failed or were cancelled before this time; returns how many.
    async fn remove_ended(&self, before: DateTime<Utc>, most: u32) -> Result<u64, StoreError>;
}
