//! Where events are stored, and how consumers read them.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use exit3_domain::events::{Act, Event, EventFilter, EventId, NewEvent};
use exit3_domain::jobs::NewJob;

use crate::tables::{Column, Kind, Table, Value};
use crate::transfer::Load;
use crate::{Constraint, StoreError};

/// The form of this batch has been carried out already: see [`BatchId::of_form`].
pub const FORM_SENT: Constraint = Constraint::Taken { table: "events", column: "batch" };

/// A request with the same key has made something already: see [`BatchId::of_request`].
///
/// [`BatchId::of_request`]: exit3_domain::events::BatchId::of_request
pub const REQUEST_SENT: Constraint = Constraint::Taken { table: "events", column: "request" };

/// The table of events.
pub const TABLE: Table = Table {
    name: "events",
    columns: &[
        Column::new("id", Kind::Integer),
        Column::new("at", Kind::Time),
        Column::new("actor", Kind::Text),
        Column::new("verb", Kind::Text),
        Column::new("resource", Kind::Text),
        Column::new("resource_id", Kind::Integer),
        Column::new("changes", Kind::Text),
        Column::new("batch", Kind::Text),
        Column::new("request", Kind::Text),
    ],
    resource: "",
    rules: &[FORM_SENT, REQUEST_SENT],
    rights: "SELECT, INSERT, DELETE",
    ..Table::EMPTY
};

/// The table of the positions of consumers.
pub const CONSUMERS: Table = Table {
    name: "event_consumers",
    columns: &[
        Column::new("name", Kind::Text),
        Column::new("transaction_id", Kind::Integer),
        Column::new("event_id", Kind::Integer),
    ],
    resource: "",
    rights: "SELECT, INSERT, UPDATE",
    ..Table::EMPTY
};

/// How many events [`EventRepository::last_older_than`] reads with one statement, so that no statement
/// takes long, however many events there are.
pub const LAST_IN_PAGE: u32 = 10_000;

/// Stores an event among the rows that are loaded. Nothing is stored if the table is missing.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub async fn load(load: &mut dyn Load, event: &NewEvent, act: &Act) -> Result<(), StoreError> {
    let id = load.last_id(&TABLE).await? + 1;
    let shape = load.shapes().await?.into_iter().find(|shape| *shape.table == TABLE);
    let Some(shape) = shape else { return Ok(()) };
    let NewEvent { verb, subject, changes } = event;
    let author = &act.author;
    let optional = |text: Option<&str>| text.map_or(Value::Null, |text| Value::Text(text.into()));
    let value = |name: &str| match name {
        "id" => Value::Integer(id),
        "at" => Value::Time(act.at.timestamp_micros()),
        "actor" => Value::Text(author.actor.to_string()),
        "verb" => Value::Text(verb.to_string()),
        "resource" => Value::Text(subject.resource.to_string()),
        "resource_id" => Value::Integer(subject.id),
        "changes" => changes.to_text().map_or(Value::Null, Value::Text),
        "batch" => optional(author.batch.as_ref().map(|batch| &*batch.0)),
        "request" => optional(author.request.as_deref()),
        _ => Value::Null,
    };
    let row = shape.columns.iter().map(|column| value(column.name)).collect();
    load.write(&shape, vec![row]).await?;
    load.keep_ids(&TABLE, id).await
}

/// How far a consumer has read. Only the adapter knows what the numbers mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventPosition {
    /// The transaction of the last event that was read; 0 if the adapter does not need it.
    pub transaction: i64,
    /// The id of the last event that was read.
    pub id: i64,
}

/// Events that a consumer has not read yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Unread {
    /// The position of the consumer.
    pub from: EventPosition,
    /// The position behind these events.
    pub to: EventPosition,
    /// The events, in the order in which consumers read them.
    pub events: Vec<Event>,
}

/// A consumer that has a position, and so keeps the events behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    /// Its name.
    pub name: String,
    /// The time of the first event that it has not read.
    pub unread_since: Option<DateTime<Utc>>,
}

/// Reads events, and stores those that belong to no other write. Methods of other repositories
/// store their events themselves.
///
/// Every method may fail with [`StoreError::Unavailable`].
///
/// The newest events of one kind:
/// ```
/// use exit3_domain::events::{EventFilter, Verb};
/// use exit3_ports::{MockRepositories, Repositories};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), exit3_ports::StoreError> {
/// let mut mocks = MockRepositories::default();
/// mocks.events.expect_list().returning(|_, _, _| Ok(vec![]));
/// let events = Repositories::from(mocks).events;
///
/// let filter =
///     EventFilter { verb: Some(Verb::of("meeting", "created")), ..EventFilter::default() };
/// assert!(events.list(&filter, None, 20).await?.is_empty());
/// # Ok(())
/// # }
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait EventRepository: Send + Sync {
    /// Stores an event about something that no other repository stores.
    async fn note(&self, event: &NewEvent, act: &Act) -> Result<(), StoreError>;

    /// Finds an event by id.
    async fn find(&self, id: EventId) -> Result<Option<Event>, StoreError>;

    /// The event of what a request with this key has made. See
    /// [`BatchId::request_key`](exit3_domain::events::BatchId::request_key).
    async fn of_request(&self, key: &str) -> Result<Option<Event>, StoreError>;

    /// The events of the creations of these rows of one kind of resource, in no order.
    async fn of_creations(&self, resource: &str, ids: &[i64]) -> Result<Vec<Event>, StoreError>;

    /// At most `size` matching events whose positions are below `before`, in descending order of
    /// their positions. `None` begins at the newest. See [`Event::position`].
    async fn list(
        &self,
        filter: &EventFilter,
        before: Option<(DateTime<Utc>, EventId)>,
        size: u32,
    ) -> Result<Vec<Event>, StoreError>;

    /// At most `size` events behind the position of `consumer`, a name of at most 100 characters.
    /// The first call for a name places the consumer behind all events that are stored.
    ///
    /// An event appears only after every event that could come before it: a consumer that notes its
    /// position misses none, no matter in which order transactions end.
    async fn unread(&self, consumer: &str, size: u32) -> Result<Unread, StoreError>;

    /// Moves `consumer` to the position behind `read` and stores the jobs that follow from these
    /// events, so that each event leads to its jobs exactly once. A job whose unique key belongs to
    /// an unfinished job is left out.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::Constraint::Stale`] if the consumer is no longer
    /// where `read` begins, because another node was faster. No job is stored then.
    async fn note_read(
        &self,
        consumer: &str,
        read: &Unread,
        jobs: &[NewJob],
    ) -> Result<(), StoreError>;

    /// All consumers that have a position, by name.
    async fn consumers(&self) -> Result<Vec<Consumer>, StoreError>;

    /// Removes the position of a consumer, so that it keeps no events.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if it has none.
    async fn forget_consumer(&self, consumer: &str) -> Result<(), StoreError>;

    /// The time of the last stored event that is older than `age` by the clock of the database. The
    /// order is that in which events were stored: an event that a clock from the future has written
    /// is behind those that were stored after it.
    async fn last_older_than(&self, age: Duration) -> Result<Option<DateTime<Utc>>, StoreError>;

    /// Removes at most `most` events from before `at`, in ascending order of their positions. Those
    /// of erasures stay, see [`NEVER_REMOVED`](exit3_domain::events::NEVER_REMOVED), and those that a consumer has not read. Returns the
    /// number of removed events.
    async fn remove_before(&self, at: DateTime<Utc>, most: u32) -> Result<u64, StoreError>;
}
