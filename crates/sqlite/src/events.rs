//! Events in SQLite.

mod list;
mod row;

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use exit3_domain::events::{Act, Event, EventFilter, EventId, NewEvent, Verb};
use exit3_domain::jobs::{NewJob, micros};
use exit3_ports::events::{Consumer, EventPosition, LAST_IN_PAGE, TABLE, Unread};
use exit3_ports::{Constraint, EventRepository, StoreError};

pub use self::row::EventRow;
use self::row::{COLUMNS, EventTypes, StoredRow};
use crate::error::from_diesel;
use crate::jobs::NOW;
use crate::jobs::enqueue::insert;
use crate::sql::Sql;
use crate::store::SqliteStore;
use crate::transfer::last_id;
use crate::values::{microseconds_rounded_up, moment, text};

/// Reads events, and stores those that belong to no other write.
#[derive(Clone)]
pub(crate) struct SqliteEventRepository {
    store: SqliteStore,
}

impl SqliteEventRepository {
    pub(crate) fn new(store: SqliteStore) -> Self {
        Self { store }
    }

    /// The events behind the position of a consumer; `None` if it has no position yet.
    async fn behind(&self, consumer: &str, size: u32) -> Result<Option<Unread>, StoreError> {
        let consumer = consumer.to_owned();
        let read = move |connection: &mut SqliteConnection| {
            let mut position = Sql::<BigInt>::new("SELECT event_id FROM event_consumers");
            position.sql(" WHERE name = ").text(consumer);
            let Some(after) = position.get_result::<i64>(connection).optional()? else {
                return Ok(None);
            };
            let mut select = Sql::<EventTypes>::new("SELECT ");
            select.sql(COLUMNS).sql(" FROM events WHERE id > ").int(after);
            select.sql(" ORDER BY id LIMIT ").int(size.into());
            Ok(Some((after, select.load::<StoredRow>(connection)?)))
        };
        let Some((after, rows)) = self.store.read(read).await? else {
            return Ok(None);
        };
        let events: Vec<Event> = rows.into_iter().map(Event::try_from).collect::<Result<_, _>>()?;
        let last = events.last().map_or(after, |event| event.id.0);
        // One connection writes, so ids are in the order of commits.
        let position = |id| EventPosition { transaction: 0, id };
        Ok(Some(Unread { from: position(after), to: position(last), events }))
    }
}

#[async_trait]
impl EventRepository for SqliteEventRepository {
    async fn note(&self, event: &NewEvent, act: &Act) -> Result<(), StoreError> {
        let NewEvent { verb, subject, changes } = event;
        let (row, id) = (EventRow::new(act, verb, &subject.resource, changes)?, subject.id);
        let note = move |connection: &mut SqliteConnection| row.insert(connection, id);
        self.store.write(note).await
    }

    async fn find(&self, id: EventId) -> Result<Option<Event>, StoreError> {
        let find = move |connection: &mut SqliteConnection| {
            let mut select = Sql::<EventTypes>::new("SELECT ");
            select.sql(COLUMNS).sql(" FROM events WHERE id = ").int(id.0);
            select.get_result::<StoredRow>(connection).optional()
        };
        self.store.readers.run(find).await?.map(Event::try_from).transpose()
    }

    async fn of_request(&self, key: &str) -> Result<Option<Event>, StoreError> {
        let key = text(key)?;
        let find = move |connection: &mut SqliteConnection| {
            let mut select = Sql::<EventTypes>::new("SELECT ");
            select.sql(COLUMNS).sql(
                " FROM events WHERE substr(batch, 1, 5) = 'once-' \
                 AND substr(verb, -8) = '.created' AND substr(batch, 1, 37) = ",
            );
            select.text(key);
            select.get_result::<StoredRow>(connection).optional()
        };
        self.store.readers.run(find).await?.map(Event::try_from).transpose()
    }

    async fn of_creations(&self, resource: &str, ids: &[i64]) -> Result<Vec<Event>, StoreError> {
        let (ids, verb) = (ids.to_vec(), Verb::of(resource, Verb::CREATED));
        let (resource, verb) = (text(resource)?, text(verb.as_str())?);
        let find = move |connection: &mut SqliteConnection| {
            let mut found: Vec<StoredRow> = Vec::new();
            for id in ids {
                let mut select = Sql::<EventTypes>::new("SELECT ");
                select.sql(COLUMNS).sql(" FROM events WHERE resource = ").text(&*resource);
                select.sql(" AND resource_id = ").int(id).sql(" AND verb = ").text(&*verb);
                found.extend(select.load::<StoredRow>(connection)?);
            }
            Ok(found)
        };
        self.store.read(find).await?.into_iter().map(Event::try_from).collect()
    }

