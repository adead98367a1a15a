//! The state of the backups.

mod check;

use exit3_ports::{BackupStatus, StoreError};

pub use check::{CheckBackups, check};

use crate::App;

/// When backups were made and tested.
///
/// # Errors
/// [`StoreError`] if the query fails.
pub async fn status(app: &App) -> Result<BackupStatus, StoreError> {
    app.repositories()?.backups.status().await
}
