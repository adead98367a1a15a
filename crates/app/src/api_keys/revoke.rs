use exit3_domain::api_keys::ApiKey;
use exit3_domain::events::Author;
use exit3_ports::StoreError;

use crate::App;

/// Revokes all keys with a name, or the key with a prefix. Returns those that were not revoked
/// before.
///
/// # Errors
/// [`StoreError::Unavailable`].
pub async fn revoke(
    app: &App,
    name_or_prefix: &str,
    author: &Author,
) -> Result<Vec<ApiKey>, StoreError> {
    app.repositories()?.api_keys.revoke(name_or_prefix, &author.at(app.clock.now())).await
}