    async fn list(
        &self,
        filter: &EventFilter,
        before: Option<(DateTime<Utc>, EventId)>,
        size: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let filter = filter.clone();
        let list =
            move |connection: &mut SqliteConnection| list::list(connection, &filter, before, size);
        let rows = self.store.read(list).await?;
        rows.into_iter().map(Event::try_from).collect()
    }

    async fn unread(&self, consumer: &str, size: u32) -> Result<Unread, StoreError> {
        if let Some(unread) = self.behind(consumer, size).await? {
            return Ok(unread);
        }
        let name = text(consumer)?;
        let begin = move |connection: &mut SqliteConnection| {
            let last = last_id(connection, &TABLE)?;
            let mut insert = Sql::<()>::new(
                "INSERT INTO event_consumers (name, transaction_id, event_id) VALUES (",
            );
            insert.text(name).sql(", 0, ").int(last).sql(") ON CONFLICT DO NOTHING");
            insert.execute(connection).map(drop).map_err(from_diesel)
        };
        self.store.write(begin).await?;
        self.behind(consumer, size).await?.ok_or(StoreError::NotFound)
    }

    async fn note_read(
        &self,
        consumer: &str,
        read: &Unread,
        jobs: &[NewJob],
    ) -> Result<(), StoreError> {
        let jobs = jobs.to_vec();
        let (consumer, from, to) = (text(consumer)?, read.from.id, read.to.id);
        let note = move |connection: &mut SqliteConnection| {
            let mut update = Sql::<()>::new("UPDATE event_consumers SET event_id = ");
            update.int(to).sql(" WHERE name = ").text(consumer).sql(" AND event_id = ").int(from);
            match update.execute(connection).map_err(from_diesel)? {
                0 => Err(StoreError::Conflict(Constraint::Stale)),
                _ => insert(connection, &jobs).map(drop),
            }
        };
        self.store.write(note).await
    }

    async fn consumers(&self) -> Result<Vec<Consumer>, StoreError> {
        let list = |connection: &mut SqliteConnection| {
            let select = Sql::<(Text, Nullable<BigInt>)>::new(
                "SELECT name, (SELECT at FROM events WHERE id > event_id ORDER BY id LIMIT 1) \
                 FROM event_consumers ORDER BY name",
            );
            select.load::<(String, Option<i64>)>(connection)
        };
        let consumer = |(name, at): (String, Option<i64>)| {
            Ok(Consumer { name, unread_since: at.map(moment).transpose()? })
        };
        self.store.read(list).await?.into_iter().map(consumer).collect()
    }

    async fn forget_consumer(&self, consumer: &str) -> Result<(), StoreError> {
        let name = text(consumer)?;
        let forget = move |connection: &mut SqliteConnection| {
            let mut delete = Sql::<()>::new("DELETE FROM event_consumers WHERE name = ");
            delete.text(name);
            match delete.execute(connection).map_err(from_diesel)? {
                0 => Err(StoreError::NotFound),
                _ => Ok(()),
            }
        };
        self.store.write(forget).await
    }

    async fn last_older_than(&self, age: Duration) -> Result<Option<DateTime<Utc>>, StoreError> {
        let mut before = i64::MAX;
        loop {
            let find = move |connection: &mut SqliteConnection| {
                let mut page = Sql::<(Nullable<BigInt>, Nullable<BigInt>)>::new(
                    "WITH page AS MATERIALIZED (SELECT id, at FROM events NOT INDEXED WHERE id < ",
                );
                page.int(before).sql(" ORDER BY id DESC LIMIT ").int(LAST_IN_PAGE.into());
                page.sql(") SELECT (SELECT at FROM page WHERE at < ").sql(NOW).sql(" - ");
                page.int(micros(age)).sql(" ORDER BY id DESC LIMIT 1), ");
                page.sql("(SELECT min(id) FROM page)");
                page.get_result::<(Option<i64>, Option<i64>)>(connection)
            };
            match self.store.readers.run(find).await? {
                (None, Some(first)) => before = first,
                (found, _) => return found.map(moment).transpose(),
            }
        }
    }

    async fn remove_before(&self, at: DateTime<Utc>, most: u32) -> Result<u64, StoreError> {
        let at = microseconds_rounded_up(at);
        let remove = move |connection: &mut SqliteConnection| {
            list::remove_before(connection, at, most).map_err(from_diesel)
        };
        Ok(self.store.write(remove).await? as u64)
    }
}
