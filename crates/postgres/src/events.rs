//! Events in PostgreSQL.

mod consumers;
mod moved;
mod noted;

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::prelude::Queryable;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use exit3_domain::events::{
    Act, Actor, Author, BatchId, Changes, Event, EventFilter, EventId, NEVER_REMOVED, NewEvent,
    Subject, Verb,
};
use exit3_domain::jobs::{NewJob, micros};
use exit3_ports::events::{Consumer, EventPosition, LAST_IN_PAGE, Unread};
use exit3_ports::{Constraint, EventRepository, StoreError};

pub use self::noted::EventRow;
pub(crate) use self::noted::{Noted, NotedBoth, NotedEach};
use crate::jobs::enqueue::insert;
use crate::pool::PgPool;
use crate::sql::{Conditions, Sql, Value};

type EventColumns = (
    (BigInt, BigInt),
    Timestamptz,
    Text,
    Text,
    Text,
    BigInt,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
);

const COLUMNS: &str = "SELECT transaction_id, id, at, actor, verb, resource, resource_id, \
                       changes, batch, request FROM events";

/// An event as it is read.
#[derive(Queryable)]
struct StoredRow {
    position: (i64, i64),
    at: DateTime<Utc>,
    actor: String,
    verb: String,
    resource: String,
    resource_id: i64,
    changes: Option<String>,
    batch: Option<String>,
    request: Option<String>,
}

impl From<StoredRow> for Event {
    fn from(row: StoredRow) -> Self {
        let StoredRow { position, at, actor, verb, resource, resource_id, changes, batch, request } =
            row;
        let verb = Verb::from_word(&verb);
        let changes = Changes::from_text(changes.as_deref(), verb.has_values());
        Self {
            id: EventId(position.1),
            act: Act {
                author: Author {
                    actor: Actor::from_words(&actor),
                    request: request.map(Into::into),
                    batch: batch.map(|batch| BatchId(batch.into())),
                },
                at,
            },
            verb,
            subject: Subject { resource: resource.into(), id: resource_id },
            changes,
        }
    }
}

/// Stores events in PostgreSQL.
#[derive(Clone)]
pub(crate) struct PgEventRepository {
    pool: PgPool,
}

impl PgEventRepository {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    async fn rows(&self, query: Sql<EventColumns>) -> Result<Vec<StoredRow>, StoreError> {
        let found = self.pool.read(|mut connection| {
            let query = query.clone();
            async move {
                let found: QueryResult<Vec<StoredRow>> = query.load(&mut *connection).await;
                connection.done(found)
            }
        });
        found.await
    }

    async fn find_position(&self, consumer: &str) -> Result<FoundPosition, StoreError> {
        let found = self.pool.read(|mut connection| {
            let find = Sql::<(Nullable<BigInt>, Nullable<BigInt>, Bool)>::cached(
                "SELECT kept.transaction_id, kept.event_id, coalesce(greatest(\
                     kept.transaction_id, (SELECT max(transaction_id) FROM events)) > ",
            )
            .sql(moved::NEXT)
            .sql(", false) FROM (SELECT) AS always LEFT JOIN event_consumers AS kept ON name = ")
            .value(Value::Text(Some(consumer.to_owned())));
            async move {
                let found: QueryResult<FoundPosition> = find.get_result(&mut *connection).await;
                connection.done(found)
            }
        });
        found.await
    }

    /// The position of a consumer, which is stored behind all events if the consumer is new.
    async fn position(&self, consumer: &str) -> Result<EventPosition, StoreError> {
        let mut found = self.find_position(consumer).await?;
        if found.2 {
            moved::adopt(&self.pool).await?;
            found = self.find_position(consumer).await?;
        }
        match found {
            // Another node is still moving them.
            (.., true) => return Err(StoreError::Unavailable("its events are being moved".into())),
            (Some(transaction), Some(id), false) => return Ok(EventPosition { transaction, id }),
            _ => {}
        }
        // Transactions that are open now are behind the position.
        let placed = self.pool.write(|mut connection| {
            let place = Sql::<(BigInt, BigInt)>::cached(
                "INSERT INTO event_consumers AS kept (name, transaction_id, event_id) SELECT ",
            )
            .value(Value::Text(Some(consumer.to_owned())))
            .sql(", ")
            .sql(OLDEST_OPEN)
            .sql(
                ", 0 ON CONFLICT (name) DO UPDATE SET event_id = kept.event_id \
                 RETURNING transaction_id, event_id",
            );
            async move {
                let placed: QueryResult<(i64, i64)> = place.get_result(&mut *connection).await;
                connection.done(placed)
            }
        });
        let (transaction, id) = placed.await?;
        Ok(EventPosition { transaction, id })
    }
}

/// The position of a consumer, if it has one, and whether events or consumers come from another server.
type FoundPosition = (Option<i64>, Option<i64>, bool);

