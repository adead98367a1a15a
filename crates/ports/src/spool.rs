//! Where a node keeps what its database cannot take now.

use std::ops::RangeInclusive;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use exit3_domain::api_keys::ApiKey;
use exit3_domain::events::Act;
use exit3_domain::leads::{LeadId, NewLead};
use exit3_domain::subscribers::NewSubscriber;

use crate::StoreError;

/// What a client was told is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// A lead, with the id that it will have.
    Lead(LeadId, NewLead),
    /// A sign-up for the newsletter by a caller that must not learn who is subscribed.
    SignUp(NewSubscriber),
    /// What another version of this program has kept, in its words.
    Unknown(String),
}

/// Something accepted that waits for the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its place in the spool: what came later has a higher number.
    pub number: i64,
    /// What was accepted.
    pub what: Accepted,
    /// Who sent it, and when it was accepted.
    pub act: Act,
    /// Why the database refused it, if it did.
    pub problem: Option<String>,
}

/// The outcome of keeping something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// It waits now.
    New,
    /// A request with the same key waits already.
    Earlier(Box<Waiting>),
}

/// The keys that may create, as they were in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RememberedKeys {
    /// The keys.
    pub keys: Vec<ApiKey>,
    /// When they were read.
    pub at: DateTime<Utc>,
}

/// What a spool holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpoolStatus {
    /// How many entries wait.
    pub waiting: u64,
    /// How many of them have a problem.
    pub problems: u64,
    /// When the oldest of them was accepted.
    pub oldest: Option<DateTime<Utc>>,
    /// The number of ids that leads can still get.
    pub ids: u64,
    /// Whether it has room for another entry.
    pub has_room: bool,
}

/// The spool of one node: a file on its own disk. Several processes may use it at the same time.
///
/// Every method may fail with [`StoreError::Unavailable`], for example on a full disk.
///
/// ```
/// use exit3_domain::subscribers::NewSubscriber;
/// use exit3_ports::spool::{Accepted, Kept, MockSpool, Spool};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), exit3_ports::StoreError> {
/// # use exit3_domain::events::{Actor, Author};
/// # let act = Author::from(Actor::BasicKey).at(chrono::DateTime::UNIX_EPOCH);
/// let mut spool = MockSpool::new();
/// spool.expect_keep().returning(|_, _| Ok(Kept::New));
///
/// let ana = NewSubscriber { email: "ana@acme.hr".to_owned(), is_subscribed: true };
/// assert_eq!(spool.keep(&Accepted::SignUp(ana), &act).await?, Kept::New);
/// # Ok(())
/// # }
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Spool: Send + Sync {
    /// Keeps something until the database can take it. Once this returns, it survives a power cut.
    /// Of two requests with the same key only the first is kept: see
    /// [`BatchId::request_key`](exit3_domain::events::BatchId::request_key).
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the spool is full. [`StoreError::Conflict`] with
    /// [`ID_TAKEN`](crate::leads::ID_TAKEN) if a lead with the same id waits.
    async fn keep(&self, what: &Accepted, act: &Act) -> Result<Kept, StoreError>;

    /// The first `most` entries behind the number `after`, in ascending order.
    async fn waiting(&self, after: i64, most: u32) -> Result<Vec<Waiting>, StoreError>;

    /// The entry of a request with this key.
    async fn of_request(&self, key: &str) -> Result<Option<Waiting>, StoreError>;

    /// Removes entries, and overwrites their contents on the disk.
    async fn remove(&self, numbers: &[i64]) -> Result<(), StoreError>;

    /// Notes why the database refused an entry.
    async fn note_problem(&self, number: i64, problem: &str) -> Result<(), StoreError>;

    /// Gives the entry of a lead another id, unless another process has.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such entry with the id `from`.
    async fn renumber(&self, number: i64, from: LeadId, to: LeadId) -> Result<(), StoreError>;

    /// Takes up to `most` ids out of the spool, lowest first. No process gets one of them again.
    async fn take_ids(&self, most: u64) -> Result<Vec<RangeInclusive<i64>>, StoreError>;

    /// Adds ids that the database has reserved for this node, or that were taken and not used.
    async fn put_ids(&self, ids: &[RangeInclusive<i64>]) -> Result<(), StoreError>;

    /// The highest id that the spool holds, reserved or used by an entry; 0 if there is none.
    async fn last_id(&self) -> Result<i64, StoreError>;

    /// Removes all reserved ids.
    async fn forget_ids(&self) -> Result<(), StoreError>;

    /// Replaces the keys that the spool remembers.
    async fn remember_keys(&self, keys: &RememberedKeys) -> Result<(), StoreError>;

    /// The keys that the spool remembers.
    async fn keys(&self) -> Result<Option<RememberedKeys>, StoreError>;

    /// What the spool holds.
    async fn status(&self) -> Result<SpoolStatus, StoreError>;
}
