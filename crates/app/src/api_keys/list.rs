use exit3_domain::api_keys::ApiKey;
use exit3_ports::StoreError;

use crate::App;

/// All keys, including revoked and expired ones, newest first.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub async fn list(app: &App) -> Result<Vec<ApiKey>, StoreError> {
    app.repositories()?.api_keys.list().await
}
