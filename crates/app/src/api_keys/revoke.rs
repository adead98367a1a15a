use exit3_domain::api_keys::ApiKey;
use exit3_ports::StoreError;

use crate::App;

/// Revokes all keys of a name, or the one of a prefix; returns those that were not
/// revoked before.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub async fn revoke(app: &App, name_or_prefix: &str) -> Result<Vec<ApiKey>, StoreError> {
    app.repositories.api_keys.revoke(name_or_prefix, app.clock.now()).await
}
