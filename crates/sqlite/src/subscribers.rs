//! Subscribers in SQLite.

mod list;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel::sqlite::Sqlite;
use exit3_domain::email::{canonical, other_spellings};
use exit3_domain::events::{Act, Changes, Verb, record};
use exit3_domain::paging::{Glance, Page, PageRequest, Slice, Step};
use exit3_domain::subscribers::{
    NewSubscriber, RESOURCE, Subscriber, SubscriberFilter, SubscriberId, SubscriberOrder,
};
use exit3_ports::subscribers::EMAIL_TAKEN;
use exit3_ports::{Constraint, StoreError, SubscriberRepository};

use crate::error::from_diesel;
use crate::events::EventRow;
use crate::sql::{Cached, Sql};
use crate::store::{PATIENCE_FOR_MANY, SqliteStore, check_seen};
use crate::values::text;

diesel::table! {
    subscribers (id) {
        id -> BigInt,
        email -> Text,
        is_subscribed -> Bool,
        search_document -> Text,
    }
}

/// Stores newsletter subscribers.
#[derive(Clone)]
pub(crate) struct SqliteSubscriberRepository {
    store: SqliteStore,
}

impl SqliteSubscriberRepository {
    pub(crate) fn new(store: SqliteStore) -> Self {
        Self { store }
    }
}

/// A subscriber as it is read.
#[derive(Queryable, Selectable)]
#[diesel(table_name = subscribers, check_for_backend(Sqlite))]
pub(crate) struct SubscriberRow {
    id: i64,
    email: String,
    is_subscribed: bool,
}

impl From<SubscriberRow> for Subscriber {
    fn from(row: SubscriberRow) -> Self {
        // Without `..`, here and below, so that no new column can be forgotten.
        let SubscriberRow { id, email, is_subscribed } = row;
        Self { id: SubscriberId(id), email, is_subscribed }
    }
}

/// The columns that a caller can set, and the one derived from them.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = subscribers)]
struct NewRow {
    email: String,
    is_subscribed: bool,
    search_document: String,
}

impl NewRow {
    /// With the canonical address.
    fn of(subscriber: &NewSubscriber) -> Result<Self, StoreError> {
        let email = canonical(&text(&subscriber.email)?);
        Ok(Self { email, ..Self::as_spelled(subscriber)? })
    }

    /// With the address as it is.
    fn as_spelled(subscriber: &NewSubscriber) -> Result<Self, StoreError> {
        let NewSubscriber { email, is_subscribed } = subscriber;
        Ok(Self {
            email: text(email)?,
            is_subscribed: *is_subscribed,
            search_document: subscriber.search_document(),
        })
    }
}

#[async_trait]
impl SubscriberRepository for SqliteSubscriberRepository {
    async fn create(
        &self,
        subscriber: &NewSubscriber,
        act: &Act,
    ) -> Result<Subscriber, StoreError> {
        let row = NewRow::of(subscriber)?;
        let event = EventRow::of(act, RESOURCE, Verb::CREATED, &Changes::None)?;
        let insert = move |connection: &mut SqliteConnection| {
            if holder_of(connection, &row.email, None).map_err(from_diesel)?.is_some() {
                return Err(StoreError::Conflict(EMAIL_TAKEN));
            }
            let created: SubscriberRow = diesel::insert_into(subscribers::table)
                .values(row)
                .returning(SubscriberRow::as_returning())
                .get_result(connection)
                .map_err(from_diesel)?;
            event.insert(connection, created.id)?;
            Ok(created)
        };
        self.store.write(insert).await.map(Subscriber::from)
    }

