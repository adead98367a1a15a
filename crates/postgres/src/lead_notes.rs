//! Notes about leads in PostgreSQL.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::prelude::{OptionalExtension, Queryable};
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use exit3_domain::events::{Act, Actor, Author, Verb};
use exit3_domain::lead_notes::{LeadNote, LeadNoteId};
use exit3_domain::leads::{LeadId, RESOURCE};
use exit3_ports::{LeadNoteRepository, StoreError};

use crate::pool::PgPool;
use crate::sql::{Conditions, Sql, Value};
use crate::stale::written;

type NoteColumns = (BigInt, BigInt, Timestamptz, Text, Text);

const COLUMNS: &str = "SELECT id, lead_id, at, author, text FROM lead_notes";

/// A note as it is read.
#[derive(Queryable)]
struct NoteRow {
    id: i64,
    lead_id: i64,
    at: DateTime<Utc>,
    author: String,
    text: String,
}

impl From<NoteRow> for LeadNote {
    fn from(row: NoteRow) -> Self {
        let NoteRow { id, lead_id, at, author, text } = row;
        let author = Actor::from_words(&author);
        Self { id: LeadNoteId(id), lead: LeadId(lead_id), at, author, text }
    }
}

/// Stores notes about leads in PostgreSQL.
#[derive(Clone)]
pub(crate) struct PgLeadNoteRepository {
    pool: PgPool,
}

impl PgLeadNoteRepository {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    async fn rows(&self, query: Sql<NoteColumns>) -> Result<Vec<LeadNote>, StoreError> {
        let found = self.pool.read(|mut connection| {
            let query = query.clone();
            async move {
                let found: QueryResult<Vec<NoteRow>> = query.load(&mut *connection).await;
                connection.done(found)
            }
        });
        Ok(found.await?.into_iter().map(LeadNote::from).collect())
    }
}

/// Finds a lead.
const FIND: &str = "SELECT 1 FROM leads WHERE id = ";

#[async_trait]
impl LeadNoteRepository for PgLeadNoteRepository {
    async fn add(&self, lead: LeadId, text: &str, act: &Act) -> Result<LeadNote, StoreError> {
        let added = self.pool.write(|mut connection| {
            let query = Sql::<NoteColumns>::cached(
                "WITH written AS (INSERT INTO lead_notes (lead_id, at, author, text) SELECT id, ",
            );
            let query = values(query, act.at, &act.author.actor, text)
                .sql(" FROM leads WHERE id = ")
                .value(Value::BigInt(lead.0))
                .sql(" RETURNING id, lead_id, at, author, text), ");
            let query = event(query, act, Verb::NOTED).sql(
                "'{\"note\":[null,' || id || ']}', lead_id FROM written) SELECT * FROM written",
            );
            async move {
                let added: QueryResult<NoteRow> = query.get_result(&mut *connection).await;
                connection.done(added.optional())
            }
        });
        added.await?.map(LeadNote::from).ok_or(StoreError::NotFound)
    }

    async fn find(&self, id: LeadNoteId) -> Result<Option<LeadNote>, StoreError> {
        let query = Sql::cached(COLUMNS).sql(" WHERE id = ").value(Value::BigInt(id.0));
        Ok(self.rows(query).await?.pop())
    }

    async fn list(
        &self,
        lead: LeadId,
        before: Option<(DateTime<Utc>, LeadNoteId)>,
        size: u32,
    ) -> Result<Vec<LeadNote>, StoreError> {
        let mut conditions = Conditions::default();
        conditions.add("lead_id = ", Value::BigInt(lead.0), "");
        if let Some((at, id)) = before {
            conditions.add_beyond(&["at", "id"], true, &[Value::time(at), Value::BigInt(id.0)]);
        }
        let query = Sql::cached(COLUMNS).all_of(&conditions);
        let query = query.sql(" ORDER BY at DESC, id DESC LIMIT ");
        self.rows(query.value(Value::BigInt(size.into()))).await
    }

