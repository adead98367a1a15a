//! API keys in PostgreSQL.

mod row;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::{BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl};
use diesel::{QueryResult, SelectableHelper};
use diesel_async::RunQueryDsl;
use exit3_domain::api_keys::{ApiKey, ApiKeyId, NewApiKey, RESOURCE, TokenPrefix, WhichKeys};
use exit3_domain::events::{Act, Changes, Verb};
use exit3_ports::{ApiKeyRepository, StoreError};

use crate::events::{EventRow, Noted};
use crate::pool::PgPool;
use crate::sql::{Sql, Value};
use row::{ApiKeyInsert, ApiKeyRow, api_keys};

/// Stores API keys in PostgreSQL.
#[derive(Clone)]
pub(crate) struct PgApiKeyRepository {
    pool: PgPool,
}

impl PgApiKeyRepository {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl ApiKeyRepository for PgApiKeyRepository {
    async fn create(&self, key: &NewApiKey, act: &Act) -> Result<ApiKey, StoreError> {
        let created = self.pool.write(|mut connection| {
            let query = diesel::insert_into(api_keys::table)
                .values(ApiKeyInsert::from(key))
                .returning(ApiKeyRow::as_returning());
            let event = EventRow::of(act, RESOURCE, Verb::CREATED, &Changes::None);
            let query = Noted::new(query, event);
            async move {
                let created: QueryResult<ApiKeyRow> = query.get_result(&mut *connection).await;
                connection.done(created)
            }
        });
        created.await?.try_into()
    }

    async fn list(&self) -> Result<Vec<ApiKey>, StoreError> {
        let listed = self.pool.read(|mut connection| async move {
            let query = api_keys::table.order(api_keys::id.desc()).select(ApiKeyRow::as_select());
            let listed: QueryResult<Vec<ApiKeyRow>> = query.load(&mut *connection).await;
            connection.done(listed)
        });
        listed.await?.into_iter().map(ApiKey::try_from).collect()
    }

    async fn find_by_prefix(&self, prefix: &TokenPrefix) -> Result<Option<ApiKey>, StoreError> {
        let found = self.pool.read(|mut connection| {
            let query = api_keys::table
                .filter(api_keys::prefix.eq(&prefix.0))
                .select(ApiKeyRow::as_select());
            async move {
                let found: QueryResult<ApiKeyRow> = query.get_result(&mut *connection).await;
                connection.done(found.optional())
            }
        });
        found.await?.map(ApiKey::try_from).transpose()
    }

    async fn revoke(&self, which: &WhichKeys, act: &Act) -> Result<Vec<ApiKey>, StoreError> {
        // No key has an empty name or the id 0.
        let (which, id) = match which {
            // Stored texts contain no NUL, and PostgreSQL refuses it as a parameter.
            WhichKeys::Called(which) if which.contains('\0') => return Ok(Vec::new()),
            WhichKeys::Called(which) => (which.as_str(), 0),
            WhichKeys::One(id) => ("", id.0),
        };
        let changes = Changes::one("revoked_at", None, Some(act.at));
        let revoked = self.pool.write(|mut connection| {
            let called = api_keys::name.eq(which).or(api_keys::prefix.eq(which));
            let meant = called.or(api_keys::id.eq(id));
            let query =
                diesel::update(api_keys::table.filter(meant.and(api_keys::revoked_at.is_null())))
                    .set(api_keys::revoked_at.eq(act.at))
                    .returning(ApiKeyRow::as_returning());
            let event = EventRow::of(act, RESOURCE, Verb::REVOKED, &changes);
            let query = Noted::new(query, event);
            async move {
                let revoked: QueryResult<Vec<ApiKeyRow>> = query.load(&mut *connection).await;
                connection.done(revoked)
            }
        });
        let mut revoked = revoked.await?;
        revoked.sort_by_key(|row| std::cmp::Reverse(row.id()));
        revoked.into_iter().map(ApiKey::try_from).collect()
    }

    async fn note_uses(&self, uses: &[(ApiKeyId, DateTime<Utc>)]) -> Result<(), StoreError> {
        let noted = self.pool.write(|mut connection| {
            let ids = uses.iter().map(|(key, _)| key.0).collect();
            let times = uses.iter().map(|(_, at)| *at).collect();
            let query = Sql::<()>::planned(
                "UPDATE api_keys SET last_used_at = used.at \
                 FROM (SELECT key, max(at) AS at FROM unnest(",
            )
            .value(Value::BigInts(ids))
            .sql(", ")
            .value(Value::Times(times))
            .sql(
                ") AS used (key, at) GROUP BY key) used WHERE id = used.key \
                 AND (last_used_at IS NULL OR last_used_at < used.at)",
            );
            async move {
                let noted = query.execute(&mut *connection).await;
                connection.done(noted)
            }
        });
        noted.await.map(drop)
    }
}
