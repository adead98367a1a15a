use chrono::TimeDelta;
use exit3_domain::access::{self, Action, Record};
use exit3_domain::clients::ClientId;
use exit3_domain::contracts::FILE;
use exit3_domain::events::{
    Act, Author, BatchId, Changes, Conflicts, Event, EventFilter, EventId, Verb, from_record,
    is_explained, record,
};
use exit3_domain::lead_notes::LeadNote;
use exit3_domain::leads::LeadId;
use exit3_domain::staff::StaffId;
use exit3_domain::validation::Invalid;
use exit3_domain::{clients, leads, staff, subscribers};
use exit3_ports::{Constraint, StoreError, TRACE};
use serde_json::Value;

use super::all;
use super::rows::{Editable, Removable};
use crate::App;
use crate::access::{Doer, Forbidden};
use crate::contracts;
use crate::seen::{ATTEMPTS, unless_stale};

/// What an undo did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Undone {
    /// The fields that it left alone, because somebody has changed them since. After the undo of a
    /// lead's deletion, [`CLIENT`] if the client of the lead has another one by now, or is gone; of a
    /// client's deletion, the field of its contract if the file is gone.
    pub conflicts: Conflicts,
}

/// The conflict of a lead whose client could not get it back.
pub const CLIENT: &str = "client";

/// Why an event could not be undone. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// The rules of the back office do not allow it.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
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
    /// Something else has happened to a row that would be deleted, with or without an event; or the
    /// row came back, and was deleted again.
    #[error("something has happened to the row since")]
    Overtaken,
    /// The bulk action has more events than are taken back at once.
    #[error("more events than are taken back at once")]
    TooMany,
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
    /// The last active owner would be lost.
    #[error("the last active owner must stay one")]
    LastOwner,
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
            StoreError::Conflict(Constraint::LastOwner) => Self::LastOwner,
            error => Self::Store(error),
        }
    }
}

/// Like [`undo`], for a worker of the back office: refuses what the worker may not do.
///
/// # Errors
/// [`UndoError`]; [`UndoError::Forbidden`] also for events that nobody takes back there, such as those
/// of accounts.
#[tracing::instrument(target = TRACE, name = "events.undo_by_staff", skip_all)]
pub async fn undo_by_staff(app: &App, event: &Event, doer: &Doer) -> Result<Undone, UndoError> {
    let action = access::to_undo(event.verb.action()).ok_or(Forbidden)?;
    let id = event.subject.id;
    match &*event.subject.resource {
        leads::RESOURCE => {
            let owner = owner(app, Some(LeadId(id))).await?;
            doer.check(action, Record::Lead(owner))?;
            check_fields(doer, Record::Lead(owner), &event.changes)?;
        }
        subscribers::RESOURCE => doer.check(action, Record::Subscriber)?,
        clients::RESOURCE => {
            let client = app.repositories()?.clients.find(ClientId(id)).await?;
            let owner = owner(app, client.and_then(|client| client.details.lead)).await?;
            doer.check(action, Record::Client(owner))?;
            check_fields(doer, Record::Client(owner), &event.changes)?;
        }
        _ => return Err(Forbidden.into()),
    }
    undo(app, event.id, &doer.author).await
}

/// Whether the worker may take back each of these fields of a record, besides [`access::to_undo`].
pub fn may_undo_fields<'a>(
    doer: &Doer,
    record: Record,
    fields: impl IntoIterator<Item = (&'a str, &'a Value)>,
) -> bool {
    fields.into_iter().all(|(name, before)| check_field(doer, record, name, before).is_ok())
}

fn check_fields(doer: &Doer, record: Record, changes: &Changes) -> Result<(), Forbidden> {
    let Changes::Fields(fields) = changes else { return Ok(()) };
    fields.iter().try_for_each(|(name, before, _)| check_field(doer, record, name, before))
}

/// Checks the right on a single field, as for a form.
fn check_field(doer: &Doer, record: Record, field: &str, before: &Value) -> Result<(), Forbidden> {
    match (record, field) {
        (Record::Lead(owner), "owner") => doer.check_owner(owner, before.as_i64().map(StaffId)),
        // Another lead gives the client to somebody else.
        (Record::Client(_), "lead") => doer.check(Action::Assign, record),
        (Record::Client(_), "monthly_charge" | "one_time_charge") => {
            doer.check(Action::Charge, record)
        }
        _ => Ok(()),
    }
}

