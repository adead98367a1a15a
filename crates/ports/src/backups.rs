use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::StoreError;

/// What is known of the backups of a database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BackupStatus {
    /// When the last complete backup was begun.
    pub backed_up_at: Option<DateTime<Utc>>,
    /// When a backup was last restored for a trial, and was what it should be.
    pub verified_at: Option<DateTime<Utc>>,
    /// Whether the last such trial went well.
    pub verification_ok: Option<bool>,
}

/// Remembers when backups were made and tried, for all nodes to tell.
///
/// Every method may fail with [`StoreError::Unavailable`].
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait BackupLog: Send + Sync {
    /// Notes a complete backup.
    async fn note_backup(&self, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// Notes how a trial went.
    async fn note_verification(&self, ok: bool, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// What is known.
    async fn status(&self) -> Result<BackupStatus, StoreError>;
}
