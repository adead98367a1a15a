//! `/newsletter/`

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod update;

use exit3_domain::raw::RawValue;
use exit3_domain::subscribers::{NewSubscriber, Subscriber, SubscriberId, SubscriberInput};
use exit3_web::{ApiError, error::Absent};
use serde::Serialize;
use utoipa::ToSchema;

const SUBSCRIBER: Absent = Absent("Newsletter");

/// A newsletter subscriber as the API shows it.
#[derive(Serialize, ToSchema)]
#[schema(as = Subscriber)]
#[allow(missing_docs, reason = "the fields are those of `Subscriber`")]
pub(crate) struct SubscriberResponse {
    #[schema(example = 1)]
    pub id: i64,
    #[schema(example = "news@example.com", max_length = 254)]
    pub email: String,
    pub is_subscribed: bool,
}

impl From<Subscriber> for SubscriberResponse {
    fn from(subscriber: Subscriber) -> Self {
        Self {
            id: subscriber.id.0,
            email: subscriber.email,
            is_subscribed: subscriber.is_subscribed,
        }
    }
}

/// A part of the list of subscribers.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes an answer")]
pub(crate) struct SubscriberList {
    /// How many there are in all; not given when walking by cursor.
    count: Option<u64>,
    /// The address of what follows.
    #[schema(required = true)]
    next: Option<String>,
    /// The address of what precedes.
    #[schema(required = true)]
    previous: Option<String>,
    results: Vec<SubscriberResponse>,
}

/// A subscription that was created.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedSubscriber)]
#[allow(missing_docs, reason = "the fields are those of `Subscriber`")]
pub(crate) struct CreatedResponse {
    /// Left out for a key that may not read: it would say whether the address was
    /// subscribed before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1, nullable = false)]
    pub id: Option<i64>,
    #[schema(example = "news@example.com", max_length = 254)]
    pub email: String,
    pub is_subscribed: bool,
}

impl From<Subscriber> for CreatedResponse {
    fn from(subscriber: Subscriber) -> Self {
        let id = Some(subscriber.id.0);
        Self { id, email: subscriber.email, is_subscribed: subscriber.is_subscribed }
    }
}

impl From<NewSubscriber> for CreatedResponse {
    fn from(subscriber: NewSubscriber) -> Self {
        Self { id: None, email: subscriber.email, is_subscribed: subscriber.is_subscribed }
    }
}

fn input(fields: Vec<(String, RawValue)>) -> SubscriberInput {
    let mut input = SubscriberInput::default();
    for (name, value) in fields {
        input.set(&name, value);
    }
    input
}

fn id(text: &str) -> Result<SubscriberId, ApiError> {
    exit3_web::path::id(text).map(SubscriberId)
}
