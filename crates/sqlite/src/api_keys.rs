//! API keys in SQLite.

mod row;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use exit3_domain::api_keys::{ApiKey, ApiKeyId, NewApiKey, RESOURCE, TokenPrefix, WhichKeys};
use exit3_domain::events::{Act, Changes, Verb};
use exit3_ports::{ApiKeyRepository, StoreError};

use self::row::ApiKeyInsert;
pub(crate) use self::row::{ApiKeyRow, api_keys};
use crate::error::from_diesel;
use crate::events::EventRow;
use crate::store::SqliteStore;
use crate::values::microseconds;

/// Stores API keys.
#[derive(Clone)]
pub(crate) struct SqliteApiKeyRepository {
    store: SqliteStore,
}

impl SqliteApiKeyRepository {
    pub(crate) fn new(store: SqliteStore) -> Self {
        Self { store }
    }
}

#[async_trait]
impl ApiKeyRepository for SqliteApiKeyRepository {
    async fn create(&self, key: &NewApiKey, act: &Act) -> Result<ApiKey, StoreError> {
        let row = ApiKeyInsert::from(key);
        let event = EventRow::of(act, RESOURCE, Verb::CREATED, &Changes::None)?;
        let insert = move |connection: &mut SqliteConnection| {
            let created: ApiKeyRow = diesel::insert_into(api_keys::table)
                .values(row)
                .returning(ApiKeyRow::as_returning())
                .get_result(connection)
                .map_err(from_diesel)?;
            event.insert(connection, created.id())?;
            Ok(created)
        };
        self.store.write(insert).await?.try_into()
    }

    async fn list(&self) -> Result<Vec<ApiKey>, StoreError> {
        let list = |connection: &mut SqliteConnection| {
            let newest = api_keys::table.order(api_keys::id.desc());
            newest.select(ApiKeyRow::as_select()).load(connection)
        };
        let rows = self.store.readers.run(list).await?;
        rows.into_iter().map(ApiKey::try_from).collect()
    }

    async fn find_by_prefix(&self, prefix: &TokenPrefix) -> Result<Option<ApiKey>, StoreError> {
        let prefix = prefix.0.clone();
        let find = move |connection: &mut SqliteConnection| {
            api_keys::table
                .filter(api_keys::prefix.eq(&prefix))
                .select(ApiKeyRow::as_select())
                .first(connection)
                .optional()
        };
        self.store.readers.run(find).await?.map(ApiKey::try_from).transpose()
    }

    async fn revoke(&self, which: &WhichKeys, act: &Act) -> Result<Vec<ApiKey>, StoreError> {
        let at = microseconds(act.at);
        let now = Changes::one("revoked_at", None, Some(act.at));
        let event = EventRow::of(act, RESOURCE, Verb::REVOKED, &now)?;
        // No key has an empty name or the id 0.
        let (which, id) = match which {
            WhichKeys::Called(which) => (which.clone(), 0),
            WhichKeys::One(id) => (String::new(), id.0),
        };
        let revoke = move |connection: &mut SqliteConnection| {
            let called = api_keys::name.eq(&which).or(api_keys::prefix.eq(&which));
            let meant = called.or(api_keys::id.eq(id));
            let mut revoked: Vec<ApiKeyRow> =
                diesel::update(api_keys::table.filter(meant.and(api_keys::revoked_at.is_null())))
                    .set(api_keys::revoked_at.eq(at))
                    .returning(ApiKeyRow::as_returning())
                    .load(connection)
                    .map_err(from_diesel)?;
            revoked.sort_by_key(|row| std::cmp::Reverse(row.id()));
            for row in &revoked {
                event.insert(connection, row.id())?;
            }
            Ok(revoked)
        };
        let revoked = self.store.write(revoke).await?;
        revoked.into_iter().map(ApiKey::try_from).collect()
    }

    async fn note_uses(&self, uses: &[(ApiKeyId, DateTime<Utc>)]) -> Result<(), StoreError> {
        let uses: Vec<(i64, i64)> =
            uses.iter().map(|(key, at)| (key.0, at.timestamp_micros())).collect();
        let note = move |connection: &mut SqliteConnection| {
            for (key, at) in uses {
                let earlier = api_keys::last_used_at.is_null().or(api_keys::last_used_at.lt(at));
                diesel::update(api_keys::table.find(key))
                    .filter(earlier)
                    .set(api_keys::last_used_at.eq(at))
                    .execute(connection)
                    .map_err(from_diesel)?;
            }
            Ok(())
        };
        self.store.write(note).await
    }
}
