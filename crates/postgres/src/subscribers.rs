//! Newsletter subscribers in PostgreSQL.

mod list;
mod row;
mod spelled;

use async_trait::async_trait;
use diesel::SelectableHelper;
use diesel::prelude::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use exit3_domain::email;
use exit3_domain::paging::{Page, PageRequest, Slice, Step};
use exit3_domain::subscribers::{
    NewSubscriber, Subscriber, SubscriberChange, SubscriberFilter, SubscriberId, SubscriberOrder,
    search_document,
};
use exit3_ports::subscribers::EMAIL_TAKEN;
use exit3_ports::{StoreError, SubscriberRepository};

use crate::listing::Beyond;
use crate::lists::Lists;
use crate::pool::PgPool;
use crate::sql::{Cached, Sql, Value};
use row::{COLUMNS, SubscriberColumns, SubscriberInsert, SubscriberRow, subscribers};
use spelled::{ensure, holder_of};

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
    async fn create(&self, subscriber: &NewSubscriber) -> Result<Subscriber, StoreError> {
        let subscriber = normal(subscriber);
        if holder_of(&self.pool, &subscriber.email, None).await?.is_some() {
            return Err(StoreError::Conflict(EMAIL_TAKEN));
        }
        let document = subscriber.search_document();
        let created = self.pool.write(|mut connection| {
            let query = diesel::insert_into(subscribers::table)
                .values(SubscriberInsert::new(&subscriber, &document))
                .returning(SubscriberRow::as_returning());
            async move {
                let created = Cached(query).get_result(&mut *connection).await;
                connection.done(created)
            }
        });
        Ok(created.await?.into())
    }

    async fn ensure(&self, subscriber: &NewSubscriber) -> Result<(), StoreError> {
        let subscriber = normal(subscriber);
        let ensured = self.pool.write(|mut connection| {
            let query = ensure(&subscriber);
            async move {
                let ensured = query.execute(&mut *connection).await;
                connection.done(ensured)
            }
        });
        ensured.await.map(drop)
    }

    async fn create_many(&self, subscribers: &[NewSubscriber]) -> Result<u64, StoreError> {
        let mut given: Vec<NewSubscriber> = subscribers.iter().map(normal).collect();
        // Sorted, so that two calls with the same addresses lock them in the same order and cannot
        // deadlock.
        given.sort_by(|one, other| one.email.cmp(&other.email));
        let held = spelled::held_among(&self.pool, &given).await?;
        given.retain(|new| !held.contains(&new.email));
        let begin = self.pool.begin_bulk();
        let stored = self.pool.write_many(|mut connection| {
            let insert = insert(&given);
            let begin = &begin;
            async move {
                let stored = async {
                    connection.batch_execute(begin).await?;
                    let stored = insert.execute(&mut *connection).await?;
                    connection.batch_execute("COMMIT").await?;
                    Ok(stored)
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

    async fn update(
        &self,
        id: SubscriberId,
        change: &SubscriberChange,
    ) -> Result<Subscriber, StoreError> {
        let SubscriberChange { email, is_subscribed } = change;
        let email = email.as_deref().map(email::canonical);
        if let Some(email) = &email
            && holder_of(&self.pool, email, Some(id)).await?.is_some()
        {
            self.find(id).await?.ok_or(StoreError::NotFound)?;
            return Err(StoreError::Conflict(EMAIL_TAKEN));
        }
        let document = email.as_deref().map(search_document);
        let updated = self.pool.write(|mut connection| {
            let query =
                Sql::<SubscriberColumns>::cached("UPDATE subscribers SET email = coalesce(")
                    .value(Value::Text(email.clone()))
                    .sql(", email), search_document = coalesce(")
                    .value(Value::Text(document.clone()))
                    .sql(", search_document), is_subscribed = coalesce(")
                    .value(Value::Bool(*is_subscribed))
                    .sql(", is_subscribed) WHERE id = ")
                    .value(Value::BigInt(id.0))
                    .sql(" RETURNING ")
                    .sql(COLUMNS);
            async move {
                let updated = query.get_result::<SubscriberRow>(&mut *connection).await;
                connection.done(updated.optional())
            }
        });
        updated.await?.map(Subscriber::from).ok_or(StoreError::NotFound)
    }

    async fn delete(&self, id: SubscriberId) -> Result<(), StoreError> {
        let deleted = self.pool.write(|mut connection| async move {
            let query = diesel::delete(subscribers::table.find(id.0));
            let deleted = Cached(query).execute(&mut *connection).await;
            connection.done(deleted)
        });
        if deleted.await? == 0 { Err(StoreError::NotFound) } else { Ok(()) }
    }
}

/// Canonicalises the address: the database's own `lower` may only know ASCII.
fn normal(given: &NewSubscriber) -> NewSubscriber {
    NewSubscriber { email: email::canonical(&given.email), ..given.clone() }
}

fn insert(given: &[NewSubscriber]) -> Sql {
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
    .sql(") ON CONFLICT (lower(email)) DO NOTHING")
}