/// The owner of a lead, who also looks after its client.
async fn owner(app: &App, lead: Option<LeadId>) -> Result<Option<StaffId>, StoreError> {
    let Some(lead) = lead else { return Ok(None) };
    let lead = app.repositories()?.leads.find(lead).await?;
    Ok(lead.and_then(|lead| lead.work.owner))
}

/// Takes the change of one event back, as a change of `author` with an event of its own:
///
/// - of an update, the fields whose value is still the one that the event left;
/// - of a deletion, the row comes back with its id, unless it was deleted again later; a lead is given
///   to its client again, if that still has no lead; a client comes back without its contract, if the
///   file of that is gone;
/// - a row that was created or restored is deleted, if nothing has happened to it since, and if it
///   is no lead that has become a client;
/// - a note that was added is removed, and one that was removed comes back.
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
            leads::RESOURCE => match self.action() {
                Verb::NOTED | Verb::NOTE_RESTORED => self.addition().await,
                Verb::NOTE_REMOVED => self.removal().await,
                _ => self.in_rows(&*all.leads).await,
            },
            subscribers::RESOURCE => self.in_rows(&*all.subscribers).await,
            clients::RESOURCE if self.action() == Verb::UPDATED => {
                if contracts::is_lost(self.app, self.event).await? {
                    return Err(UndoError::Missing(FILE));
                }
                self.in_rows(&*all.clients).await
            }
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
            let details = R::details(&seen);
            // Somebody else, or a second click, was faster.
            if self.event.changes.is_undone_in(&details) {
                return Ok(Undone { conflicts: Conflicts::new() });
            }
            let (undone, conflicts) = self.event.changes.undone_in(&details);
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
        let mut record = record.clone();
        let has_lost = contracts::is_lost(self.app, self.event).await?;
        if has_lost {
            record.insert(FILE.to_owned(), serde_json::Value::Null);
        }
        let row: R::Row = from_record(record).ok_or(UndoError::Unreadable)?;
        // The row is looked for before the events: if it is deleted in between, that event is seen.
        if rows.row(self.event.subject.id).await?.is_some() {
            return Err(UndoError::Exists);
        }
        // An earlier deletion would lose what has changed between the two.
        let is_later = |event: &Event| {
            event.id > self.event.id
                && event.verb.action() == Verb::DELETED
                && !self.is_of_batches(event)
        };
        if self.events_of_row().await?.iter().any(is_later) {
            return Err(UndoError::Overtaken);
        }
        // In a batch, the event of the client is undone by itself.
        let client = if self.batches.is_empty() { self.client(true).await? } else { None };
        let back = unless_stale(rows.bring_back(&row, client, &self.act()).await)?;
        let is_complete = back.ok_or(UndoError::Exists)? || client.is_none();
        let conflicts = [(!is_complete).then_some(CLIENT), has_lost.then_some(FILE)];
        Ok(Undone { conflicts: conflicts.into_iter().flatten().map(str::to_owned).collect() })
    }

    /// The client that lost its lead by the deletion that this event tells of, or got it by the
    /// restore. Its own event was stored with this one.
    async fn client(&self, lost: bool) -> Result<Option<ClientId>, StoreError> {
        let Event { act, subject, id, .. } = self.event;
        if &*subject.resource != leads::RESOURCE {
            return Ok(None);
        }
        let lead = Some(LeadId(subject.id));
        let (before, after) = if lost { (lead, None) } else { (None, lead) };
        let changes = Changes::one("lead", before, after);
        let filter = EventFilter {
            actor: Some(act.author.actor.clone()),
            verb: Some(Verb::of(clients::RESOURCE, Verb::UPDATED)),
            after: Some(act.at),
            before: Some(act.at + TimeDelta::microseconds(1)),
            ..EventFilter::default()
        };
        let events = all(self.app, &filter).await?;
        let is_with_this = |event: &&Event| event.act == *act && event.changes == changes;
        // The lead may have been deleted twice in the same microsecond.
        let nearest = |event: &&Event| event.id.0.abs_diff(id.0);
        let own = events.iter().filter(is_with_this).min_by_key(nearest);
        Ok(own.map(|event| ClientId(event.subject.id)))
    }

    async fn creation<R: Removable + ?Sized>(&self, rows: &R) -> Result<Undone, UndoError> {
        for _ in 0..ATTEMPTS {
            // The row is read before the events: a change in between is seen either there, or when
            // the row is deleted.
            let seen = rows.row(self.event.subject.id).await?.ok_or(UndoError::Gone)?;
            let events = self.events_of_row().await?;
            let is_explained = is_explained(&events, self.event.id, Some(&record(&seen)));
            if !is_explained || !self.is_last(&events) || self.has_become_a_client().await? {
                return Err(UndoError::Overtaken);
            }
            if unless_stale(rows.remove(&seen, &self.act()).await)?.is_some() {
                return Ok(Undone::default());
            }
        }
        Err(UndoError::Contended)
    }

    /// Removes the note that the event added.
    async fn addition(&self) -> Result<Undone, UndoError> {
        let id = LeadNote::added(&self.event.changes).ok_or(UndoError::Unreadable)?;
        let notes = &self.app.repositories()?.lead_notes;
        let note = notes.find(id).await?.ok_or(UndoError::Gone)?;
        notes.remove(&note, &self.act()).await?;
        Ok(Undone::default())
    }

    /// Brings the note back that the event removed.
    async fn removal(&self) -> Result<Undone, UndoError> {
        let note = LeadNote::removed(&self.event.changes).ok_or(UndoError::Unreadable)?;
        let back = self.app.repositories()?.lead_notes.restore(&note, &self.act()).await;
        unless_stale(back)?.map(|()| Undone::default()).ok_or(UndoError::Exists)
    }

    /// Whether the row is a lead that has become a client, other than by the event itself.
    async fn has_become_a_client(&self) -> Result<bool, StoreError> {
        if &*self.event.subject.resource != leads::RESOURCE {
            return Ok(false);
        }
        let all = self.app.repositories()?;
        match all.clients.find_by_lead(LeadId(self.event.subject.id)).await? {
            None => Ok(false),
            Some(client) => Ok(self.client(false).await? != Some(client.id)),
        }
    }

    /// Whether nothing but events has changed the row of a creation or a restore until now.
    pub(super) async fn is_explained(&self) -> Result<bool, StoreError> {
        let all = self.app.repositories()?;
        match &*self.event.subject.resource {
            leads::RESOURCE => self.is_explained_in(&*all.leads).await,
            subscribers::RESOURCE => self.is_explained_in(&*all.subscribers).await,
            clients::RESOURCE => self.is_explained_in(&*all.clients).await,
            _ => Ok(true),
        }
    }

    async fn is_explained_in<R: Removable + ?Sized>(&self, rows: &R) -> Result<bool, StoreError> {
        let now = rows.row(self.event.subject.id).await?.as_ref().map(record);
        Ok(is_explained(&self.events_of_row().await?, self.event.id, now.as_ref()))
    }

    /// All events of the row, in descending order of their ids.
    async fn events_of_row(&self) -> Result<Vec<Event>, StoreError> {
        let subject = &self.event.subject;
        let filter = EventFilter {
            resource: Some(subject.resource.clone()),
            id: Some(subject.id),
            ..EventFilter::default()
        };
        all(self.app, &filter).await
    }

    /// Whether no other event about the row came later, apart from those of the batches.
    fn is_last(&self, events: &[Event]) -> bool {
        let is_this = |event: &Event| event.id == self.event.id;
        // If the event itself was removed, because it is old, an earlier one is found, or none.
        let last = events.iter().find(|event| is_this(event) || !self.is_of_batches(event));
        last.is_some_and(is_this)
    }

    /// Whether an event belongs to the same undo.
    fn is_of_batches(&self, event: &Event) -> bool {
        event.act.author.batch.as_ref().is_some_and(|batch| self.batches.contains(batch))
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