    async fn ensure(&self, subscriber: &NewSubscriber, act: &Act) -> Result<(), StoreError> {
        let row = NewRow::of(subscriber)?;
        let created = EventRow::of(act, RESOURCE, Verb::CREATED, &Changes::None)?;
        let again = Changes::one("is_subscribed", false, true);
        let again = EventRow::of(act, RESOURCE, Verb::UPDATED, &again)?;
        let ensure = move |connection: &mut SqliteConnection| {
            let held = of_address(connection, &row.email).map_err(from_diesel)?;
            let event = match &held {
                None => Some(created),
                Some(held) => (row.is_subscribed && !held.is_subscribed).then_some(again),
            };
            let row = NewRow { email: held.map_or(row.email, |held| held.email), ..row };
            // An existing row is rewritten unchanged, so that it takes a commit as well.
            let kept = ") ON CONFLICT (email) DO UPDATE SET email = excluded.email, \
                 is_subscribed = subscribers.is_subscribed OR excluded.is_subscribed RETURNING id";
            let id: i64 = insert(row, kept).get_result(connection).map_err(from_diesel)?;
            event.map_or(Ok(()), |event| event.insert(connection, id))
        };
        self.store.write(ensure).await
    }

    async fn create_many(
        &self,
        subscribers: &[NewSubscriber],
        act: &Act,
    ) -> Result<u64, StoreError> {
        let rows: Result<Vec<_>, StoreError> = subscribers.iter().map(NewRow::of).collect();
        let rows = rows?;
        if rows.is_empty() {
            return Ok(0);
        }
        let event = EventRow::of(act, RESOURCE, Verb::CREATED, &Changes::None)?;
        let insert = move |connection: &mut SqliteConnection| {
            let mut stored = 0;
            for row in rows {
                if holder_of(connection, &row.email, None).map_err(from_diesel)?.is_some() {
                    continue;
                }
                if let Some(id) = insert_if_new(connection, row).map_err(from_diesel)? {
                    event.insert(connection, id)?;
                    stored += 1;
                }
            }
            Ok(stored)
        };
        self.store.writer.write(PATIENCE_FOR_MANY, insert).await
    }

    async fn find(&self, id: SubscriberId) -> Result<Option<Subscriber>, StoreError> {
        let find = move |connection: &mut SqliteConnection| stored(connection, id);
        Ok(self.store.readers.run(find).await?.map(Subscriber::from))
    }

    async fn find_by_email(&self, email: &str) -> Result<Option<Subscriber>, StoreError> {
        let email = canonical(email);
        let find = move |connection: &mut SqliteConnection| of_address(connection, &email);
        Ok(self.store.readers.run(find).await?.map(Subscriber::from))
    }

    async fn list(
        &self,
        filter: &SubscriberFilter,
        order: SubscriberOrder,
        page: PageRequest,
    ) -> Result<Option<Page<Subscriber>>, StoreError> {
        self.store.indexed_page(filter, order, page).await
    }

    async fn walk(
        &self,
        filter: &SubscriberFilter,
        order: SubscriberOrder,
        step: &Step,
    ) -> Result<Slice<Subscriber>, StoreError> {
        self.store.indexed_walk(filter, order, step).await
    }

    async fn glance(
        &self,
        filter: &SubscriberFilter,
        order: SubscriberOrder,
        step: &Step,
    ) -> Result<Glance<Subscriber>, StoreError> {
        list::glance(&self.store, filter, order, step).await
    }

    async fn update(
        &self,
        seen: &Subscriber,
        details: &NewSubscriber,
        act: &Act,
    ) -> Result<Subscriber, StoreError> {
        // An address that stays the same keeps its spelling, which may be that of an earlier
        // version.
        let is_new = details.email != seen.email;
        let row = if is_new { NewRow::of(details)? } else { NewRow::as_spelled(details)? };
        let then = NewSubscriber { email: row.email.clone(), is_subscribed: row.is_subscribed };
        let changes = Changes::between(&NewSubscriber::from(seen.clone()), &then);
        let event = EventRow::of_update(act, RESOURCE, &changes)?;
        let seen = seen.clone();
        let update = move |connection: &mut SqliteConnection| {
            let id = seen.id;
            let stored = stored(connection, seen.id).map_err(from_diesel)?;
            check_seen(stored.map(Subscriber::from), &seen)?;
            if is_new && holder_of(connection, &row.email, Some(id)).map_err(from_diesel)?.is_some()
            {
                return Err(StoreError::Conflict(EMAIL_TAKEN));
            }
            let update = diesel::update(subscribers::table.find(id.0))
                .set(row)
                .returning(SubscriberRow::as_returning());
            let updated: SubscriberRow =
                Cached(update).get_result(connection).map_err(from_diesel)?;
            if let Some(event) = event {
                event.insert(connection, updated.id)?;
            }
            Ok(updated)
        };
        self.store.write(update).await.map(Subscriber::from)
    }

