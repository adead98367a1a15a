use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::StoreError;

/// The state of a database's backups.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BackupStatus {
    /// When the last complete backup was started.
    pub backed_up_at: Option<DateTime<Utc>>,
    /// When a trial restore of a backup last succeeded.
    pub verified_at: Option<DateTime<Utc>>,
    /// Whether the last trial restore succeeded.
    pub verification_ok: Option<bool>,
}

/// Records backups and trial restores in the database, so that all nodes can report them.
///
/// Every method may fail with [`StoreError::Unavailable`].
///
/// One node makes the backup, and all report it:
/// ```
/// use exit3_ports::{BackupStatus, MockRepositories, Repositories};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), exit3_ports::StoreError> {
/// let began = chrono::DateTime::UNIX_EPOCH;
/// let known = BackupStatus { backed_up_at: Some(began), ..BackupStatus::default() };
/// let mut mocks = MockRepositories::default();
/// mocks.backups.expect_note_backup().return_once(|_| Ok(()));
/// mocks.backups.expect_status().return_once(move || Ok(known));
/// let backups = Repositories::from(mocks).backups;
///
/// backups.note_backup(began).await?;
/// assert_eq!(backups.status().await?.backed_up_at, Some(began));
/// # Ok(())
/// # }
/// ```
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait BackupLog: Send + Sync {
    /// Records a complete backup, started at `at`.
    async fn note_backup(&self, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// Records the outcome of a trial restore.
    async fn note_verification(&self, ok: bool, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// The state of the backups.
    async fn status(&self) -> Result<BackupStatus, StoreError>;
}
