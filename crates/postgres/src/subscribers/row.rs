//! Rows of the table `subscribers`.

use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::pg::Pg;
use diesel::prelude::{AsChangeset, Insertable, Queryable, Selectable};
use exit3_domain::subscribers::{NewSubscriber, Subscriber, SubscriberId};

diesel::table! {
    subscribers (id) {
        id -> BigInt,
        email -> Text,
        is_subscribed -> Bool,
        search_document -> Text,
    }
}

/// The columns of [`SubscriberRow`].
pub(super) type SubscriberColumns = SqlTypeOf<AsSelect<SubscriberRow, Pg>>;

/// The same, for statements that are written by hand.
pub(super) const COLUMNS: &str = "id, email, is_subscribed";

/// A subscriber as it is read.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = subscribers)]
pub(super) struct SubscriberRow {
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

/// A subscriber as it is written.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = subscribers)]
pub(super) struct SubscriberInsert<'a> {
    email: &'a str,
    is_subscribed: bool,
    search_document: &'a str,
}

impl<'a> SubscriberInsert<'a> {
    pub(super) fn new(subscriber: &'a NewSubscriber, search_document: &'a str) -> Self {
        let NewSubscriber { email, is_subscribed } = subscriber;
        Self { email, is_subscribed: *is_subscribed, search_document }
    }
}
