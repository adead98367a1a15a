//! Rows of the spool.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use exit3_domain::api_keys::ApiKey;
use exit3_domain::events::{Actor, Author, BatchId, Record, from_record, record};
use exit3_domain::leads::LeadId;
use exit3_ports::StoreError;
use exit3_ports::spool::{Accepted, Waiting};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::sql::Sql;
use crate::values::{microseconds, moment};

const LEAD: &str = "lead";
const SIGN_UP: &str = "sign_up";

pub(super) type WaitingColumns = (
    BigInt,
    Text,
    Nullable<BigInt>,
    Text,
    BigInt,
    Text,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
);

#[derive(Queryable)]
pub(super) struct WaitingRow {
    number: i64,
    kind: String,
    lead_id: Option<i64>,
    content: String,
    at: i64,
    actor: String,
    batch: Option<String>,
    request: Option<String>,
    problem: Option<String>,
}

impl TryFrom<WaitingRow> for Waiting {
    type Error = StoreError;

    fn try_from(row: WaitingRow) -> Result<Self, StoreError> {
        let WaitingRow { number, kind, lead_id, content, at, actor, batch, request, problem } = row;
        let known = match serde_json::from_str(&content) {
            Ok(Value::Object(record)) => match (kind.as_str(), lead_id) {
                (LEAD, Some(id)) => whole(record).map(|it| Accepted::Lead(LeadId(id), it)),
                (SIGN_UP, None) => whole(record).map(Accepted::SignUp),
                _ => None,
            },
            _ => None,
        };
        let author = Author {
            actor: Actor::from_words(&actor),
            request: request.map(Into::into),
            batch: batch.map(|batch| BatchId(batch.into())),
        };
        let what = known.unwrap_or_else(|| Accepted::Unknown(format!("{kind}: {content}")));
        // An entry that cannot be read must not hide the others.
        Ok(Self { number, what, act: author.at(moment(at).unwrap_or_default()), problem })
    }
}

/// What the fields say, if this version knows all of them.
fn whole<T: Serialize + DeserializeOwned>(fields: Record) -> Option<T> {
    let read = from_record(fields.clone())?;
    (record(&read) == fields).then_some(read)
}

/// What was accepted: its kind, the id of a lead, and its fields as JSON.
pub(super) fn stored(what: &Accepted) -> (String, Option<i64>, String) {
    match what {
        Accepted::Lead(id, lead) => {
            (LEAD.to_owned(), Some(id.0), Value::Object(record(lead)).to_string())
        }
        Accepted::SignUp(subscriber) => {
            (SIGN_UP.to_owned(), None, Value::Object(record(subscriber)).to_string())
        }
        Accepted::Unknown(words) => {
            let (kind, content) = words.split_once(": ").unwrap_or(("", words));
            (kind.to_owned(), None, content.to_owned())
        }
    }
}

/// The columns of a key, as [`ApiKeyRow`](crate::api_keys::ApiKeyRow) reads them.
pub(super) const KEYS: &str = "SELECT id, name, prefix, digest, scopes, origins, rate, \
    forwards_visitors, created_at, expires_at, revoked_at, last_used_at FROM known_keys";

/// The statement that remembers a key, as it was at this time.
pub(super) fn insert_key(key: &ApiKey, at: DateTime<Utc>) -> Sql {
    let ApiKey { id, draft, prefix, digest, created_at, revoked_at, last_used_at } = key;
    let mut insert = Sql::new("INSERT INTO known_keys VALUES (");
    insert.int(id.0).sql(", ").text(&*draft.name).sql(", ").text(&*prefix.0).sql(", ");
    insert.bytes(digest.0.to_vec()).sql(", ").text(draft.scopes.to_string()).sql(", ");
    insert.text(draft.origins.join(" ")).sql(", ");
    insert.text_or_null(draft.rate.map(|rate| rate.to_string())).sql(", ");
    insert.int(draft.forwards_visitors.into()).sql(", ").int(microseconds(*created_at));
    for time in [draft.expires_at, *revoked_at, *last_used_at] {
        insert.sql(", ").int_or_null(time.map(microseconds));
    }
    insert.sql(", ").int(microseconds(at)).sql(")");
    insert
}