/// The id of the oldest transaction that is still open.
const OLDEST_OPEN: &str = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint";

#[async_trait]
impl EventRepository for PgEventRepository {
    async fn note(&self, event: &NewEvent, act: &Act) -> Result<(), StoreError> {
        let NewEvent { verb, subject, changes } = event;
        let noted = self.pool.write(|mut connection| {
            let text = |text: &str| Value::Text(Some(text.to_owned()));
            let optional = |text: Option<&str>| Value::Text(text.map(str::to_owned));
            let query = Sql::<()>::cached(
                "INSERT INTO events \
                 (at, actor, verb, resource, resource_id, changes, batch, request) VALUES (",
            )
            .value(Value::Time(act.at))
            .sql(", ")
            .value(text(&act.author.actor.to_string()))
            .sql(", ")
            .value(text(verb.as_str()))
            .sql(", ")
            .value(text(&subject.resource))
            .sql(", ")
            .value(Value::BigInt(subject.id))
            .sql(", ")
            .value(Value::Text(changes.to_text()))
            .sql(", ")
            .value(optional(act.author.batch.as_ref().map(|batch| &*batch.0)))
            .sql(", ")
            .value(optional(act.author.request.as_deref()))
            .sql(")");
            async move {
                let noted = query.execute(&mut *connection).await;
                connection.done(noted)
            }
        });
        noted.await.map(drop)
    }

    async fn find(&self, id: EventId) -> Result<Option<Event>, StoreError> {
        let query = Sql::cached(COLUMNS).sql(" WHERE id = ").value(Value::BigInt(id.0));
        Ok(self.rows(query).await?.pop().map(Event::from))
    }

    async fn of_request(&self, key: &str) -> Result<Option<Event>, StoreError> {
        let query = Sql::<EventColumns>::cached(COLUMNS)
            .sql(
                " WHERE left(batch, 5) = 'once-' AND right(verb, 8) = '.created' \
                 AND left(batch, 37) = ",
            )
            .value(Value::Text(Some(key.to_owned())));
        // Like a write: the caller sees in later lists what the earlier request has written.
        let found = self.pool.write(|mut connection| {
            let query = query.clone();
            async move {
                let found: QueryResult<Vec<StoredRow>> = query.load(&mut *connection).await;
                connection.done(found)
            }
        });
        Ok(found.await?.pop().map(Event::from))
    }

    async fn of_creations(&self, resource: &str, ids: &[i64]) -> Result<Vec<Event>, StoreError> {
        let text = |text: &str| Value::Text(Some(text.to_owned()));
        let query = Sql::<EventColumns>::cached(COLUMNS).sql(" WHERE resource = ");
        let query = query.value(text(resource)).sql(" AND resource_id = ANY (");
        let query = query.value(Value::BigInts(ids.to_vec())).sql(") AND verb = ");
        let query = query.value(text(Verb::of(resource, Verb::CREATED).as_str()));
        Ok(self.rows(query).await?.into_iter().map(Event::from).collect())
    }

    async fn list(
        &self,
        filter: &EventFilter,
        before: Option<(DateTime<Utc>, EventId)>,
        size: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let query = Sql::planned(COLUMNS).all_of(&conditions(filter, before));
        // The same order twice: each is that of other indexes.
        let order = match is_by_time(filter) {
            true => " ORDER BY at DESC NULLS LAST, id DESC LIMIT ",
            false => " ORDER BY at DESC, id DESC LIMIT ",
        };
        let query = query.sql(order).value(Value::BigInt(size.into()));
        Ok(self.rows(query).await?.into_iter().map(Event::from).collect())
    }

    async fn unread(&self, consumer: &str, size: u32) -> Result<Unread, StoreError> {
        let from = self.position(consumer).await?;
        // Events of transactions that are still open may come before events that are visible.
        let query = Sql::<EventColumns>::cached(COLUMNS)
            .sql(" WHERE (transaction_id, id) > (")
            .value(Value::BigInt(from.transaction))
            .sql(", ")
            .value(Value::BigInt(from.id))
            .sql(") AND transaction_id < ")
            .sql(OLDEST_OPEN)
            .sql(" ORDER BY transaction_id, id LIMIT ")
            .value(Value::BigInt(size.into()));
        let found = self.rows(query).await?;
        let to = found.last().map_or(from, |row| {
            let (transaction, id) = row.position;
            EventPosition { transaction, id }
        });
        Ok(Unread { from, to, events: found.into_iter().map(Event::from).collect() })
    }

