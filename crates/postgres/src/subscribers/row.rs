//! Rows of the table `subscribers`.

use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::pg::Pg;
use diesel::prelude::{Insertable, Queryable, Selectable};
use exit3_domain::subscribers::{NewSubscriber, Subscriber, SubscriberId};

use crate::schema::subscribers;

/// The columns of [`SubscriberRow`].
pub(super) type SubscriberColumns = SqlTypeOf<AsSelect<SubscriberRow, Pg>>;

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
        Self { id: SubscriberId(row.id), email: row.email, is_subscribed: row.is_subscribed }
    }
}

/// A subscriber as it is inserted.
#[derive(Insertable)]
#[diesel(table_name = subscribers)]
pub(super) struct SubscriberInsert<'a> {
    email: &'a str,
    is_subscribed: bool,
    search_document: &'a str,
}

impl<'a> SubscriberInsert<'a> {
    pub(super) fn new(subscriber: &'a NewSubscriber, search_document: &'a str) -> Self {
        Self { email: &subscriber.email, is_subscribed: subscriber.is_subscribed, search_document }
    }
}
