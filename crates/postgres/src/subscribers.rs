//! Newsletter subscribers in PostgreSQL.

mod ensure;
mod glance;
mod list;
mod row;
mod spelled;

use async_trait::async_trait;
use diesel::prelude::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel::sql_types::BigInt;
use diesel::{QueryResult, SelectableHelper};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use exit3_domain::email;
use exit3_domain::events::{Act, Changes, Verb, record};
use exit3_domain::paging::{Glance, Page, PageRequest, Slice, Step};
use exit3_domain::subscribers::{
    NewSubscriber, RESOURCE, Subscriber, SubscriberFilter, SubscriberId, SubscriberOrder,
};
use exit3_ports::subscribers::EMAIL_TAKEN;
use exit3_ports::{Constraint, StoreError, SubscriberRepository};

use crate::events::{EventRow, Noted};
use crate::listing::Beyond;
use crate::lists::Lists;
use crate::pool::PgPool;
use crate::sql::{Sql, Value};
use crate::stale::written;
use ensure::Ensure;
use row::{SubscriberColumns, SubscriberInsert, SubscriberRow, subscribers};
use spelled::holder_of;

/// How often a sign-up is tried while others store and delete the same address.
const ATTEMPTS: usize = 10;

/// Finds a subscriber.
const FIND: &str = "SELECT 1 FROM subscribers WHERE id = ";

/// The row of a subscriber, if it still has the values that the caller has seen.
macro_rules! as_seen {
    ($seen:expr) => {
        subscribers::table
            .filter(subscribers::id.eq($seen.id.0))
            .filter(subscribers::email.eq(&$seen.email))
            .filter(subscribers::is_subscribed.eq($seen.is_subscribed))
    };
}

/// Stores newsletter subscribers in PostgreSQL.
#[derive(Clone)]
pub(crate) struct PgSubscriberRepository {
    pool: PgPool,
    lists: Lists,
}

impl PgSubscriberRepository {
    pub(crate) fn new(pool: PgPool, lists: Lists) -> Self {
        Self { pool, lists }
    }
}

#[async_trait]
impl SubscriberRepository for PgSubscriberRepository {
    async fn create(
        &self,
        subscriber: &NewSubscriber,
        act: &Act,
    ) -> Result<Subscriber, StoreError> {
        let subscriber = normal(subscriber);
        if holder_of(&self.pool, &subscriber.email, None).await?.is_some() {
            return Err(StoreError::Conflict(EMAIL_TAKEN));
        }
        let document = subscriber.search_document();
        let created = self.pool.write(|mut connection| {
            let query = diesel::insert_into(subscribers::table)
                .values(SubscriberInsert::new(&subscriber, &document))
                .returning(SubscriberRow::as_returning());
            let event = EventRow::of(act, RESOURCE, Verb::CREATED, &Changes::None);
            let query = Noted::new(query, event);
            async move {
                let created: QueryResult<SubscriberRow> = query.get_result(&mut *connection).await;
                connection.done(created)
            }
        });
        Ok(created.await?.into())
    }

    async fn ensure(&self, subscriber: &NewSubscriber, act: &Act) -> Result<(), StoreError> {
        let subscriber = normal(subscriber);
        // Nothing is returned if another caller has stored the address in between.
        for _ in 0..ATTEMPTS {
            let ensured = self.pool.write(|mut connection| {
                let query = Ensure::new(&subscriber, act);
                async move {
                    let ensured: QueryResult<Vec<i64>> = query.load(&mut *connection).await;
                    connection.done(ensured)
                }
            });
            if !ensured.await?.is_empty() {
                return Ok(());
            }
        }
        Err(StoreError::Unavailable("others change the address all the time".into()))
    }

    async fn create_many(
        &self,
        subscribers: &[NewSubscriber],
        act: &Act,
    ) -> Result<u64, StoreError> {
        let mut given: Vec<NewSubscriber> = subscribers.iter().map(normal).collect();
        // Sorted, so that two calls with the same addresses lock them in the same order and cannot
        // deadlock.
        given.sort_by(|one, other| one.email.cmp(&other.email));
        let held = spelled::held_among(&self.pool, &given).await?;
        given.retain(|new| !held.contains(&new.email));
        let begin = self.pool.begin_bulk();
        let stored = self.pool.write_many(|mut connection| {
            let event = EventRow::of(act, RESOURCE, Verb::CREATED, &Changes::None);
            let insert = Noted::new(insert(&given), event);
            let begin = &begin;
            async move {
                let stored = async {
                    connection.batch_execute(begin).await?;
                    let stored: Vec<i64> = insert.load(&mut *connection).await?;
                    connection.batch_execute("COMMIT").await?;
                    Ok(stored.len())
                };
                let stored = stored.await;
                connection.done_in_transaction(stored)
            }
        });
        Ok(stored.await? as u64)
    }

    async fn find(&self, id: SubscriberId) -> Result<Option<Subscriber>, StoreError> {
        let found = self.pool.read(|mut connection| async move {
            let query = subscribers::table.find(id.0).select(SubscriberRow::as_select());
            let found = query.get_result(&mut *connection).await;
            connection.done(found.optional())
        });
        Ok(found.await?.map(SubscriberRow::into))
    }