    async fn note_read(
        &self,
        consumer: &str,
        read: &Unread,
        jobs: &[NewJob],
    ) -> Result<(), StoreError> {
        let Unread { from, to, events: _ } = read;
        let moved = self.pool.write(|mut connection| {
            let query = Sql::<()>::cached("UPDATE event_consumers SET transaction_id = ")
                .value(Value::BigInt(to.transaction))
                .sql(", event_id = ")
                .value(Value::BigInt(to.id))
                .sql(" WHERE name = ")
                .value(Value::Text(Some(consumer.to_owned())))
                .sql(" AND transaction_id = ")
                .value(Value::BigInt(from.transaction))
                .sql(" AND event_id = ")
                .value(Value::BigInt(from.id));
            async move {
                let moved = async {
                    connection.batch_execute("BEGIN").await?;
                    let moved = query.execute(&mut *connection).await?;
                    if moved > 0 && !jobs.is_empty() {
                        insert(&mut connection, jobs).await?;
                    }
                    connection.batch_execute("COMMIT").await?;
                    Ok(moved)
                };
                let moved = moved.await;
                connection.done_in_transaction(moved)
            }
        });
        if moved.await? == 0 { Err(StoreError::Conflict(Constraint::Stale)) } else { Ok(()) }
    }

    async fn consumers(&self) -> Result<Vec<Consumer>, StoreError> {
        consumers::all(&self.pool).await
    }

    async fn forget_consumer(&self, consumer: &str) -> Result<(), StoreError> {
        consumers::forget(&self.pool, consumer).await
    }

    async fn last_older_than(&self, age: Duration) -> Result<Option<DateTime<Utc>>, StoreError> {
        let mut before = i64::MAX;
        loop {
            let found = self.pool.read(|mut connection| {
                let page = Sql::<(Nullable<Timestamptz>, Nullable<BigInt>)>::cached(
                    "WITH page AS (SELECT id, at FROM events WHERE id < ",
                )
                .value(Value::BigInt(before))
                .sql(" ORDER BY id DESC LIMIT ")
                .value(Value::BigInt(LAST_IN_PAGE.into()))
                .sql(") SELECT (SELECT at FROM page WHERE at < now() - ")
                .value(Value::BigInt(micros(age)))
                .sql(
                    " * interval '1 microsecond' ORDER BY id DESC LIMIT 1), \
                     (SELECT min(id) FROM page)",
                );
                async move {
                    let found: QueryResult<(Option<DateTime<Utc>>, Option<i64>)> =
                        page.get_result(&mut *connection).await;
                    connection.done(found)
                }
            });
            match found.await? {
                (None, Some(first)) => before = first,
                (found, _) => return Ok(found),
            }
        }
    }

    async fn remove_before(&self, at: DateTime<Utc>, most: u32) -> Result<u64, StoreError> {
        let removed = self.pool.write(|mut connection| {
            let query = Sql::<()>::cached(
                "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE at < ",
            )
            .value(Value::time(at))
            .sql(" AND verb <> ")
            .value(Value::Text(Some(NEVER_REMOVED.to_owned())))
            .sql(
                " AND NOT EXISTS (SELECT 1 FROM event_consumers consumer \
                 WHERE (consumer.transaction_id, consumer.event_id) \
                     < (events.transaction_id, events.id)) \
                 ORDER BY at NULLS FIRST, id LIMIT ",
            )
            .value(Value::BigInt(most.into()))
            .sql(")");
            async move {
                let removed = query.execute(&mut *connection).await;
                connection.done(removed)
            }
        });
        Ok(removed.await? as u64)
    }
}

/// Whether nothing but the time decides which events match.
fn is_by_time(filter: &EventFilter) -> bool {
    let EventFilter { after, before, .. } = *filter;
    *filter == EventFilter { after, before, ..EventFilter::default() }
}

fn conditions(filter: &EventFilter, before: Option<(DateTime<Utc>, EventId)>) -> Conditions {
    let EventFilter { actor, verb, resource: _, id, batch, after, before: _ } = filter;
    let mut conditions = Conditions::default();
    let mut equals = |column: &'static str, text: Option<String>| {
        if let Some(text) = text {
            // Stored texts contain no NUL, and PostgreSQL refuses it as a parameter.
            match text.contains('\0') {
                true => conditions.add_sql("false"),
                false => conditions.add(column, Value::Text(Some(text)), ""),
            }
        }
    };
    equals("actor = ", actor.as_ref().map(ToString::to_string));
    // The index of verbs begins with the kind of resource.
    equals("resource = ", filter.only_resource().map(str::to_owned));
    equals("verb = ", verb.as_ref().map(ToString::to_string));
    equals("batch = ", batch.as_ref().map(|batch| batch.0.to_string()));
    if let Some(id) = id {
        conditions.add("resource_id = ", Value::BigInt(*id), "");
    }
    if let Some(after) = after {
        conditions.add("at >= ", Value::time(*after), "");
    }
    // One bound alone, because PostgreSQL would read from the first one of several.
    if let Some((at, id)) = filter.end(before) {
        conditions.add_beyond(&["at", "id"], true, &[Value::time(at), Value::BigInt(id.0)]);
    }
    conditions
}