    async fn remove(&self, note: &LeadNote, act: &Act) -> Result<(), StoreError> {
        let removed = self.pool.write(|mut connection| {
            let query =
                Sql::<BigInt>::cached("WITH written AS (DELETE FROM lead_notes WHERE id = ")
                    .value(Value::BigInt(note.id.0))
                    .sql(" RETURNING id, lead_id), ");
            let query = event(query, act, Verb::NOTE_REMOVED)
                .value(Value::Text(note.removal().to_text()))
                .sql(", lead_id FROM written) SELECT id FROM written");
            async move {
                let removed: QueryResult<i64> = query.get_result(&mut *connection).await;
                connection.done(removed.optional())
            }
        });
        removed.await?.map(drop).ok_or(StoreError::NotFound)
    }

    async fn restore(&self, note: &LeadNote, act: &Act) -> Result<(), StoreError> {
        let LeadNote { id, lead, at, author, text } = note;
        let restored = self.pool.write(|mut connection| {
            let query = Sql::<BigInt>::cached(
                "WITH written AS (INSERT INTO lead_notes (id, lead_id, at, author, text) SELECT ",
            );
            let query = query.value(Value::BigInt(id.0)).sql(", id, ");
            let query = values(query, *at, author, text)
                .sql(" FROM leads WHERE id = ")
                .value(Value::BigInt(lead.0))
                .sql(" ON CONFLICT DO NOTHING RETURNING id, lead_id), ");
            let query = event(query, act, Verb::NOTE_RESTORED)
                .value(Value::Text(LeadNote::addition(*id).to_text()))
                .sql(", lead_id FROM written) SELECT id FROM written");
            async move {
                let restored: QueryResult<i64> = query.get_result(&mut *connection).await;
                connection.done(restored.optional())
            }
        });
        let restored = restored.await?;
        written(&self.pool, FIND, lead.0, restored).await.map(drop)
    }

    async fn remove_orphans(&self, after: LeadId, most: u32) -> Result<Option<LeadId>, StoreError> {
        let last = self.pool.write(|mut connection| {
            let query = Sql::<Nullable<BigInt>>::cached(
                "WITH looked AS (SELECT DISTINCT lead_id FROM lead_notes WHERE lead_id > ",
            )
            .value(Value::BigInt(after.0))
            .sql(" ORDER BY lead_id LIMIT ")
            .value(Value::BigInt(most.into()))
            .sql(REMOVE_ORPHANS);
            async move {
                let last: QueryResult<Option<i64>> = query.get_result(&mut *connection).await;
                connection.done(last)
            }
        });
        Ok(last.await?.map(LeadId))
    }
}

/// Removes the notes of those `looked` leads that are gone for good.
const REMOVE_ORPHANS: &str = "), removed AS ( \
    DELETE FROM lead_notes USING looked WHERE lead_notes.lead_id = looked.lead_id \
        AND NOT EXISTS (SELECT FROM leads WHERE id = looked.lead_id) \
        AND NOT EXISTS (SELECT FROM events WHERE resource = 'lead' \
            AND resource_id = looked.lead_id AND verb = 'lead.deleted')) \
    SELECT max(lead_id) FROM looked";

/// Adds the time, the author and the text of a note.
fn values<ST>(sql: Sql<ST>, at: DateTime<Utc>, author: &Actor, text: &str) -> Sql<ST> {
    let sql = sql.value(Value::Time(at)).sql(", ").value(Value::Text(Some(author.to_string())));
    sql.sql(", ").value(Value::Text(Some(text.to_owned())))
}

/// Adds the beginning of the event that tells what `written` did. The changes, the id of the lead
/// and the rest follow.
fn event<ST>(sql: Sql<ST>, act: &Act, action: &str) -> Sql<ST> {
    let Act { author: Author { actor, request, batch }, at } = act;
    let batch = batch.as_ref().map(|batch| batch.0.to_string());
    let texts = [
        Some(actor.to_string()),
        batch,
        request.as_deref().map(str::to_owned),
        Some(Verb::of(RESOURCE, action).to_string()),
        Some(RESOURCE.to_owned()),
    ];
    let sql = sql.sql(
        "noted AS (INSERT INTO events \
         (at, actor, batch, request, verb, resource, changes, resource_id) SELECT ",
    );
    let sql = sql.value(Value::Time(*at)).sql(", ");
    texts.into_iter().fold(sql, |sql, text| sql.value(Value::Text(text)).sql(", "))
}
