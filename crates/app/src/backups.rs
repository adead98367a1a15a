//! What is known of the backups.

use exit3_ports::{BackupStatus, StoreError};

use crate::App;

/// When backups were made and tried.
///
/// # Errors
/// [`StoreError`] where the database does not tell.
pub async fn status(app: &App) -> Result<BackupStatus, StoreError> {
    app.repositories.backups.status().await
}
