//! Notes about leads in SQLite.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use exit3_domain::events::{Act, Actor, Verb};
use exit3_domain::lead_notes::{LeadNote, LeadNoteId};
use exit3_domain::leads::{LeadId, RESOURCE};
use exit3_ports::{Constraint, LeadNoteRepository, StoreError};

use crate::error::from_diesel;
use crate::events::EventRow;
use crate::sql::Sql;
use crate::store::SqliteStore;
use crate::values::{microseconds, microseconds_rounded_up, moment, text};

type NoteTypes = (BigInt, BigInt, BigInt, Text, Text);

const COLUMNS: &str = "SELECT id, lead_id, at, author, text FROM lead_notes";

/// A note as it is read.
#[derive(Queryable)]
struct NoteRow {
    id: i64,
    lead_id: i64,
    at: i64,
    author: String,
    text: String,
}

impl TryFrom<NoteRow> for LeadNote {
    type Error = StoreError;

    fn try_from(row: NoteRow) -> Result<Self, StoreError> {
        let NoteRow { id, lead_id, at, author, text } = row;
        let (at, author) = (moment(at)?, Actor::from_words(&author));
        Ok(Self { id: LeadNoteId(id), lead: LeadId(lead_id), at, author, text })
    }
}

/// Stores notes about leads.
#[derive(Clone)]
pub(crate) struct SqliteLeadNoteRepository {
    store: SqliteStore,
}

impl SqliteLeadNoteRepository {
    pub(crate) fn new(store: SqliteStore) -> Self {
        Self { store }
    }
}

#[async_trait]
impl LeadNoteRepository for SqliteLeadNoteRepository {
    async fn add(&self, lead: LeadId, given: &str, act: &Act) -> Result<LeadNote, StoreError> {
        let (at, author) = (microseconds(act.at), text(&act.author.actor.to_string())?);
        let (given, act) = (text(given)?, act.clone());
        let add = move |connection: &mut SqliteConnection| {
            let mut insert = Sql::<NoteTypes>::new(
                "INSERT INTO lead_notes (lead_id, at, author, text) SELECT id, ",
            );
            insert.int(at).sql(", ").text(author).sql(", ").text(given);
            insert.sql(" FROM leads WHERE id = ").int(lead.0);
            insert.sql(" RETURNING id, lead_id, at, author, text");
            let added = insert.get_result::<NoteRow>(connection).optional();
            let added = added.map_err(from_diesel)?.ok_or(StoreError::NotFound)?;
            let changes = LeadNote::addition(LeadNoteId(added.id));
            EventRow::of(&act, RESOURCE, Verb::NOTED, &changes)?.insert(connection, lead.0)?;
            added.try_into()
        };
        self.store.write(add).await
    }

    async fn find(&self, id: LeadNoteId) -> Result<Option<LeadNote>, StoreError> {
        let find = move |connection: &mut SqliteConnection| {
            let mut select = Sql::<NoteTypes>::new(COLUMNS);
            select.sql(" WHERE id = ").int(id.0);
            select.get_result::<NoteRow>(connection).optional()
        };
        self.store.readers.run(find).await?.map(LeadNote::try_from).transpose()
    }

    async fn list(
        &self,
        lead: LeadId,
        before: Option<(DateTime<Utc>, LeadNoteId)>,
        size: u32,
    ) -> Result<Vec<LeadNote>, StoreError> {
        let list = move |connection: &mut SqliteConnection| {
            let mut select = Sql::<NoteTypes>::new(COLUMNS);
            select.sql(" INDEXED BY lead_notes_by_lead WHERE lead_id = ").int(lead.0);
            if let Some((at, id)) = before {
                select.sql(" AND (at, id) < (").int(microseconds_rounded_up(at));
                select.sql(", ").int(id.0).sql(")");
            }
            select.sql(" ORDER BY at DESC, id DESC LIMIT ").int(size.into());
            select.load::<NoteRow>(connection)
        };
        let rows = self.store.read(list).await?;
        rows.into_iter().map(LeadNote::try_from).collect()
    }

    async fn remove(&self, note: &LeadNote, act: &Act) -> Result<(), StoreError> {
        let event = EventRow::of(act, RESOURCE, Verb::NOTE_REMOVED, &note.removal())?;
        let (id, lead) = (note.id.0, note.lead.0);
        let remove = move |connection: &mut SqliteConnection| {
            let mut delete = Sql::<()>::new("DELETE FROM lead_notes WHERE id = ");
            delete.int(id);
            match delete.execute(connection).map_err(from_diesel)? {
                0 => Err(StoreError::NotFound),
                _ => event.insert(connection, lead),
            }
        };
        self.store.write(remove).await
    }

    async fn restore(&self, note: &LeadNote, act: &Act) -> Result<(), StoreError> {
        let changes = LeadNote::addition(note.id);
        let event = EventRow::of(act, RESOURCE, Verb::NOTE_RESTORED, &changes)?;
        let LeadNote { id, lead, at, author, text: given } = note;
        let (id, lead, at) = (id.0, lead.0, microseconds(*at));
        let (author, given) = (text(&author.to_string())?, text(given)?);
        let restore = move |connection: &mut SqliteConnection| {
            let mut exists = Sql::<BigInt>::new("SELECT id FROM leads WHERE id = ");
            exists.int(lead);
            let exists = exists.get_result::<i64>(connection).optional().map_err(from_diesel)?;
            if exists.is_none() {
                return Err(StoreError::NotFound);
            }
            let mut insert =
                Sql::<()>::new("INSERT INTO lead_notes (id, lead_id, at, author, text) VALUES (");
            insert.int(id).sql(", ").int(lead).sql(", ").int(at).sql(", ").text(author);
            insert.sql(", ").text(given).sql(") ON CONFLICT (id) DO NOTHING");
            match insert.execute(connection).map_err(from_diesel)? {
                0 => Err(StoreError::Conflict(Constraint::Stale)),
                _ => event.insert(connection, lead),
            }
        };
        self.store.write(restore).await
    }

    async fn remove_orphans(&self, after: LeadId, most: u32) -> Result<Option<LeadId>, StoreError> {
        let remove = move |connection: &mut SqliteConnection| {
            let mut last = Sql::<Nullable<BigInt>>::new(
                "SELECT max(lead_id) FROM (SELECT DISTINCT lead_id FROM lead_notes WHERE lead_id > ",
            );
            last.int(after.0).sql(" ORDER BY lead_id LIMIT ").int(most.into()).sql(")");
            let last: Option<i64> = last.get_result(connection).map_err(from_diesel)?;
            let Some(last) = last else { return Ok(None) };
            let mut delete = Sql::<()>::new("DELETE FROM lead_notes WHERE lead_id > ");
            delete.int(after.0).sql(" AND lead_id <= ").int(last).sql(
                " AND NOT EXISTS (SELECT 1 FROM leads WHERE id = lead_notes.lead_id) \
                 AND NOT EXISTS (SELECT 1 FROM events INDEXED BY events_by_row \
                 WHERE resource = 'lead' AND resource_id = lead_notes.lead_id \
                 AND verb = 'lead.deleted')",
            );
            delete.execute(connection).map_err(from_diesel)?;
            Ok(Some(LeadId(last)))
        };
        self.store.write(remove).await
    }
}
