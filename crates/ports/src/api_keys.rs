//! Where API keys are stored.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use exit3_domain::api_keys::{ApiKey, ApiKeyId, NewApiKey, TokenPrefix, WhichKeys};
use exit3_domain::events::Act;

use crate::tables::{Column, Kind, Table};
use crate::{Constraint, StoreError};

/// Another key has this prefix.
pub const PREFIX_TAKEN: Constraint = Constraint::Taken { table: "api_keys", column: "prefix" };

/// The table of API keys.
pub const TABLE: Table = Table {
    name: "api_keys",
    columns: &[
        Column::new("id", Kind::Integer),
        Column::new("name", Kind::Text),
        Column::new("prefix", Kind::Text),
        Column::new("digest", Kind::Bytes),
        Column::new("scopes", Kind::Text),
        Column::new("origins", Kind::Text),
        Column::new("rate", Kind::Text),
        Column::new("forwards_visitors", Kind::Boolean),
        Column::new("created_at", Kind::Time),
        Column::new("expires_at", Kind::Time),
        Column::new("revoked_at", Kind::Time),
        Column::new("last_used_at", Kind::Time),
    ],
    resource: exit3_domain::api_keys::RESOURCE,
    rules: &[PREFIX_TAKEN],
    rights: "SELECT, INSERT, UPDATE",
    ..Table::EMPTY
};

/// Stores API keys. Creating and revoking keys stores an event for each key in the same transaction;
/// no event contains a token or its digest. A use that is noted is no change.
///
/// Every method may fail with [`StoreError::Unavailable`].
///
/// A key is found by the prefix of its token:
/// ```
/// use exit3_domain::api_keys::TokenPrefix;
/// use exit3_ports::{MockRepositories, Repositories};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), exit3_ports::StoreError> {
/// let mut mocks = MockRepositories::default();
/// mocks.api_keys.expect_find_by_prefix().returning(|_| Ok(None));
/// let keys = Repositories::from(mocks).api_keys;
///
/// let unknown = TokenPrefix("4Fq0Zk8d".to_owned());
/// assert_eq!(keys.find_by_prefix(&unknown).await?, None);
/// # Ok(())
/// # }
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait ApiKeyRepository: Send + Sync {
    /// Stores a key.
    async fn create(&self, key: &NewApiKey, act: &Act) -> Result<ApiKey, StoreError>;

    /// All keys, including revoked and expired ones, newest first.
    async fn list(&self) -> Result<Vec<ApiKey>, StoreError>;

    /// Finds a key by its prefix, even if it is revoked or expired. Uses an index.
    async fn find_by_prefix(&self, prefix: &TokenPrefix) -> Result<Option<ApiKey>, StoreError>;

    /// Revokes these keys, as of the time of `act`, unless they are revoked already. Returns those that
    /// it revoked, newest first.
    async fn revoke(&self, which: &WhichKeys, act: &Act) -> Result<Vec<ApiKey>, StoreError>;

    /// Records when keys were used, in one statement. Ignores times older than the stored one, and
    /// keys that no longer exist.
    async fn note_uses(&self, uses: &[(ApiKeyId, DateTime<Utc>)]) -> Result<(), StoreError>;
}
