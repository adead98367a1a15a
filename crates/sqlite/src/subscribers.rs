//! Subscribers in SQLite.

mod list;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use exit3_domain::email::{canonical, other_spellings};
use exit3_domain::paging::{Page, PageRequest, Slice, Step};
use exit3_domain::search;
use exit3_domain::subscribers::{
    NewSubscriber, Subscriber, SubscriberChange, SubscriberFilter, SubscriberId, SubscriberOrder,
};
use exit3_ports::subscribers::EMAIL_TAKEN;
use exit3_ports::{StoreError, SubscriberRepository};

use crate::error::from_diesel;
use crate::leads::{PATIENCE_FOR_MANY, text};
use crate::sql::{Cached, Sql};
use crate::store::Store;

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
    store: Store,
}

impl SqliteSubscriberRepository {
    pub(crate) fn new(store: Store) -> Self {
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

/// A subscription as it is stored, with its canonical address.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = subscribers)]
struct NewRow {
    email: String,
    is_subscribed: bool,
    search_document: String,
}

impl NewRow {
    fn of(subscriber: &NewSubscriber) -> Result<Self, StoreError> {
        let NewSubscriber { email, is_subscribed } = subscriber;
        Ok(Self {
            email: canonical(&text(email)?),
            is_subscribed: *is_subscribed,
            search_document: subscriber.search_document(),
        })
    }
}

#[async_trait]
impl SubscriberRepository for SqliteSubscriberRepository {
    async fn create(&self, subscriber: &NewSubscriber) -> Result<Subscriber, StoreError> {
        let row = NewRow::of(subscriber)?;
        let insert = move |connection: &mut SqliteConnection| {
            if holder_of(connection, &row.email, None).map_err(from_diesel)?.is_some() {
                return Err(StoreError::Conflict(EMAIL_TAKEN));
            }
            diesel::insert_into(subscribers::table)
                .values(row)
                .returning(SubscriberRow::as_returning())
                .get_result(connection)
                .map_err(from_diesel)
        };
        self.store.writer.write(self.store.patience, insert).await.map(Subscriber::from)
    }

    async fn ensure(&self, subscriber: &NewSubscriber) -> Result<(), StoreError> {
        let row = NewRow::of(subscriber)?;
        let ensure = move |connection: &mut SqliteConnection| {
            let held = holder_of(connection, &row.email, None).map_err(from_diesel)?;
            let row = NewRow { email: held.map_or(row.email, |held| held.email), ..row };
            // An existing row is rewritten unchanged, so that it takes a commit as well.
            let kept = ") ON CONFLICT (email) DO UPDATE SET email = excluded.email, \
                 is_subscribed = subscribers.is_subscribed OR excluded.is_subscribed";
            insert(row, kept).execute(connection).map(drop).map_err(from_diesel)
        };
        self.store.writer.write(self.store.patience, ensure).await
    }

    async fn create_many(&self, subscribers: &[NewSubscriber]) -> Result<u64, StoreError> {
        let rows: Result<Vec<_>, StoreError> = subscribers.iter().map(NewRow::of).collect();
        let rows = rows?;
        if rows.is_empty() {
            return Ok(0);
        }
        let insert = move |connection: &mut SqliteConnection| {
            let mut stored = 0;
            for row in rows {
                if holder_of(connection, &row.email, None).map_err(from_diesel)?.is_some() {
                    continue;
                }
                stored += insert_if_new(connection, row).map_err(from_diesel)?;
            }
            Ok(stored)
        };
        self.store.writer.write(PATIENCE_FOR_MANY, insert).await
    }

    async fn find(&self, id: SubscriberId) -> Result<Option<Subscriber>, StoreError> {
        let find = move |connection: &mut SqliteConnection| {
            subscribers::table
                .find(id.0)
                .select(SubscriberRow::as_select())
                .first(connection)
                .optional()
        };
        Ok(self.store.readers.run(find).await?.map(Subscriber::from))
    }

    async fn find_by_email(&self, email: &str) -> Result<Option<Subscriber>, StoreError> {
        let email = canonical(email);
        let find = move |connection: &mut SqliteConnection| {
            let found = subscribers::table
                .filter(subscribers::email.eq(&email))
                .select(SubscriberRow::as_select())
                .first(connection)
                .optional()?;
            match found {
                Some(found) => Ok(Some(found)),
                None => holder_of(connection, &email, None),
            }
        };
        Ok(self.store.readers.run(find).await?.map(Subscriber::from))
    }

    async fn list(
        &self,
        filter: &SubscriberFilter,
        order: SubscriberOrder,
        page: PageRequest,
    ) -> Result<Option<Page<Subscriber>>, StoreError> {
        self.store.page(filter, order, page).await
    }

    async fn walk(
        &self,
        filter: &SubscriberFilter,
        order: SubscriberOrder,
        step: &Step,
    ) -> Result<Slice<Subscriber>, StoreError> {
        self.store.walk(filter, order, step).await
    }

    async fn update(
        &self,
        id: SubscriberId,
        change: &SubscriberChange,
    ) -> Result<Subscriber, StoreError> {
        let SubscriberChange { email, is_subscribed } = change.clone();
        let update = move |connection: &mut SqliteConnection| {
            let now = subscribers::table.find(id.0).select(SubscriberRow::as_select());
            let now = now.first(connection).optional().map_err(from_diesel)?;
            let SubscriberRow { id: _, email: now_email, is_subscribed: now_subscribed } =
                now.ok_or(StoreError::NotFound)?;
            let is_subscribed = is_subscribed.unwrap_or(now_subscribed);
            if let Some(email) = &email
                && holder_of(connection, &canonical(email), Some(id))
                    .map_err(from_diesel)?
                    .is_some()
            {
                return Err(StoreError::Conflict(EMAIL_TAKEN));
            }
            let then = match email {
                Some(email) => NewRow::of(&NewSubscriber { email, is_subscribed })?,
                // Keeps the stored spelling, which may be that of an earlier version.
                None => NewRow {
                    search_document: search::document([Some(now_email.as_str())]),
                    email: now_email,
                    is_subscribed,
                },
            };
            let update = diesel::update(subscribers::table.find(id.0))
                .set(then)
                .returning(SubscriberRow::as_returning());
            Cached(update).get_result(connection).map_err(from_diesel)
        };
        self.store.writer.write(self.store.patience, update).await.map(Subscriber::from)
    }

    async fn delete(&self, id: SubscriberId) -> Result<(), StoreError> {
        let delete = move |connection: &mut SqliteConnection| {
            let deleted = diesel::delete(subscribers::table.find(id.0)).execute(connection);
            match deleted.map_err(from_diesel)? {
                0 => Err(StoreError::NotFound),
                _ => Ok(()),
            }
        };
        self.store.writer.write(self.store.patience, delete).await
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

/// Inserts a row unless its address exists; returns the number of inserted rows.
fn insert_if_new(connection: &mut SqliteConnection, row: NewRow) -> QueryResult<u64> {
    let stored = insert(row, ") ON CONFLICT (email) DO NOTHING").execute(connection);
    stored.map(|stored| u64::from(stored > 0))
}

/// The statement that inserts a row; `or_else` says what to do if the address exists. Written by
/// hand, because diesel would prepare it again for every row.
fn insert(row: NewRow, or_else: &'static str) -> Sql {
    let NewRow { email, is_subscribed, search_document } = row;
    let mut insert =
        Sql::new("INSERT INTO subscribers (email, is_subscribed, search_document) VALUES (");
    insert.text(email).sql(", ").int(i64::from(is_subscribed));
    insert.sql(", ").text(search_document).sql(or_else);
    insert
}
