use async_trait::async_trait;
use chrono::{DateTime, Utc};
use exit3_domain::api_keys::{ApiKey, ApiKeyId, NewApiKey, TokenPrefix};

use crate::StoreError;

/// Keeps the keys of the API.
///
/// Every method may fail with [`StoreError::Unavailable`].
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait ApiKeyRepository: Send + Sync {
    /// Stores a key.
    async fn create(&self, key: &NewApiKey) -> Result<ApiKey, StoreError>;

    /// All keys, the dead ones too, newest first.
    async fn list(&self) -> Result<Vec<ApiKey>, StoreError>;

    /// The key of that prefix, dead or alive, by an index.
    async fn find_by_prefix(&self, prefix: &TokenPrefix) -> Result<Option<ApiKey>, StoreError>;

    /// Revokes, as of `now`, the keys whose name or prefix is `which` and that are
    /// not revoked yet, and returns them, newest first.
    async fn revoke(&self, which: &str, now: DateTime<Utc>) -> Result<Vec<ApiKey>, StoreError>;

    /// Notes when keys were used, all in one statement. A time before the one that
    /// is known already, or a key that is gone, changes nothing.
    async fn note_uses(&self, uses: &[(ApiKeyId, DateTime<Utc>)]) -> Result<(), StoreError>;
}
