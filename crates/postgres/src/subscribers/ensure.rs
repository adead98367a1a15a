//! The statement of a sign-up.

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Text};
use exit3_domain::email::other_spellings;
use exit3_domain::events::{Act, Changes, Verb};
use exit3_domain::subscribers::{NewSubscriber, RESOURCE};

use crate::events::EventRow;

/// Stores a subscription, or resubscribes the existing one, and the event of the change if there is
/// one. Returns the id of the row; nothing if somebody stored the address since the statement
/// began, so that it must be sent again.
///
/// An existing row is rewritten even if it does not change, and every spelling takes one statement,
/// so the response time does not reveal whether the address was known.
pub(super) struct Ensure {
    subscriber: NewSubscriber,
    document: String,
    /// The address in other spellings, which earlier versions have stored.
    spellings: Vec<String>,
    created: EventRow,
    updated: EventRow,
}

impl Ensure {
    pub(super) fn new(subscriber: &NewSubscriber, act: &Act) -> Self {
        let resubscribed = Changes::one("is_subscribed", false, true);
        Self {
            subscriber: subscriber.clone(),
            document: subscriber.search_document(),
            spellings: other_spellings(&subscriber.email),
            created: EventRow::of(act, RESOURCE, Verb::CREATED, &Changes::None),
            updated: EventRow::of(act, RESOURCE, Verb::UPDATED, &resubscribed),
        }
    }
}

impl QueryFragment<Pg> for Ensure {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let Self { subscriber, document, spellings, created, updated } = self;
        let NewSubscriber { email, is_subscribed } = subscriber;
        // Locks the row before it is written, so that of two callers only one sees it unsubscribed.
        out.push_sql(
            "WITH before AS MATERIALIZED (SELECT id, is_subscribed FROM subscribers \
             WHERE lower(email) = lower(",
        );
        out.push_bind_param::<Text, _>(email)?;
        out.push_sql(") OR email = ANY(");
        out.push_bind_param::<Array<Text>, _>(spellings)?;
        // The counts make sure that the rows are locked first.
        out.push_sql(
            ") FOR UPDATE), other AS (UPDATE subscribers SET is_subscribed = is_subscribed OR ",
        );
        out.push_bind_param::<Bool, _>(is_subscribed)?;
        out.push_sql(" WHERE email = ANY(");
        out.push_bind_param::<Array<Text>, _>(spellings)?;
        out.push_sql(
            ") AND (SELECT count(*) FROM before) > 0 RETURNING id), \
             kept AS (INSERT INTO subscribers AS kept (email, is_subscribed, search_document) \
             SELECT ",
        );
        out.push_bind_param::<Text, _>(email)?;
        out.push_sql(", ");
        out.push_bind_param::<Bool, _>(is_subscribed)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(document)?;
        out.push_sql(
            " WHERE (SELECT count(*) FROM before) >= 0 AND NOT EXISTS (SELECT FROM other) \
             ON CONFLICT (lower(email)) DO UPDATE SET email = kept.email, \
             is_subscribed = kept.is_subscribed OR excluded.is_subscribed \
             WHERE kept.is_subscribed OR NOT excluded.is_subscribed OR EXISTS (SELECT FROM before) \
             RETURNING id, xmax = 0 AS is_new), noted AS (",
        );
        created.insert(&mut out, "kept WHERE is_new")?;
        out.push_sql("), noted_too AS (");
        updated.insert(&mut out, "before WHERE NOT is_subscribed AND ")?;
        out.push_bind_param::<Bool, _>(is_subscribed)?;
        // Only one of two spellings is written.
        out.push_sql(
            " AND id IN (SELECT id FROM kept UNION ALL SELECT id FROM other)) \
             SELECT id FROM kept UNION ALL SELECT id FROM other",
        );
        Ok(())
    }

    fn is_safe_to_cache_prepared(&self, _: &Pg) -> QueryResult<bool> {
        Ok(true)
    }
}

impl QueryId for Ensure {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Ensure {
    type SqlType = BigInt;
}
