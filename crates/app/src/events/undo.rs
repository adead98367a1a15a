use exit3_domain::events::{
    Act, Author, BatchId, Changes, Conflicts, Event, EventFilter, EventId, Verb, from_record,
};
use exit3_domain::validation::Invalid;
use exit3_domain::{clients, leads, staff, subscribers};
use exit3_ports::{Constraint, StoreError, TRACE};

use super::all;
use super::rows::{Editable, Removable};
use crate::App;
use crate::seen::{ATTEMPTS, unless_stale};

/// What an undo did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Undone {
    /// The fields that it left alone, because somebody has changed them since.
    pub conflicts: Conflicts,
}

/// Why an event could not be undone. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// The event does not exist.
    #[error("there is no such event")]
    NotFound,
    /// Events of this kind cannot be undone.
    #[error("an event {0} cannot be undone")]
    NotUndoable(Verb),
    /// The event does not contain values of a row of today.
    #[error("the values that the event recorded cannot be read")]
    Unreadable,
    /// The row of an update, a creation or a restore does not exist any more.
    #[error("the row does not exist any more")]
    Gone,
    /// There is a row with the id of the deleted one.
    #[error("the row is there again")]
    Exists,
    /// Something else has happened to a row that would be deleted.
    #[error("something has happened to the row since")]
    Overtaken,
    /// All fields of the update have other values now.
    #[error("somebody has changed {} since", .0.join(", "))]
    Changed(Conflicts),
    /// With the old values, the row would break a rule.
    #[error("the old values break a rule of today")]
    Invalid(#[source] Invalid),
    /// Another row has the value of this column.
    #[error("another row has the same {0} now")]
    Taken(&'static str),
    /// The row to which this column refers does not exist.
    #[error("the row to which {0} refers does not exist")]
    Missing(&'static str),
    /// Concurrent changes kept interfering.
    #[error("others change the row all the time")]
    Contended,
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for UndoError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::Gone,
            StoreError::Conflict(Constraint::Taken { column, .. }) => Self::Taken(column),
            StoreError::Conflict(Constraint::Missing { column, .. }) => Self::Missing(column),
            error => Self::Store(error),
        }
    }
}

/// Takes the change of one event back, as a change of `author` with an event of its own:
///
/// - of an update, the fields whose value is still the one that the event left;
/// - of a deletion, the row comes back with its id;
/// - a row that was created or restored is deleted, if nothing has happened to it since.
///
/// # Errors
/// [`UndoError`].
#[tracing::instrument(target = TRACE, name = "events.undo", skip_all)]
pub async fn undo(app: &App, id: EventId, author: &Author) -> Result<Undone, UndoError> {
    let event = app.repositories()?.events.find(id).await?.ok_or(UndoError::NotFound)?;
    Undo { app, event: &event, author, batches: &[] }.run().await
}

/// One event that is undone.
pub(super) struct Undo<'a> {
    pub(super) app: &'a App,
    pub(super) event: &'a Event,
    pub(super) author: &'a Author,
    /// Later events of these batches do not count, because they belong to the same undo.
    pub(super) batches: &'a [BatchId],
}

impl Undo<'_> {
    pub(super) async fn run(&self) -> Result<Undone, UndoError> {
        let all = self.app.repositories()?;
        match &*self.event.subject.resource {
            leads::RESOURCE => self.in_rows(&*all.leads).await,
            subscribers::RESOURCE => self.in_rows(&*all.subscribers).await,
            clients::RESOURCE => self.in_rows(&*all.clients).await,
            // Accounts are never deleted, and a password cannot be brought back.
            staff::RESOURCE if self.action() == Verb::UPDATED => self.update(&*all.staff).await,
            _ => Err(self.refused()),
        }
    }

    async fn in_rows<R: Removable + ?Sized>(&self, rows: &R) -> Result<Undone, UndoError> {
        match self.action() {
            Verb::UPDATED => self.update(rows).await,
            Verb::DELETED => self.deletion(rows).await,
            Verb::CREATED | Verb::RESTORED => self.creation(rows).await,
            _ => Err(self.refused()),
        }
    }

    async fn update<R: Editable + ?Sized>(&self, rows: &R) -> Result<Undone, UndoError> {
        let Changes::Fields(fields) = &self.event.changes else {
            return Err(UndoError::Unreadable);
        };
        for _ in 0..ATTEMPTS {
            let seen = rows.row(self.event.subject.id).await?.ok_or(UndoError::Gone)?;
            let (undone, conflicts) = self.event.changes.undone_in(&R::details(&seen));
            if conflicts.len() == fields.len() {
                return Err(UndoError::Changed(conflicts));
            }
            let details = undone.ok_or(UndoError::Unreadable)?;
            R::check(&details).map_err(UndoError::Invalid)?;
            if unless_stale(rows.replace(&seen, &details, &self.act()).await)?.is_some() {
                return Ok(Undone { conflicts });
            }
        }
        Err(UndoError::Contended)
    }

    async fn deletion<R: Removable + ?Sized>(&self, rows: &R) -> Result<Undone, UndoError> {
        let Changes::Row(record) = &self.event.changes else {
            return Err(UndoError::Unreadable);
        };
        let row: R::Row = from_record(record.clone()).ok_or(UndoError::Unreadable)?;
        let back = unless_stale(rows.bring_back(&row, &self.act()).await)?;
        back.map(|()| Undone::default()).ok_or(UndoError::Exists)
    }

    async fn creation<R: Removable + ?Sized>(&self, rows: &R) -> Result<Undone, UndoError> {
        for _ in 0..ATTEMPTS {
            // The row is read before the events: a change in between is seen either there, or when
            // the row is deleted.
            let seen = rows.row(self.event.subject.id).await?.ok_or(UndoError::Gone)?;
            if !self.is_last().await? {
                return Err(UndoError::Overtaken);
            }
            if unless_stale(rows.remove(&seen, &self.act()).await)?.is_some() {
                return Ok(Undone::default());
            }
        }
        Err(UndoError::Contended)
    }

    /// Whether no other event about the row came later, apart from those of the batches.
    async fn is_last(&self) -> Result<bool, StoreError> {
        let subject = &self.event.subject;
        let filter = EventFilter {
            resource: Some(subject.resource.clone()),
            id: Some(subject.id),
            ..EventFilter::default()
        };
        let events = all(self.app, &filter).await?;
        let is_of_batches = |event: &Event| {
            event.act.author.batch.as_ref().is_some_and(|batch| self.batches.contains(batch))
        };
        let is_this = |event: &Event| event.id == self.event.id;
        // If the event itself was removed, because it is old, an earlier one is found, or none.
        let last = events.iter().find(|event| is_this(event) || !is_of_batches(event));
        Ok(last.is_some_and(is_this))
    }

    fn action(&self) -> &str {
        self.event.verb.action()
    }

    fn act(&self) -> Act {
        self.author.at(self.app.clock.now())
    }

    fn refused(&self) -> UndoError {
        UndoError::NotUndoable(self.event.verb.clone())
    }
}