    async fn delete(&self, seen: &Subscriber, act: &Act) -> Result<(), StoreError> {
        let event = EventRow::of(act, RESOURCE, Verb::DELETED, &Changes::Row(record(seen)))?;
        let seen = seen.clone();
        let delete = move |connection: &mut SqliteConnection| {
            let stored = stored(connection, seen.id).map_err(from_diesel)?;
            check_seen(stored.map(Subscriber::from), &seen)?;
            let delete = diesel::delete(subscribers::table.find(seen.id.0));
            delete.execute(connection).map_err(from_diesel)?;
            event.insert(connection, seen.id.0)
        };
        self.store.write(delete).await
    }

    async fn restore(&self, subscriber: &Subscriber, act: &Act) -> Result<(), StoreError> {
        let event = EventRow::of(act, RESOURCE, Verb::RESTORED, &Changes::None)?;
        let id = subscriber.id;
        let row = NewRow::as_spelled(&subscriber.clone().into())?;
        let restore = move |connection: &mut SqliteConnection| {
            if stored(connection, id).map_err(from_diesel)?.is_some() {
                return Err(StoreError::Conflict(Constraint::Stale));
            }
            if of_address(connection, &canonical(&row.email)).map_err(from_diesel)?.is_some() {
                return Err(StoreError::Conflict(EMAIL_TAKEN));
            }
            let insert = diesel::insert_into(subscribers::table);
            let insert = insert.values((subscribers::id.eq(id.0), row));
            insert.execute(connection).map_err(from_diesel)?;
            event.insert(connection, id.0)
        };
        self.store.write(restore).await
    }
}

/// The row with this id.
fn stored(
    connection: &mut SqliteConnection,
    id: SubscriberId,
) -> QueryResult<Option<SubscriberRow>> {
    subscribers::table.find(id.0).select(SubscriberRow::as_select()).first(connection).optional()
}

/// Finds the subscriber with this canonical address, in any spelling.
fn of_address(
    connection: &mut SqliteConnection,
    email: &str,
) -> QueryResult<Option<SubscriberRow>> {
    let found = subscribers::table
        .filter(subscribers::email.eq(email))
        .select(SubscriberRow::as_select())
        .first(connection)
        .optional()?;
    match found {
        Some(found) => Ok(Some(found)),
        None => holder_of(connection, email, None),
    }
}

/// Finds a subscriber, other than `own`, whose `email` has the same canonical form: earlier
/// versions stored addresses as they were typed.
fn holder_of(
    connection: &mut SqliteConnection,
    email: &str,
    own: Option<SubscriberId>,
) -> QueryResult<Option<SubscriberRow>> {
    let spellings = other_spellings(email);
    if spellings.is_empty() {
        return Ok(None);
    }
    subscribers::table
        .filter(subscribers::email.eq_any(spellings))
        .filter(subscribers::id.ne(own.map_or(0, |own| own.0)))
        .order(subscribers::id)
        .select(SubscriberRow::as_select())
        .first(connection)
        .optional()
}

/// Inserts a row unless its address exists; returns the id of the inserted row.
fn insert_if_new(connection: &mut SqliteConnection, row: NewRow) -> QueryResult<Option<i64>> {
    let insert = insert(row, ") ON CONFLICT (email) DO NOTHING RETURNING id");
    insert.get_result(connection).optional()
}

/// The statement that inserts a row; `or_else` says what to do if the address exists. Written by
/// hand, because diesel would prepare it again for every row.
fn insert(row: NewRow, or_else: &'static str) -> Sql<BigInt> {
    let NewRow { email, is_subscribed, search_document } = row;
    let mut insert =
        Sql::new("INSERT INTO subscribers (email, is_subscribed, search_document) VALUES (");
    insert.text(email).sql(", ").int(i64::from(is_subscribed));
    insert.sql(", ").text(search_document).sql(or_else);
    insert
}