    async fn find_by_email(&self, email: &str) -> Result<Option<Subscriber>, StoreError> {
        let email = email::canonical(email);
        // Stored texts contain no NUL, and PostgreSQL refuses it as a parameter.
        if email.contains('\0') {
            return Ok(None);
        }
        let found = self.pool.read(|mut connection| {
            let query = subscribers::table
                .filter(subscribers::email.eq(email.clone()))
                .select(SubscriberRow::as_select());
            async move {
                let found = query.get_result(&mut *connection).await;
                connection.done(found.optional())
            }
        });
        match found.await? {
            Some(row) => Ok(Some(row.into())),
            None => holder_of(&self.pool, &email, None).await,
        }
    }

    async fn list(
        &self,
        filter: &SubscriberFilter,
        order: SubscriberOrder,
        page: PageRequest,
    ) -> Result<Option<Page<Subscriber>>, StoreError> {
        let listing = list::listing(filter, order, None);
        self.lists.page::<SubscriberColumns, SubscriberRow, _>(&listing, page).await
    }

    async fn walk(
        &self,
        filter: &SubscriberFilter,
        order: SubscriberOrder,
        step: &Step,
    ) -> Result<Slice<Subscriber>, StoreError> {
        let listing = list::listing(filter, order, Beyond::of(order, step));
        self.lists.walk::<SubscriberColumns, SubscriberRow, _>(&listing, step).await
    }

    async fn glance(
        &self,
        filter: &SubscriberFilter,
        order: SubscriberOrder,
        step: &Step,
    ) -> Result<Glance<Subscriber>, StoreError> {
        glance::glance(&self.lists, filter, order, step).await
    }

    async fn update(
        &self,
        seen: &Subscriber,
        details: &NewSubscriber,
        act: &Act,
    ) -> Result<Subscriber, StoreError> {
        let is_other = details.email != seen.email;
        let details = if is_other { normal(details) } else { details.clone() };
        if is_other && holder_of(&self.pool, &details.email, Some(seen.id)).await?.is_some() {
            self.find(seen.id).await?.ok_or(StoreError::NotFound)?;
            return Err(StoreError::Conflict(EMAIL_TAKEN));
        }
        let changes = Changes::between(&NewSubscriber::from(seen.clone()), &details);
        let document = details.search_document();
        let updated = self.pool.write(|mut connection| {
            let query = diesel::update(as_seen!(seen))
                .set(SubscriberInsert::new(&details, &document))
                .returning(SubscriberRow::as_returning());
            let event = EventRow::of(act, RESOURCE, Verb::UPDATED, &changes);
            let query = Noted::new(query, (!changes.is_none()).then_some(event));
            async move {
                let updated: QueryResult<SubscriberRow> = query.get_result(&mut *connection).await;
                connection.done(updated.optional())
            }
        });
        let updated = updated.await?;
        Ok(written(&self.pool, FIND, seen.id.0, updated).await?.into())
    }

    async fn delete(&self, seen: &Subscriber, act: &Act) -> Result<(), StoreError> {
        let changes = Changes::Row(record(seen));
        let deleted = self.pool.write(|mut connection| {
            let query = diesel::delete(as_seen!(seen)).returning(subscribers::id);
            let query = Noted::new(query, EventRow::of(act, RESOURCE, Verb::DELETED, &changes));
            async move {
                let deleted: QueryResult<i64> = query.get_result(&mut *connection).await;
                connection.done(deleted.optional())
            }
        });
        let deleted = deleted.await?;
        written(&self.pool, FIND, seen.id.0, deleted).await.map(drop)
    }

    async fn restore(&self, subscriber: &Subscriber, act: &Act) -> Result<(), StoreError> {
        let details = NewSubscriber::from(subscriber.clone());
        if holder_of(&self.pool, &email::canonical(&details.email), None).await?.is_some() {
            return Err(StoreError::Conflict(EMAIL_TAKEN));
        }
        let document = details.search_document();
        let restored = self.pool.write(|mut connection| {
            let query = diesel::insert_into(subscribers::table)
                .values((
                    subscribers::id.eq(subscriber.id.0),
                    SubscriberInsert::new(&details, &document),
                ))
                .on_conflict(subscribers::id)
                .do_nothing()
                .returning(subscribers::id);
            let event = EventRow::of(act, RESOURCE, Verb::RESTORED, &Changes::None);
            let query = Noted::new(query, event);
            async move {
                let restored: QueryResult<i64> = query.get_result(&mut *connection).await;
                connection.done(restored.optional())
            }
        });
        restored.await?.map(drop).ok_or(StoreError::Conflict(Constraint::Stale))
    }
}

/// Canonicalises the address: the database's own `lower` may only know ASCII.
fn normal(given: &NewSubscriber) -> NewSubscriber {
    NewSubscriber { email: email::canonical(&given.email), ..given.clone() }
}

fn insert(given: &[NewSubscriber]) -> Sql<BigInt> {
    let (mut emails, mut wanted, mut documents) = (Vec::new(), Vec::new(), Vec::new());
    for new in given {
        let NewSubscriber { email, is_subscribed } = new;
        emails.push(Some(email.clone()));
        wanted.push(*is_subscribed);
        documents.push(Some(new.search_document()));
    }
    Sql::planned(
        "INSERT INTO subscribers (email, is_subscribed, search_document) SELECT * FROM unnest(",
    )
    .value(Value::Texts(emails))
    .sql(", ")
    .value(Value::Bools(wanted))
    .sql(", ")
    .value(Value::Texts(documents))
    .sql(") ON CONFLICT (lower(email)) DO NOTHING RETURNING id")
}
