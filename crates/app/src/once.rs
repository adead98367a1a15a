//! Requests that are carried out once, however often a client sends them.
//!
//! The author of a request with a key has a batch that is computed from the key and the request. The
//! event of what the request makes has that batch, and is stored in the same transaction. The
//! database refuses a second one with the same key, so a request that comes again makes nothing: its
//! answer follows from the event and from the request itself, which is the same.

use chrono::{DateTime, Utc};
use exit3_domain::events::{Author, BatchId, Event};
use exit3_ports::StoreError;
use exit3_ports::events::REQUEST_SENT;

use crate::{App, SaveError};

/// What a request has made.
#[derive(Debug, Clone, PartialEq)]
pub struct Made<T> {
    /// The row, as it was when it was made.
    pub row: T,
    /// Whether an earlier request with the same key has made it.
    pub is_repeated: bool,
    /// Whether it waits in the spool of this node, because the database is away.
    pub is_spooled: bool,
}

impl<T> Made<T> {
    /// The same with another form of the row.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Made<U> {
        let Self { row, is_repeated, is_spooled } = self;
        Made { row: change(row), is_repeated, is_spooled }
    }
}

/// What a request has made, given the outcome of its write. If that failed because the same request
/// came before, `again` makes the row from its id and the time of the earlier request.
///
/// The earlier request may also show in another failure: an address that it has subscribed is taken.
///
/// `resource` is the word of events for the row. One request makes one row with an event `….created`.
///
/// ```
/// # use exit3_app::once::{Made, once};
/// # use exit3_app::{App, SaveError};
/// # use exit3_domain::events::{Act, Author};
/// # use exit3_ports::StoreError;
/// # struct Booking { id: i64, place: String }
/// # trait Bookings {
/// #     async fn create(&self, place: &str, act: &Act) -> Result<Booking, StoreError>;
/// # }
/// async fn book(
///     app: &App,
///     bookings: &impl Bookings,
///     place: String,
///     author: &Author,
/// ) -> Result<Made<Booking>, SaveError> {
///     let created = bookings.create(&place, &author.at(app.clock.now())).await;
///     let created = created.map_err(SaveError::from);
///     once(app, author, "booking", created, |id, _| Booking { id, place }).await
/// }
/// ```
///
/// # Errors
/// Those of the write; [`SaveError::KeyReused`] if another request came with the same key.
pub async fn once<T>(
    app: &App,
    author: &Author,
    resource: &str,
    outcome: Result<T, SaveError>,
    again: impl FnOnce(i64, DateTime<Utc>) -> T,
) -> Result<Made<T>, SaveError> {
    let failure = match outcome {
        Ok(row) => return Ok(Made { row, is_repeated: false, is_spooled: false }),
        Err(SaveError::Store(StoreError::Unavailable(error))) => {
            return Err(StoreError::Unavailable(error).into());
        }
        Err(failure) => failure,
    };
    let Some(batch) = author.batch.as_ref().filter(|batch| batch.request_key().is_some()) else {
        return Err(failure);
    };
    match earlier(app, batch).await? {
        Some(event)
            if event.act.author.batch.as_ref() == Some(batch)
                && *event.subject.resource == *resource =>
        {
            let row = again(event.subject.id, event.act.at);
            Ok(Made { row, is_repeated: true, is_spooled: false })
        }
        Some(_) => Err(SaveError::KeyReused),
        // It was removed meanwhile, so the next attempt succeeds.
        None if matches!(failure, SaveError::Store(StoreError::Conflict(REQUEST_SENT))) => {
            Err(StoreError::Unavailable("the earlier request is forgotten".into()).into())
        }
        None => Err(failure),
    }
}

/// The event of what a request with the key of this batch has made.
///
/// # Errors
/// [`StoreError`].
pub async fn earlier(app: &App, batch: &BatchId) -> Result<Option<Event>, StoreError> {
    match batch.request_key() {
        Some(key) => app.repositories()?.events.of_request(key).await,
        None => Ok(None),
    }
}

/// When a request with the key of this batch has made something, or something was accepted that waits
/// for the database.
///
/// # Errors
/// [`StoreError`].
pub async fn sent_at(app: &App, batch: &BatchId) -> Result<Option<DateTime<Utc>>, StoreError> {
    let event = match (earlier_if_there(app, batch).await, &app.intake) {
        (Err(StoreError::Unavailable(_)), Some(_)) => None,
        (event, _) => event?,
    };
    match (event, &app.intake, batch.request_key()) {
        (Some(event), ..) => Ok(Some(event.act.at)),
        (None, Some(intake), Some(key)) => {
            // A spool that fails must not refuse what the database takes.
            let waiting = intake.spool().of_request(key).await.unwrap_or_default();
            Ok(waiting.map(|waiting| waiting.act.at))
        }
        _ => Ok(None),
    }
}

/// Like [`earlier`], but a database that is known to be away is not asked.
async fn earlier_if_there(app: &App, batch: &BatchId) -> Result<Option<Event>, StoreError> {
    match app.is_away() {
        true => Ok(None),
        false => earlier(app, batch).await,
    }
}

#[cfg(test)]
#[path = "once_tests.rs"]
mod tests;
