//! Rows of the table `api_keys`.

use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use exit3_domain::api_keys::{
    ApiKey, ApiKeyDraft, ApiKeyId, NewApiKey, Scopes, TokenDigest, TokenPrefix,
};
use exit3_ports::StoreError;

use crate::values::moment;

diesel::table! {
    api_keys (id) {
        id -> BigInt,
        name -> Text,
        prefix -> Text,
        digest -> Binary,
        scopes -> Text,
        origins -> Text,
        rate -> Nullable<Text>,
        forwards_visitors -> Bool,
        created_at -> BigInt,
        expires_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
        last_used_at -> Nullable<BigInt>,
    }
}

/// A key as it is read.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = api_keys, check_for_backend(Sqlite))]
pub(crate) struct ApiKeyRow {
    id: i64,
    name: String,
    prefix: String,
    digest: Vec<u8>,
    scopes: String,
    origins: String,
    rate: Option<String>,
    forwards_visitors: bool,
    created_at: i64,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
    last_used_at: Option<i64>,
}

impl ApiKeyRow {
    pub(super) fn id(&self) -> i64 {
        self.id
    }
}

impl TryFrom<ApiKeyRow> for ApiKey {
    type Error = StoreError;

    fn try_from(row: ApiKeyRow) -> Result<Self, StoreError> {
        let rate = row.rate.map(|rate| rate.parse()).transpose();
        Ok(Self {
            id: ApiKeyId(row.id),
            draft: ApiKeyDraft {
                name: row.name,
                scopes: Scopes::from_words(&row.scopes),
                origins: row.origins.split_whitespace().map(str::to_owned).collect(),
                rate: rate.map_err(|error| StoreError::Other(Box::new(error)))?,
                forwards_visitors: row.forwards_visitors,
                expires_at: row.expires_at.map(moment).transpose()?,
            },
            prefix: TokenPrefix(row.prefix),
            digest: TokenDigest(
                row.digest
                    .try_into()
                    .map_err(|_| StoreError::Other("a digest of another length".into()))?,
            ),
            created_at: moment(row.created_at)?,
            revoked_at: row.revoked_at.map(moment).transpose()?,
            last_used_at: row.last_used_at.map(moment).transpose()?,
        })
    }
}

/// A key as it is inserted.
#[derive(Insertable)]
#[diesel(table_name = api_keys, treat_none_as_default_value = false)]
pub(super) struct ApiKeyInsert {
    name: String,
    prefix: String,
    digest: Vec<u8>,
    scopes: String,
    origins: String,
    rate: Option<String>,
    forwards_visitors: bool,
    created_at: i64,
    expires_at: Option<i64>,
}

impl From<&NewApiKey> for ApiKeyInsert {
    fn from(key: &NewApiKey) -> Self {
        let draft = &key.draft;
        Self {
            name: draft.name.clone(),
            prefix: key.prefix.0.clone(),
            digest: key.digest.0.to_vec(),
            scopes: draft.scopes.to_string(),
            origins: draft.origins.join(" "),
            rate: draft.rate.map(|rate| rate.to_string()),
            forwards_visitors: draft.forwards_visitors,
            created_at: key.created_at.timestamp_micros(),
            expires_at: draft.expires_at.map(|end| end.timestamp_micros()),
        }
    }
}
