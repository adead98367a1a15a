use std::collections::BTreeSet;

use exit3_domain::access::{Action, Record};
use exit3_domain::events::{Author, BatchId, Event, EventFilter, EventId, Verb};
use exit3_domain::{clients, leads, subscribers};
use exit3_ports::TRACE;

use super::all;
use super::undo::{Undo, UndoError, Undone};
use crate::App;
use crate::access::Doer;

/// The outcome of undoing each event of a batch, the last one first.
pub type BatchUndone = Vec<(EventId, Result<Undone, UndoError>)>;

/// The most events of a bulk action that a worker of the back office takes back at once.
pub const MOST_AT_ONCE: u32 = 1_000;

/// Like [`undo_batch`], for a worker of the back office. Who takes a bulk action back must be allowed to
/// delete each of its rows, because that may be what it comes to.
///
/// # Errors
/// [`UndoError::Forbidden`]; [`UndoError::TooMany`] for more than [`MOST_AT_ONCE`] events; or as for
/// [`undo_batch`].
#[tracing::instrument(target = TRACE, name = "events.undo_batch_by_staff", skip_all)]
pub async fn undo_batch_by_staff(
    app: &App,
    batch: &BatchId,
    doer: &Doer,
) -> Result<BatchUndone, UndoError> {
    let filter = EventFilter { batch: Some(batch.clone()), ..EventFilter::default() };
    let events = app.repositories()?.events.list(&filter, None, MOST_AT_ONCE + 1).await?;
    for event in &events {
        let record = match &*event.subject.resource {
            leads::RESOURCE => Record::Lead(None),
            clients::RESOURCE => Record::Client(None),
            subscribers::RESOURCE => Record::Subscriber,
            // Only owners change what is left.
            _ => Record::Staff,
        };
        doer.check(Action::Delete, record)?;
    }
    if events.len() > MOST_AT_ONCE as usize {
        return Err(UndoError::TooMany);
    }
    undo_batch(app, batch, &doer.author).await
}

/// Takes the events of a bulk action back, the last one first, under one new batch id unless
/// `author` has one. Returns the outcome of each event. An event that cannot be undone does not
/// stop the others, unless the database fails; then the events after it are left out.
///
/// # Errors
/// [`UndoError::NotFound`] if there is no event with this batch id; [`UndoError::Store`] if the
/// events cannot be read.
#[tracing::instrument(target = TRACE, name = "events.undo_batch", skip_all)]
pub async fn undo_batch(
    app: &App,
    batch: &BatchId,
    author: &Author,
) -> Result<BatchUndone, UndoError> {
    let filter = EventFilter { batch: Some(batch.clone()), ..EventFilter::default() };
    let events = all(app, &filter).await?;
    let last = events.first().ok_or(UndoError::NotFound)?.id;
    let own = author.batch.clone().unwrap_or_else(|| {
        // No event has this id, because time goes on.
        BatchId(format!("undo-{}-{}", last.0, app.clock.now().timestamp_micros()).into())
    });
    let author = Author { batch: Some(own.clone()), ..author.clone() };
    let batches = [batch.clone(), own];
    // Before the first change, because the undo of an update would hide what came after it.
    let mut unexplained = BTreeSet::new();
    for event in &events {
        let is_new = matches!(event.verb.action(), Verb::CREATED | Verb::RESTORED);
        let undo = Undo { app, event, author: &author, batches: &batches };
        if is_new && !undo.is_explained().await.map_err(UndoError::Store)? {
            unexplained.insert(event.id);
        }
    }
    let undo = async |event: &Event| match unexplained.contains(&event.id) {
        true => Err(UndoError::Overtaken),
        false => Undo { app, event, author: &author, batches: &batches }.run().await,
    };
    let mut outcomes = Vec::new();
    for event in &events {
        let outcome = undo(event).await;
        let is_over = matches!(outcome, Err(UndoError::Store(_)));
        outcomes.push((event.id, outcome));
        if is_over {
            return Ok(outcomes);
        }
    }
    // A row that refers to another one may have come before it.
    for ((_, outcome), event) in outcomes.iter_mut().zip(&events) {
        if matches!(outcome, Err(UndoError::Missing(_))) {
            *outcome = undo(event).await;
        }
    }
    Ok(outcomes)
}
