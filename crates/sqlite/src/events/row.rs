//! Rows of the table `events`.

use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::sqlite::Sqlite;
use exit3_domain::events::{Act, Actor, Author, BatchId, Changes, Event, EventId, Subject, Verb};
use exit3_ports::StoreError;

use crate::error::from_diesel;
use crate::values::{microseconds, moment, text};

/// An event of a write, without the id of the row.
pub struct EventRow {
    at: i64,
    actor: String,
    verb: String,
    resource: String,
    changes: Option<String>,
    batch: Option<String>,
    request: Option<String>,
}

impl EventRow {
    /// The event of an action by `act` on a row of this kind.
    ///
    /// # Errors
    /// A text with a NUL.
    pub fn of(
        act: &Act,
        resource: &str,
        action: &str,
        changes: &Changes,
    ) -> Result<Self, StoreError> {
        Self::new(act, &Verb::of(resource, action), resource, changes)
    }

    /// The event of an update; `None` if nothing has changed.
    ///
    /// # Errors
    /// Those of [`Self::of`].
    pub fn of_update(
        act: &Act,
        resource: &str,
        changes: &Changes,
    ) -> Result<Option<Self>, StoreError> {
        if changes.is_none() {
            return Ok(None);
        }
        Self::of(act, resource, Verb::UPDATED, changes).map(Some)
    }

    /// An error for a text with a NUL. JSON has none, because it escapes them.
    pub(super) fn new(
        act: &Act,
        verb: &Verb,
        resource: &str,
        changes: &Changes,
    ) -> Result<Self, StoreError> {
        let Act { author: Author { actor, request, batch }, at } = act;
        Ok(Self {
            at: microseconds(*at),
            actor: text(&actor.to_string())?,
            verb: text(verb.as_str())?,
            resource: text(resource)?,
            changes: changes.to_text(),
            batch: batch.as_ref().map(|batch| text(&batch.0)).transpose()?,
            request: request.as_deref().map(text).transpose()?,
        })
    }

    /// Stores the event about the row with this id.
    ///
    /// # Errors
    /// Those of [`from_diesel`].
    pub fn insert(&self, connection: &mut SqliteConnection, id: i64) -> Result<(), StoreError> {
        Insert { event: self, id }.execute(connection).map(drop).map_err(from_diesel)
    }
}

/// The statement that stores an event. Written by hand, so that diesel finds it in its cache by its
/// type and copies no text.
struct Insert<'a> {
    event: &'a EventRow,
    id: i64,
}

impl QueryFragment<Sqlite> for Insert<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let EventRow { at, actor, verb, resource, changes, batch, request } = self.event;
        out.push_sql(
            "INSERT INTO events \
             (at, resource_id, actor, verb, resource, changes, batch, request) VALUES (",
        );
        out.push_bind_param::<BigInt, _>(at)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&self.id)?;
        for text in [actor, verb, resource] {
            out.push_sql(", ");
            out.push_bind_param::<Text, _>(text)?;
        }
        for text in [changes, batch, request] {
            out.push_sql(", ");
            out.push_bind_param::<Nullable<Text>, _>(text)?;
        }
        out.push_sql(")");
        Ok(())
    }
}

impl QueryId for Insert<'_> {
    type QueryId = Insert<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<SqliteConnection> for Insert<'_> {}

/// The columns of a [`StoredRow`].
pub(super) const COLUMNS: &str =
    "id, at, actor, verb, resource, resource_id, changes, batch, request";

/// The SQL types of [`COLUMNS`].
pub(super) type EventTypes =
    (BigInt, BigInt, Text, Text, Text, BigInt, Nullable<Text>, Nullable<Text>, Nullable<Text>);

/// An event as it is read. The fields are in the order of [`COLUMNS`].
#[derive(Queryable)]
pub(super) struct StoredRow {
    id: i64,
    at: i64,
    actor: String,
    verb: String,
    resource: String,
    resource_id: i64,
    changes: Option<String>,
    batch: Option<String>,
    request: Option<String>,
}

impl TryFrom<StoredRow> for Event {
    type Error = StoreError;

    fn try_from(row: StoredRow) -> Result<Self, StoreError> {
        let StoredRow { id, at, actor, verb, resource, resource_id, changes, batch, request } = row;
        let verb = Verb::from_word(&verb);
        let changes = Changes::from_text(changes.as_deref(), verb.has_values());
        Ok(Self {
            id: EventId(id),
            act: Act {
                author: Author {
                    actor: Actor::from_words(&actor),
                    request: request.map(Into::into),
                    batch: batch.map(|batch| BatchId(batch.into())),
                },
                at: moment(at)?,
            },
            verb,
            subject: Subject { resource: resource.into(), id: resource_id },
            changes,
        })
    }
}
