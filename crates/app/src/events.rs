//! Use cases of events: reading them, and taking changes back.

mod batch;
mod consume;
mod keep;
mod names;
mod positions;
mod record;
mod rows;
mod undo;

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use exit3_domain::events::{Event, EventFilter, EventId};
use exit3_ports::{StoreError, TRACE};

use crate::{App, FindError};

pub use batch::{BatchUndone, MOST_AT_ONCE, undo_batch, undo_batch_by_staff};
pub use consume::consume;
pub use keep::{RemoveOld, remove_old};
pub use names::{Names, names};
pub use positions::{forget, forget_module, left_behind};
pub use record::{Part, Question, RecordError, record};
pub use undo::{CLIENT, UndoError, Undone, may_undo_fields, undo, undo_by_staff};

/// The events of one row, newest first: at most `size`, with positions below `before`. `resource`
/// is a word such as [`exit3_domain::leads::RESOURCE`].
///
/// # Errors
/// [`StoreError`].
#[tracing::instrument(target = TRACE, name = "events.history", skip_all)]
pub async fn history(
    app: &App,
    resource: &str,
    id: i64,
    before: Option<(DateTime<Utc>, EventId)>,
    size: u32,
) -> Result<Vec<Event>, StoreError> {
    let (resource, id) = (Some(resource.into()), Some(id));
    let filter = EventFilter { resource, id, ..EventFilter::default() };
    app.repositories()?.events.list(&filter, before, size).await
}

/// Finds an event by id.
///
/// # Errors
/// [`FindError`].
#[tracing::instrument(target = TRACE, name = "events.find", skip_all)]
pub async fn find(app: &App, id: EventId) -> Result<Event, FindError> {
    app.repositories()?.events.find(id).await?.ok_or(FindError::NotFound)
}

/// The matching events, newest first: at most `size`, with positions below `before`.
///
/// # Errors
/// [`StoreError`].
#[tracing::instrument(target = TRACE, name = "events.list", skip_all)]
pub async fn list(
    app: &App,
    filter: &EventFilter,
    before: Option<(DateTime<Utc>, EventId)>,
    size: u32,
) -> Result<Vec<Event>, StoreError> {
    app.repositories()?.events.list(filter, before, size).await
}

/// How many events [`all`] reads at once.
const PAGE: u32 = 200;

/// All events that match, in descending order of their ids. Ids tell what came later; times do not,
/// because clocks of nodes differ.
async fn all(app: &App, filter: &EventFilter) -> Result<Vec<Event>, StoreError> {
    let mut events: Vec<Event> = Vec::new();
    loop {
        let before = events.last().map(Event::position);
        let page = app.repositories()?.events.list(filter, before, PAGE).await?;
        let is_full = page.len() == PAGE as usize;
        events.extend(page);
        if !is_full {
            events.sort_by_key(|event| Reverse(event.id));
            return Ok(events);
        }
    }
}

#[cfg(test)]
mod tests;
