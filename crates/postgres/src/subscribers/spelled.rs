//! Subscribers whose address is stored with another spelling of its domain than today's
//! (`xn--bcher-kva.de` for `bücher.de`). Earlier versions stored addresses as they were typed.
//! Addresses with only one spelling cost nothing here.

use std::collections::HashSet;

use diesel::SelectableHelper;
use diesel::prelude::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use exit3_domain::email::{canonical, other_spellings};
use exit3_domain::subscribers::{NewSubscriber, Subscriber, SubscriberId};
use exit3_ports::StoreError;

use super::row::{SubscriberRow, subscribers};
use crate::pool::PgPool;
use crate::sql::{Sql, Value};

/// Finds a subscriber, other than `own`, that has `email` in another spelling.
pub(super) async fn holder_of(
    pool: &PgPool,
    email: &str,
    own: Option<SubscriberId>,
) -> Result<Option<Subscriber>, StoreError> {
    let spellings = other_spellings(email);
    // Stored texts contain no NUL, and PostgreSQL refuses it as a parameter.
    if spellings.is_empty() || email.contains('\0') {
        return Ok(None);
    }
    let found = pool.read(|mut connection| {
        let query = subscribers::table
            .filter(subscribers::email.eq_any(spellings.clone()))
            .filter(subscribers::id.ne(own.map_or(0, |own| own.0)))
            .order(subscribers::id)
            .select(SubscriberRow::as_select());
        async move {
            let found = query.first(&mut *connection).await;
            connection.done(found.optional())
        }
    });
    Ok(found.await?.map(SubscriberRow::into))
}

/// The addresses among the given ones that are stored in another spelling.
pub(super) async fn held_among(
    pool: &PgPool,
    given: &[NewSubscriber],
) -> Result<HashSet<String>, StoreError> {
    let spellings: Vec<String> = given.iter().flat_map(|new| other_spellings(&new.email)).collect();
    if spellings.is_empty() {
        return Ok(HashSet::new());
    }
    let found = pool.read(|mut connection| {
        let query = subscribers::table
            .filter(subscribers::email.eq_any(spellings.clone()))
            .select(subscribers::email);
        async move {
            let found = query.load::<String>(&mut *connection).await;
            connection.done(found)
        }
    });
    Ok(found.await?.iter().map(|email| canonical(email)).collect())
}

/// The statement that stores a subscription, or resubscribes the existing one. An existing row is
/// rewritten even if it does not change, and every spelling takes one statement, so the response
/// time does not reveal whether the address was known.
pub(super) fn ensure(subscriber: &NewSubscriber) -> Sql {
    let NewSubscriber { email, is_subscribed } = subscriber;
    let spellings = other_spellings(email);
    let email = Value::Text(Some(email.clone()));
    let wanted = Value::Bool(Some(*is_subscribed));
    let document = Value::Text(Some(subscriber.search_document()));
    let conflict = " ON CONFLICT (lower(email)) DO UPDATE SET email = kept.email, \
         is_subscribed = kept.is_subscribed OR excluded.is_subscribed";
    if spellings.is_empty() {
        return Sql::cached(
            "INSERT INTO subscribers AS kept (email, is_subscribed, search_document) VALUES (",
        )
        .value(email)
        .sql(", ")
        .value(wanted)
        .sql(", ")
        .value(document)
        .sql(")")
        .sql(conflict);
    }
    Sql::cached("WITH known AS (UPDATE subscribers SET is_subscribed = is_subscribed OR ")
        .value(wanted.clone())
        .sql(" WHERE email = ANY(")
        .value(Value::Texts(spellings.into_iter().map(Some).collect()))
        .sql(
            ") RETURNING id) \
             INSERT INTO subscribers AS kept (email, is_subscribed, search_document) SELECT ",
        )
        .value(email)
        .sql(", ")
        .value(wanted)
        .sql(", ")
        .value(document)
        .sql(" WHERE NOT EXISTS (SELECT FROM known)")
        .sql(conflict)
}
