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
